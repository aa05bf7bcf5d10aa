package pull

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"pushpull/shared/config"
)

// An album is a Snapshot that keeps state.
type album struct {
	entries map[string]Entry
	seen    map[string]string
}

func newAlbum() *album { return &album{entries: map[string]Entry{}, seen: map[string]string{}} }

func (m *album) Lookup(_ context.Context, entities []string) (map[string]Entry, error) {
	found := map[string]Entry{}
	for _, name := range entities {
		if e, ok := m.entries[name]; ok {
			found[name] = e
		}
	}
	return found, nil
}

func (m *album) Commit(_ context.Context, run string, entries []Entry) error {
	for _, e := range entries {
		m.entries[e.Entity], m.seen[e.Entity] = e, run
	}
	return nil
}

// Gone gives one at a time.
func (m *album) Gone(_ context.Context, runs []string, after string) ([]Entry, string, error) {
	for _, name := range slices.Sorted(maps.Keys(m.entries)) {
		if e := m.entries[name]; name > after && e.Hash != "" && !slices.Contains(runs, m.seen[name]) {
			return []Entry{e}, name, nil
		}
	}
	return nil, "", nil
}

func entity(record []byte) (string, error) { return gjson.GetBytes(record, "id").String(), nil }

func snapshotPoll(kind string) config.Poll {
	poll := config.Poll{
		Request: &config.Request{Path: "/things"}, Records: &config.Records{Path: "data"},
		Snapshot: &config.Snapshot{Deletes: true, Ignore: config.Names{"etag"}},
	}
	if kind == "offset" {
		poll.Pagination = &config.Pagination{Type: "offset", CursorParam: "offset", PageSize: 100}
	}
	return poll
}

// compared reads once, as the poller does: queue, commit, save.
func compared(t *testing.T, s *Source, st State) (changes []string, next State) {
	t.Helper()
	for page, err := range s.Run(t.Context(), st) {
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Records {
			number, _, _ := strings.Cut(r.Change, "-")
			changes = append(changes, fmt.Sprintf("%s#%s deleted=%t", r.Entity, number, r.Deleted))
		}
		if err := page.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		st = saved(page.Next)
	}
	return changes, st
}

func TestASnapshotTellsWhatChanged(t *testing.T) {
	t.Parallel()
	body := ""
	a := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"data":[` + body + `]}`)) })
	s := source(t, a, snapshotPoll(""), Options{Entity: entity, Snapshot: newAlbum()})
	st, got := State{}, []string(nil)
	for _, step := range []struct {
		name, body string
		want       []string
	}{
		{"all is new at first", `{"id":"a","v":1},{"id":"b","v":1}`, []string{"a#1 deleted=false", "b#1 deleted=false"}},
		{"what is as it was is left out, however it is written", `{"v":1,"id":"a"},{"id":"b","v":1,"etag":"x"}`, nil},
		{"a change has a number", `{"id":"a","v":2},{"id":"b","v":1}`, []string{"a#2 deleted=false"}},
		{"and so has the change back", `{"id":"a","v":1},{"id":"b","v":1}`, []string{"a#3 deleted=false"}},
		{"what is no longer there was deleted", `{"id":"a","v":1}`, []string{"b#2 deleted=true"}},
		{"once", `{"id":"a","v":1}`, nil},
		{"and may come back", `{"id":"a","v":1},{"id":"b","v":1}`, []string{"b#3 deleted=false"}},
		{"one that stands there twice is the last", `{"id":"a","v":1},{"id":"a","v":7},{"id":"b","v":1}`, []string{"a#4 deleted=false"}},
		{"an empty list deletes all", ``, []string{"a#5 deleted=true", "b#4 deleted=true"}},
	} {
		body = step.body
		got, st = compared(t, s, st)
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s: %s", step.name, diff)
		}
	}
}

func TestARowThatShiftedPastAnOffsetWasNotDeleted(t *testing.T) {
	t.Parallel()
	body := `{"id":"a"},{"id":"b"}`
	a := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"data":[` + body + `]}`)) })
	s := source(t, a, snapshotPoll("offset"), Options{Entity: entity, Snapshot: newAlbum()})
	_, st := compared(t, s, State{})
	body = `{"id":"a"}`
	got, st := compared(t, s, st)
	if got != nil {
		t.Errorf("after one run without it: %v", got)
	}
	if got, _ = compared(t, s, st); !slices.Equal(got, []string{"b#2 deleted=true"}) {
		t.Errorf("after two: %v", got)
	}
}

func TestARunThatFailedDeletesNothing(t *testing.T) {
	t.Parallel()
	m := newAlbum()
	poll := snapshotPoll("")
	poll.Pagination = &config.Pagination{Type: "cursor", CursorPath: "next", CursorParam: "cursor"}
	a := serve(t, says(`{"data":[{"id":"a"},{"id":"b"}]}`), says(`{"data":[{"id":"a"}],"next":"2"}`), status(403))
	s := source(t, a, poll, Options{Entity: entity, Snapshot: m})
	_, st := compared(t, s, State{})
	for page, err := range s.Run(t.Context(), st) {
		if err == nil && len(page.Records) > 0 {
			t.Errorf("%+v", page.Records)
		}
	}
	if m.entries["b"].Hash == "" {
		t.Error("b counts as deleted")
	}
}

func TestAChangeKeepsItsNumberWhereverItsPollerIsKilled(t *testing.T) {
	t.Parallel()
	for kill := range 4 { // before the queue, after it, after the commit, never
		m := newAlbum()
		a := serve(t, says(`{"data":[{"id":"a","v":1}]}`))
		s := source(t, a, snapshotPoll(""), Options{Entity: entity, Snapshot: m})
		queued := map[string]int{}
		dies := errors.New("killed")
		once := func(st State, kill int) (State, error) {
			for page, err := range s.Run(t.Context(), st) {
				if err != nil || kill == 0 {
					return st, errors.Join(err, dies)
				}
				for _, r := range page.Records {
					queued[r.Entity+"@"+r.Change]++
				}
				if kill == 1 {
					return st, dies
				}
				if err := page.Commit(t.Context()); err != nil || kill == 2 {
					return st, errors.Join(err, dies)
				}
				st = saved(page.Next)
			}
			return st, nil
		}
		st, _ := once(State{}, kill)
		if _, err := once(st, 3); err != nil {
			t.Fatal(err)
		}
		if len(queued) != 1 {
			t.Errorf("killed at %d: %v", kill, queued)
		}
	}
}

func TestAResyncFindsWhatWasDeletedMeanwhile(t *testing.T) {
	t.Parallel()
	poll := snapshotPoll("")
	poll.Pagination = &config.Pagination{Type: "sync_token", CursorPath: "next", CursorParam: "page", TokenPath: "sync", TokenParam: "sync"}
	poll.Records.DeletedWhen = ".gone"
	a := serve(t,
		says(`{"data":[{"id":"a"},{"id":"b"},{"id":"c"}],"sync":"1"}`),
		says(`{"data":[{"id":"d"},{"id":"c","gone":true}],"sync":"2"}`),
		status(410), says(`{"data":[{"id":"a"},{"id":"d","v":2}],"sync":"3"}`))
	s := source(t, a, poll, Options{Entity: entity, Snapshot: newAlbum()})
	first, st := compared(t, s, State{})
	second, st := compared(t, s, st)
	third, _ := compared(t, s, st)
	want := [][]string{
		{"a#1 deleted=false", "b#1 deleted=false", "c#1 deleted=false"},
		{"d#1 deleted=false", "c#2 deleted=true"},
		{"d#2 deleted=false", "b#2 deleted=true"},
	}
	if diff := cmp.Diff(want, [][]string{first, second, third}); diff != "" {
		t.Error(diff)
	}
}
