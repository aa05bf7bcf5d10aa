package event

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// Input is what an event is identified from.
type Input struct {
	Body        []byte                   // valid JSON: the element, where a body has several events
	Root        []byte                   // valid JSON: the whole body of which Body is an element; nil where it is the whole
	Parent      []byte                   // valid JSON: the element of the array above, or the whole body; nil as Root
	Data        []byte                   // what is hashed where nothing else identifies it; nil where it is Body
	Header      func(name string) string // by any case of the name; nil where there are none
	Query       func(name string) string // nil where there is none
	DefaultType string                   // the type where the Spec finds none
}

// Fields are what a Spec found.
type Fields struct {
	ID      string    // never empty, at most MaxID bytes of UTF-8
	Type    string    // never empty unless DefaultType is
	Time    time.Time // UTC; zero where there is none
	Entity  string
	Version string
}

// An Identifier is a Spec made ready. It is safe for concurrent use.
type Identifier struct {
	identity, typ, time, entity, version []choice
}

// A choice is a candidate made ready.
type choice struct {
	parts []part
	types []string
}

// A part is a literal, or a placeholder with what its values are renamed to.
type part struct {
	literal string
	kind    kind
	arg     string // the path, the header's or the parameter's name
	filters []filter
	key     string // the path's last step, where the value is whether it is there
	rename  map[string]string
}

type kind int

const (
	literal kind = iota
	bodyPath
	rootPath
	parentPath
	header
	query
	foundType
	foundEntity
	foundVersion
	foundTime
)

// A SpecError is one mistake in a Spec.
type SpecError struct {
	Field   string // identity, type, time, entity, version or map
	Index   int    // of the candidate; -1 for map
	Text    string // what was written
	Problem string // what is wrong and how to mend it
}

// Error says where, what and how to mend it.
func (e *SpecError) Error() string {
	if e.Index < 0 {
		return fmt.Sprintf("%s %q: %s", e.Field, e.Text, e.Problem)
	}
	return fmt.Sprintf("%s, candidate %d, %q: %s", e.Field, e.Index+1, e.Text, e.Problem)
}

// Compile makes a Spec ready. The error joins a *SpecError for each mistake.
func Compile(s Spec) (*Identifier, error) {
	c := compiler{rename: s.Map}
	for name := range s.Map {
		if _, problem := parsePlaceholder(name, 4); problem != "" {
			c.errs = append(c.errs, &SpecError{Field: "map", Index: -1, Text: name, Problem: problem})
		}
	}
	// Each field may use those found before it: the number is how many of
	// {type}, {time}, {entity} and {version} that are.
	id := &Identifier{
		typ:      c.choices("type", s.Type, 0),
		time:     c.choices("time", s.Time, 1),
		entity:   c.choices("entity", s.Entity, 2),
		version:  c.choices("version", s.Version, 3),
		identity: c.choices("identity", s.Identity, 4),
	}
	if err := errors.Join(c.errs...); err != nil {
		return nil, err
	}
	return id, nil
}

type compiler struct {
	rename map[string]map[string]string
	errs   []error
}

func (c *compiler) choices(field string, in Choices, found int) []choice {
	out := make([]choice, 0, len(in))
	for i, candidate := range in {
		fail := func(problem string) {
			c.errs = append(c.errs, &SpecError{Field: field, Index: i, Text: candidate.Value, Problem: problem})
		}
		if candidate.Value == "" {
			fail("the value is empty: write a template such as {body.id}")
		}
		if field == "type" && len(candidate.For) > 0 {
			fail("for limits a candidate to types, so a candidate for the type itself cannot have it")
		}
		parsed, err := ParseTemplate(candidate.Value)
		if err != nil {
			fail(err.Error())
		}
		ready := choice{types: candidate.For}
		for _, p := range parsed {
			if p.Placeholder == "" {
				ready.parts = append(ready.parts, part{literal: p.Literal})
				continue
			}
			made, problem := parsePlaceholder(p.Placeholder, found)
			if problem != "" {
				fail(problem)
			}
			made.rename = c.rename[p.Placeholder]
			ready.parts = append(ready.parts, made)
		}
		out = append(out, ready)
	}
	return out
}

// parsePlaceholder reads a placeholder's name; problem is empty where it is one.
func parsePlaceholder(name string, found int) (p part, problem string) {
	known := []part{{kind: foundType, arg: "type"}, {kind: foundTime, arg: "time"}, {kind: foundEntity, arg: "entity"}, {kind: foundVersion, arg: "version"}}
	if i := slices.IndexFunc(known, func(k part) bool { return k.arg == name }); i >= 0 {
		if i >= found {
			return part{}, fmt.Sprintf("{%s} is not known yet here: the order is type, time, entity, version, identity", name)
		}
		return known[i], ""
	}
	name, filterNames, _ := strings.Cut(name, "|")
	root, arg, _ := strings.Cut(name, ".")
	if arg == "" {
		return part{}, fmt.Sprintf("unknown placeholder {%s}: there are {body.path}, {root.path}, {parent.path}, {header.Name}, {query.name}, {type}, {time}, {entity} and {version}", name)
	}
	switch root {
	case "body", "root", "parent":
		path, err := ParsePath(arg)
		if err != nil {
			return part{}, fmt.Sprintf("{%s}: %v", name, err)
		}
		p = part{kind: map[string]kind{"body": bodyPath, "root": rootPath, "parent": parentPath}[root], arg: path}
		if filterNames == "key" {
			names, _ := steps(arg)
			p.key, filterNames = names[len(names)-1], ""
		}
	case "header":
		p = part{kind: header, arg: arg}
	case "query":
		p = part{kind: query, arg: arg}
	case "form":
		return part{}, fmt.Sprintf("{%s} is for auth and handshakes: an event has the fields of a form as {body.%s}", name, arg)
	default:
		return part{}, fmt.Sprintf("unknown placeholder {%s}: did you mean {body.%s}?", name, name)
	}
	p.filters, problem = parseFilters(filterNames)
	return p, problem
}

// Identify finds what identifies an event. It never fails: where the Spec finds
// no identity, it is {entity}@{version}, and where they are not there either,
// the hash of the body.
func (id *Identifier) Identify(in Input) Fields {
	var f Fields
	f.Type = bounded(pick(id.typ, in, &f))
	if f.Type == "" {
		f.Type = in.DefaultType
	}
	f.Time = pickTime(id.time, in, &f)
	f.Entity = bounded(pick(id.entity, in, &f))
	f.Version = bounded(pick(id.version, in, &f))
	f.ID = pick(id.identity, in, &f)
	if f.ID == "" && f.Entity != "" && f.Version != "" {
		f.ID = f.Entity + "@" + f.Version
	}
	if f.ID == "" {
		f.ID = hash(in.bytes())
	}
	f.ID = bounded(f.ID)
	return f
}

// bytes are the event's own.
func (in Input) bytes() []byte {
	if in.Data == nil {
		return in.Body
	}
	return in.Data
}

// pick evaluates the candidates in order; "" where none is complete.
func pick(choices []choice, in Input, f *Fields) string {
	for i := range choices {
		if text := choices[i].eval(in, f); text != "" {
			return text
		}
	}
	return ""
}

// pickTime takes the first candidate that is a time.
func pickTime(choices []choice, in Input, f *Fields) time.Time {
	for i := range choices {
		if t, ok := ParseTime(choices[i].eval(in, f)); ok {
			return t
		}
	}
	return time.Time{}
}

// eval is the template with its values; "" where one is missing.
func (c *choice) eval(in Input, f *Fields) string {
	if len(c.types) > 0 && !slices.Contains(c.types, f.Type) {
		return ""
	}
	if len(c.parts) == 1 {
		return c.parts[0].text(in, f)
	}
	var text strings.Builder
	for i := range c.parts {
		value := c.parts[i].text(in, f)
		if value == "" {
			return ""
		}
		text.WriteString(value)
	}
	return text.String()
}

// text is a literal, or a value by the name that it is used under.
func (p *part) text(in Input, f *Fields) string {
	value := p.value(in, f)
	for _, filter := range p.filters {
		value = filter(value)
	}
	if to, ok := p.rename[value]; ok {
		return to
	}
	return value
}

func (p *part) value(in Input, f *Fields) string {
	switch p.kind {
	case literal:
		return p.literal
	case bodyPath:
		return p.find(in.Body)
	case rootPath:
		if in.Root == nil {
			return p.find(in.Body)
		}
		return p.find(in.Root)
	case parentPath:
		if in.Parent == nil {
			return p.find(in.Body)
		}
		return p.find(in.Parent)
	case header:
		if in.Header != nil {
			return in.Header(p.arg)
		}
	case query:
		if in.Query != nil {
			return in.Query(p.arg)
		}
	case foundType:
		return f.Type
	case foundEntity:
		return f.Entity
	case foundVersion:
		return f.Version
	case foundTime:
		if !f.Time.IsZero() {
			return f.Time.Format(time.RFC3339Nano)
		}
	}
	return ""
}

// find is the value at the path, or the name of what is there.
func (p *part) find(doc []byte) string {
	if p.key == "" {
		text, _ := Value(doc, p.arg)
		return text
	}
	if gjson.GetBytes(doc, p.arg).Type != gjson.Null { // which is of what is absent too
		return p.key
	}
	return ""
}

// bounded keeps a text that is too long, or not UTF-8, as its hash: still the
// same for the same text, and different for a different one.
func bounded(s string) string {
	if len(s) <= MaxID && utf8.ValidString(s) {
		return s
	}
	return hash([]byte(s))
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
