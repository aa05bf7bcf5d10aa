package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"pushpull/shared/destination"
	"pushpull/shared/event"
	"pushpull/shared/ledger"
	"pushpull/shared/telemetry"
)

// outcomes are what became of an event at its destinations in one claim.
type outcomes struct {
	done     []string
	failed   []string  // for good
	reasons  []string  // of failed
	waiting  bool      // for attempts yet to come
	next     time.Time // when the first of them is due
	last     time.Time // when the last of them is due
	attempts []ledger.Attempt
}

// An outcome is that of one destination.
type outcome struct {
	destination string
	attempt     *ledger.Attempt // nil where none was made
	err         error           // of the attempt, or of the last one
	final       bool            // err is for good
	next        time.Time       // where err may pass
}

// deliver makes one attempt at each destination that is due and does not have
// the event, some at once.
func (h *handler) deliver(ctx context.Context, w *work, targets []target, stop time.Time) outcomes {
	ctx, cancel := context.WithDeadline(ctx, stop)
	defer cancel()
	var pending []target
	for _, t := range targets {
		if !slices.Contains(w.claim.Done, t.name) {
			pending = append(pending, t)
		}
	}
	results := make([]outcome, len(pending))
	each(len(pending), deliveriesAtOnce, func(i int) { results[i] = h.attempt(ctx, w, pending[i]) })
	return gather(results)
}

// attempt makes one attempt, unless the destination gave up before, is not yet
// due, or there is no time left.
func (h *handler) attempt(ctx context.Context, w *work, t target) outcome {
	last, tried := w.claim.Last(t.name)
	number := w.claim.Attempts[t.name] + 1
	begin := h.now()
	switch {
	case t.spared:
		return spare(w, t)
	case t.err != nil:
		return h.unmade(w, t)
	case number > 1 && (tried && last.Final || number > t.retry.Attempts):
		return outcome{destination: t.name, err: lastError(last), final: true}
	case number > 1 && last.Next.After(begin):
		return outcome{destination: t.name, err: lastError(last), next: last.Next}
	case ctx.Err() != nil:
		// Not at once: where claims take all the time, the table is throttled.
		next := begin.Add(h.backoff(receives(w.message), defaultFirst, defaultMax))
		return outcome{destination: t.name, err: errors.New("there was no time left"), next: next}
	}
	p, err := h.enter(ctx, t.gate)
	if err != nil {
		return h.held(w, t, err)
	}
	begin = h.now() // what it waited for is not the destination's
	result, err := deliverTo(ctx, t.to, t.event)
	took := h.now().Sub(begin)
	h.leave(ctx, p, result, err, took)
	if p.probe() && !well(result, err) {
		return h.held(w, t, fmt.Errorf("the destination is down: its probe failed: %w", err))
	}
	a := &ledger.Attempt{Destination: t.name, At: begin, Number: number, Status: result.Status, Took: took}
	o := outcome{destination: t.name, attempt: a, err: err}
	if err != nil {
		h.plan(&o, t, w)
		a.Error = o.err.Error()
	}
	h.report(w, t, o)
	return o
}

// deliverTo makes of a panic an error of its destination: it must not end the
// process, and with it what is being written down of the events beside it, which
// would be delivered again each time that this one comes back.
func deliverTo(ctx context.Context, to destination.Destination, e event.Event) (result destination.Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			// What was thrown may hold a payload.
			result, err = destination.Result{}, fmt.Errorf("the destination panicked with a %T", p)
		}
	}()
	return to.Deliver(ctx, e)
}

// plan says what follows a failed attempt. None follows that the message would
// not live to see.
func (h *handler) plan(o *outcome, t target, w *work) {
	m := w.message
	var after time.Duration
	if r, ok := errors.AsType[*destination.Retryable](o.err); ok {
		after = r.After
	}
	if _, permanent := errors.AsType[*destination.Permanent](o.err); permanent {
		o.final = true
	} else if o.attempt.Number >= t.retry.Attempts {
		o.final = true
		o.err = fmt.Errorf("gave up after %d attempts: %w", o.attempt.Number, o.err)
	} else if receives(m) >= mostReceives {
		o.final = true
		o.err = fmt.Errorf("gave up after %d attempts, as the queue gives a message out %d times: %w", o.attempt.Number, mostReceives, o.err)
	} else if after > 0 {
		o.next = h.now().Add(after)
	} else {
		o.next = h.now().Add(h.backoff(o.attempt.Number, t.retry.First.Std(), t.retry.Max.Std()))
	}
	first, tried := w.claim.First(t.name)
	if !tried || o.attempt.Number == 1 {
		first = *o.attempt
	}
	if tooLate(t, first.At, o.next) {
		o.final, o.next = true, time.Time{}
		o.err = fmt.Errorf("gave up after %d attempts in %s: %w", o.attempt.Number, t.retry.Total, o.err)
	}
	if o.next.After(h.expires(m)) {
		o.final, o.next = true, time.Time{}
		o.err = fmt.Errorf("gave up after %d attempts, as the queue keeps a message for 14 days: %w", o.attempt.Number, o.err)
	}
	o.attempt.Final, o.attempt.Next = o.final, o.next
}

func lastError(a ledger.Attempt) error {
	if a.Error == "" {
		return errors.New("earlier attempts failed")
	}
	return errors.New(a.Error)
}

func gather(results []outcome) outcomes {
	var all outcomes
	for _, o := range results {
		if o.attempt != nil {
			all.attempts = append(all.attempts, *o.attempt)
		}
		switch {
		case o.err == nil:
			all.done = append(all.done, o.destination)
		case o.final:
			all.failed = append(all.failed, o.destination)
			all.reasons = append(all.reasons, o.destination+": "+o.err.Error())
		default:
			if !all.waiting || o.next.Before(all.next) {
				all.next = o.next
			}
			if o.next.After(all.last) {
				all.last = o.next
			}
			all.waiting = true
		}
	}
	return all
}

// report logs and counts one attempt.
func (h *handler) report(w *work, t target, o outcome) {
	source := w.event.Source
	h.metrics.Duration(telemetry.DeliveryTime, o.attempt.Took, source, t.destination)
	log := w.log.With(telemetry.KeyDestination, t.name, telemetry.KeyAttempt, o.attempt.Number, "took", o.attempt.Took.String())
	if o.attempt.Status != 0 {
		log = log.With("status", o.attempt.Status)
	}
	if o.err == nil {
		h.metrics.Count(telemetry.EventsDelivered, 1, source, t.destination)
		log.Info(telemetry.MsgDelivered)
		return
	}
	h.metrics.Count(telemetry.DeliveriesFailed, 1, source, t.destination)
	if o.final {
		log.Warn("destination gave up", telemetry.KeyReason, o.err.Error())
		return
	}
	log.Warn(telemetry.MsgRetry, telemetry.KeyReason, o.err.Error(), "next", o.next)
}
