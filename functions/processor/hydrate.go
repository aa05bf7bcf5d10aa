package main

import (
	"context"
	"errors"
	"fmt"

	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/hydrate"
	"pushpull/shared/telemetry"
)

// hydrator completes an event from its provider's API. hydrate.Source says what
// its errors mean.
type hydrator interface {
	Fetch(ctx context.Context, e event.Event) (event.Event, error)
}

// hydrator is that of a source's webhooks; what was polled came from the API.
func (c *catalog) hydrator(s config.Source) hydrator {
	if s.Webhook == nil || s.Webhook.Hydrate == nil {
		return nil
	}
	h, err := hydrate.Open(*s.Webhook.Hydrate, c.apis)
	if err != nil {
		return unfetchable{err}
	}
	return h
}

// unfetchable is a hydrator that cannot be opened: its events must not be
// delivered as they came.
type unfetchable struct{ err error }

func (u unfetchable) Fetch(context.Context, event.Event) (event.Event, error) {
	return event.Event{}, &hydrate.Permanent{Reason: "hydrate cannot be used: " + u.err.Error()}
}

// hydrate replaces the data of an event by those of its provider's API, where the
// source asks for that. It reports false where the event goes no further now: it
// is dead, or its message comes back. What the ledger keeps, and what a duplicate
// is compared by, are apart: the payload is what is delivered, the hash is of what came.
func (h *handler) hydrate(ctx context.Context, w *work, t times) bool {
	if w.source.hydrate == nil || w.event.Transport != event.Webhook {
		return true
	}
	inTime, cancel := context.WithDeadline(ctx, t.stop)
	defer cancel()
	e, err := w.source.hydrate.Fetch(inTime, w.event)
	if err != nil {
		return h.unfetched(ctx, w, err)
	}
	w.event = e
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
	if _, permanent := errors.AsType[*hydrate.Permanent](err); permanent {
		h.die(ctx, w, "not fetched from the api: "+err.Error(), nil, outcomes{})
		return false
	}
	n := receives(w.message)
	wait := h.backoff(n, defaultFirst, defaultMax)
	if r, ok := errors.AsType[*hydrate.Retryable](err); ok && r.After > 0 {
		wait = r.After
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
