package main

import (
	"testing"
	"time"

	"pushpull/test/harness"
)

func TestABackfillIsReadOnceInLittleMemory(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds the poller")
	}
	if err := harness.DependOnSources(); err != nil {
		t.Fatal(err)
	}
	const records = 20_000
	r, err := readRange(t.Context(), records, 1000, 10*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d requests in %s, %.1f MiB at most", r.pages, r.took.Round(time.Millisecond), float64(r.peak)/1024)
	if err := r.err(records); err != nil {
		t.Error(err)
	}
}
