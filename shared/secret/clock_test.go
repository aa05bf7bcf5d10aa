package secret

import (
	"strings"
	"testing"
)

// While a function is frozen its monotonic clock stands still: a secret would
// seem to have been read a moment ago, and one that was rotated since would
// neither be used nor asked for.
func TestTheAgeOfASecretIsToldByTheWallClock(t *testing.T) {
	t.Parallel()
	if now := New(nil, func(string) string { return "" }, nil).now().String(); strings.Contains(now, "m=") {
		t.Errorf("the clock is %s", now)
	}
}
