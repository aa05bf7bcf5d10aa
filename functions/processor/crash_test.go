package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"pushpull/shared/event"
	"pushpull/shared/ledger"
	"pushpull/shared/ledger/ledgertest"
	"pushpull/shared/queue"
)

// TestNothingIsLostWhereverItStops stops the processor before its nth write and
// after it, for every n, and lets a new one go on.
func TestNothingIsLostWhereverItStops(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		answer func(path string, n int) (int, string)
		end    ledger.Status
		done   []string
	}{
		{"delivered at once", nil, ledger.Delivered, []string{"crm", "mail"}},
		{"delivered after a failure", func(path string, n int) (int, string) {
			if path == "crm" && n == 1 {
				return 503, ""
			}
			return 200, ""
		}, ledger.Delivered, []string{"crm", "mail"}},
		{"dead", func(path string, _ int) (int, string) {
			if path == "crm" {
				return 410, ""
			}
			return 200, ""
		}, ledger.Dead, []string{"mail"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.sink.answers(test.answer)
			for n, stopped := 1, true; stopped; n++ {
				for _, after := range []bool{false, true} {
					c := &crash{at: n, after: after}
					w.crashOnce(c, fmt.Sprintf("%d-%v", n, after))
					stopped = c.stopped
					w.checkAfterCrash(c, test.end, test.done)
				}
				if n > 30 {
					t.Fatal("it never ran to its end")
				}
			}
		})
	}
}

// crashOnce runs one event through a processor that stops, and then through one
// that does not.
func (w *world) crashOnce(c *crash, id string) {
	w.t.Helper()
	c.id, c.sink = id, w.sink
	w.start()
	c.install(w)
	w.send(ledgertest.Event("github", id, w.clock.Now()))
	for quiet := 0; !c.dead() && quiet < 3; {
		batch := w.receive(eventQueue)
		if len(batch) == 0 {
			quiet++
			w.clock.Add(visibility)
			continue
		}
		out, err := w.handler.handle(w.t.Context(), eventOf(batch))
		if err != nil {
			w.t.Fatal(err)
		}
		if !c.dead() { // else Lambda hears nothing, and deletes nothing
			w.remove(eventQueue, batch, out)
		}
	}
	w.sink.mu.Lock()
	w.sink.before = nil
	w.sink.mu.Unlock()
	w.start()
	w.drain()
}

// checkAfterCrash: the event reached its end, and a destination got it a second
// time only where the crash fell between its delivery and the record of it.
func (w *world) checkAfterCrash(c *crash, end ledger.Status, done []string) {
	w.t.Helper()
	w.want("github/"+c.id, end, done...)
	for _, d := range done {
		_, got := w.sink.count(d + "/" + c.id)
		want := 1
		if c.unrecorded[d] {
			want = 2
		}
		if got != want {
			w.t.Errorf("write %d, after it %v: %s got the event %d times, want %d", c.at, c.after, d, got, want)
		}
	}
	letters := len(w.receive(deadQueue))
	if end == ledger.Dead && letters == 0 || end != ledger.Dead && letters != 0 {
		w.t.Errorf("write %d, after it %v: %d dead letters for an event that is %s", c.at, c.after, letters, end)
	}
	w.clock.Add(time.Hour)
	for _, m := range w.receive(deadQueue) {
		if err := w.queues.Delete(w.t.Context(), deadQueue, []string{m.ReceiptHandle}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// crash stops the processor at its nth write (deliveries are writes too): from
// then on nothing that it does has any effect.
type crash struct {
	at      int
	after   bool // the write itself is done
	stopped bool
	id      string

	mu         sync.Mutex
	writes     int
	delivered  map[string]bool // to destinations, not yet recorded
	unrecorded map[string]bool // those of delivered when it stopped

	sink    *sink
	claims  claims
	hider   hider
	letters letters
}

var errCrashed = errors.New("the processor has stopped")

func (c *crash) install(w *world) {
	c.delivered = map[string]bool{}
	c.claims, c.hider, c.letters = w.handler.ledger, w.handler.hider, w.handler.letters
	w.handler.ledger, w.handler.hider, w.handler.letters = c, c, c
	w.sink.mu.Lock()
	defer w.sink.mu.Unlock()
	w.sink.before = func(path string) (arrives bool) {
		_ = c.write(func() error { arrives = true; return c.deliver(path) })
		return arrives
	}
}

// deliver is called with the lock of the sink: a delivery counts once its answer is known.
func (c *crash) deliver(path string) error {
	status := 200
	if c.sink.answer != nil {
		status, _ = c.sink.answer(path, c.sink.asked[path+"/"+c.id]+1)
	}
	if status < 300 {
		c.delivered[path] = true
	}
	return nil
}

func (c *crash) dead() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stopped
}

// write does f, unless it stops before that.
func (c *crash) write(f func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return errCrashed
	}
	c.writes++
	if c.writes != c.at {
		return f()
	}
	var err error
	if c.after {
		err = f()
	}
	c.stopped, c.unrecorded = true, maps.Clone(c.delivered)
	return errors.Join(errCrashed, err)
}

func (c *crash) Claim(ctx context.Context, e event.Event, o ledger.Options) (claim ledger.Claim, err error) {
	err = c.write(func() (err error) { claim, err = c.claims.Claim(ctx, e, o); return err })
	return claim, err
}

func (c *crash) recorded(err error) error {
	if err == nil {
		clear(c.delivered)
	}
	return err
}

func (c *crash) Complete(ctx context.Context, claim ledger.Claim, end ledger.Status, reason string, done []string, attempts []ledger.Attempt) error {
	return c.write(func() error { return c.recorded(c.claims.Complete(ctx, claim, end, reason, done, attempts)) })
}

func (c *crash) Release(ctx context.Context, claim ledger.Claim, done []string, attempts []ledger.Attempt) error {
	return c.write(func() error { return c.recorded(c.claims.Release(ctx, claim, done, attempts)) })
}

func (c *crash) KeepPayloads(ctx context.Context, events []event.Event, window time.Duration) error {
	return c.write(func() error { return c.claims.KeepPayloads(ctx, events, window) })
}

func (c *crash) Payload(ctx context.Context, key string) (event.Event, error) {
	return c.claims.Payload(ctx, key)
}

func (c *crash) KeepConflict(ctx context.Context, e event.Event, hash string, window time.Duration) error {
	return c.write(func() error { return c.claims.KeepConflict(ctx, e, hash, window) })
}

func (c *crash) Visibility(ctx context.Context, queueURL, receiptHandle string, d time.Duration) error {
	return c.write(func() error { return c.hider.Visibility(ctx, queueURL, receiptHandle, d) })
}

func (c *crash) Send(ctx context.Context, messages ...queue.Message) error {
	return c.write(func() error { return c.letters.Send(ctx, messages...) })
}
