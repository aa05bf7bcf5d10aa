package destination

import (
	"testing"
	"time"
)

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"", "120", "-1", "Mon, 23 Nov 2026 12:01:30 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "9223372036854775808", "soon"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if d := retryAfter(value, noon); d < 0 || d > 365*24*time.Hour {
			t.Errorf("retryAfter(%q) = %v", value, d)
		}
	})
}
