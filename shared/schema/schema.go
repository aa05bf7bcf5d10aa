// Package schema says whether data are as a JSON Schema (2020-12) has them, and
// what members they have that it does not know. Its one invariant: an error names
// places and keywords, and never shows any of the data.
package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	cause "github.com/santhosh-tekuri/jsonschema/v6/kind"

	"pushpull/shared/config"
	"pushpull/shared/jq"
)

// A Schema is a JSON Schema made ready. It is safe for concurrent use.
type Schema struct {
	// OnFail is what becomes of an event whose data are not as they must be:
	// config.SchemaDead, SchemaPass or SchemaDrop.
	OnFail   string
	compiled *jsonschema.Schema
}

// Compile makes a schema ready; nil is none. Formats such as email are asserted.
// Nothing is loaded from elsewhere: a $ref leads to a place within.
func Compile(of *config.Schema) (*Schema, error) {
	if of == nil {
		return nil, nil //nolint:nilnil // none
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(of.Inline))
	if err != nil {
		return nil, errors.New("the schema is no valid JSON")
	}
	const name = "pushpull:schema"
	c := jsonschema.NewCompiler()
	c.UseLoader(nowhere{})
	c.AssertFormat()
	if err := c.AddResource(name, document); err != nil {
		return nil, fmt.Errorf("the schema: %w", err)
	}
	compiled, err := c.Compile(name)
	if err != nil {
		return nil, fmt.Errorf("the schema: %w", wrong(err))
	}
	s := &Schema{OnFail: of.OnFail, compiled: compiled}
	if s.OnFail == "" {
		s.OnFail = config.SchemaDead
	}
	return s, nil
}

// wrong says in one line what is wrong with a schema itself.
func wrong(err error) error {
	if e, ok := errors.AsType[*jsonschema.SchemaValidationError](err); ok {
		if e, ok := errors.AsType[*jsonschema.ValidationError](e.Err); ok {
			return errors.New(strings.Join(describe(e), "; "))
		}
	}
	return errors.New(strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), "pushpull:schema", "")), " "))
}

// nowhere is where schemas are loaded from.
type nowhere struct{}

func (nowhere) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s is elsewhere: write it under $defs", url)
}

// Invalid says that data are not as they must be.
type Invalid struct{ places []string }

func (e *Invalid) Error() string {
	const most = 4
	places := e.places
	more := ""
	if len(places) > most {
		more = fmt.Sprintf("; and %d more", len(places)-most)
		places = places[:most]
	}
	text := strings.Join(places, "; ")
	if len(text) > mostText {
		text, more = strings.ToValidUTF8(text[:mostText], "")+"…", ""
	}
	return "not as the schema says: " + text + more
}

// mostText leaves room in an attribute of an event.
const mostText = 900

// Check compares data with the schema. The error is an *Invalid; unknown are the
// paths of members that the schema does not speak of, sorted.
func (s *Schema) Check(data []byte) (unknown []string, err error) {
	defer func() {
		if recover() != nil { // the validator is another's, and the data are anyone's
			unknown, err = nil, &Invalid{places: []string{"they cannot be compared"}}
		}
	}()
	v, err := jq.Decode(data)
	if err != nil {
		return nil, &Invalid{places: []string{"the data are no JSON"}}
	}
	if !bounded(v) {
		return nil, &Invalid{places: []string{"a number in the data is beyond all reason"}}
	}
	found := map[string]bool{}
	drift{found: found}.value(v, []*jsonschema.Schema{s.compiled}, "")
	for path := range found {
		unknown = append(unknown, path)
	}
	slices.Sort(unknown)
	var e *jsonschema.ValidationError
	if err := s.compiled.Validate(v); errors.As(err, &e) {
		return unknown, &Invalid{places: describe(e)}
	} else if err != nil {
		return unknown, &Invalid{places: []string{"they cannot be compared"}}
	}
	return unknown, nil
}

// bounded tells whether the validator can bear the numbers: it makes fractions of
// them, and that of 1e999999999 has a gigabyte of digits.
func bounded(v any) bool {
	const most = 400 // more than a float has
	switch v := v.(type) {
	case json.Number:
		_, exponent, ok := strings.Cut(strings.ToLower(v.String()), "e")
		if !ok {
			return true
		}
		n, err := strconv.Atoi(exponent)
		return err == nil && n <= most && n >= -most
	case []any:
		return !slices.ContainsFunc(v, func(item any) bool { return !bounded(item) })
	case map[string]any:
		for _, member := range v {
			if !bounded(member) {
				return false
			}
		}
	}
	return true
}

// describe says each thing that is wrong: where, and which keyword says so.
func describe(e *jsonschema.ValidationError) (places []string) {
	switch e.ErrorKind.(type) {
	case *cause.Schema, *cause.Reference, *cause.Group, *cause.AllOf:
		for _, c := range e.Causes {
			places = append(places, describe(c)...)
		}
		slices.Sort(places) // the validator's order is that of a map
		return slices.Compact(places)
	}
	at := ""
	for _, step := range e.InstanceLocation {
		at += pathStep(step)
	}
	if at == "" {
		at = "the data"
	}
	return []string{at + " " + what(e.ErrorKind)}
}

// what is wrong, without the value that is.
func what(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *cause.Required:
		return "lacks " + strings.Join(k.Missing, ", ")
	case *cause.Type:
		return "is " + k.Got + ", not " + strings.Join(k.Want, " or ")
	case *cause.Format:
		return "is no " + k.Want
	case *cause.FalseSchema:
		return "must not be there"
	case *cause.AdditionalProperties:
		return "has members that must not be there (additionalProperties)"
	case *cause.Not:
		return "breaks not"
	}
	return "breaks " + strings.Join(k.KeywordPath(), ".")
}
