package schema_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"pushpull/shared/config"
	"pushpull/shared/schema"
)

const order = `{
	"type": "object",
	"required": ["id", "customer"],
	"properties": {
		"id": {"type": "integer"},
		"customer": {"$ref": "#/$defs/customer"},
		"items": {"type": "array", "items": {"properties": {"sku": {"type": "string"}}}, "maxItems": 3},
		"notes": {},
		"state": {"enum": ["open", "paid"]}
	},
	"patternProperties": {"^x_": {}},
	"$defs": {"customer": {"allOf": [{"properties": {"email": {"type": "string", "format": "email"}}}], "properties": {"name": {"type": "string"}}}}
}`

func compile(t *testing.T, text string) *schema.Schema {
	t.Helper()
	s, err := schema.Compile(&config.Schema{Inline: json.RawMessage(text)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCheck(t *testing.T) {
	t.Parallel()
	s := compile(t, order)
	for _, test := range []struct {
		name, data, wrong string
		unknown           []string
	}{
		{"data that are as they must be", `{"id":1,"customer":{"email":"ann@example.com"},"x_any":1}`, "", nil},
		{"a member that is not there", `{"id":1}`, "the data lacks customer", nil},
		{"a value of another type is not shown", `{"id":"hunter2","customer":{}}`, ".id is string, not integer", nil},
		{"nor is one of another form", `{"id":1,"customer":{"email":"hunter2"}}`, ".customer.email is no email", nil},
		{"nor one that is not of the list", `{"id":1,"customer":{},"state":"hunter2"}`, ".state breaks enum", nil},
		{"several places", `{"id":"a","customer":{"name":1}}`, ".customer.name is number, not string; .id is string, not integer", nil},
		{"a place in a list", `{"id":1,"customer":{},"items":[{"sku":1}]}`, ".items[].sku is number, not string", nil},
		{"no JSON", `hunter2`, "the data are no JSON", nil},
		{"a number that would fill the memory", `{"id":1e999999999,"customer":{}}`, "beyond all reason", nil},
		{
			"members that the schema does not know", `{"id":1,"new":1,"customer":{"email":"a@example.com","name":"Ann","phone":1},"items":[{"sku":"a","size":1},{"size":2}],"notes":{"any":1}}`, "",
			[]string{".customer.phone", ".items[].size", ".new"},
		},
		{"names that may be values are not shown", `{"id":1,"customer":{"hunter@example.com":1}}`, "", []string{".customer.*"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			unknown, err := s.Check([]byte(test.data))
			if diff := cmp.Diff(test.unknown, unknown, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			_, invalid := errors.AsType[*schema.Invalid](err)
			if (err != nil) != (test.wrong != "") || err != nil && (!invalid || !strings.Contains(err.Error(), test.wrong) || strings.Contains(err.Error(), "hunter")) {
				t.Errorf("%v, want %s", err, test.wrong)
			}
		})
	}
}

func TestASchemaThatIsWrongIsRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, schema, want string }{
		{"no JSON", `{`, "no valid JSON"},
		{"a keyword of another form", `{"type":"colour"}`, ".type"},
		{"a reference to nowhere", `{"$ref":"#/$defs/none"}`, "$defs/none"},
		{"a reference to elsewhere", `{"$ref":"https://example.com/schema.json"}`, "is elsewhere: write it under $defs"},
		{"a file", `{"$ref":"file:///etc/hosts"}`, "is elsewhere"},
		{"a pattern that cannot be read", `{"pattern":"("}`, "pattern"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := schema.Compile(&config.Schema{Inline: json.RawMessage(test.schema)}); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
}

func TestASchemaThatRefersToItselfIsCompared(t *testing.T) {
	t.Parallel()
	s := compile(t, `{"properties":{"next":{"$ref":"#"},"v":{"type":"integer"}}}`)
	unknown, err := s.Check([]byte(`{"next":{"next":{"v":"a","w":1}}}`))
	if err == nil || len(unknown) != 1 || unknown[0] != ".next.next.w" {
		t.Errorf("%v %v", unknown, err)
	}
}

func TestDriftIsToldOnceAnHour(t *testing.T) {
	t.Parallel()
	var d schema.Drift
	at := time.Unix(1e9, 0)
	for _, step := range []struct {
		after time.Duration
		paths []string
		want  []string
	}{
		{0, nil, nil},
		{0, []string{".a"}, []string{".a"}},
		{time.Minute, []string{".c"}, nil},
		{58 * time.Minute, []string{".b"}, nil},
		{time.Minute, []string{".b"}, []string{".b", ".c"}},
		{time.Minute, []string{".d"}, nil},
	} {
		at = at.Add(step.after)
		if diff := cmp.Diff(step.want, d.Note("shop", step.paths, at), cmpopts.EquateEmpty()); diff != "" {
			t.Error(at, diff)
		}
	}
	if got := d.Note("other", []string{".a"}, at); len(got) != 1 {
		t.Errorf("another source: %v", got)
	}
}

func BenchmarkCheck(b *testing.B) {
	s, err := schema.Compile(&config.Schema{Inline: json.RawMessage(order)})
	if err != nil {
		b.Fatal(err)
	}
	data := []byte(`{"id":1,"new":1,"customer":{"email":"a@example.com","name":"Ann"},"items":[{"sku":"a"},{"sku":"b"}]}`)
	for b.Loop() {
		if _, err := s.Check(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		if _, err := schema.Compile(&config.Schema{Inline: json.RawMessage(order)}); err != nil {
			b.Fatal(err)
		}
	}
}
