package hydrate

import (
	"fmt"
	"net/url"
	"strings"

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
	return event.MakeTemplate(text, func(text string) part { return part{literal: text} }, parsePlaceholder)
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
		path, err := event.ParsePath(arg)
		if err != nil {
			return part{}, fmt.Errorf("{%s}: %w", text, err)
		}
		p.value = func(in input) string {
			if !in.json {
				return ""
			}
			value, _ := event.Value(in.event.Data, path)
			return value
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
		if strings.HasSuffix(written, "/") {
			value = strings.TrimPrefix(value, "/")
		}
		steps := strings.Split(value, "/")
		for i := range steps {
			steps[i] = url.PathEscape(steps[i])
		}
		return strings.Join(steps, "/")
	default:
		return url.PathEscape(value)
	}
}
