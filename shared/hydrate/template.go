package hydrate

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"pushpull/shared/event"
)

// A template is a text with values of an event in it.
type template []part

// A part is a literal, or a value of the event.
type part struct {
	literal string
	value   func(input) string // "" where it is absent; nil for a literal
	filters []func(string) string
	slashes bool // of the value stay as they are
}

// An input is an event that templates look into.
type input struct {
	event event.Event
	json  bool // its data are JSON
}

func look(e event.Event) input { return input{event: e, json: event.ValidJSON(e.Data)} }

func parseTemplate(text string) (template, error) {
	parts, err := event.ParseTemplate(text)
	if err != nil {
		return nil, err
	}
	var t template
	for _, p := range parts {
		if p.Placeholder == "" {
			t = append(t, part{literal: p.Literal})
			continue
		}
		made, err := parsePlaceholder(p.Placeholder)
		if err != nil {
			return nil, err
		}
		t = append(t, made)
	}
	return t, nil
}

func parsePlaceholder(text string) (part, error) {
	name, filters, _ := strings.Cut(text, "|")
	p := part{}
	if filters != "" {
		for filter := range strings.SplitSeq(filters, "|") {
			switch filter {
			case "lower":
				p.filters = append(p.filters, strings.ToLower)
			case "upper":
				p.filters = append(p.filters, strings.ToUpper)
			case "path":
				p.slashes = true
			default:
				return part{}, fmt.Errorf("unknown filter %q: there are lower, upper and path", filter)
			}
		}
	}
	root, arg, _ := strings.Cut(name, ".")
	switch {
	case name == "id":
		p.value = func(in input) string { return in.event.ID }
	case name == "type":
		p.value = func(in input) string { return in.event.Type }
	case name == "entity":
		p.value = func(in input) string { return in.event.Subject }
	case name == "version":
		p.value = func(in input) string { return in.event.Version }
	case root == "body" && arg != "":
		path, err := parsePath(arg)
		if err != nil {
			return part{}, fmt.Errorf("{%s}: %w", text, err)
		}
		p.value = func(in input) string {
			if !in.json {
				return ""
			}
			return scalar(gjson.GetBytes(in.event.Data, path))
		}
	case root == "header" && arg != "":
		key := strings.ToLower(arg)
		p.value = func(in input) string { return in.event.Headers[key] }
	case root == "query" && arg != "":
		p.value = func(in input) string { return in.event.Query[arg] }
	default:
		return part{}, fmt.Errorf("unknown placeholder {%s}: there are {body.path}, {header.Name}, {query.name}, {id}, {type}, {entity} and {version}", text)
	}
	return p, nil
}

// text is the template with its values, each written by escape; ok is false where
// one is absent.
func (t template) text(in input, escape func(written string, p part, value string) string) (text string, ok bool) {
	var b strings.Builder
	for _, p := range t {
		if p.value == nil {
			b.WriteString(p.literal)
			continue
		}
		value := p.value(in)
		for _, f := range p.filters {
			value = f(value)
		}
		if value == "" {
			return "", false
		}
		b.WriteString(escape(b.String(), p, value))
	}
	return b.String(), true
}

func plain(_ string, _ part, value string) string { return value }

// percent writes a value so that it stays one name of a path, or one value of a query.
func percent(written string, p part, value string) string {
	switch {
	case strings.Contains(written, "?"):
		return url.QueryEscape(value)
	case p.slashes:
		steps := strings.Split(value, "/")
		for i := range steps {
			steps[i] = url.PathEscape(steps[i])
		}
		return strings.Join(steps, "/")
	default:
		return url.PathEscape(value)
	}
}

// scalar is a value as text; numbers stay as they were written.
func scalar(v gjson.Result) string {
	switch v.Type {
	case gjson.String:
		return v.Str
	case gjson.Number, gjson.True, gjson.False:
		return v.Raw
	default:
		return ""
	}
}

// parsePath writes a path for gjson so that each step is a plain name or an index.
// A dot within a name is written \. by the user.
func parsePath(path string) (string, error) {
	steps := []string{""}
	for i := 0; i < len(path); i++ {
		last := len(steps) - 1
		switch {
		case path[i] == '\\' && i+1 < len(path):
			i++
			steps[last] += path[i : i+1]
		case path[i] == '.':
			steps = append(steps, "")
		default:
			steps[last] += path[i : i+1]
		}
	}
	if slices.Contains(steps, "") {
		return "", errors.New("the path has an empty step: write names and array indexes with single dots between them")
	}
	for i := range steps {
		steps[i] = gjson.Escape(steps[i])
	}
	return strings.Join(steps, "."), nil
}
