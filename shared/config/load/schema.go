package load

import (
	_ "embed" // for the schema
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:generate go test -run TestTheSchemaIsCurrent -update .

// schemaJSON is made from the types of config and event and their comments,
// which a released binary does not have.
//
//go:embed schema.json
var schemaJSON []byte

// The patterns of the schema. Their errors are told in words of our own.
const (
	patternDuration = `^([0-9]{1,4}d|([0-9]{1,5}(\.[0-9]{1,9})?[hm]|[0-9]{1,9}(\.[0-9]{1,9})?(ns|us|µs|ms|s)){1,6})$`
	patternSecret   = `^(ssm:[A-Za-z0-9_.:/-]+|secretsmanager:[A-Za-z0-9_+=.@:/-]+(#[^#\s]+)?|env:[A-Za-z_][A-Za-z0-9_]*)$` //nolint:gosec // what a reference looks like
)

// Schema is the JSON Schema of the YAML files, for editors and for Load.
func Schema() []byte { return slices.Clone(schemaJSON) }

// A shape is the schema ready to validate with, and as it is written.
type shape struct {
	compiled *jsonschema.Schema
	written  map[string]any
}

// theShape is made once: it never changes, and compiling it takes milliseconds.
var theShape = sync.OnceValues(newShape)

func newShape() (*shape, error) {
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(schemaJSON)))
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", document); err != nil {
		return nil, fmt.Errorf("add the schema: %w", err)
	}
	compiled, err := c.Compile("schema.json")
	if err != nil {
		return nil, fmt.Errorf("compile the schema: %w", err)
	}
	var written map[string]any
	if err := json.Unmarshal(schemaJSON, &written); err != nil {
		return nil, fmt.Errorf("decode the schema: %w", err)
	}
	return &shape{compiled: compiled, written: written}, nil
}

// keys are the keys that the object at a place of the schema may have.
func (s *shape) keys(url string) []string {
	properties, _ := s.at(url)["properties"].(map[string]any)
	return slices.Collect(maps.Keys(properties))
}

// at is the schema at a place of the schema.
func (s *shape) at(url string) map[string]any {
	_, pointer, _ := strings.Cut(url, "#")
	var at any = s.written
	for step := range strings.SplitSeq(strings.Trim(pointer, "/"), "/") {
		object, _ := at.(map[string]any)
		if step != "" {
			at = object[strings.NewReplacer("~1", "/", "~0", "~", "%20", " ").Replace(step)]
		}
	}
	object, _ := at.(map[string]any)
	return object
}
