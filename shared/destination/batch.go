package destination

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"pushpull/shared/config"
	"pushpull/shared/event"
)

// A Batcher is a destination that takes several events in one call. Open has
// what is delivered at the same time gathered, so that callers only know Deliver.
type Batcher interface {
	Destination
	Batch() BatchLimits
	// DeliverBatch makes one attempt with each event; the outcomes are in the
	// order of the events. What becomes of one says nothing of the others.
	DeliverBatch(ctx context.Context, events []event.Event) []Outcome
}

// BatchLimits are what one call takes at most.
type BatchLimits struct {
	Count int // of events
	Bytes int // of all of them, as the service counts
	Each  int // bytes of a single one
}

// An Outcome is that of one event of a batch: what Deliver returns.
type Outcome struct {
	Result
	Err error
}

// outcomes gives all events of a call the same outcome.
func outcomes(n int, o Outcome) []Outcome {
	all := make([]Outcome, n)
	for i := range all {
		all[i] = o
	}
	return all
}

// alone delivers a batch of one.
func alone(ctx context.Context, b Batcher, e event.Event) (Result, error) {
	o := b.DeliverBatch(ctx, []event.Event{e})[0]
	return o.Result, o.Err
}

// inCalls makes an entry of each event, puts as many into a call as fit, and
// sends the calls. An entry that cannot be sent fails alone. Send's error is of
// the whole call: where it is for good, the call's entries are sent one by one,
// since one of them may have spoilt it for the others.
func inCalls[E any](events []event.Event, limits BatchLimits, entry func(event.Event) (E, int, error), send func([]E) ([]Outcome, error)) []Outcome {
	all := make([]Outcome, len(events))
	var call []E
	var at []int // where the outcomes of the call belong
	bytes := 0
	flush := func() {
		for i, o := range sendCall(call, send) {
			all[at[i]] = o
		}
		call, at, bytes = nil, nil, 0
	}
	for i, e := range events {
		x, size, err := entry(e)
		if err == nil && size > limits.Each {
			err = fmt.Errorf("the event has %d bytes as this service counts, the limit is %d: transform it to less, or keep it in s3", size, limits.Each)
		}
		if err != nil {
			all[i] = Outcome{Err: &Permanent{Err: err}}
			continue
		}
		if len(call) == limits.Count || bytes+size > limits.Bytes {
			flush()
		}
		call, at, bytes = append(call, x), append(at, i), bytes+size
	}
	flush()
	return all
}

func sendCall[E any](call []E, send func([]E) ([]Outcome, error)) []Outcome {
	if len(call) == 0 {
		return nil
	}
	got, err := send(call)
	_, permanent := errors.AsType[*Permanent](err)
	switch {
	case err == nil && len(got) == len(call):
		return got
	case err == nil:
		err = &Retryable{Err: fmt.Errorf("the answer has %d outcomes for %d events", len(got), len(call))}
	case permanent && len(call) > 1:
		all := make([]Outcome, 0, len(call))
		for i := range call {
			all = append(all, sendCall(call[i:i+1], send)...)
		}
		return all
	}
	return outcomes(len(call), Outcome{Err: err})
}

// defaultGather is how long an event waits for company: those of one invocation
// are delivered within about a millisecond of one another.
const defaultGather = 5 * time.Millisecond

// A gatherer makes batches of what is delivered at the same time.
type gatherer struct {
	to   Batcher
	size int
	wait time.Duration

	mu   sync.Mutex
	next *batch // the one that takes more; nil where there is none
}

// A batch is delivered by the caller that began it; the others wait for it.
type batch struct {
	events   []event.Event
	full     chan struct{}
	done     chan struct{}
	outcomes []Outcome // once it is done; nil if the delivery panicked
}

// gather returns d itself where it takes one event at a time.
func gather(d Destination, c *config.Batch) Destination {
	b, ok := d.(Batcher)
	if !ok {
		return d
	}
	g := &gatherer{to: b, size: b.Batch().Count, wait: defaultGather}
	if c != nil && c.Size > 0 {
		g.size = min(c.Size, g.size)
	}
	if c != nil && c.Wait > 0 {
		g.wait = c.Wait.Std()
	}
	if g.size <= 1 {
		return d
	}
	return g
}

func (g *gatherer) Deliver(ctx context.Context, e event.Event) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, &Retryable{Err: err}
	}
	b, i := g.join(e)
	if i == 0 {
		g.lead(ctx, b)
	}
	select {
	case <-b.done:
	case <-ctx.Done():
		return Result{}, &Retryable{Err: fmt.Errorf("no answer: %w", ctx.Err())}
	}
	if i >= len(b.outcomes) {
		return Result{}, &Retryable{Err: errors.New("the batch that the event was in came to no end")}
	}
	return b.outcomes[i].Result, b.outcomes[i].Err
}

// join puts the event into a batch, and tells its place there. The first leads.
func (g *gatherer) join(e event.Event) (*batch, int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.next == nil {
		g.next = &batch{full: make(chan struct{}), done: make(chan struct{})}
	}
	b := g.next
	b.events = append(b.events, e)
	if len(b.events) == g.size {
		close(b.full)
		g.next = nil
	}
	return b, len(b.events) - 1
}

// lead waits for company and delivers. The time of the leader is that of all:
// what is delivered together was received together.
func (g *gatherer) lead(ctx context.Context, b *batch) {
	defer close(b.done)
	timer := time.NewTimer(g.wait)
	defer timer.Stop()
	select {
	case <-b.full:
	case <-timer.C:
	case <-ctx.Done():
	}
	g.mu.Lock()
	if g.next == b {
		g.next = nil
	}
	g.mu.Unlock()
	b.outcomes = g.to.DeliverBatch(ctx, b.events)
}
