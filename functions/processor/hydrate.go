package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pushpull/shared/api"
	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/hydrate"
	"pushpull/shared/ledger"
	"pushpull/shared/telemetry"
)

// hydrator completes an event from its provider's API. hydrate.Source says what
// its errors mean.
type hydrator interface {
	Fetch(ctx context.Context, e event.Event) (event.Event, error)
}

// hydrator is that of a source's webhooks; what was polled came from the API.
func (c *catalog) hydrator(name string, s config.Source) hydrator {
	if s.Webhook == nil || s.Webhook.Hydrate == nil {
		return nil
	}
	h, err := hydrate.Open(name, *s.Webhook.Hydrate, c.apis)
	if err != nil {
		return unfetchable{err}
	}
	return h
}

// unfetchable is a hydrator that cannot be opened: its events must not be
// delivered as they came.
type unfetchable struct{ err error }

func (u unfetchable) Fetch(context.Context, event.Event) (event.Event, error) {
	return event.Event{}, &api.Permanent{Reason: "hydrate cannot be used: " + u.err.Error()}
}

// hydrate replaces the data of an event by those of its provider's API, where the
// source asks for that. It reports false where the event goes no further now: it
// is dead, or its message comes back. What the ledger keeps, and what a duplicate
// is compared by, are apart: the payload is what is delivered, the hash is of what came.
func (h *handler) hydrate(ctx context.Context, w *work, t times) bool {
	if w.source.hydrate == nil || w.event.Transport != event.Webhook || w.event.Hydrated || h.rehydrate(ctx, w) {
		return true
	}
	inTime, cancel := context.WithDeadline(ctx, t.stop)
	defer cancel()
	e, err := w.source.hydrate.Fetch(inTime, w.event)
	if err != nil {
		return h.unfetched(ctx, w, err)
	}
	if w.event, err = h.hideFetched(inTime, w, e); err != nil {
		return h.unfetched(ctx, w, err)
	}
	return true
}

// hideFetched hides in what was fetched what the source's privacy names.
func (h *handler) hideFetched(ctx context.Context, w *work, e event.Event) (event.Event, error) {
	if w.source.hidden != nil {
		return w.event, &api.Permanent{Reason: "privacy cannot be used: " + w.source.hidden.Error()}
	}
	hidden, whole, err := w.source.privacy.Apply(ctx, e)
	if err != nil {
		return w.event, err
	}
	if whole {
		w.log.Warn(telemetry.MsgHidden)
	}
	return hidden, nil
}

// rehydrate gives an event that waits, or that some destinations were tried with, the
// data that it had, as the ledger keeps them: all are to have the same, and nothing is
// to be fetched twice.
func (h *handler) rehydrate(ctx context.Context, w *work) bool {
	if w.claim.Status != ledger.Waiting && len(w.claim.Attempts)+len(w.claim.Done) == 0 || !w.source.keep {
		return false
	}
	kept, err := h.ledger.Payload(ctx, w.event.Key())
	if err != nil || !kept.Hydrated {
		return false // it is fetched again, then
	}
	w.event.Data, w.event.DataRef, w.event.ContentType, w.event.Hydrated = kept.Data, kept.DataRef, kept.ContentType, true
	return true
}

// unfetched decides what becomes of an event whose data were not fetched.
func (h *handler) unfetched(ctx context.Context, w *work, err error) bool {
	if missing, ok := errors.AsType[*hydrate.Missing](err); ok {
		if missing.Keep {
			w.log.Info("event kept as it came", telemetry.KeyReason, missing.Reason)
			return true
		}
		h.die(ctx, w, "not fetched from the api: "+missing.Reason, nil, outcomes{})
		return false
	}
	if _, permanent := errors.AsType[*api.Permanent](err); permanent {
		h.die(ctx, w, "not fetched from the api: "+err.Error(), nil, outcomes{})
		return false
	}
	n := receives(w.message)
	wait := h.backoff(n, defaultFirst, defaultMax)
	if limited, ok := errors.AsType[*api.Limited](err); ok {
		wait = h.patience(w, limited.Until, wait)
	}
	switch {
	case n >= mostReceives:
		err = fmt.Errorf("gave up, as the queue gives a message out %d times: %w", mostReceives, err)
	case h.now().Add(wait).After(h.expires(w.message)):
		err = fmt.Errorf("gave up, as the queue keeps a message for 14 days: %w", err)
	default:
		w.log.Warn("event not fetched, tried again", telemetry.KeyReason, err.Error(), "next", h.now().Add(wait))
		h.release(ctx, w, outcomes{}, wait)
		return false
	}
	h.die(ctx, w, "not fetched from the api: "+err.Error(), nil, outcomes{})
	return false
}

// sparing is from which receive on a message that waits for a limit is sparing
// with those that are left.
const sparing = 40

// patience is how long a message waits for a limit: no failure, so it must not die
// of having come back too often. Those who wait for the same time spread behind
// it; later, the receives that are left are made to last as long as the queue
// keeps the message.
func (h *handler) patience(w *work, until time.Time, spread time.Duration) time.Duration {
	wait := max(until.Sub(h.now()), 0) + spread
	if n := receives(w.message); n > sparing && n < mostReceives {
		wait = max(wait, h.expires(w.message).Sub(h.now())/time.Duration(mostReceives-n)+time.Second)
	}
	return wait
}
