package presets

import (
	"testing"

	"pushpull/test/harness"
)

// TestItsResultIsOfTheseSources keeps the go command from answering for this
// package from its cache after the functions, which it builds, have changed.
func TestItsResultIsOfTheseSources(t *testing.T) {
	t.Parallel()
	if err := harness.DependOnSources(); err != nil {
		t.Fatal(err)
	}
}
