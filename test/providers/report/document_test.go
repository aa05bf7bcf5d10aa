package main

import (
	"bytes"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write docs/providers.md anew")

const (
	committed = "../results.jsonl"
	page      = "../../../docs/providers.md"
)

func TestTheProvidersPageIsCurrent(t *testing.T) {
	t.Parallel()
	results, err := read(committed)
	if err != nil {
		t.Fatal(err)
	}
	want, err := document(results)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")), []byte(want)) {
		t.Error("docs/providers.md is stale: run `go test ./test/providers/report -update`")
	}
}

// At least forty providers were asked by their own SDKs, and nothing failed.
func TestTheCommittedResultsAreWhatTheyShouldBe(t *testing.T) {
	t.Parallel()
	results, err := read(committed)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, providers := count(results); providers < 40 {
		t.Errorf("%d providers were asked", providers)
	}
	for _, r := range results {
		if r.Failed > 0 || r.Passed == 0 {
			t.Errorf("%s with %s: %d failed, %d passed", r.Preset, r.SDK, r.Failed, r.Passed)
		}
	}
}
