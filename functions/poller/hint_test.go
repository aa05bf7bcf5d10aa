package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"pushpull/shared/config"
	"pushpull/shared/job"
	"pushpull/shared/queue"
)

func hinted(at time.Time) job.Job {
	return job.Job{Source: "shop", Reason: job.Hinted, Due: at}
}

// hints is a world whose source's webhooks are hints, polled a moment ago.
func hints(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, 100)
	shop := w.sources["shop"]
	shop.Webhook = &config.Webhook{Hint: true}
	shop.Poll[0].Min = config.Duration(2 * time.Minute)
	w.sources["shop"] = shop
	w.happen(2)
	w.do(t, scheduled(w.at))
	return w
}

func TestHintsAreFollowedByOnePollInAWhile(t *testing.T) {
	t.Parallel()
	w := hints(t)
	w.pass(10 * time.Minute)
	w.happen(3)
	asked := w.requests()
	w.do(t, hinted(w.at))
	w.complete(t, 0)
	if n := w.requests() - asked; n != 1 {
		t.Errorf("%d requests, want 1", n)
	}

	// One that comes at once after waits until a poll is allowed again.
	w.pass(time.Second)
	w.happen(1)
	w.do(t, hinted(w.at))
	w.do(t, hinted(w.at.Add(-time.Second)))
	if n := w.requests() - asked; n != 1 {
		t.Errorf("%d requests within `min`, want 1", n)
	}
	w.tick(t)
	if len(w.sent) != 0 {
		t.Fatalf("queued too early: %v", w.sent)
	}
	w.pass(90 * time.Second)
	w.tick(t)
	if len(w.sent) != 1 || w.sent[0].Delay <= 0 {
		t.Fatalf("the schedule queued %v, want one for later in the minute", w.sent)
	}
	w.drain(t)
	w.complete(t, 0)
	if n := w.requests() - asked; n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
	for _, e := range w.queued {
		if e.Missed {
			t.Errorf("%s was not missed: a hint told of it", e.ID)
		}
	}
}

func TestAHintThatWasLostIsAMiss(t *testing.T) {
	t.Parallel()
	w := hints(t)
	w.happen(1)
	w.pass(15 * time.Minute)
	w.do(t, scheduled(w.at))
	if last := w.queued[len(w.queued)-1]; !last.Missed || w.status(t).Missed != 1 {
		t.Errorf("missed: %v, %d", last.Missed, w.status(t).Missed)
	}
}

func TestAStormOfHintsIsTwoPolls(t *testing.T) {
	t.Parallel()
	w := hints(t)
	w.pass(10 * time.Minute)
	w.happen(4)
	asked := w.requests()
	var wg sync.WaitGroup
	var once sync.Once
	w.beforeSend = func() { // something more happens, and tells so, while the first of them polls
		once.Do(func() {
			w.mu.Lock()
			w.happen(1)
			at := w.at
			w.mu.Unlock()
			deliver(t.Context(), t, w.handler, hinted(at).Encode(), 1)
		})
	}
	begin := w.clock()
	for i := range 100 {
		h := w.poller(w.client)
		wg.Go(func() { deliver(t.Context(), t, h, hinted(begin.Add(-time.Duration(i)*time.Millisecond)).Encode(), 1) })
	}
	wg.Wait()
	w.beforeSend = nil
	w.drain(t)
	w.complete(t, 0)
	if n := w.requests() - asked; n > 2 {
		t.Errorf("100 hints made %d polls", n)
	}
}

func TestAHintIsNotLostWhereThePollerIsKilled(t *testing.T) {
	t.Parallel()
	for crash := 1; crash <= 4; crash++ {
		t.Run(fmt.Sprint("at write ", crash), func(t *testing.T) {
			t.Parallel()
			w := hints(t)
			w.pass(10 * time.Minute)
			w.happen(1)
			writes := 0
			w.table.fail = func() error {
				if writes++; writes >= crash {
					return errors.New("killed")
				}
				return nil
			}
			acked := deliver(t.Context(), t, w.handler, hinted(w.at).Encode(), 1)
			if acked != (crash == 4) { // three writes: the note, the lease, the release
				t.Fatalf("acknowledged: %v", acked)
			}
			w.table.fail = nil
			w.pass(lease + time.Second)
			if !acked { // the message comes back
				w.again(t, hinted(w.at.Add(-lease-time.Second)), 2)
			}
			_, repeated := w.ids()
			w.complete(t, repeated)
		})
	}
}

func TestAHintThatComesWhileARunHasThePollIsFollowedAtItsEnd(t *testing.T) {
	t.Parallel()
	w := hints(t)
	w.pass(10 * time.Minute)
	if _, err := w.states.Acquire(t.Context(), "shop", lease); err != nil {
		t.Fatal(err)
	}
	w.do(t, hinted(w.at))
	w.pass(lease + time.Second) // its holder was killed
	w.happen(1)
	w.tick(t)
	if len(w.sent) == 0 {
		t.Fatal("the schedule forgot the hint")
	}
	w.drain(t)
	w.complete(t, 0)
}

func TestHintsDoNotPressAPollThatIsPausedStoppedOrFailing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		do   func(t *testing.T, w *world)
	}{
		{"paused", func(t *testing.T, w *world) {
			t.Helper()
			if err := w.store().Pause(t.Context(), "shop", true); err != nil {
				t.Fatal(err)
			}
		}},
		{"stopped", func(t *testing.T, w *world) {
			t.Helper()
			w.fail = 401
			w.do(t, job.Job{Source: "shop", Reason: job.Manual})
		}},
		{"failing", func(t *testing.T, w *world) {
			t.Helper()
			w.fail = 502
			if deliver(context.WithoutCancel(t.Context()), t, w.handler, job.Job{Source: "shop", Reason: job.Manual}.Encode(), 1) {
				t.Fatal("it did not fail")
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := hints(t)
			w.pass(10 * time.Minute)
			tt.do(t, w)
			w.sent = nil
			asked := w.requests()
			w.do(t, hinted(w.at))
			w.tick(t)
			for _, m := range w.sent {
				if j, err := job.Parse(m.Body); err != nil || j.Reason == job.Hinted {
					t.Errorf("queued: %s", m.Body)
				}
			}
			if n := w.requests() - asked; n != 0 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

func TestAHintIsNoReasonToForgetAnother(t *testing.T) {
	t.Parallel()
	w := hints(t)
	w.pass(10 * time.Minute)
	w.jobs = refusing{}
	w.beforeSend = func() {
		w.beforeSend = nil
		deliver(t.Context(), t, w.handler, hinted(w.clock().Add(time.Second)).Encode(), 1)
	}
	w.happen(1)
	deliver(t.Context(), t, w.handler, hinted(w.at).Encode(), 1) // what follows cannot be queued
	if s := w.status(t); !s.Pending() {
		t.Errorf("the second hint is forgotten: %+v", s)
	}
}

// refusing takes no message.
type refusing struct{}

func (refusing) Send(context.Context, ...queue.Message) error { return errors.New("refused") }
