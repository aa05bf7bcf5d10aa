package webhook

import (
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"
	"strings"

	"pushpull/shared/event"
)

// A template is what is signed, asked or answered, made ready.
type template []piece

// A piece is a literal, or a placeholder with its filters.
type piece struct {
	literal  string
	source   source
	name     string // as it was written, for messages
	arg      string // the header's, parameter's or field's name, or the path
	optional bool   // absent is nothing
	weak     bool   // through a checksum that another value can be made to have
	filters  []filter
}

// A source is what a placeholder reads.
type source int

const (
	literal source = iota
	rawBody
	bodyPath
	formField
	header
	queryParameter
	rawQuery
	method
	urlPath
	fullURL
	timestamp
	secretText
	signatureText
	verifyText
	address
	canonical
	headerList
)

var plainSources = map[string]source{
	"body": rawBody, "query": rawQuery, "method": method, "path": urlPath, "url": fullURL,
	"timestamp": timestamp, "secret": secretText, "signature": signatureText, "verify_token": verifyText, "address": address,
}

var namedSources = map[string]source{"body": bodyPath, "form": formField, "header": header, "query": queryParameter, "signed_headers": headerList}

// parseTemplate makes a template ready. Where loose, braces that hold no
// placeholder are literal, as in the JSON of an answer.
func parseTemplate(text string, loose bool) (template, error) {
	if loose {
		return parseLoose(text)
	}
	return event.MakeTemplate(text, func(text string) piece { return piece{literal: text} }, parsePlaceholder)
}

// parseLoose takes as placeholders only what looks like one: {word…} without
// quotes or spaces.
func parseLoose(text string) (template, error) {
	var t template
	from := 0
	for i := 0; i < len(text); i++ {
		if text[i] != '{' {
			continue
		}
		end := strings.IndexAny(text[i+1:], "{}\" \n\t:,<>")
		if end < 1 || text[i+1+end] != '}' {
			continue
		}
		made, err := parsePlaceholder(text[i+1 : i+1+end])
		if err != nil {
			return nil, err
		}
		if i > from {
			t = append(t, piece{literal: text[from:i]})
		}
		t = append(t, made)
		i += 1 + end
		from = i + 1
	}
	if from < len(text) {
		t = append(t, piece{literal: text[from:]})
	}
	return t, nil
}

// maxFilters bounds what a placeholder makes of a body.
const maxFilters = 4

func parsePlaceholder(text string) (piece, error) {
	name, filterNames, _ := strings.Cut(text, "|")
	name, optional := strings.CutSuffix(name, "?")
	p := piece{name: name, optional: optional}
	root, arg, dotted := strings.Cut(name, ".")
	var known bool
	switch _, special := canonicals[name]; {
	case special:
		p.source, p.arg, known = canonical, name, true
	case dotted:
		p.source, known = namedSources[root]
		p.arg, known = arg, known && arg != ""
	default:
		p.source, known = plainSources[name]
	}
	if !known {
		return piece{}, fmt.Errorf("unknown placeholder {%s}: %s", name, suggest(name))
	}
	if p.source == bodyPath {
		path, err := event.ParsePath(arg)
		if err != nil {
			return piece{}, fmt.Errorf("{%s}: %w", name, err)
		}
		p.arg = path
	}
	if filterNames == "" {
		return p, nil
	}
	if n := strings.Count(filterNames, "|") + 1; n > maxFilters {
		return piece{}, fmt.Errorf("{%s} has %d filters: more than %d are not taken, as each may double what is signed", name, n, maxFilters)
	}
	for name := range strings.SplitSeq(filterNames, "|") {
		f, ok := filters[name]
		if !ok {
			return piece{}, fmt.Errorf("unknown filter %q: there are %s", name, strings.Join(slices.Sorted(maps.Keys(filters)), ", "))
		}
		p.filters = append(p.filters, f)
		p.weak = p.weak || name == "crc32"
	}
	return p, nil
}

// suggest names the placeholder that is nearly it, or all there are.
func suggest(name string) string {
	for known := range plainSources {
		if len(name) > 3 && len(known)-len(name) < 2 && len(name)-len(known) < 2 && shares(name, known) {
			return "did you mean {" + known + "}?"
		}
	}
	return "there are " + placeholderNames()
}

// shares reports whether two words differ by little: all but two of their
// letters are the same at the beginning and at the end.
func shares(a, b string) bool {
	begin := 0
	for begin < min(len(a), len(b)) && a[begin] == b[begin] {
		begin++
	}
	end := 0
	for end < min(len(a), len(b))-begin && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	return begin+end >= max(len(a), len(b))-2
}

func placeholderNames() string {
	names := slices.Collect(maps.Keys(plainSources))
	for name := range namedSources {
		names = append(names, name+".NAME")
	}
	names = append(slices.AppendSeq(names, maps.Keys(canonicals)), "with.NAME")
	slices.Sort(names)
	return "{" + strings.Join(names, "}, {") + "}"
}

// errAbsent is of a placeholder that the request has no value for.
var errAbsent = errors.New("is absent")

// value is what a placeholder stands for.
func (p *piece) value(v *view) (string, error) {
	value, there := p.read(v)
	if !there && !p.optional {
		return "", fmt.Errorf("%s %w", p.name, errAbsent)
	}
	if len(p.filters) == 0 {
		return value, nil
	}
	b := []byte(value)
	for _, f := range p.filters {
		b = f(b)
	}
	return string(b), nil
}

func (p *piece) read(v *view) (value string, there bool) {
	switch p.source {
	case literal:
		return p.literal, true
	case rawBody:
		return string(v.r.Body), true
	case bodyPath:
		return v.path(p.arg)
	case formField:
		return single(v.form(), p.arg)
	case header:
		value = v.r.Header.Get(p.arg)
	case queryParameter:
		return single(v.query(), p.arg)
	case rawQuery:
		return v.r.RawQuery, true
	case method:
		value = v.r.Method
	case urlPath:
		value = v.r.Path
	case fullURL:
		value = v.r.URL
	case address:
		value, _, _ = strings.Cut(v.r.URL, "?")
	case timestamp:
		value = v.timestamp
	case secretText:
		value = v.secret
	case signatureText:
		value = v.signature
	case verifyText:
		value = v.verifyToken
	case canonical:
		return canonicals[p.arg](v)
	case headerList:
		return listedHeaders(v, p.arg)
	}
	return value, value != ""
}

// text is the template with its values.
func (t template) text(v *view) (string, error) {
	if len(t) == 1 {
		return t[0].value(v)
	}
	var b strings.Builder
	for i := range t {
		value, err := t[i].value(v)
		if err != nil {
			return "", err
		}
		b.WriteString(value)
	}
	return b.String(), nil
}

// writeTo writes the template with its values into a hash; the raw body without
// a copy of it.
func (t template) writeTo(h hash.Hash, v *view) error {
	for i := range t {
		if t[i].source == rawBody && len(t[i].filters) == 0 {
			_, _ = h.Write(v.r.Body) // a hash takes everything
			continue
		}
		value, err := t[i].value(v)
		if err != nil {
			return err
		}
		_, _ = io.WriteString(h, value)
	}
	return nil
}

// has reports whether the template has a placeholder of one of the sources.
func (t template) has(sources ...source) bool {
	return slices.ContainsFunc(t, func(p piece) bool { return slices.Contains(sources, p.source) })
}

// A signed is what a scheme signs: one template, or several of which those with
// an absent value are left out.
type signed []template

func parseSigned(texts []string) (signed, error) {
	if len(texts) == 0 {
		texts = []string{"{body}"}
	}
	var s signed
	for _, text := range texts {
		t, err := parseTemplate(text, false)
		if err != nil {
			return nil, fmt.Errorf("signed: %w", err)
		}
		s = append(s, t)
	}
	return s, nil
}

// writeTo writes what is signed. An absent value is an error that wraps ErrMissing.
func (s signed) writeTo(h hash.Hash, v *view) error {
	if len(s) == 1 {
		if err := s[0].writeTo(h, v); err != nil {
			return fmt.Errorf("%w: what is signed is not whole: %w", ErrMissing, err)
		}
		return nil
	}
	text, err := s.text(v)
	if err != nil {
		return err
	}
	_, _ = io.WriteString(h, text)
	return nil
}

// text is what is signed, in memory: for schemes that hash by themselves.
func (s signed) text(v *view) (string, error) {
	var b strings.Builder
	for _, t := range s {
		if len(s) > 1 && v.r.RawQuery == "" && t.has(rawQuery) {
			continue // of a list, a part with nothing in it
		}
		text, err := t.text(v)
		switch {
		case err == nil:
			b.WriteString(text)
		case len(s) == 1:
			return "", fmt.Errorf("%w: what is signed is not whole: %w", ErrMissing, err)
		}
	}
	if b.Len() == 0 && len(s) > 1 {
		return "", fmt.Errorf("%w: nothing of what is signed is there", ErrMissing)
	}
	return b.String(), nil
}

// covers reports whether a change of any byte of the body would be seen, or of
// that field of a form.
func (s signed) covers(field string) bool {
	return slices.ContainsFunc(s, func(t template) bool {
		return slices.ContainsFunc(t, func(p piece) bool {
			return p.source == rawBody && !p.weak || p.source == canonical && p.arg != "canonical_request" ||
				p.source == formField && field != "" && p.arg == field
		})
	})
}

// readsBody reports whether it looks into the body.
func (s signed) readsBody() bool {
	return slices.ContainsFunc(s, func(t template) bool { return t.has(bodyPath, formField, canonical) })
}

// fieldsOnly reports whether single fields of the body are signed, not the whole.
func (s signed) fieldsOnly() bool {
	return !s.covers("") && slices.ContainsFunc(s, func(t template) bool { return t.has(bodyPath) })
}
