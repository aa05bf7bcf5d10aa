package main

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"pushpull/shared/event"
	"pushpull/shared/jq"
	"pushpull/shared/ledger"
	"pushpull/shared/route"
)

// A matcher finds the events that a person means in what is kept of them.
type matcher struct {
	where *jq.Program // nil where there is none
	text  string      // "" where there is none
}

func newMatcher(where, text string) (*matcher, error) {
	m := &matcher{text: text}
	if where == "" {
		return m, nil
	}
	var err error
	m.where, err = jq.Compile(where)
	return m, err
}

// record tells whether the text is in what the ledger knows of an event.
func (m *matcher) record(r ledger.Record) bool {
	if m.text == "" || m.where != nil {
		return false
	}
	texts := []string{r.ID, r.Entity, r.Reason}
	for _, a := range r.Attempts {
		texts = append(texts, a.Error)
	}
	return slices.ContainsFunc(texts, m.in)
}

// event tells whether an event is meant: where both are given, both hold. An error
// says why that is not known.
func (m *matcher) event(ctx context.Context, e event.Event) (bool, error) {
	if m.text != "" && !m.anywhere(e) {
		return false, m.missing(e)
	}
	if m.where == nil {
		return true, nil
	}
	if err := m.missing(e); err != nil {
		return false, err
	}
	return m.where.True(ctx, route.Input(e))
}

func (m *matcher) missing(e event.Event) error {
	if e.Data == nil && e.DataRef != "" {
		return errors.New("its data were in the claim check, and are there no more: it can only be erased by its name")
	}
	return nil
}

func (m *matcher) in(text string) bool { return strings.Contains(text, m.text) }

// anywhere looks for the text in all of an event.
func (m *matcher) anywhere(e event.Event) bool {
	for _, carried := range []event.Carried{e.Headers, e.Query} {
		for _, value := range carried {
			if m.in(value) {
				return true
			}
		}
	}
	if m.in(e.ID) || m.in(e.Subject) || bytes.Contains(e.Data, []byte(m.text)) || bytes.Contains(e.Data, []byte(url.QueryEscape(m.text))) {
		return true
	}
	data, err := jq.Decode(e.Data)
	return err == nil && m.within(data)
}

// within looks into the texts of JSON, which may be escaped as they are written.
func (m *matcher) within(v any) bool {
	switch v := v.(type) {
	case string:
		return m.in(v)
	case []any:
		return slices.ContainsFunc(v, m.within)
	case map[string]any:
		for name, member := range v {
			if m.in(name) || m.within(member) {
				return true
			}
		}
	}
	return false
}
