package ledgertest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/event"
	"pushpull/shared/ledger"
)

func claims(t *testing.T, open Open, m mode) {
	t.Helper()
	d := m.desk(t, open)
	for _, test := range []struct {
		name   string
		before func(d desk, e event.Event)
		by     ledger.Options
		poll   bool
		want   ledger.Verdict
		// duplicates counted afterwards
		wantDuplicates map[event.Transport]int
	}{
		{
			name: "a new identity is ours",
			by:   ledger.Options{Message: "m1"},
			want: ledger.Mine,
		},
		{
			name:   "the same message while its claim lives is in flight",
			before: func(d desk, e event.Event) { d.mine(e, "m1") },
			by:     ledger.Options{Message: "m1"},
			want:   ledger.InFlight,
		},
		{
			name:           "another message while the claim lives is a duplicate",
			before:         func(d desk, e event.Event) { d.mine(e, "m1") },
			by:             ledger.Options{Message: "m2"},
			want:           ledger.Duplicate,
			wantDuplicates: map[event.Transport]int{event.Webhook: 1},
		},
		{
			name:           "a duplicate by the other transport confirms the event",
			before:         func(d desk, e event.Event) { d.mine(e, "m1") },
			by:             ledger.Options{Message: "m2"},
			poll:           true,
			want:           ledger.Duplicate,
			wantDuplicates: map[event.Transport]int{event.Poll: 1},
		},
		{
			name: "the same message takes back a claim whose lease ran out",
			before: func(d desk, e event.Event) {
				d.claimWith(e, ledger.Options{Message: "m1", Lease: 0})
			},
			by:   ledger.Options{Message: "m1"},
			want: ledger.Mine,
		},
		{
			name: "another message is a duplicate although the lease ran out, for the first carries the event still",
			before: func(d desk, e event.Event) {
				d.claimWith(e, ledger.Options{Message: "m1", Lease: -time.Second})
			},
			by:             ledger.Options{Message: "m2"},
			want:           ledger.Duplicate,
			wantDuplicates: map[event.Transport]int{event.Webhook: 1},
		},
		{
			name: "a redriven message takes over a claim whose lease ran out, as SQS may have moved the first",
			before: func(d desk, e event.Event) {
				d.claimWith(e, ledger.Options{Message: "m1", Lease: -time.Second})
			},
			by:   ledger.Options{Message: "m2", Redriven: true},
			want: ledger.Mine,
		},
		{
			name: "the same message comes back to its released claim",
			before: func(d desk, e event.Event) {
				d.do(d.Release(d.t.Context(), d.mine(e, "m1"), nil, nil))
			},
			by:   ledger.Options{Message: "m1"},
			want: ledger.Mine,
		},
		{
			name: "another message is a duplicate of one that waits for its retry",
			before: func(d desk, e event.Event) {
				d.do(d.Release(d.t.Context(), d.mine(e, "m1"), nil, nil))
			},
			by:             ledger.Options{Message: "m2"},
			want:           ledger.Duplicate,
			wantDuplicates: map[event.Transport]int{event.Webhook: 1},
		},
		{
			name: "a redriven message takes over one that waits, as SQS may have moved that to the dead letters itself",
			before: func(d desk, e event.Event) {
				d.do(d.Release(d.t.Context(), d.mine(e, "m1"), nil, nil))
			},
			by:   ledger.Options{Message: "m2", Redriven: true},
			want: ledger.Mine,
		},
		{
			name:   "a redriven message waits for one that is at work, which may be about to say that the event is dead",
			before: func(d desk, e event.Event) { d.mine(e, "m1") },
			by:     ledger.Options{Message: "m2", Redriven: true},
			want:   ledger.InFlight,
		},
		{
			name:   "a delivered event is a duplicate, and the message that delivered it is not counted",
			before: ended(ledger.Delivered),
			by:     ledger.Options{Message: "m1"},
			want:   ledger.Duplicate,
		},
		{
			name:           "a delivered event stays delivered for a redriven message",
			before:         ended(ledger.Delivered),
			by:             ledger.Options{Message: "m2", Redriven: true},
			want:           ledger.Duplicate,
			wantDuplicates: map[event.Transport]int{event.Webhook: 1},
		},
		{
			name:           "a filtered event is a duplicate",
			before:         ended(ledger.Filtered),
			by:             ledger.Options{Message: "m2"},
			want:           ledger.Duplicate,
			wantDuplicates: map[event.Transport]int{event.Webhook: 1},
		},
		{
			name:           "a superseded event is a duplicate",
			before:         ended(ledger.Superseded),
			by:             ledger.Options{Message: "m2"},
			want:           ledger.Duplicate,
			wantDuplicates: map[event.Transport]int{event.Webhook: 1},
		},
		{
			name:           "a dead event is a duplicate, for it lives in the dead letters",
			before:         ended(ledger.Dead),
			by:             ledger.Options{Message: "m2"},
			want:           ledger.Duplicate,
			wantDuplicates: map[event.Transport]int{event.Webhook: 1},
		},
		{
			name:   "a dead event that was redriven is ours",
			before: ended(ledger.Dead),
			by:     ledger.Options{Message: "m2", Redriven: true},
			want:   ledger.Mine,
		},
		{
			name: "a redriven message that died again is a duplicate, for its letter carries the event",
			before: func(d desk, e event.Event) {
				c := d.claimWith(e, ledger.Options{Message: "m2", Redriven: true, Lease: lease})
				d.do(d.Complete(d.t.Context(), c, ledger.Dead, "why", nil, nil))
			},
			by:   ledger.Options{Message: "m2", Redriven: true},
			want: ledger.Duplicate,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := desk{d.Ledger, t, d.clock, m}
			e := Event("github", t.Name(), d.clock.Now())
			e.Subject = test.name
			if test.before != nil {
				test.before(d, e)
			}
			if test.poll {
				e.Transport = event.Poll
			}
			test.by.Lease = lease
			got := d.claimWith(e, test.by)
			if got.Verdict != test.want {
				t.Fatalf("the verdict is %v, want %v", got.Verdict, test.want)
			}
			if got.Uncounted != nil {
				t.Error(got.Uncounted)
			}
			if want := d.clock.Now().Add(lease); got.Verdict != ledger.Duplicate && !got.Until.Equal(want) {
				t.Errorf("until %v, want %v", got.Until, want)
			}
			if diff := cmp.Diff(test.wantDuplicates, d.get(e.Key()).Duplicates); diff != "" {
				t.Error("duplicates:", diff)
			}
		})
	}
	t.Run("a waiting event may be taken by any message once its own can no longer come back", func(t *testing.T) {
		d := m.desk(t, open)
		e := Event("github", "1", d.clock.Now())
		d.do(d.Release(t.Context(), d.mine(e, "m1"), nil, nil))
		d.clock.Add(13 * 24 * time.Hour)
		if got := d.claim(e, "m2").Verdict; got != ledger.Duplicate {
			t.Errorf("after 13 days: %v, want Duplicate", got)
		}
		d.clock.Add(24*time.Hour + time.Second)
		d.mine(e, "m2")
	})
	t.Run("of many who claim at once, one has it", func(t *testing.T) { one(t, open, m) })
	t.Run("a claim that takes over keeps what was done, tried and first received", func(t *testing.T) { keeps(t, open, m) })
}

func ended(status ledger.Status) func(desk, event.Event) {
	return func(d desk, e event.Event) {
		d.do(d.Complete(d.t.Context(), d.mine(e, "m1"), status, "why", nil, nil))
	}
}

func one(t *testing.T, open Open, m mode) {
	t.Helper()
	d := m.desk(t, open)
	e := Event("github", "1", d.clock.Now())
	var mine atomic.Int32
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			c, err := d.Claim(t.Context(), e, m.options(e, ledger.Options{Message: string(rune('a' + i)), Lease: lease}))
			if err != nil {
				t.Error(err)
			} else if c.Verdict == ledger.Mine {
				mine.Add(1)
			}
		})
	}
	wg.Wait()
	if n := mine.Load(); n != 1 {
		t.Errorf("%d have the claim, want 1", n)
	}
	if got := d.get(e.Key()).Duplicates[event.Webhook]; got != 7 {
		t.Errorf("%d duplicates were counted, want 7", got)
	}
}

func keeps(t *testing.T, open Open, m mode) {
	t.Helper()
	d := m.desk(t, open)
	first := d.clock.Now()
	e := Event("github", "1", first)
	try := ledger.Attempt{Destination: "crm", At: first, Number: 1, Status: 500, Took: time.Second, Error: "answered 500"}
	d.do(d.Release(t.Context(), d.mine(e, "m1"), []string{"archive"}, []ledger.Attempt{try}))

	d.clock.Add(time.Hour)
	again := e
	again.ReceivedTime, again.Transport = d.clock.Now(), event.Poll
	c := d.claim(again, "m1")
	if diff := cmp.Diff([]string{"archive"}, c.Done); diff != "" {
		t.Error("done:", diff)
	}
	if diff := cmp.Diff(map[string]int{"crm": 1}, c.Attempts); diff != "" {
		t.Error("attempts:", diff)
	}
	if !c.FirstReceived.Equal(first) {
		t.Errorf("first received %v, want %v", c.FirstReceived, first)
	}
	if c.Status != ledger.Waiting {
		t.Errorf("it was %q before, want waiting", c.Status)
	}
	if r := d.get(e.Key()); !r.Received.Equal(first) || r.Transport != event.Webhook {
		t.Errorf("the record was received %v by %s, want %v by webhook", r.Received, r.Transport, first)
	}
}
