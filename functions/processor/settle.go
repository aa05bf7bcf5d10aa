package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"pushpull/shared/ledger"
	"pushpull/shared/queue"
	"pushpull/shared/telemetry"
)

// process delivers a claimed event and writes down what came of it.
func (h *handler) process(ctx context.Context, w *work, kept func(*work) error, t times) {
	if !w.claimed {
		return
	}
	inTime, cancel := context.WithDeadline(ctx, t.stop)
	defer cancel()
	targets, plan := h.catalog.plan(inTime, w.event)
	h.routed(w, plan)
	targets = narrow(w, targets)
	out := h.deliver(ctx, w, targets, t.stop)
	unkept := kept(w)
	switch {
	case out.waiting:
		h.release(ctx, w, out, h.due(w, out).Sub(h.now()))
	case len(out.failed) > 0:
		h.die(ctx, w, strings.Join(out.reasons, "; "), out.failed, out)
	case unkept != nil && receives(w.message) < keepAttempts:
		w.log.Warn("payload not kept", "error", unkept)
		h.release(ctx, w, out, h.backoff(receives(w.message), defaultFirst, defaultMax))
	default:
		if unkept != nil {
			w.log.Error("payload not kept: the event cannot be replayed", "error", unkept)
		}
		h.finish(ctx, w, nowhere(w, plan.Filtered(w.event.Source), targets), out)
	}
}

// fewReceives is how often a message may come back for each destination on its
// own. Then it comes for all at once: SQS itself would move a message to the
// dead letters, without a reason, that was received too often.
const fewReceives = 20

// mostReceives is with which receive an event that still fails is dead. It is
// less than the queue's maxReceiveCount, with room for receives that do not get
// as far as a delivery: the dead letters of SQS have no reason, and the ledger
// is not told of them.
const mostReceives = 140

// due is when the message is to come back.
func (h *handler) due(w *work, out outcomes) time.Time {
	if receives(w.message) > fewReceives {
		return out.last
	}
	return out.next
}

// keepAttempts is how often a message comes back only because its payload could
// not be kept. What is delivered by then is not delivered again.
const keepAttempts = 6

// finish ends an event that every destination has, or that none is to have: for
// the reason, where there is one.
func (h *handler) finish(ctx context.Context, w *work, reason string, out outcomes) {
	end := ledger.Delivered
	if reason != "" {
		end = ledger.Filtered
	}
	if !h.complete(ctx, w, end, reason, out) {
		return
	}
	source, transport := w.event.Source, string(w.event.Transport)
	if end == ledger.Filtered {
		h.metrics.Count(telemetry.EventsFiltered, 1, source, transport)
		w.log.Info(telemetry.MsgFiltered, telemetry.KeyReason, reason)
		return
	}
	if w.event.Replay == "" {
		h.metrics.Duration(telemetry.EventAge, h.now().Sub(w.claim.FirstReceived), source, transport)
	}
}

// die puts the event with the dead letters, and only then ends it: if we stop
// in between, the message comes back, and the event is dead twice rather than lost.
func (h *handler) die(ctx context.Context, w *work, reason string, failed []string, out outcomes) {
	letter := queue.DeadLetter(w.message.Body, w.event.Source, w.event.Key(), reason, failed...)
	if to := onlyTo(w.message); to != "" && w.event.Replay != "" {
		letter.Attributes[queue.AttributeTo] = to // so it is for no others when it is redriven
	}
	if err := h.letters.Send(ctx, letter); err != nil {
		w.log.Error("dead letter not sent", "error", err, telemetry.KeyReason, reason)
		h.release(ctx, w, out, h.backoff(receives(w.message), defaultFirst, defaultMax))
		return
	}
	if h.complete(ctx, w, ledger.Dead, reason, out) {
		h.buried(w, reason)
	}
}

// refuse puts a message that is no event with the dead letters: coming back
// would not make it one. The ledger has no key for it.
func (h *handler) refuse(ctx context.Context, w *work, why error) {
	reason := "not an event: " + why.Error()
	if err := h.letters.Send(ctx, queue.DeadLetter(w.message.Body, "unknown", "", reason)); err != nil {
		w.log.Error("dead letter not sent", "error", err, telemetry.KeyReason, reason)
		h.hide(ctx, w, h.backoff(receives(w.message), defaultFirst, defaultMax))
		return
	}
	w.acknowledge = true
	h.buried(w, reason)
}

func (h *handler) buried(w *work, reason string) {
	h.metrics.Count(telemetry.EventsDead, 1, w.event.Source)
	w.log.Error(telemetry.MsgDead, telemetry.KeyReason, reason)
}

// complete ends the claim, and with it the message. A claim that was lost leaves
// the message alone: who took it over holds it by this same message.
func (h *handler) complete(ctx context.Context, w *work, end ledger.Status, reason string, out outcomes) bool {
	err := h.ledger.Complete(ctx, w.claim, end, reason, out.done, out.attempts)
	if err != nil {
		h.unwritten(w, err)
		return false
	}
	w.acknowledge = true
	return true
}

// release gives the claim back and hides the message until it is due. If we stop
// in between, it comes back when the queue's own visibility timeout ends.
func (h *handler) release(ctx context.Context, w *work, out outcomes, wait time.Duration) {
	w.acknowledge = false
	if err := h.ledger.Release(ctx, w.claim, out.done, out.attempts); err != nil {
		h.unwritten(w, err)
		return
	}
	h.hide(ctx, w, wait)
}

func (h *handler) unwritten(w *work, err error) {
	if errors.Is(err, ledger.ErrLost) {
		w.log.Warn("claim lost: deliveries of this attempt may be repeated", "error", err)
		return
	}
	w.log.Error("outcome not written: deliveries of this attempt may be repeated", "error", err)
}

const (
	leastHidden = time.Second
	// mostHidden is less than SQS's 12 hours, which count from when the message was received.
	mostHidden = 11*time.Hour + 40*time.Minute
)

// hide keeps the message from coming back too early, in whole seconds as SQS counts.
func (h *handler) hide(ctx context.Context, w *work, wait time.Duration) {
	wait = (wait + time.Second - 1).Truncate(time.Second)
	wait = min(max(wait, leastHidden), mostHidden)
	if err := h.hider.Visibility(ctx, h.queueOf(w.message), w.message.ReceiptHandle, wait); err != nil {
		w.log.Warn("visibility not changed: the message comes back when the queue's timeout ends", "error", err)
	}
}

// backoff is how long to wait after the nth failure: a random time up to first,
// doubled each time, up to most. All of it is random, so that events which
// failed together do not come back together.
func (h *handler) backoff(n int, first, most time.Duration) time.Duration {
	ceiling := most
	if shift := n - 1; shift < 32 && first<<shift > 0 && first<<shift < most {
		ceiling = first << shift
	}
	return h.jitter(ceiling)
}

// jitter is a random time up to d.
func jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return rand.N(d) + 1 //nolint:gosec // it spreads load, and guards nothing
}
