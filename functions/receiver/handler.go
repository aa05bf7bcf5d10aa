package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"pushpull/shared/config"
	"pushpull/shared/event"
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

// secrets resolves references; secret.Store is one.
type secrets interface {
	All(ctx context.Context, refs []string) ([]string, error)
	Fresh(ctx context.Context, refs []string) ([]string, error)
}

// sender returns nil only when the queue has durably taken the events; queue.Queue is one.
type sender interface {
	SendEvents(ctx context.Context, events ...event.Event) error
}

// A handler answers the gateway. It holds nothing of one request.
type handler struct {
	config  configuration
	secrets secrets
	queue   sender
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
	if refused := h.receive(ctx, payload, receipt); refused != nil {
		h.refuse(ctx, receipt, refused)
		return refused.answer(receipt.correlation), nil
	}
	return accepted(receipt.correlation), nil
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
func (h *handler) receive(ctx context.Context, payload []byte, rec *receipt) *refusal {
	req, err := readRequest(payload)
	if err != nil {
		rec.correlation = requestID(ctx, "")
		return refuse(400, "not_http", err)
	}
	trace := readTrace(ctx, req)
	rec.path, rec.correlation = req.path, trace.correlation
	src, refused := h.find(req.path)
	if refused != nil {
		return refused
	}
	rec.source = src.name
	if refused := src.admit(req); refused != nil {
		return refused
	}
	signed := webhook.Request{Method: req.method, Path: req.path, RawQuery: req.query, URL: req.url(), Header: req.header, Body: req.body}
	if refused := h.authenticate(ctx, src, signed, rec.received); refused != nil {
		return refused
	}
	if refused := checkJSON(req); refused != nil {
		return refused
	}
	e := src.event(req, trace)
	e.ReceivedTime = rec.received
	if src.auth.Scheme != "none" {
		e.VerifiedTime = h.now()
	}
	if err := h.queue.SendEvents(ctx, e); err != nil {
		h.metrics.Count(telemetry.QueueRefused, 1, src.name, string(event.Webhook))
		return refuse(503, "queue", err)
	}
	h.received(ctx, e)
	return nil
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

// authenticate checks the signature, with secrets resolved anew where those at
// hand do not match: they may have been rotated a moment ago.
func (h *handler) authenticate(ctx context.Context, src *source, r webhook.Request, at time.Time) *refusal {
	if src.auth.Scheme == "none" {
		return nil
	}
	values, unresolved := h.values(ctx, src.secrets)
	if unresolved != nil && len(values) == 0 {
		return refuse(503, "secret", unresolved)
	}
	err := src.verifier.Verify(values, r, at)
	if unresolved != nil && errors.Is(err, webhook.ErrSignature) {
		return refuse(503, "secret", unresolved) // it may be signed with the one that is not there
	}
	if errors.Is(err, webhook.ErrSignature) || errors.Is(err, webhook.ErrSecret) {
		fresh, freshErr := h.secrets.Fresh(ctx, src.secrets)
		if freshErr != nil {
			return refuse(503, "secret", freshErr)
		}
		if !slices.Equal(values, fresh) {
			err = src.verifier.Verify(fresh, r, at)
		}
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, webhook.ErrMissing):
		return refuse(401, "no_signature", err)
	case errors.Is(err, webhook.ErrStale):
		return refuse(401, "stale_timestamp", err)
	case errors.Is(err, webhook.ErrSignature):
		return refuse(401, "wrong_signature", err)
	}
	return refuse(503, "secret", err)
}

// values resolves the references: all, or of several those that can be, with the
// reason for the others. Of a rotation any secret verifies, so one that was
// removed too early must not keep out what is signed with another.
func (h *handler) values(ctx context.Context, refs []string) (values []string, unresolved error) {
	values, unresolved = h.secrets.All(ctx, refs)
	if unresolved == nil || len(refs) == 1 {
		return values, unresolved
	}
	values = nil
	for _, ref := range refs {
		if one, err := h.secrets.All(ctx, []string{ref}); err == nil {
			values = append(values, one...)
		}
	}
	h.log.ErrorContext(ctx, "a secret is not there: what is signed with it is refused", "error", unresolved)
	return values, unresolved
}

// checkJSON looks into the body for the first time, now that it is authentic.
func checkJSON(req *request) *refusal {
	switch {
	case event.ValidJSON(req.body):
		return nil
	case req.header.Get("Content-Type") == "":
		return refuse(415, "content_type", errors.New("there is no content type, and the body is not JSON"))
	}
	return refuse(400, "malformed", errors.New("the body is not JSON"))
}

// event finds what identifies the event in an authentic request.
func (s *source) event(req *request, trace trace) event.Event {
	found := s.identifier.Identify(event.Input{
		Body:   req.body,
		Header: req.header.Get,
		Query: func(name string) string {
			values, _ := url.ParseQuery(req.query) // what it could not read is not there
			return values.Get(name)
		},
		DefaultType: s.name,
	})
	contentType := req.header.Get("Content-Type")
	if len(contentType) > event.MaxText {
		contentType = "application/json" // what it was admitted as
	}
	return event.Event{
		ID: found.ID, Source: s.name, Type: found.Type, Time: found.Time, Subject: found.Entity, Version: found.Version,
		ContentType: contentType, Data: req.body, Transport: event.Webhook,
		CorrelationID: trace.correlation, TraceParent: trace.parent,
	}
}

// received tells the owner of an event that the queue has.
func (h *handler) received(ctx context.Context, e event.Event) {
	h.metrics.Count(telemetry.EventsReceived, 1, e.Source, string(e.Transport))
	h.log.LogAttrs(ctx, slog.LevelInfo, telemetry.MsgReceived,
		slog.String(telemetry.KeySource, e.Source), slog.String(telemetry.KeyTransport, string(e.Transport)),
		slog.String(telemetry.KeyIdentity, e.ID), slog.String(telemetry.KeyType, e.Type), slog.String(telemetry.KeyEntity, e.Subject),
		slog.Int("bytes", len(e.Data)), slog.String(telemetry.KeyCorrelation, e.CorrelationID))
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
