package ledgertest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/event"
	"pushpull/shared/ledger"
)

// shredder notes which bodies are to be deleted from the claim check.
type shredder []string

func (s *shredder) body(_ context.Context, source string, data []byte) error {
	*s = append(*s, source+": "+string(data))
	return nil
}

func erases(t *testing.T, open Open, m mode) {
	t.Helper()
	d := m.desk(t, open)
	e := Event("github", "personal", d.clock.Now())
	c := d.claimWith(e, ledger.Options{Message: "m1", Hash: hashA, Lease: lease})
	attempt := ledger.Attempt{Destination: "crm", At: d.clock.Now(), Number: 1, Error: "a@example.com is unknown", Final: true}
	var s shredder
	if err := d.Erase(t.Context(), d.get(e.Key()), "asked for", s.body); !errors.Is(err, ledger.ErrInFlight) {
		t.Errorf("while it is under way: %v, want ErrInFlight", err)
	}
	d.do(d.KeepPayloads(t.Context(), []event.Event{e}, time.Hour))
	d.do(d.Complete(t.Context(), c, ledger.Dead, "a@example.com is unknown", nil, []ledger.Attempt{attempt}))
	other := e
	other.Data = []byte("other")
	if c := d.claimWith(other, ledger.Options{Message: "m2", Hash: hashB, Lease: lease}); !c.Keep {
		t.Errorf("the conflict may not be kept: %+v", c)
	}
	d.do(d.KeepConflict(t.Context(), other, hashB, time.Hour))

	kept, err := d.Kept(t.Context(), d.get(e.Key()))
	if diff := cmp.Diff([]ledger.Kept{{Event: e}, {Conflict: hashB, Event: other}}, kept); diff != "" || err != nil {
		t.Fatalf("%v %s", err, diff)
	}
	d.do(d.Erase(t.Context(), d.get(e.Key()), "asked for", s.body))
	if diff := cmp.Diff(shredder{"github: " + string(e.Data), "github: other"}, s); diff != "" {
		t.Errorf("bodies: %s", diff)
	}
	r := d.get(e.Key())
	if kept, err := d.Kept(t.Context(), r); len(kept) != 0 || err != nil {
		t.Errorf("%d are still kept, %v", len(kept), err)
	}
	if r.Erased.IsZero() || r.Erasure != "asked for" || r.Entity != "" || r.Reason != "" || r.Attempts[0].Error != "" || r.Status != ledger.Dead {
		t.Errorf("the record is %+v", r)
	}
	if c := d.claimWith(e, ledger.Options{Message: "m3", Hash: hashA, Lease: lease, Redriven: true}); c.Verdict != ledger.Duplicate {
		t.Errorf("a letter that was redriven meanwhile: %v, want a duplicate", c.Verdict)
	}
	if c := d.claimWith(e, ledger.Options{Message: "m4", Hash: hashC, Lease: lease}); c.Keep {
		t.Error("a conflict that comes later may be kept")
	}
	if err := d.NoteReplay(t.Context(), e.Key(), "r1"); !errors.Is(err, ledger.ErrErased) {
		t.Errorf("a replay: %v, want ErrErased", err)
	}
	d.do(d.Erase(t.Context(), r, "asked for", s.body)) // one that was cut off is done again
}
