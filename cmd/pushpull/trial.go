package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"pushpull/shared/body"
	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/polled"
	"pushpull/shared/privacy"
	"pushpull/shared/provider"
	"pushpull/shared/pull"
	"pushpull/shared/route"
	"pushpull/shared/schema"
)

// A trial runs events through a configuration as the functions do, without
// anybody else: nothing is fetched, delivered or written.
type trial struct {
	cfg    config.Config
	hides  *privacy.Env
	routes *route.Table
}

// trialTime is when the events of a trial come.
var trialTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func newTrial(cfg config.Config) *trial {
	hides := privacy.NewEnv(privacy.Options{
		Secrets: madeUp{}, KMS: madeUp{}, Now: func() time.Time { return trialTime }, Rand: rand.NewChaCha8([32]byte{}),
	})
	table := func(name string) (config.Table, error) {
		if t, ok := cfg.Tables[name]; ok {
			return t, nil
		}
		return nil, fmt.Errorf("table %q: %w", name, config.ErrUnknown)
	}
	return &trial{cfg: cfg, hides: hides, routes: route.New(cfg.Routes, route.Options{Privacy: hides, Table: table})}
}

// madeUp are the secrets and the data key of a trial.
type madeUp struct{}

func (madeUp) All(_ context.Context, refs []string) ([]string, error) {
	return slices.Repeat([]string{"a key for tests"}, len(refs)), nil
}

func (madeUp) JSON(_ context.Context, _, _, _ string, _ []byte, out any) error {
	return json.Unmarshal([]byte(`{"Plaintext":"`+strings.Repeat("A", 43)+`=","CiphertextBlob":"dGVzdA=="}`), out)
}

// An end is what becomes of one event.
type end struct {
	Delivered map[string]delivered `json:"delivered,omitempty"` // by the delivery's name in the ledger
	Dead      map[string]string    `json:"dead,omitempty"`      // why, by the same, or by "event"
	Filtered  string               `json:"filtered,omitempty"`  // why it goes nowhere
}

// delivered is what a destination gets, as far as it is not what came.
type delivered struct {
	ID          string          `json:"id,omitempty"`
	SchemaError string          `json:"schemaerror,omitempty"`
	Data        json.RawMessage `json:"data,omitempty"`
	Text        string          `json:"text,omitempty"` // data that are not JSON
}

// run says what becomes of a fixture's event, or of each where its body has several.
func (t *trial) run(ctx context.Context, f fixture) (json.RawMessage, error) {
	source, ok := t.cfg.Sources[f.Source]
	if !ok {
		return nil, fmt.Errorf("no source %q in the configuration", f.Source)
	}
	events, err := arrive(f, source)
	if err != nil {
		return nil, err
	}
	ends := make([]end, len(events))
	for i, e := range events {
		if ends[i], err = t.through(ctx, source, e); err != nil {
			return nil, err
		}
	}
	if len(ends) == 1 {
		return json.Marshal(ends[0])
	}
	return json.Marshal(ends)
}

// arrive makes the events as receiver and poller do.
func arrive(f fixture, source config.Source) ([]event.Event, error) {
	switch {
	case f.Event != nil:
		return []event.Event{written(f)}, nil
	case len(f.Record) > 0:
		return record(f, source)
	case source.Webhook == nil:
		return nil, fmt.Errorf("%s has no webhook: write event or record", f.Source)
	case f.Sample != "":
		return sampled(f, source)
	}
	raw := []byte(f.Body)
	var text string
	if json.Unmarshal(f.Body, &text) == nil {
		raw = []byte(text)
	}
	return pushed(f.Source, *source.Webhook, raw, f.Headers)
}

// written is the event that a fixture writes itself.
func written(f fixture) event.Event {
	w := f.Event
	e := event.Event{
		ID: w.ID, Source: f.Source, Type: w.Type, Time: w.Time, Subject: w.Subject, Version: w.Version,
		Transport: w.Transport, ContentType: w.Content, Data: w.Data,
	}
	if e.ID == "" {
		e.ID = "test"
	}
	if e.Type == "" {
		e.Type = f.Source
	}
	if e.Transport == "" {
		e.Transport = event.Webhook
	}
	if w.Text != nil {
		e.Data = []byte(*w.Text)
	} else if e.ContentType == "" {
		e.ContentType = "application/json"
	}
	return e
}

func record(f fixture, source config.Source) ([]event.Event, error) {
	p := source.Poll.Named(f.Poll)
	if p == nil {
		return nil, fmt.Errorf("%s has no poll %q", f.Source, f.Poll)
	}
	maker, err := polled.New(f.Source, source, *p)
	if err != nil {
		return nil, err
	}
	return []event.Event{maker.Event(pull.Record{Data: f.Record}, trialTime)}, nil
}

// sampled is the provider's sample of a type, with the same made-up ids each time.
func sampled(f fixture, source config.Source) ([]event.Event, error) {
	all, err := samples(*source.Webhook)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(s provider.Sample) bool { return s.Type == f.Sample })
	if i < 0 {
		i = slices.IndexFunc(all, provider.Sample.AnyType)
	}
	if i < 0 {
		return nil, fmt.Errorf("there is no sample of type %q for %s: write event or body", f.Sample, f.Source)
	}
	r := request(all[i].FillFrom(rand.NewChaCha8([32]byte{}), f.Sample, source.Webhook.With, trialTime))
	headers := map[string]string{}
	for name := range all[i].Headers {
		headers[name] = r.Header.Get(name)
	}
	headers["Content-Type"] = r.Header.Get("Content-Type")
	return pushed(f.Source, *source.Webhook, r.Body, headers)
}

// pushed are the events of a webhook's body.
func pushed(name string, hook config.Webhook, raw []byte, headers map[string]string) ([]event.Event, error) {
	header := func(name string) string {
		for key, value := range headers {
			if strings.EqualFold(key, name) {
				return value
			}
		}
		return ""
	}
	contentType := header("Content-Type")
	if contentType == "" {
		contentType = "application/json"
	}
	var b config.Body
	if hook.Body != nil {
		b = *hook.Body
	}
	reader, err := body.Compile(b)
	if err != nil {
		return nil, err
	}
	var spec event.Spec
	if hook.Event != nil {
		spec = *hook.Event
	}
	identifier, err := event.Compile(spec)
	if err != nil {
		return nil, err
	}
	message := reader.Read(raw, contentType)
	if message.Unreadable != nil {
		return nil, fmt.Errorf("the body cannot be read: %w", message.Unreadable)
	}
	events := make([]event.Event, len(message.Parts))
	for i, p := range message.Parts {
		found := identifier.Identify(event.Input{
			Body: p.View, Root: p.Root, Parent: p.Parent, Data: p.Data, Header: header,
			Query: func(string) string { return "" }, DefaultType: name,
		})
		events[i] = event.Event{
			ID: found.ID, Source: name, Type: found.Type, Time: found.Time, Subject: found.Entity, Version: found.Version,
			Transport: event.Webhook, ContentType: p.ContentType, Data: p.Data,
		}
	}
	return events, nil
}

// through is the event's way: its source's privacy and schema, and the routes.
func (t *trial) through(ctx context.Context, source config.Source, e event.Event) (end, error) {
	rules, err := t.hides.Open(source.Privacy)
	if err != nil {
		return end{}, err
	}
	if e, _, err = rules.Apply(ctx, e); err != nil {
		return end{}, err
	}
	proof, err := schema.Compile(source.Schema)
	if err != nil {
		return end{}, err
	}
	if proof != nil {
		if _, err := proof.Check(e.Data); err != nil {
			switch proof.OnFail {
			case config.SchemaDead:
				return end{Dead: map[string]string{"event": err.Error()}}, nil
			case config.SchemaDrop:
				return end{Filtered: "dropped by the source's schema: " + err.Error()}, nil
			}
			e.SchemaError = err.Error()
		}
	}
	plan := t.routes.Plan(ctx, e)
	out := end{Delivered: map[string]delivered{}, Dead: map[string]string{}, Filtered: plan.Filtered(e.Source)}
	for _, target := range plan.Targets {
		if target.Err != nil {
			out.Dead[target.Name] = target.Err.Error()
			continue
		}
		out.Delivered[target.Name] = deliveredOf(target.Event, e)
	}
	return out, nil
}

func deliveredOf(got, came event.Event) delivered {
	d := delivered{SchemaError: got.SchemaError, Text: string(got.Data)}
	if got.ID != came.ID {
		d.ID = got.ID
	}
	if event.ValidJSON(got.Data) {
		d.Data, d.Text = got.Data, ""
	}
	return d
}
