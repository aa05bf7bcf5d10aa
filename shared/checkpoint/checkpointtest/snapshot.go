package checkpointtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/checkpoint"
	"pushpull/shared/pull"
)

// see is a run that saw these entities, each as "name=hash", a page at a time.
func see(t *testing.T, n pull.Snapshot, run string, entities ...string) {
	t.Helper()
	for page := range slices.Chunk(entities, 700) {
		var names []string
		for _, e := range page {
			name, _, _ := strings.Cut(e, "=")
			names = append(names, name)
		}
		known, err := n.Lookup(t.Context(), names)
		do(t, err)
		entries := make([]pull.Entry, len(page))
		for i, e := range page {
			name, hash, _ := strings.Cut(e, "=")
			entries[i] = pull.Entry{Entity: name, Hash: hash, Changes: known[name].Changes}
			if known[name].Hash != hash {
				entries[i].Changes++
			}
			known[name] = entries[i] // as a caller may
		}
		do(t, n.Commit(t.Context(), run, entries))
	}
}

// bury tells what is gone, and remembers it.
func bury(t *testing.T, n pull.Snapshot, runs ...string) (names []string) {
	t.Helper()
	for after := ""; ; {
		gone, next, err := n.Gone(t.Context(), runs, after)
		do(t, err)
		for i := range gone {
			names = append(names, gone[i].Entity)
			gone[i].Hash, gone[i].Changes = "", gone[i].Changes+1
		}
		if len(gone) > 0 {
			do(t, n.Commit(t.Context(), runs[0], gone))
		}
		if after = next; after == "" {
			return names
		}
	}
}

func numbered(n int) (entities []string) {
	for i := range n {
		entities = append(entities, fmt.Sprintf("e%04d=x", i))
	}
	return entities
}

func snapshotFindsGone(t *testing.T, s *checkpoint.Store, _ *clock) {
	t.Helper()
	all := append(numbered(1500), strings.Repeat("a long name ", 100)+"=x")
	open := func() *checkpoint.Snapshot { return s.Snapshot("shop", time.Hour) }
	first := open()
	see(t, first, "r1", all...)
	if gone := bury(t, first, "r1"); len(gone) != 0 {
		t.Fatalf("at first %d are gone", len(gone))
	}
	second := open()
	see(t, second, "r2", all[1200:]...)
	gone := bury(t, second, "r2")
	if len(gone) != 1200 || gone[0] != "e0000" || gone[1199] != "e1199" {
		t.Fatalf("%d are gone", len(gone))
	}
	third := open()
	see(t, third, "r3", append(all[1200:], "new=1")...)
	if gone := bury(t, third, "r3"); len(gone) != 0 {
		t.Errorf("told twice: %v", gone)
	}
	// Of two runs that must both have missed it, one saw it.
	fourth := open()
	see(t, fourth, "r4", all[1200:]...)
	if gone := bury(t, fourth, "r4", "r3"); len(gone) != 0 {
		t.Errorf("gone after one of two runs: %v", gone)
	}
	fifth := open()
	see(t, fifth, "r5", all[1200:]...)
	if diff := cmp.Diff([]string{"new"}, bury(t, fifth, "r5", "r4")); diff != "" {
		t.Error(diff)
	}
}

func snapshotRemembers(t *testing.T, s *checkpoint.Store, _ *clock) {
	t.Helper()
	n := s.Snapshot("shop", time.Hour)
	see(t, n, "r1", "a=1", "b=1")
	see(t, n, "r1", "a=2")
	bury(t, n, "r1")
	n = s.Snapshot("shop", time.Hour)
	see(t, n, "r2", "b=1")
	bury(t, n, "r2")
	known, err := s.Snapshot("shop", time.Hour).Lookup(t.Context(), []string{"a", "b", "c"})
	do(t, err)
	want := map[string]pull.Entry{"a": {Entity: "a", Changes: 3}, "b": {Entity: "b", Hash: "1", Changes: 1}}
	if diff := cmp.Diff(want, known); diff != "" {
		t.Error(diff)
	}
	n = s.Snapshot("shop", time.Hour)
	see(t, n, "r3", "a=2", "b=1")
	bury(t, n, "r3")
	if known, err = n.Lookup(context.WithoutCancel(t.Context()), []string{"a"}); err != nil || known["a"].Changes != 4 {
		t.Errorf("come back it is %+v (%v)", known["a"], err)
	}
	other, err := s.Snapshot("shop.other", time.Hour).Lookup(t.Context(), []string{"a"})
	if err != nil || len(other) != 0 {
		t.Errorf("another poll knows %v (%v)", other, err)
	}
}

func snapshotAfterKill(t *testing.T, s *checkpoint.Store, _ *clock) {
	t.Helper()
	open := func() *checkpoint.Snapshot { return s.Snapshot("shop", time.Hour) }
	n := open()
	see(t, n, "r1", "a=1", "b=1", "c=1")
	bury(t, n, "r1")
	see(t, open(), "cut", "a=1", "new=1") // a run that never came to its end
	see(t, open(), "r2", "a=1")           // one that was killed after a page,
	n = open()                            // and goes on
	see(t, n, "r2", "a=1", "b=1")
	if _, _, err := n.Gone(t.Context(), []string{"r2"}, ""); err != nil { // killed before it was told
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"c", "new"}, bury(t, open(), "r2")); diff != "" {
		t.Error(diff)
	}
	if gone := bury(t, open(), "r2"); len(gone) != 0 { // killed before the state was saved
		t.Errorf("told twice: %v", gone)
	}
}
