package ledgertest

import (
	"sync"
	"sync/atomic"
	"testing"

	"pushpull/shared/event"
	"pushpull/shared/ledger"
)

// late: what a poll counted as missed and a webhook brought after all is told once.
func late(t *testing.T, open Open) {
	t.Helper()
	for _, tt := range []struct {
		name         string
		first, again event.Transport
		firstMissed  bool
		againMissed  bool
		late         bool
		missed       bool // what the ledger says afterwards
	}{
		{"a webhook after a poll that missed it", event.Poll, event.Webhook, true, false, true, false},
		{"a webhook after a poll in time", event.Poll, event.Webhook, false, false, false, false},
		{"a poll again", event.Poll, event.Poll, true, true, false, true},
		{"a poll that missed what was still queued", event.Webhook, event.Poll, false, true, true, false},
		{"a poll that found it in time", event.Webhook, event.Poll, false, false, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, open)
			e := Event("github", "1", d.clock.Now())
			e.Transport, e.Missed = tt.first, tt.firstMissed
			d.mine(e, "m1")
			e.Transport, e.Missed = tt.again, tt.againMissed
			if c := d.claim(e, "m2"); c.Verdict != ledger.Duplicate || c.Late != tt.late {
				t.Errorf("the claim is %+v, want late %v", c, tt.late)
			}
			if got := d.get(e.Key()); got.Missed != tt.missed || got.Duplicates[tt.again] != 1 {
				t.Errorf("the record is %+v", got)
			}
		})
	}
	t.Run("of many webhooks one is the late one", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, open)
		e := Event("github", "1", d.clock.Now())
		e.Transport, e.Missed = event.Poll, true
		d.mine(e, "m1")
		e.Transport, e.Missed = event.Webhook, false
		var found atomic.Int32
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				if c, err := d.Claim(t.Context(), e, ledger.Options{Message: string(rune('a' + i)), Lease: lease}); err != nil {
					t.Error(err)
				} else if c.Late {
					found.Add(1)
				}
			})
		}
		wg.Wait()
		if n := found.Load(); n != 1 {
			t.Errorf("%d were late, want 1", n)
		}
	})
}
