package route

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/jq"
	"pushpull/shared/privacy"
	"pushpull/shared/schema"
)

const (
	// MostParts is how many events a split makes of one.
	MostParts = 100
	// mostData bounds what one expression makes, in bytes: no more than came.
	mostData = 6 << 20
)

// A route is one route, made ready.
type route struct {
	config.Route
	label string // in errors and notes

	once    bool
	err     error // it cannot be used
	when    *jq.Program
	enrich  []enrichment
	change  *jq.Program // transform or split
	privacy *privacy.Rules
	schema  *schema.Schema
}

// ready compiles a route. What is wrong in it was said when the configuration was
// loaded; if it comes up nevertheless, it is the error of each event.
func (t *Table) ready(r *route) {
	if r.once {
		return
	}
	r.once = true
	r.err = t.compile(r)
}

func (t *Table) compile(r *route) (err error) {
	if r.When != "" {
		if r.when, err = jq.Compile(r.When); err != nil {
			return fmt.Errorf("when: %w", err)
		}
	}
	for _, e := range r.Enrich {
		one, err := t.enrichment(e)
		if err != nil {
			return fmt.Errorf("enrich: %w", err)
		}
		r.enrich = append(r.enrich, one)
	}
	switch {
	case r.Transform != "":
		r.change, err = jq.Options{Values: 1}.Compile(r.Transform)
	case r.Split != "":
		r.change, err = jq.Options{Values: MostParts}.Compile(r.Split)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", r.changes(), err)
	}
	if r.privacy, err = t.o.Privacy.Open(r.Privacy); err != nil {
		return fmt.Errorf("privacy: %w", err)
	}
	r.schema, err = schema.Compile(r.Schema)
	return err
}

// changes is the key of the expression that changes the data.
func (r *route) changes() string {
	if r.Split != "" {
		return "split"
	}
	return "transform"
}

// target is the name of a delivery in the ledger; number is that of a part, or 0.
func (r *route) target(destination string, number int) string {
	switch {
	case r.Name == "" && !r.Changes():
		return destination
	case number == 0:
		return r.label + "/" + destination
	}
	return r.label + "/" + destination + "#" + strconv.Itoa(number)
}

// A part is one event that a route makes.
type part struct {
	event  event.Event
	number int // from 1, of a split; else 0
	err    error
}

// errPasses wraps what may pass by itself.
var errPasses = errors.New("for now")

func passes(err error) bool { return errors.Is(err, errPasses) }

// make is what the route makes of the event: nothing where it does not take it.
func (r *route) make(p *planner) ([]part, error) {
	if r.err != nil {
		return nil, r.wrong("", r.err)
	}
	parts, err := r.evaluate(p)
	if err != nil {
		return nil, err
	}
	kept := parts[:0]
	for _, one := range parts {
		if r.finish(p, &one) {
			kept = append(kept, one)
		}
	}
	return kept, nil
}

// evaluate runs the route's expressions, while no others run.
func (r *route) evaluate(p *planner) ([]part, error) {
	if r.when == nil && len(r.enrich) == 0 && r.change == nil {
		return []part{{event: p.event}}, nil
	}
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-p.ctx.Done():
		return nil, r.wrongIn(p, "", p.ctx.Err())
	}
	if r.when != nil {
		holds, err := r.when.True(p.ctx, p.values())
		if err != nil {
			return nil, r.wrongIn(p, "when: ", err)
		}
		if !holds {
			p.drop("when", r)
			return nil, nil
		}
	}
	return r.parts(p)
}

// parts are the events that enrich, and transform or split, make.
func (r *route) parts(p *planner) ([]part, error) {
	if len(r.enrich) == 0 && r.change == nil {
		return []part{{event: p.event}}, nil
	}
	input := p.values()
	if len(r.enrich) > 0 {
		var err error
		if input, err = r.enriched(p, input); err != nil {
			return nil, err
		}
	}
	values := []any{input["data"]}
	if r.change != nil {
		var err error
		if values, err = r.change.Values(p.ctx, input); err != nil {
			return nil, r.wrongIn(p, r.changes()+": ", err)
		}
	}
	if len(values) == 0 {
		p.drop(r.changes(), r)
	}
	parts := make([]part, len(values))
	for i, v := range values {
		data, err := jq.Encode(v)
		if err != nil {
			return nil, r.wrong(r.changes()+": ", err)
		}
		if len(data) > mostData {
			return nil, r.wrong(r.changes()+": ", fmt.Errorf("it makes more than %d MiB", mostData>>20))
		}
		parts[i] = part{event: p.event.With(data)}
		if r.Split != "" {
			parts[i].number = i + 1
			parts[i].event.ID = partID(p.event.ID, i+1)
		}
	}
	return parts, nil
}

// partID is the identity of a split's nth part.
func partID(id string, n int) string {
	suffix := "/" + strconv.Itoa(n)
	if len(id)+len(suffix) > event.MaxID {
		sum := sha256.Sum256([]byte(id))
		id = hex.EncodeToString(sum[:])
	}
	return id + suffix
}

// finish hides and validates what is delivered. It reports false where that is dropped.
func (r *route) finish(p *planner, one *part) bool {
	e, whole, err := r.privacy.Apply(p.ctx, one.event)
	if err != nil {
		one.err = r.wrong("", fmt.Errorf("%w: %w", err, errPasses))
		return true
	}
	one.event = e
	if whole {
		p.plan.Notes = append(p.plan.Notes, "privacy of "+r.label+" hid all of the data, which are neither JSON nor a form")
	}
	if r.schema == nil {
		return true
	}
	if _, err := r.schema.Check(e.Data); err != nil {
		p.plan.Invalid++
		switch r.schema.OnFail {
		case config.SchemaDrop:
			p.drop("schema", r)
			return false
		case config.SchemaPass:
			one.event.SchemaError = err.Error()
		default:
			one.err = r.wrong("", err)
		}
	}
	return true
}

// wrongIn is an error of an expression, which passes where only the time was up.
func (r *route) wrongIn(p *planner, what string, err error) error {
	if p.ctx.Err() != nil {
		err = fmt.Errorf("there was no time left: %w", errPasses)
	}
	return r.wrong(what, err)
}

func (r *route) wrong(what string, err error) error {
	return fmt.Errorf("route %s: %s%w", r.label, what, err)
}

// values are the event as expressions see it. What is not JSON is null.
func (p *planner) values() map[string]any {
	if p.input != nil {
		return p.input
	}
	p.input = Input(p.event)
	return p.input
}

// Input is what expressions see of an event.
func Input(e event.Event) map[string]any {
	data, err := jq.Decode(e.Data)
	if err != nil {
		data = nil
	}
	input := map[string]any{
		"id": e.ID, "source": e.Source, "type": e.Type, "time": nil, "subject": text(e.Subject), "version": text(e.Version),
		"transport": string(e.Transport), "data": data,
	}
	if !e.Time.IsZero() {
		input["time"] = e.Time.UTC().Format(time.RFC3339Nano)
	}
	return input
}

func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}
