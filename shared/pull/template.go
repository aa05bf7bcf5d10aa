package pull

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"pushpull/shared/config"
)

// A placeholder may say that it is a text in JSON, though it is a number: {start|text}.
var placeholder = regexp.MustCompile(`\{[A-Za-z_][A-Za-z0-9_.-]*(\|text)?\}`)

// nameOf is what stands in a placeholder.
func nameOf(placeholder string) string {
	return strings.TrimSuffix(placeholder[1:len(placeholder)-1], "|text")
}

// A given is what a placeholder stands for; a number is written as one in JSON.
type given struct {
	text   string
	number bool
}

// A lookup finds what a placeholder stands for; ok is false while it has nothing.
type lookup func(name string) (g given, ok bool)

// dynamic are the placeholders that requests fill in, besides parent.… and record.….
var dynamic = []string{"start", "end", "cursor", "page_size", "now", "job"}

// fill replaces the placeholders of a template; ok is false where one has nothing.
func fill(template string, find lookup, escape func(string) string) (text string, ok bool) {
	ok = true
	text = placeholder.ReplaceAllStringFunc(template, func(p string) string {
		g, found := find(nameOf(p))
		ok = ok && found
		if escape != nil {
			return escape(g.text)
		}
		return g.text
	})
	return text, ok
}

// fillJSON fills the texts of a document. What has nothing is left out, and so is
// what becomes empty by that.
func fillJSON(doc any, find lookup) (filled any, ok bool) {
	switch doc := doc.(type) {
	case string:
		if placeholder.FindString(doc) == doc && doc != "" {
			g, ok := find(nameOf(doc))
			if ok && g.number && !strings.HasSuffix(doc, "|text}") {
				return json.Number(g.text), true
			}
			return g.text, ok
		}
		return fill(doc, find, nil)
	case map[string]any:
		out := make(map[string]any, len(doc))
		for name, member := range doc {
			if v, ok := fillJSON(member, find); ok {
				out[name] = v
			}
		}
		return out, len(out) > 0 || len(doc) == 0
	case []any:
		out := make([]any, 0, len(doc))
		for _, element := range doc {
			if v, ok := fillJSON(element, find); ok {
				out = append(out, v)
			}
		}
		return out, len(out) > 0 || len(doc) == 0
	default:
		return doc, true
	}
}

// expand fills a template from values alone; a name without a value is a mistake.
func expand(template string, values map[string]string, escape func(string) string) (string, error) {
	var missing []string
	text, _ := fill(template, func(name string) (given, bool) {
		v, ok := values[name]
		if !ok {
			missing = append(missing, name)
		}
		return given{text: v}, ok
	}, escape)
	return text, nothing(missing)
}

func nothing(missing []string) error {
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return fmt.Errorf("{%s} has no value: give it one in poll.with", strings.Join(slices.Compact(missing), "}, {"))
}

// BaseURL is a poll's base_url with the values of with in it.
func BaseURL(poll config.Poll) (*url.URL, error) {
	text, err := expand(poll.BaseURL, poll.With, nil)
	if err != nil {
		return nil, fmt.Errorf("poll.base_url: %w", err)
	}
	u, err := url.Parse(strings.TrimSuffix(text, "/"))
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil {
		return nil, fmt.Errorf("poll.base_url %q is not an http or https address: write https://api.example.com", poll.BaseURL)
	}
	return u, nil
}
