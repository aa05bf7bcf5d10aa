package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/privacy"
	"pushpull/shared/rate"
	"pushpull/shared/telemetry"
	"pushpull/shared/webhook"
)

// margin is kept of the invocation's time, so that a queue that does not answer
// is told to the provider by us, not by the gateway.
const margin = time.Second

// configuration finds a source by its name; config.Compiled is one.
type configuration interface {
	Source(name string) (config.Source, error)
}

// secrets resolves references, and keeps what a provider hands over;
// secret.Store is one.
type secrets interface {
	All(ctx context.Context, refs []string) ([]string, error)
	Fresh(ctx context.Context, refs []string) ([]string, error)
	Anew(ctx context.Context, ref string) (string, error)
	Put(ctx context.Context, ref, value string, replace bool) error
}

// limiter says whether a source has had too many events; rate.Limiter is one.
type limiter interface {
	Take(ctx context.Context, source string, limit rate.Limit, n int) rate.Decision
}

// sender returns nil only when the queue has durably taken the events; queue.Queue is one.
type sender interface {
	SendEvents(ctx context.Context, events ...event.Event) error
}

// A handler answers the gateway. It holds nothing of one request.
type handler struct {
	config  configuration
	secrets secrets
	hides   *privacy.Env
	queue   sender
	strict  sender                                          // for sources whose order is strict; nil where it is not deployed
	jobs    jobSender                                       // nil without a queue for them
	limiter limiter                                         // nil without a table for it
	keys    *webhook.Keys                                   // public keys that are fetched
	visit   func(ctx context.Context, address string) error // fetches an address that a signed handshake names
	log     *slog.Logger
	metrics *telemetry.Metrics
	now     func() time.Time
	sources sync.Map // name → *source, those that were asked for
}

// Invoke takes one request as API Gateway or a function URL hands it over, and
// returns the answer. It never returns an error: a provider would be told 500
// or 502, which says nothing.
func (h *handler) Invoke(ctx context.Context, payload []byte) (answer []byte, _ error) {
	receipt := &receipt{received: h.now()}
	defer func() {
		if p := recover(); p != nil {
			answer = h.panicked(ctx, receipt, p)
		}
		h.metrics.Duration(telemetry.ReceiveTime, h.now().Sub(receipt.received), receipt.source)
		if err := h.metrics.Flush(); err != nil {
			h.log.WarnContext(ctx, "metrics lost", "error", err)
		}
	}()
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-margin))
		defer cancel()
	}
	said, refused := h.receive(ctx, payload, receipt)
	if refused != nil {
		h.refuse(ctx, receipt, refused)
		return refused.answer(receipt.correlation), nil
	}
	return said.write(receipt.correlation), nil
}

// A receipt is what is known of a request so far, for the log, the metrics and
// the answer, whatever becomes of it.
type receipt struct {
	received    time.Time
	source      string // a name of the configuration, "" until it is known to be one
	path        string
	correlation string
}

// receive does it all, one step after the other, each with its own way to fail.
func (h *handler) receive(ctx context.Context, payload []byte, rec *receipt) (reply, *refusal) {
	req, err := readRequest(payload)
	if err != nil {
		rec.correlation = requestID(ctx, "")
		return reply{}, refuse(400, "not_http", err)
	}
	trace := readTrace(ctx, req)
	rec.path, rec.correlation = req.path, trace.correlation
	src, refused := h.find(req.path)
	if refused != nil {
		return reply{}, refused
	}
	rec.source = src.name
	asked, refused := src.read(req)
	if refused != nil {
		return reply{}, refused
	}
	greeting := src.greeting(asked)
	if greeting != nil && greeting.By != webhook.ByEvent {
		return h.greet(ctx, src, greeting, asked)
	}
	if refused := src.admit(asked, greeting); refused != nil {
		return reply{}, refused
	}
	known, refused := h.authenticate(ctx, src, asked, rec.received)
	if refused != nil {
		return reply{}, refused
	}
	if greeting != nil {
		return h.confirm(ctx, src, greeting, asked, known)
	}
	if src.hint {
		return src.reply(asked, known), h.hint(ctx, src, rec.received, rec.correlation)
	}
	events, refused := h.events(src, asked, trace, rec.received)
	if refused != nil {
		return reply{}, refused
	}
	if refused := h.hide(ctx, src, events); refused != nil {
		return reply{}, refused
	}
	if refused := h.limit(ctx, src, len(events)); refused != nil {
		return reply{}, refused
	}
	if len(events) > 0 {
		if err := h.send(ctx, src, events); err != nil {
			h.metrics.Count(telemetry.QueueRefused, int64(len(events)), src.name, string(event.Webhook))
			return reply{}, refuse(503, "queue", err)
		}
	}
	for i := range events {
		h.received(ctx, events[i])
	}
	return src.reply(asked, known), nil
}

// find returns the source that the path names.
func (h *handler) find(path string) (*source, *refusal) {
	name := sourceName(path)
	if name == "" {
		return nil, refuse(404, "unknown_source", errors.New("the path is not /webhooks/{source}"))
	}
	src, err := h.source(name)
	switch {
	case errors.Is(err, config.ErrUnknown):
		return nil, refuse(404, "unknown_source", fmt.Errorf("source %q: %w", cut(name, 64), config.ErrUnknown)) // a stranger chose the name
	case err != nil:
		return nil, refuse(503, "config", err)
	}
	return src, nil
}

// hide takes out of the events what the source's privacy names: nothing behind
// the receiver sees it, stores it or logs it.
func (h *handler) hide(ctx context.Context, src *source, events []event.Event) *refusal {
	for i, e := range events {
		hidden, whole, err := src.privacy.Apply(ctx, e)
		if err != nil {
			return refuse(503, "privacy", err)
		}
		if whole {
			h.log.WarnContext(ctx, telemetry.MsgHidden, telemetry.KeySource, e.Source, telemetry.KeyIdentity, e.ID)
		}
		events[i] = hidden
	}
	return nil
}

// received tells the owner of an event that the queue has.
func (h *handler) received(ctx context.Context, e event.Event) {
	h.metrics.Count(telemetry.EventsReceived, 1, e.Source, string(e.Transport))
	h.log.LogAttrs(ctx, slog.LevelInfo, telemetry.MsgReceived,
		slog.String(telemetry.KeySource, e.Source), slog.String(telemetry.KeyTransport, string(e.Transport)),
		slog.String(telemetry.KeyIdentity, e.ID), slog.String(telemetry.KeyType, e.Type), slog.String(telemetry.KeyEntity, e.Subject),
		slog.Int("bytes", len(e.Data)), slog.String(telemetry.KeyCorrelation, e.CorrelationID))
}

// limit answers 429 to what is more than the source's rate. It counts authentic
// events alone: or whoever can send requests could keep the provider out.
func (h *handler) limit(ctx context.Context, src *source, n int) *refusal {
	if src.limit == nil || h.limiter == nil || n == 0 {
		return nil
	}
	d := h.limiter.Take(ctx, src.name, *src.limit, n)
	if d.OK {
		return nil
	}
	refused := refuse(429, "rate", fmt.Errorf("more than %s", src.rate))
	refused.limit = new(rate.Headers(*src.limit, d))
	return refused
}

// refuse tells the owner all that the provider is not told.
func (h *handler) refuse(ctx context.Context, rec *receipt, r *refusal) {
	h.metrics.Count(telemetry.RequestsRejected, 1, rec.source, r.reason)
	level := slog.LevelWarn
	if r.status == 503 {
		level = slog.LevelError
	}
	h.log.LogAttrs(ctx, level, telemetry.MsgRejected,
		slog.String(telemetry.KeySource, rec.source), slog.String(telemetry.KeyTransport, string(event.Webhook)),
		slog.Int("status", r.status), slog.String(telemetry.KeyReason, r.reason), slog.String("error", r.err.Error()),
		slog.String("path", cut(rec.path, 256)), slog.String(telemetry.KeyCorrelation, rec.correlation))
}

// panicked ends one request, not the process. What was thrown is logged only
// where it is the runtime's own words: anything else might hold a payload.
func (h *handler) panicked(ctx context.Context, rec *receipt, p any) []byte {
	what := fmt.Errorf("panic with a %T", p)
	if err, ok := p.(runtime.Error); ok {
		what = err
	}
	h.log.ErrorContext(ctx, "receiver panicked", "error", what, "stack", string(debug.Stack()))
	r := refuse(503, "panic", what)
	h.refuse(ctx, rec, r)
	return r.answer(rec.correlation)
}

var errNoStrictQueue = errors.New("the source's order is strict, and there is no queue for that: deploy with StrictOrder=true")

// send puts the events on the queue of their source's order.
func (h *handler) send(ctx context.Context, src *source, events []event.Event) error {
	switch {
	case !src.strict:
		return h.queue.SendEvents(ctx, events...)
	case h.strict == nil:
		return errNoStrictQueue
	}
	return h.strict.SendEvents(ctx, events...)
}
