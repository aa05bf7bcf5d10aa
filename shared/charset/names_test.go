package charset

import (
	"testing"

	"golang.org/x/text/encoding/htmlindex"
)

// What a name means is what the package that we do without says.
func TestCharsets(t *testing.T) {
	t.Parallel()
	for name, e := range charsets() {
		if want, err := htmlindex.Get(name); err != nil || e != want {
			t.Errorf("%s is %v, want %v, %v", name, e, want, err)
		}
	}
}
