package apiauth

import (
	"context"
	"encoding/json"
	"strings"

	"pushpull/shared/event"
)

// A template is a text with placeholders.
type template []part

type part struct {
	literal string
	name    string
	filters []filter
}

func (t template) has(name string) bool {
	for _, p := range t {
		if p.name == name {
			return true
		}
	}
	return false
}

// parseTemplate reads a template; the error does not quote it.
func parseTemplate(text string) (template, string) {
	parts, err := event.ParseTemplate(text)
	if err != nil {
		return nil, "a { or } without its other half, or with nothing between them"
	}
	var t template
	for _, p := range parts {
		name, filters, _ := strings.Cut(p.Placeholder, "|")
		list, problem := parseFilters(filters)
		if problem != "" {
			return nil, problem
		}
		t = append(t, part{literal: p.Literal, name: name, filters: list})
	}
	return t, ""
}

// Values by the name of their placeholder.
type values map[string]string

// fill puts the values in; those of the templates are resolved, or the kind's own.
func (t template) fill(v values) string {
	var b strings.Builder
	for _, p := range t {
		if p.name == "" {
			b.WriteString(p.literal)
			continue
		}
		value := []byte(v[p.name])
		for _, f := range p.filters {
			value = f(value)
		}
		b.Write(value)
	}
	return b.String()
}

// resolve gives with, and the values of the secrets that the templates name.
func (a *Authenticator) resolve(ctx context.Context, templates ...template) (values, error) {
	v := values{}
	var names, refs []string
	for _, t := range templates {
		for _, p := range t {
			name, _, _ := strings.Cut(p.name, ".")
			if given, ok := a.o.With[p.name]; ok {
				v[p.name] = given
			}
			if list := a.secrets[name]; len(list) > 0 {
				names, refs = append(names, name), append(refs, list[int(a.turn.Load())%len(list)])
			}
		}
	}
	if len(refs) == 0 {
		return v, nil
	}
	secrets, err := a.o.Store.All(ctx, refs)
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		v[name] = strings.TrimRight(secrets[i], "\r\n") // an editor's, not the secret's
	}
	return v, nil
}

// members are the texts of a JSON object, by name with a prefix; nil of what is none.
func members(prefix, text string) values {
	var object map[string]any
	if !strings.HasPrefix(strings.TrimSpace(text), "{") || json.Unmarshal([]byte(text), &object) != nil {
		return nil
	}
	v := values{}
	for name, value := range object {
		if s, ok := value.(string); ok {
			v[prefix+name] = s
		}
	}
	return v
}
