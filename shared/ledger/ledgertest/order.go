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

// version is an event of one entity at that version.
func version(d desk, v string) event.Event {
	e := Event("github", "issue 17@"+v, d.clock.Now())
	e.Version = v
	return e
}

func orders(t *testing.T, open Open) {
	t.Helper()
	deliver := func(d desk, v string) {
		d.do(d.Complete(d.t.Context(), d.mine(version(d, v), "m"+v), ledger.Delivered, "", []string{"crm"}, nil))
	}
	for _, test := range []struct {
		name   string
		before func(d desk)
		by     string // the version
		want   ledger.Verdict
	}{
		{"the first of an entity is ours", func(desk) {}, "3", ledger.Mine},
		{"a newer one than was delivered is ours", func(d desk) { deliver(d, "9") }, "10", ledger.Mine},
		{"an older one than was delivered is superseded", func(d desk) { deliver(d, "10") }, "9", ledger.Outdated},
		{
			"an equal one is ours", func(d desk) { deliver(d, "2026-11-23T08:00:00Z") },
			"2026-11-23T09:00:00.000+01:00", ledger.Mine,
		},
		{
			"times are compared by what they say", func(d desk) { deliver(d, "2026-11-23T09:00:00.5+01:00") },
			"2026-11-23T08:00:00Z", ledger.Outdated,
		},
		{"what cannot be compared is ours", func(d desk) { deliver(d, "2026-11-23T08:00:00Z") }, "9", ledger.Mine},
		{"one that was filtered does not count", func(d desk) {
			d.do(d.Complete(d.t.Context(), d.mine(version(d, "10"), "m1"), ledger.Filtered, "no route", nil, nil))
		}, "9", ledger.Mine},
		{"one that no destination has yet does not count", func(d desk) {
			d.do(d.Release(d.t.Context(), d.mine(version(d, "10"), "m1"), nil, nil))
		}, "9", ledger.Mine},
		{"one that a destination has counts, although others do not yet", func(d desk) {
			d.do(d.Release(d.t.Context(), d.mine(version(d, "10"), "m1"), []string{"crm"}, nil))
		}, "9", ledger.Outdated},
		{"one that a destination got before it died counts", func(d desk) {
			d.do(d.Release(d.t.Context(), d.mine(version(d, "10"), "m1"), []string{"crm"}, nil))
			d.do(d.Complete(d.t.Context(), d.mine(version(d, "10"), "m1"), ledger.Dead, "mail is gone", nil, nil))
		}, "9", ledger.Outdated},
		{"another of the entity that is under way goes first", func(d desk) { d.mine(version(d, "9"), "m1") }, "10", ledger.Behind},
		{"one whose lease ran out is in nobody's way", func(d desk) {
			d.mine(version(d, "9"), "m1")
			d.clock.Add(lease)
		}, "10", ledger.Mine},
		{"one that waits for its retry is in nobody's way", func(d desk) {
			d.do(d.Release(d.t.Context(), d.mine(version(d, "9"), "m1"), nil, nil))
		}, "10", ledger.Mine},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := mode{ordered: true}.desk(t, open)
			test.before(d)
			e := version(d, test.by)
			if got := d.claim(e, "m").Verdict; got != test.want {
				t.Fatalf("the verdict is %v, want %v", got, test.want)
			}
			if test.want != ledger.Outdated {
				return
			}
			want := ledger.Record{
				Key: e.Key(), ID: e.ID, Source: e.Source, Type: e.Type, Transport: e.Transport, Status: ledger.Superseded,
				Time: e.Time, Received: e.ReceivedTime, Ended: d.clock.Now(), Entity: e.Subject, Version: e.Version,
				Reason: "a newer version of issue 17 was delivered before", CorrelationID: e.CorrelationID,
			}
			if diff := cmp.Diff(want, d.get(e.Key())); diff != "" {
				t.Error(diff)
			}
			if got := d.claim(e, "m again").Verdict; got != ledger.Duplicate {
				t.Errorf("what is superseded came to %v when it came again, want Duplicate", got)
			}
		})
	}
	t.Run("a retry after a newer one is superseded, and keeps what was done", func(t *testing.T) { superseded(t, open) })
	t.Run("who lost the entity lost the claim", func(t *testing.T) { losesEntity(t, open) })
	t.Run("of many versions at once, one is under way", func(t *testing.T) { oneAtATime(t, open) })
}

func superseded(t *testing.T, open Open) {
	t.Helper()
	d := mode{ordered: true}.desk(t, open)
	e := version(d, "9")
	try := ledger.Attempt{Destination: "mail", At: d.clock.Now(), Number: 1, Status: 500}
	d.do(d.Release(t.Context(), d.mine(e, "m1"), []string{"crm"}, []ledger.Attempt{try}))
	d.do(d.Complete(t.Context(), d.mine(version(d, "10"), "m2"), ledger.Delivered, "", []string{"crm", "mail"}, nil))
	if got := d.claim(e, "m1").Verdict; got != ledger.Outdated {
		t.Fatalf("the retry came to %v, want Outdated", got)
	}
	r := d.get(e.Key())
	if r.Status != ledger.Superseded || !cmp.Equal(r.Done, []string{"crm"}) || len(r.Attempts) != 1 {
		t.Errorf("the record is %+v, want superseded, with its done and its attempt", r)
	}
}

func losesEntity(t *testing.T, open Open) {
	t.Helper()
	d := mode{ordered: true}.desk(t, open)
	late := d.mine(version(d, "9"), "m1")
	d.clock.Add(lease)
	d.mine(version(d, "10"), "m2")
	if err := d.Complete(t.Context(), late, ledger.Delivered, "", []string{"crm"}, nil); err == nil {
		t.Error("an event completed that another of its entity had taken over from")
	}
	if got := d.claim(version(d, "9"), "m1").Verdict; got != ledger.Behind {
		t.Errorf("when it came back: %v, want Behind", got)
	}
}

func oneAtATime(t *testing.T, open Open) {
	t.Helper()
	d := mode{ordered: true}.desk(t, open)
	var mine atomic.Int32
	var wg sync.WaitGroup
	for i := range 8 {
		e := version(d, string(rune('1'+i)))
		wg.Go(func() {
			c, err := d.Claim(t.Context(), e, d.mode.options(e, ledger.Options{Message: e.ID, Lease: lease}))
			if err != nil {
				t.Error(err)
			} else if c.Verdict == ledger.Mine {
				mine.Add(1)
			}
		})
	}
	wg.Wait()
	if n := mine.Load(); n != 1 {
		t.Errorf("%d are under way, want 1", n)
	}
}

// quiets are claims whose delivery is not recorded.
func quiets(t *testing.T, open Open) {
	t.Helper()
	quiet := func(d desk, e event.Event, message string, redriven bool) ledger.Claim {
		return d.claimWith(e, ledger.Options{Message: message, Lease: lease, Redriven: redriven, Quiet: true})
	}
	for _, test := range []struct {
		name     string
		after    time.Duration
		by       string
		redriven bool
		want     ledger.Verdict
	}{
		{"its own message is in flight while the lease lives", lease / 2, "m1", false, ledger.InFlight},
		{"its own message takes it back when it was not acknowledged", lease, "m1", false, ledger.Mine},
		{"any other message is a duplicate, for as long as it is remembered", 29 * 24 * time.Hour, "m2", false, ledger.Duplicate},
		{"a redriven message takes it back, as SQS had moved its own", lease, "m2", true, ledger.Mine},
		{"a redriven message waits for who is at work", lease / 2, "m2", true, ledger.InFlight},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, open)
			e := Event("github", "1", d.clock.Now())
			c := quiet(d, e, "m1", false)
			d.do(d.Complete(t.Context(), c, ledger.Delivered, "", []string{"crm"}, nil))
			d.clock.Add(test.after)
			got := quiet(d, e, test.by, test.redriven)
			if got.Verdict != test.want {
				t.Fatalf("the verdict is %v, want %v", got.Verdict, test.want)
			}
			if got.Verdict == ledger.InFlight && !got.Until.Equal(c.Until) {
				t.Errorf("until %v, want %v", got.Until, c.Until)
			}
		})
	}
	t.Run("it is shown as delivered once its lease ran out", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, open)
		e := Event("github", "1", d.clock.Now())
		d.do(d.Complete(t.Context(), quiet(d, e, "m1", false), ledger.Delivered, "", []string{"crm"}, nil))
		d.clock.Add(lease)
		if r := d.get(e.Key()); r.Status != ledger.Delivered {
			t.Errorf("it is %s, want delivered", r.Status)
		}
	})
	t.Run("a failure is recorded, and what follows it", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, open)
		e := Event("github", "1", d.clock.Now())
		d.do(d.Release(t.Context(), quiet(d, e, "m1", false), nil, []ledger.Attempt{{Destination: "crm", Number: 1, At: d.clock.Now()}}))
		d.do(d.Complete(t.Context(), quiet(d, e, "m1", false), ledger.Delivered, "", []string{"crm"}, nil))
		if r := d.get(e.Key()); r.Status != ledger.Delivered || !cmp.Equal(r.Done, []string{"crm"}) {
			t.Errorf("the record is %+v, want delivered to crm", r)
		}
	})
}
