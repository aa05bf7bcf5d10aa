package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"pushpull/shared/breaker"
	"pushpull/shared/budget"
	"pushpull/shared/config"
	"pushpull/shared/destination"
	"pushpull/shared/rate"
	"pushpull/shared/slots"
	"pushpull/shared/telemetry"
)

// breakers are those of the destinations; breaker.Store has them.
type breakers interface {
	Allow(ctx context.Context, name string, p breaker.Policy) (breaker.Try, error)
	Tell(ctx context.Context, t breaker.Try, well bool) (opened bool)
}

// budgets are the rates of the destinations; budget.Store has them.
type budgets interface {
	Take(ctx context.Context, key string, l budget.Limit, most time.Duration) error
}

// places are what may be under way at once; slots.Store has them.
type places interface {
	Take(ctx context.Context, name string, n int, lease, most time.Duration) (slots.Slot, error)
	Give(ctx context.Context, slot slots.Slot)
}

// gates are what all processes share of the destinations.
type gates struct {
	breakers breakers
	budgets  budgets
	places   places
}

// A gate is what a destination's deliveries may have to wait for. No wait is an
// attempt.
type gate struct {
	name    string          // of the destination
	breaker *breaker.Policy // nil where it has none
	rate    budget.Limit    // zero where there is none
	slots   int             // 0 where there is no limit
}

func gateOf(name string, d config.Destination) gate {
	g := gate{name: name, slots: d.Concurrency, breaker: &breaker.Policy{Share: 0.5, Least: 10, Window: time.Minute, Open: 30 * time.Second}}
	if limit, err := rate.Parse(d.Rate); err == nil {
		g.rate = budgetOf(limit.Rate)
	}
	if b := d.Breaker; b != nil {
		g.breaker = &breaker.Policy{Share: float64(b.Failures) / 100, Least: b.Least, Window: b.Window.Std(), Open: b.Open.Std()}
		if b.Off {
			g.breaker = nil
		}
	}
	return g
}

// budgetOf counts over the shortest period that has several deliveries.
func budgetOf(perSecond float64) budget.Limit {
	per := time.Hour
	for _, shorter := range []time.Duration{time.Second, time.Minute} {
		if perSecond*shorter.Seconds() >= 5 {
			per = shorter
			break
		}
	}
	return budget.Limit{Requests: max(1, int(math.Round(perSecond*per.Seconds()))), Per: per}
}

// mostPatience is how long a delivery waits for its turn within a batch: longer, and
// it would have the others of its batch wait with it.
const mostPatience = 2 * time.Second

// A pass is leave to make one delivery.
type pass struct {
	try  *breaker.Try
	slot slots.Slot
}

// probe tells whether the delivery is to find out if its destination is well again.
// Where it is not, that is no attempt of the event's.
func (p pass) probe() bool { return p.try != nil && p.try.Probe() }

// enter waits for leave to deliver. Its error is a *breaker.Open, a *slots.Full, a
// *budget.Wait, or the context's.
func (h *handler) enter(ctx context.Context, g gate) (pass, error) {
	var p pass
	if g.breaker != nil {
		try, err := h.gates.breakers.Allow(ctx, g.name, *g.breaker)
		if err != nil || try.Probe() { // the one delivery that has a destination to itself
			return pass{try: &try}, err
		}
		p.try = &try
	}
	if g.slots > 0 {
		slot, err := h.gates.places.Take(ctx, g.name, g.slots, slotLease, mostPatience)
		if err != nil {
			return pass{}, err
		}
		p.slot = slot
	}
	if g.rate.Requests > 0 {
		if err := h.gates.budgets.Take(ctx, "destination/"+g.name, g.rate, mostPatience); err != nil {
			h.gates.places.Give(ctx, p.slot)
			return pass{}, err
		}
	}
	return p, nil
}

// slotLease is longer than an invocation, whose end cuts its deliveries.
const slotLease = 15 * time.Minute

// leave ends a delivery that began at that time.
func (h *handler) leave(ctx context.Context, p pass, result destination.Result, err error, took time.Duration) {
	h.gates.places.Give(ctx, p.slot)
	if p.try == nil || ctx.Err() != nil && err != nil && took < telling {
		return
	}
	if h.gates.breakers.Tell(ctx, *p.try, well(result, err)) {
		h.log.Warn("breaker opened: most deliveries fail", telemetry.KeyDestination, p.try.Name())
	}
}

// telling is how long a delivery that we cut must have taken to tell of its destination.
const telling = 5 * time.Second

// well tells whether the destination is there and does its work: it may still refuse
// the event for good, or ask for fewer.
func well(result destination.Result, err error) bool {
	_, refused := errors.AsType[*destination.Permanent](err)
	return err == nil || refused || result.Status == http.StatusTooManyRequests
}

// held is the outcome of a delivery that must wait for its destination. It is no
// attempt, and comes to an end only where the message or its time does.
func (h *handler) held(w *work, t target, err error) outcome {
	n := receives(w.message)
	next := h.now().Add(h.patience(w, untilOf(err, h.now()), h.backoff(n, defaultFirst, defaultMax)))
	o := outcome{destination: t.name, err: err, next: next}
	first, tried := w.claim.First(t.name)
	switch {
	case n >= mostReceives:
		o.final, o.err = true, fmt.Errorf("gave up, as the queue gives a message out %d times: %w", mostReceives, err)
	case next.After(h.expires(w.message)):
		o.final, o.err = true, fmt.Errorf("gave up, as the queue keeps a message for 14 days: %w", err)
	case tried && tooLate(t, first.At, next):
		o.final, o.err = true, fmt.Errorf("gave up %s after the first attempt: %w", t.retry.Total, err)
	}
	if _, open := errors.AsType[*breaker.Open](err); open {
		h.metrics.Count(telemetry.BreakerOpen, 1)
	}
	h.metrics.Count(telemetry.DeliveriesHeld, 1, w.event.Source, t.gate.name)
	w.log.Info(telemetry.MsgHeld, telemetry.KeyDestination, t.name, telemetry.KeyReason, o.err.Error(), "next", next)
	return o
}

func untilOf(err error, now time.Time) time.Time {
	if open, ok := errors.AsType[*breaker.Open](err); ok {
		return open.Until
	}
	if full, ok := errors.AsType[*slots.Full](err); ok {
		return full.Until
	}
	if wait, ok := errors.AsType[*budget.Wait](err); ok {
		return wait.Until
	}
	return now
}

// tooLate tells whether an attempt at that time would be after the destination's total.
func tooLate(t target, first, next time.Time) bool {
	return t.retry.Total > 0 && next.Sub(first) > t.retry.Total.Std()
}
