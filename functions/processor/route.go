package main

import (
	"context"
	"strings"

	"pushpull/shared/config"
	"pushpull/shared/route"
	"pushpull/shared/schema"
	"pushpull/shared/telemetry"
)

// A validator says whether an event's data are as they must be; schema.Schema
// says what Check returns. Then onFail is what becomes of those that are not.
type validator struct {
	schema *schema.Schema
	err    error // it cannot be used
}

func validatorOf(of *config.Schema) validator {
	s, err := schema.Compile(of)
	return validator{schema: s, err: err}
}

// validate compares an event's data with its source's schema. It reports false
// where the event goes no further: it is dead, or dropped.
func (h *handler) validate(ctx context.Context, w *work) bool {
	v := w.source.schema
	if v.err != nil {
		h.die(ctx, w, "the source's schema cannot be used: "+v.err.Error(), nil, outcomes{})
		return false
	}
	if v.schema == nil {
		return true
	}
	unknown, err := v.schema.Check(w.event.Data)
	h.drifted(w, unknown)
	if err == nil {
		return true
	}
	h.invalid(w, 1)
	switch v.schema.OnFail {
	case config.SchemaPass:
		w.event.SchemaError = err.Error()
		w.log.Warn(telemetry.MsgInvalid, telemetry.KeyReason, err.Error())
		return true
	case config.SchemaDrop:
		h.finish(ctx, w, "dropped by the source's schema: "+err.Error(), outcomes{})
	default:
		h.die(ctx, w, err.Error(), nil, outcomes{})
	}
	return false
}

// drifted tells, once an hour, of members that the source's schema does not know.
func (h *handler) drifted(w *work, unknown []string) {
	told := h.catalog.drift.Note(w.event.Source, unknown, h.now())
	if len(told) == 0 {
		return
	}
	h.metrics.Count(telemetry.SchemaDrift, int64(len(told)), w.event.Source)
	w.log.Warn(telemetry.MsgDrift, "paths", strings.Join(told, " "))
}

// invalid counts data that are not as a schema has them, once for each event.
func (h *handler) invalid(w *work, n int) {
	if n > 0 && receives(w.message) == 1 {
		h.metrics.Count(telemetry.EventsInvalid, int64(n), w.event.Source)
	}
}

// routed tells what the routes have to say of an event besides its deliveries.
func (h *handler) routed(w *work, p route.Plan) {
	h.invalid(w, p.Invalid)
	for _, note := range p.Notes {
		w.log.Warn(telemetry.MsgHidden, telemetry.KeyReason, note)
	}
	if len(p.Dropped) > 0 {
		w.log.Debug("event dropped", telemetry.KeyReason, strings.Join(p.Dropped, ", "))
	}
}

// unmade is the outcome of a delivery that a route could not make. What may pass
// is tried again without an attempt at the destination, as long as the message lives.
func (h *handler) unmade(w *work, t target) outcome {
	next := h.now().Add(h.backoff(receives(w.message), defaultFirst, defaultMax))
	if !t.passes || receives(w.message) >= mostReceives || next.After(h.expires(w.message)) {
		return outcome{destination: t.name, err: t.err, final: true}
	}
	w.log.Warn(telemetry.MsgRetry, telemetry.KeyDestination, t.name, telemetry.KeyReason, t.err.Error(), "next", next)
	return outcome{destination: t.name, err: t.err, next: next}
}
