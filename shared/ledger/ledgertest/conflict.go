package ledgertest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/event"
	"pushpull/shared/ledger"
)

const hashA, hashB, hashC = "00000000000000aa", "00000000000000bb", "00000000000000cc"

func conflicts(t *testing.T, open Open) {
	t.Helper()
	d := newDesk(t, open)
	type arrival struct {
		message, hash string
		transport     event.Transport
	}
	for _, test := range []struct {
		name     string
		arrivals []arrival // the first is claimed and delivered
		want     []bool    // whether each conflicts
		record   int
		last     string
	}{
		{"the same data again are none", []arrival{{"m1", hashA, event.Webhook}, {"m2", hashA, event.Webhook}}, []bool{false, false}, 0, ""},
		{"other data are one, each time", []arrival{
			{"m1", hashA, event.Webhook}, {"m2", hashB, event.Webhook}, {"m3", hashC, event.Webhook}, {"m4", hashB, event.Webhook}, {"m5", hashA, event.Webhook},
		}, []bool{false, true, true, true, false}, 3, hashB},
		{"the transports are not compared", []arrival{{"m1", hashA, event.Webhook}, {"m2", hashB, event.Poll}}, []bool{false, false}, 0, ""},
		{"polls are compared with polls", []arrival{{"m1", hashA, event.Poll}, {"m2", hashB, event.Poll}}, []bool{false, true}, 1, hashB},
		{"data whose hash is not known are none", []arrival{{"m1", hashA, event.Webhook}, {"m2", "", event.Webhook}}, []bool{false, false}, 0, ""},
		{"nor are any after such", []arrival{{"m1", "", event.Webhook}, {"m2", hashB, event.Webhook}}, []bool{false, false}, 0, ""},
		{"the same message again is none", []arrival{{"m1", hashA, event.Webhook}, {"m1", hashB, event.Webhook}}, []bool{false, false}, 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := desk{Ledger: d.Ledger, t: t, clock: d.clock}
			e := Event("github", t.Name(), d.clock.Now())
			for i, a := range test.arrivals {
				e.Transport = a.transport
				c := d.claimWith(e, ledger.Options{Message: a.message, Hash: a.hash, Lease: lease})
				if c.Uncounted != nil || c.Conflict != test.want[i] {
					t.Errorf("arrival %d conflicts: %v (%v), want %v", i, c.Conflict, c.Uncounted, test.want[i])
				}
				if i == 0 {
					d.do(d.Complete(t.Context(), c, ledger.Delivered, "", nil, nil))
				}
			}
			if r := d.get(e.Key()); r.Conflicts != test.record || r.Conflict != test.last {
				t.Errorf("%d conflicts are recorded, the last %q; want %d and %q", r.Conflicts, r.Conflict, test.record, test.last)
			}
		})
	}
	t.Run("a claim that takes over does not change what the first arrival was", func(t *testing.T) {
		d := desk{Ledger: d.Ledger, t: t, clock: d.clock}
		e := Event("github", t.Name(), d.clock.Now())
		d.claimWith(e, ledger.Options{Message: "m1", Hash: hashA, Lease: 0})
		e.Transport = event.Poll
		d.claimWith(e, ledger.Options{Message: "m2", Hash: hashB, Lease: lease, Redriven: true})
		e.Transport = event.Webhook
		if c := d.claimWith(e, ledger.Options{Message: "m3", Hash: hashA, Lease: lease}); c.Verdict != ledger.Duplicate || c.Conflict {
			t.Errorf("%v, conflict %v; want a duplicate", c.Verdict, c.Conflict)
		}
	})
	t.Run("conflicts are kept once for each hash, beside the payload", func(t *testing.T) {
		d := desk{Ledger: d.Ledger, t: t, clock: d.clock}
		e := Event("github", t.Name(), d.clock.Now())
		d.do(d.KeepPayloads(t.Context(), []event.Event{e}, time.Hour))
		other, large := e, e
		other.Data = []byte(`{"other": true}`)
		large.Data, large.DataRef = nil, "file:///github/large" // stays a reference, and is not fetched
		for range 2 {
			d.do(d.KeepConflict(t.Context(), other, hashB, time.Hour))
		}
		d.do(d.KeepConflict(t.Context(), large, hashC, time.Hour))
		for hash, want := range map[string]event.Event{"": e, hashB: other} {
			got, err := d.Payload(t.Context(), e.Key())
			if hash != "" {
				got, err = d.ConflictPayload(t.Context(), e.Key(), hash)
			}
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%q: %v %s", hash, err, diff)
			}
		}
		if _, err := d.ConflictPayload(t.Context(), e.Key(), hashA); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("a conflict that is not there: %v, want ErrNotFound", err)
		}
	})
}
