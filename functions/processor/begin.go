package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"pushpull/shared/awslite"
	"pushpull/shared/event"
	"pushpull/shared/ledger"
	"pushpull/shared/queue"
	"pushpull/shared/telemetry"
)

// work is one message of a batch on its way.
type work struct {
	message     events.SQSMessage
	event       event.Event
	source      source
	version     string // the key of the event's version, where order counts
	refused     bool   // it is no event
	hash        string // of the data, without what is volatile; "" where it is not known
	claim       ledger.Claim
	claimed     bool // the claim is ours, and the event has its data
	acknowledge bool // the message may be deleted
	log         *slog.Logger
}

// read decodes a message. One that cannot be read is finished here.
func (h *handler) read(ctx context.Context, m events.SQSMessage) *work {
	w := &work{message: m, log: h.log.With("message", m.MessageId)}
	e, err := event.Decode([]byte(m.Body))
	if err != nil {
		w.refused = true
		h.refuse(ctx, w, err)
		return w
	}
	w.event, w.source, w.log = e, h.catalog.source(e.Source), h.logOf(e)
	w.version = versionKey(e, w.source.order)
	w.hash = hashOf(e, w.source.volatile[e.Transport])
	return w
}

// begin claims an event. What needs no delivery is finished here: a duplicate, what
// a newer one superseded, what others are at work on.
func (h *handler) begin(ctx context.Context, w *work, t times) {
	if w.refused {
		return
	}
	c, err := h.ledger.Claim(ctx, w.event, ledger.Options{
		Message: w.message.MessageId, Redriven: redriven(w.message, w.event), Lease: t.lease, Window: w.source.window,
		Hash: w.hash, Version: w.version, Quiet: w.source.quiet,
	})
	if err != nil {
		w.log.Error("claim failed", "error", err)
		h.hide(ctx, w, h.backoff(receives(w.message), defaultFirst, defaultMax))
		return
	}
	w.claim = c
	switch c.Verdict {
	case ledger.Duplicate:
		h.duplicate(ctx, w)
	case ledger.Outdated:
		w.acknowledge = true
		h.metrics.Count(telemetry.EventsSuperseded, 1, w.event.Source, string(w.event.Transport))
		w.log.Info(telemetry.MsgSuperseded, telemetry.KeyEntity, w.event.Subject)
	case ledger.Behind:
		w.log.Debug("another event of the entity in flight", telemetry.KeyEntity, w.event.Subject)
		h.hide(ctx, w, h.patience(w, h.now(), h.backoff(receives(w.message), behindFirst, behindMax)))
	case ledger.InFlight:
		w.log.Debug("event in flight", "until", c.Until)
		h.hide(ctx, w, c.Until.Sub(h.now()))
	case ledger.Mine:
		h.open(ctx, w, t)
	}
}

// Another event of its entity is delivered in no time, as a rule.
const (
	behindFirst = time.Second
	behindMax   = time.Minute
)

// open fetches data that are in the claim check, once the event is ours: a
// duplicate costs no fetch.
func (h *handler) open(ctx context.Context, w *work, t times) {
	e, err := queue.Open(ctx, w.event, h.bodies)
	switch {
	case err == nil:
		w.event = e
		w.claimed = h.hydrate(ctx, w, t) && h.validate(ctx, w)
	case gone(err) || receives(w.message) >= mostReceives:
		h.die(ctx, w, "its data could not be fetched: "+err.Error(), nil, outcomes{})
	default:
		w.log.Error("data not fetched", "error", err)
		h.release(ctx, w, outcomes{}, h.backoff(receives(w.message), defaultFirst, defaultMax))
	}
}

// gone tells whether fetching again is in vain.
func gone(err error) bool {
	if answer, ok := errors.AsType[*awslite.Error](err); ok && answer.Status == http.StatusNotFound {
		return true
	}
	return errors.Is(err, queue.ErrBadReference)
}

// firstSent is within what time of receiving an event a function sends its first
// message: no function runs for longer.
const firstSent = 15 * time.Minute

// redriven tells whether a message comes from the dead letters: ours carry
// their key. Those that SQS moved there by itself may say where they came from,
// which nobody promises of a redrive; but it sends them anew, long after the
// event was received.
func redriven(m events.SQSMessage, e event.Event) bool {
	if _, ours := m.MessageAttributes[queue.AttributeKey]; ours || m.Attributes["DeadLetterQueueSourceArn"] != "" {
		return true
	}
	sent, ok := sent(m)
	return ok && !e.ReceivedTime.IsZero() && sent.Sub(e.ReceivedTime) > firstSent
}

// sent is when the message was put on the queue.
func sent(m events.SQSMessage) (time.Time, bool) {
	ms, err := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64)
	return time.UnixMilli(ms), err == nil
}

// receives is how often the message was received, this time included.
func receives(m events.SQSMessage) int {
	n, err := strconv.Atoi(m.Attributes["ApproximateReceiveCount"])
	if err != nil {
		return 1
	}
	return max(n, 1)
}

// expires is when the queue will soon drop the message, however often it failed:
// retention is the most there is. The margin is the longest that it is hidden.
func (h *handler) expires(m events.SQSMessage) time.Time {
	const retention = 14 * 24 * time.Hour
	at, ok := sent(m)
	if !ok {
		at = h.now()
	}
	return at.Add(retention - mostHidden)
}

func (h *handler) duplicate(ctx context.Context, w *work) {
	w.acknowledge = !w.claim.Conflict || h.conflict(ctx, w)
	if !w.acknowledge {
		h.hide(ctx, w, h.backoff(receives(w.message), defaultFirst, defaultMax))
		return
	}
	h.metrics.Count(telemetry.EventsDuplicate, 1, w.event.Source, string(w.event.Transport))
	w.log.Info(telemetry.MsgDuplicate, "status", string(w.claim.Status))
	if w.claim.Late {
		h.metrics.Count(telemetry.EventsLate, 1, w.event.Source)
	}
	if w.claim.Uncounted != nil {
		w.log.Warn("duplicate not counted", "error", w.claim.Uncounted)
	}
}

// conflict keeps a duplicate whose data are not those of the first arrival, which
// stay the ones that are delivered. It reports false where the message must come
// back for that; it is then counted once more.
func (h *handler) conflict(ctx context.Context, w *work) bool {
	if w.source.keep && w.claim.Keep {
		err := w.claim.Uncounted
		if err == nil { // else nothing would lead to what is kept
			err = h.ledger.KeepConflict(ctx, w.event, w.hash, w.source.kept)
		}
		if err != nil && receives(w.message) < keepAttempts {
			w.log.Warn("conflict not kept", "error", err)
			return false
		}
		if err != nil {
			w.log.Error("conflict not kept: its data are lost", "error", err)
		}
	}
	h.metrics.Count(telemetry.EventsConflict, 1, w.event.Source, string(w.event.Transport))
	w.log.Warn(telemetry.MsgConflict, "hash", w.hash)
	return true
}

func (h *handler) logOf(e event.Event) *slog.Logger {
	log := h.log.With(telemetry.KeySource, e.Source, telemetry.KeyTransport, string(e.Transport),
		telemetry.KeyIdentity, e.ID, telemetry.KeyType, e.Type, telemetry.KeyCorrelation, e.CorrelationID)
	if e.Subject != "" {
		log = log.With(telemetry.KeyEntity, e.Subject)
	}
	if e.Replay != "" {
		log = log.With(telemetry.KeyReplay, e.Replay)
	}
	if e.Missed {
		log = log.With(telemetry.KeyMissed, true)
	}
	return log
}

// keeps tells whether the event's payload is to be kept. That of a replay is what it was read from.
func (w *work) keeps() bool { return w.source.keep && w.event.Replay == "" }

// keep stores the payloads of the claimed events, while they are delivered. The
// function it returns waits for that of an event's window.
func (h *handler) keep(ctx context.Context, works []*work, stop time.Time) func(*work) error {
	type writing struct {
		events []event.Event
		done   chan struct{}
		err    error
	}
	byWindow := map[time.Duration]*writing{}
	for _, w := range works {
		if !w.claimed || !w.keeps() {
			continue
		}
		b := byWindow[w.source.kept]
		if b == nil {
			b = &writing{done: make(chan struct{})}
			byWindow[w.source.kept] = b
		}
		b.events = append(b.events, w.event)
	}
	for window, b := range byWindow {
		go func() {
			defer close(b.done)
			ctx, cancel := context.WithDeadline(ctx, stop)
			defer cancel()
			b.err = h.ledger.KeepPayloads(ctx, b.events, window)
		}()
	}
	return func(w *work) error {
		b := byWindow[w.source.kept]
		if b == nil || !w.keeps() {
			return nil
		}
		<-b.done
		return b.err
	}
}
