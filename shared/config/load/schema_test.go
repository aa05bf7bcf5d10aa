package load_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"pushpull/shared/config"
	"pushpull/shared/config/load"
	"pushpull/shared/event"

	"github.com/google/go-cmp/cmp"
	"github.com/invopop/jsonschema"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	namePattern     = `^[a-z0-9][a-z0-9_-]{0,62}$`
	durationPattern = `^([0-9]{1,4}d|([0-9]{1,5}(\.[0-9]{1,9})?[hm]|[0-9]{1,9}(\.[0-9]{1,9})?(ns|us|µs|ms|s)){1,6})$`
	secretPattern   = `^(ssm:[A-Za-z0-9_.:/-]+|secretsmanager:[A-Za-z0-9_+=.@:/-]+(#[^#\s]+)?|env:[A-Za-z_][A-Za-z0-9_]*)$`
)

func types(t ...string) map[string]any { return map[string]any{"type": t} }

// oneOrMany is a text or a list of texts, without anyOf: an error of one of many
// branches is no help to anyone.
func oneOrMany(pattern string) *jsonschema.Schema {
	one := uint64(1)
	return &jsonschema.Schema{
		Extras: types("string", "array"), Pattern: pattern, MinItems: &one, MinLength: &one,
		Items: &jsonschema.Schema{Type: "string", Pattern: pattern, MinLength: &one},
	}
}

func mapper(t reflect.Type) *jsonschema.Schema {
	one := uint64(1)
	switch t {
	case reflect.TypeFor[config.Duration]():
		return &jsonschema.Schema{Type: "string", Pattern: durationPattern, Examples: []any{"30d", "12h", "15m", "90s"}}
	case reflect.TypeFor[config.Secrets]():
		return oneOrMany(secretPattern)
	case reflect.TypeFor[config.Names](), reflect.TypeFor[config.Paths]():
		return oneOrMany("")
	case reflect.TypeFor[json.RawMessage]():
		return &jsonschema.Schema{Type: "object"}
	case reflect.TypeFor[config.Statuses]():
		return &jsonschema.Schema{
			Type: "array", MinItems: &one,
			Items: &jsonschema.Schema{Extras: types("string", "integer"), Pattern: `^[1-5]([0-9]{2}(-[1-5][0-9]{2})?|xx)$`, Minimum: "100", Maximum: "599"},
		}
	case reflect.TypeFor[event.Choices]():
		return &jsonschema.Schema{
			Extras: types("string", "array"), MinItems: &one, MinLength: &one,
			Items: &jsonschema.Schema{Ref: "#/$defs/Choice"},
		}
	case reflect.TypeFor[config.Polls]():
		return &jsonschema.Schema{Ref: "#/$defs/Poll"}
	case reflect.TypeFor[map[string]string]():
		return &jsonschema.Schema{Type: "object", AdditionalProperties: &jsonschema.Schema{Extras: types("string", "number", "boolean")}}
	case reflect.TypeFor[map[string]map[string]string]():
		inner := &jsonschema.Schema{Type: "object", AdditionalProperties: &jsonschema.Schema{Extras: types("string", "number", "boolean")}}
		return &jsonschema.Schema{Type: "object", AdditionalProperties: inner}
	}
	return nil
}

// makeSchema reflects the types. What a preset may supply is not required here:
// Load asks for it when the preset is filled in.
func makeSchema(t *testing.T) []byte {
	t.Helper()
	one := uint64(1)
	r := &jsonschema.Reflector{ExpandedStruct: true, Anonymous: true, Mapper: mapper}
	for _, dir := range []string{"../../config", "../../event"} {
		if err := r.AddGoComments("pushpull/shared/config/load", dir); err != nil {
			t.Fatal(err)
		}
	}
	for key, comment := range r.CommentMap {
		r.CommentMap[key] = strings.Join(strings.Fields(comment), " ")
	}
	s := r.Reflect(&config.Config{})
	s.Title = "Pushpull's configuration"
	s.Description = "Sources, destinations and routes: any number of files, merged."
	choice := r.Reflect(&event.Choice{})
	choice.Version, choice.Type = "", ""
	choice.Extras = types("string", "object")
	s.Definitions["Choice"] = choice
	poll := r.Reflect(&config.Poll{})
	maps.Copy(s.Definitions, poll.Definitions)
	poll.Definitions, poll.Version, poll.Type = nil, "", ""
	poll.Extras = types("object", "array")
	poll.Items, poll.MinItems = &jsonschema.Schema{Type: "object", AllOf: []*jsonschema.Schema{{Ref: "#/$defs/Poll"}}}, &one
	s.Definitions["Poll"] = poll
	for _, name := range []string{"Auth", "Signature", "APIAuth", "Request", "Seed", "Pagination", "Parent", "Detail", "Export", "GraphQL"} {
		s.Definitions[name].Required = nil
	}
	for _, name := range []string{"sources", "destinations"} {
		p, _ := s.Properties.Get(name)
		p.PropertyNames = &jsonschema.Schema{Pattern: namePattern}
	}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

func TestTheSchemaIsCurrent(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the comments are found by paths with slashes")
	}
	want := makeSchema(t)
	if *update {
		if err := os.WriteFile("schema.json", want, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(want, load.Schema()) {
		t.Errorf("schema.json is stale: run `go generate ./shared/config/load`\n%s", cmp.Diff(string(want), string(load.Schema())))
	}
}

func TestEditorsHaveTheSameSchema(t *testing.T) {
	t.Parallel()
	got, err := os.ReadFile("../../../config/pushpull.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")), load.Schema()) {
		t.Error("config/pushpull.schema.json is stale: run `go generate ./config`")
	}
}
