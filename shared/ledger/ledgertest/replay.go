package ledgertest

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/ledger"
)

// replays are of events that are sent again.
func replays(t *testing.T, open Open, m mode) {
	t.Helper()
	d := m.desk(t, open)
	e := Event("github", "again", d.clock.Now())
	c := d.mine(e, "m1")
	d.do(d.Complete(t.Context(), c, ledger.Delivered, "", []string{"crm"}, nil))
	d.do(d.NoteReplay(t.Context(), e.Key(), "r1"))
	d.do(d.NoteReplay(t.Context(), e.Key(), "r2"))

	again := e
	again.Replay = "r1"
	c = d.mine(again, "m2")
	if len(c.Done) != 0 {
		t.Errorf("it begins with %v done, want none", c.Done)
	}
	attempt := ledger.Attempt{Destination: "crm", At: d.clock.Now(), Number: 1, Error: "down"}
	d.do(d.Complete(t.Context(), c, ledger.Dead, "crm: down", nil, []ledger.Attempt{attempt}))
	if c := d.claim(again, "m3"); c.Verdict != ledger.Duplicate {
		t.Errorf("sent twice under one id it is %v, want a duplicate", c.Verdict)
	}
	r := d.get(e.Key())
	want := []ledger.Replay{
		{ID: "r1", Status: ledger.Dead, Ended: d.clock.Now(), Attempts: []ledger.Attempt{attempt}, Reason: "crm: down"},
		{ID: "r2"}, // still on the queue
	}
	if diff := cmp.Diff(want, r.Replays); diff != "" || r.Status != ledger.Delivered {
		t.Errorf("the event is %s, its replays %s", r.Status, diff)
	}
	for listed, err := range d.Records(t.Context(), ledger.Filter{Sources: []string{"github"}}) {
		if err != nil || listed.Key != e.Key() {
			t.Errorf("%s is listed, %v; want the event alone", listed.Key, err)
		}
	}
	if err := d.NoteReplay(t.Context(), "github/none", "r1"); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("a replay of what is not there: %v", err)
	}
	var err error
	for i := 0; err == nil && i < 100; i++ {
		err = d.NoteReplay(t.Context(), e.Key(), string(rune('A'+i)))
	}
	if !errors.Is(err, ledger.ErrReplays) {
		t.Error("an event can be sent again without end, and its item grow:", err)
	}
}
