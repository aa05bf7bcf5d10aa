package event

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestVersionKeyHasTheOrderOfVersions(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, a, b string
		want       int // of a beside b
	}{
		{"a longer number is the greater", "9", "10", -1},
		{"leading zeros say nothing", "007", "7", 0},
		{"nor do those of a fraction", "1.50", "1.5", 0},
		{"a fraction counts", "1.05", "1.5", -1},
		{"nothing with a sign is nothing", "-0", "0", 0},
		{"below nothing the longer is the smaller", "-10", "-9", -1},
		{"below nothing a fraction makes it smaller", "-1.5", "-1", -1},
		{"a number beyond 64 bits", "18446744073709551615", "18446744073709551616", -1},
		{"a time without a fraction comes before one with", "2026-11-23T08:00:00Z", "2026-11-23T08:00:00.001Z", -1},
		{"times of two precisions are the same", "2026-11-23T08:00:00Z", "2026-11-23T08:00:00.000Z", 0},
		{"a time of another zone", "2026-11-23T09:00:00+02:00", "2026-11-23T08:00:00Z", -1},
		{"a day is its first moment", "2026-11-23", "2026-11-23T00:00:00Z", 0},
		{"other texts are in the order of their bytes", "rev-a", "rev-b", -1},
		{"a number comes before a time", "99999999999", "2026-11-23", -1},
		{"none comes before any", "", "-1", -1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Compare(VersionKey(test.a), VersionKey(test.b)); got != test.want {
				t.Errorf("%q beside %q: %d, want %d (%s, %s)", test.a, test.b, got, test.want, VersionKey(test.a), VersionKey(test.b))
			}
		})
	}
}

func TestVersionKeyOfAnyTwoNumbers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.StringMatching(`-?[0-9]{1,6}(\.[0-9]{1,4})?`)
		a, b := number.Draw(t, "a"), number.Draw(t, "b")
		x, _ := new(big.Rat).SetString(a)
		y, _ := new(big.Rat).SetString(b)
		if got := strings.Compare(VersionKey(a), VersionKey(b)); got != x.Cmp(y) {
			t.Fatalf("%s beside %s: %d, want %d", a, b, got, x.Cmp(y))
		}
	})
}
