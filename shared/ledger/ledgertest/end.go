package ledgertest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/event"
	"pushpull/shared/ledger"
)

func ends(t *testing.T, open Open, m mode) {
	t.Helper()
	t.Run("a record shows all that was said of the event", func(t *testing.T) {
		d := m.desk(t, open)
		e := Event("github", "1", d.clock.Now())
		e.Missed, e.Transport = true, event.Poll
		c := d.mine(e, "m1")
		d.clock.Add(time.Second)
		try := ledger.Attempt{Destination: "crm", At: d.clock.Now(), Number: 1, Status: 202, Took: 3 * time.Millisecond}
		d.do(d.Complete(t.Context(), c, ledger.Delivered, "", []string{"crm", "archive", "crm"}, []ledger.Attempt{try}))
		want := ledger.Record{
			Key: "github/1", ID: "1", Source: "github", Type: "push", Transport: event.Poll, Status: ledger.Delivered,
			Time: e.Time, Received: e.ReceivedTime, Ended: d.clock.Now(), Entity: "issue 17", Version: "3", Missed: true,
			Done: []string{"archive", "crm"}, Attempts: []ledger.Attempt{try}, CorrelationID: "c-1",
		}
		if diff := cmp.Diff(want, d.get("github/1")); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a claim that another took over is lost", func(t *testing.T) {
		d := m.desk(t, open)
		e := Event("github", "1", d.clock.Now())
		late := d.mine(e, "m1")
		d.clock.Add(lease + time.Second)
		now := d.mine(e, "m1")
		if err := d.Complete(t.Context(), late, ledger.Delivered, "", []string{"crm"}, nil); !errors.Is(err, ledger.ErrLost) {
			t.Errorf("complete: %v, want ErrLost", err)
		}
		if err := d.Release(t.Context(), late, []string{"crm"}, nil); !errors.Is(err, ledger.ErrLost) {
			t.Errorf("release: %v, want ErrLost", err)
		}
		d.do(d.Complete(t.Context(), now, ledger.Filtered, "no route", nil, nil))
		if r := d.get(e.Key()); r.Status != ledger.Filtered || r.Reason != "no route" || r.Done != nil {
			t.Errorf("the record is %+v, want filtered, for no route, nothing done", r)
		}
	})
	t.Run("a claim whose lease ran out is still ours while nobody took it", func(t *testing.T) {
		d := m.desk(t, open)
		c := d.mine(Event("github", "1", d.clock.Now()), "m1")
		d.clock.Add(2 * lease)
		d.do(d.Complete(t.Context(), c, ledger.Delivered, "", nil, nil))
	})
	t.Run("an end that is written twice, as by an SDK that retries, is one end", func(t *testing.T) {
		d := m.desk(t, open)
		c := d.mine(Event("github", "1", d.clock.Now()), "m1")
		d.do(d.Complete(t.Context(), c, ledger.Delivered, "", nil, nil))
		d.do(d.Complete(t.Context(), c, ledger.Delivered, "", nil, nil))
		if err := d.Release(t.Context(), c, nil, nil); !errors.Is(err, ledger.ErrLost) {
			t.Errorf("release after the end: %v, want ErrLost", err)
		}
	})
	t.Run("an end that is none is refused", func(t *testing.T) {
		d := m.desk(t, open)
		c := d.mine(Event("github", "1", d.clock.Now()), "m1")
		if err := d.Complete(t.Context(), c, ledger.Waiting, "", nil, nil); err == nil {
			t.Error("completed as waiting")
		}
	})
	t.Run("attempts begin anew after a dead letter, and their history stays", redrive(open, m))
	t.Run("the history of attempts is bounded", func(t *testing.T) { bounds(t, open, m) })
}

func redrive(open Open, m mode) func(*testing.T) {
	return func(t *testing.T) {
		d := m.desk(t, open)
		e := Event("github", "1", d.clock.Now())
		d.do(d.Release(t.Context(), d.mine(e, "m1"), []string{"archive"}, []ledger.Attempt{{Destination: "crm", Number: 1, At: d.clock.Now()}}))
		d.do(d.Complete(t.Context(), d.mine(e, "m1"), ledger.Dead, "crm answered 410", nil, []ledger.Attempt{{Destination: "crm", Number: 2, At: d.clock.Now()}}))
		c := d.claimWith(e, ledger.Options{Message: "m2", Redriven: true, Lease: lease})
		if diff := cmp.Diff(map[string]int{}, c.Attempts); diff != "" {
			t.Error("attempts:", diff)
		}
		if diff := cmp.Diff([]string{"archive"}, c.Done); diff != "" {
			t.Error("done:", diff)
		}
		d.do(d.Complete(t.Context(), c, ledger.Delivered, "", []string{"crm"}, []ledger.Attempt{{Destination: "crm", Number: 1, At: d.clock.Now()}}))
		r := d.get(e.Key())
		if len(r.Attempts) != 3 || r.Status != ledger.Delivered || r.Reason != "" {
			t.Errorf("the record is %+v, want delivered, with three attempts and no reason", r)
		}
	}
}

func bounds(t *testing.T, open Open, m mode) {
	t.Helper()
	d := m.desk(t, open)
	e := Event("github", "1", d.clock.Now())
	gone := ledger.Attempt{Destination: "mail", At: d.clock.Now(), Number: 1, Status: 410, Final: true}
	d.do(d.Release(t.Context(), d.mine(e, "m1"), nil, []ledger.Attempt{gone}))
	for n := range 30 {
		a := ledger.Attempt{Destination: "crm", At: d.clock.Now(), Number: n + 1, Error: strings.Repeat("é", 1000)}
		d.do(d.Release(t.Context(), d.mine(e, "m1"), nil, []ledger.Attempt{a}))
	}
	c := d.mine(e, "m1")
	if c.Attempts["crm"] != 30 {
		t.Errorf("%d attempts are counted, want 30", c.Attempts["crm"])
	}
	if last, _ := c.Last("mail"); !cmp.Equal(gone, last) {
		t.Errorf("the last attempt of a destination is %+v, want %+v", last, gone)
	}
	if last, _ := c.Last("crm"); last.Number != 30 {
		t.Errorf("the last attempt is number %d, want 30", last.Number)
	}
	if _, ok := c.Last("none"); ok {
		t.Error("a destination that was never tried has an attempt")
	}
	r := d.get(e.Key())
	if n := len(r.Attempts); n != 10 || r.Attempts[9].Number != 30 {
		t.Errorf("%d attempts are kept, want the last 10", n)
	}
	if first, _ := c.First("crm"); first.Number != 1 {
		t.Errorf("the first attempt is number %d, want 1", first.Number)
	}
	if n := len(r.Attempts[9].Error); n > 210 {
		t.Errorf("an error has %d bytes, want about 200", n)
	}
}
