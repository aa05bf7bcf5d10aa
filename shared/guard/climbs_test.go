package guard_test

import (
	"net/url"
	"testing"

	"pushpull/shared/guard"
)

func TestClimbs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, address string
		want          bool
	}{
		{"a plain path does not", "https://api.example.com/things/a..b/...", false},
		{"nor does a slash that is escaped", "https://api.example.com/things/a%2Fb", false},
		{"a step up does", "https://api.example.com/things/..", true},
		{"so does one to the same place", "https://api.example.com/things/./a", true},
		{"one between escaped slashes", "https://api.example.com/things/a%2F..%2Fb", true},
		{"one that is escaped twice", "https://api.example.com/things/%252e%252e/a", true},
		{"one with parameters", "https://api.example.com/things/..;a=1/b", true},
		{"one behind a backslash", `https://api.example.com/things/a%5C..%5Cb`, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			u, err := url.Parse(tt.address)
			if err != nil {
				t.Fatal(err)
			}
			if got := guard.Climbs(u); got != tt.want {
				t.Errorf("%s: %t", tt.address, got)
			}
		})
	}
}
