package body_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/body"
	"pushpull/shared/config"
	"pushpull/shared/event"
)

// A part is a body.Part as text.
type part struct{ Data, Type, View, Root, Parent string }

func parts(m body.Message) []part {
	var out []part
	for _, p := range m.Parts {
		out = append(out, part{string(p.Data), p.ContentType, string(p.View), string(p.Root), string(p.Parent)})
	}
	return out
}

// one is the body as one event.
func one(data, contentType, view string) []part { return []part{{data, contentType, view, "", ""}} }

func reader(tb testing.TB, b config.Body) *body.Reader {
	tb.Helper()
	r, err := body.Compile(b)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// A reading is a case of a body that is read.
type reading struct {
	name        string
	body        config.Body
	contentType string
	in          string
	want        []part
	unreadable  string // what the reason says
}

func run(t *testing.T, table []reading) {
	t.Helper()
	t.Parallel()
	for _, tt := range table {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := reader(t, tt.body).Read([]byte(tt.in), tt.contentType)
			if diff := cmp.Diff(tt.want, parts(got)); diff != "" {
				t.Error(diff)
			}
			switch {
			case tt.unreadable == "" && got.Unreadable != nil:
				t.Errorf("unreadable: %v", got.Unreadable)
			case tt.unreadable != "" && (got.Unreadable == nil || !strings.Contains(got.Unreadable.Error(), tt.unreadable)):
				t.Errorf("unreadable: %v, want %q", got.Unreadable, tt.unreadable)
			}
			wellFormed(t, got)
		})
	}
}

// wellFormed is what holds of every message.
func wellFormed(t *testing.T, m body.Message) {
	t.Helper()
	if m.Unreadable != nil && len(m.Parts) != 1 {
		t.Errorf("%d parts beside %v", len(m.Parts), m.Unreadable)
	}
	for _, p := range m.Parts {
		if p.Data == nil {
			t.Error("data are nil")
		}
		if !event.ValidJSON(p.View) {
			t.Errorf("the view is not JSON: %q", p.View)
		}
		if (p.Root == nil) != (p.Parent == nil) {
			t.Error("root and parent come together")
		}
		if p.Root != nil && (!event.ValidJSON(p.Root) || !event.ValidJSON(p.Parent)) {
			t.Errorf("root or parent is not JSON: %q, %q", p.Root, p.Parent)
		}
	}
}

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

func TestTheContentTypeSaysTheFormat(t *testing.T) {
	run(t, []reading{
		{"JSON", config.Body{}, jsonType, `{"id":1}`, one(`{"id":1}`, jsonType, `{"id":1}`), ""},
		{"JSON with white space around it", config.Body{}, jsonType, " {}\n", one(" {}\n", jsonType, " {}\n"), ""},
		{"JSON with its charset said", config.Body{}, "Application/JSON; Charset=\"UTF-8\"", `{}`, one(`{}`, "Application/JSON; Charset=\"UTF-8\"", `{}`), ""},
		{"a vendor's JSON", config.Body{}, "application/vnd.api+json", `[1]`, one(`[1]`, "application/vnd.api+json", `[1]`), ""},
		{"a CloudEvent", config.Body{}, "application/cloudevents+json", `{"id":"a"}`, one(`{"id":"a"}`, "application/cloudevents+json", `{"id":"a"}`), ""},
		{"a form", config.Body{}, formType, "a=1&b=2", one("a=1&b=2", formType, `{"a":"1","b":"2"}`), ""},
		{"XML", config.Body{}, "text/xml; charset=utf-8", "<a>1</a>", one("<a>1</a>", "text/xml; charset=utf-8", `{"a":"1"}`), ""},
		{"XML of a kind", config.Body{}, "application/atom+xml", "<a>1</a>", one("<a>1</a>", "application/atom+xml", `{"a":"1"}`), ""},
		{"NDJSON", config.Body{}, "application/x-ndjson", "{}\n[]\n", []part{{`{}`, jsonType, `{}`, "", ""}, {`[]`, jsonType, `[]`, "", ""}}, ""},
		{"a token", config.Body{}, "application/jwt", "e30.eyJpZCI6MX0.c2ln", one(`{"id":1}`, jsonType, `{"id":1}`), ""},
		{"an object without a type is JSON", config.Body{}, "", ` {"id":1}`, one(` {"id":1}`, "", ` {"id":1}`), ""},
		{"an array that is called text is JSON", config.Body{}, "text/plain", `[1]`, one(`[1]`, jsonType, `[1]`), ""},
		{"JSON that is called a form is JSON", config.Body{}, formType, `{"a":"b=c&d"}`, one(`{"a":"b=c&d"}`, jsonType, `{"a":"b=c&d"}`), ""},
		{"a form that begins like JSON is a form", config.Body{}, formType, `{a=1`, one(`{a=1`, formType, `{"{a":"1"}`), ""},
		{"a number without a type is text", config.Body{}, "", `17`, one(`17`, "", `{}`), ""},
		{"text", config.Body{}, "text/plain", "hello", one("hello", "text/plain", `{}`), ""},
		{"text that only begins like JSON", config.Body{}, "text/plain", "{hello", one("{hello", "text/plain", `{}`), ""},
		{"bytes", config.Body{}, "image/png", "\x89PNG\x00", one("\x89PNG\x00", "image/png", `{}`), ""},
		{"no body", config.Body{}, jsonType, "", one("", jsonType, `{}`), ""},
		{"no body and no type", config.Body{Each: config.Names{"events"}}, "", "", one("", "", `{}`), ""},
		{"a type that is none", config.Body{}, ";;=", "x", one("x", ";;=", `{}`), ""},
	})
}

func TestTheConfigurationSaysTheFormat(t *testing.T) {
	run(t, []reading{
		{"JSON whatever it is called", config.Body{Format: "json"}, "text/plain; charset=UTF-8", `{"Type":"Notification"}`, one(`{"Type":"Notification"}`, jsonType, `{"Type":"Notification"}`), ""},
		{"a form whatever it is called", config.Body{Format: "form"}, "", `{}`, one(`{}`, "", `{"{}":""}`), ""},
		{"text is not looked into", config.Body{Format: "text"}, jsonType, `{"id":1}`, one(`{"id":1}`, jsonType, `{}`), ""},
		{"bytes are not looked into", config.Body{Format: "bytes"}, jsonType, `{"id":1}`, one(`{"id":1}`, jsonType, `{}`), ""},
		{"XML without a type", config.Body{Format: "xml"}, "", `<a/>`, one(`<a/>`, "", `{"a":""}`), ""},
		{"NDJSON that is called JSON", config.Body{Format: "ndjson"}, jsonType, "1\n2", []part{{"1", jsonType, "1", "", ""}, {"2", jsonType, "2", "", ""}}, ""},
	})
}

func TestJSONIsKeptAsItCame(t *testing.T) {
	deep := strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)
	tooDeep := "[" + deep + "]"
	run(t, []reading{
		{"numbers beyond 2^53", config.Body{}, jsonType, `{"id":90071992547409931234.50}`, one(`{"id":90071992547409931234.50}`, jsonType, `{"id":90071992547409931234.50}`), ""},
		{"members with the same name", config.Body{}, jsonType, `{"a":1,"a":2}`, one(`{"a":1,"a":2}`, jsonType, `{"a":1,"a":2}`), ""},
		{"bytes in a text that are not UTF-8", config.Body{}, jsonType, "{\"a\":\"\xff\"}", one("{\"a\":\"\xff\"}", jsonType, "{\"a\":\"\xff\"}"), ""},
		{"an escaped NUL", config.Body{}, jsonType, `{"a":"\u0000"}`, one(`{"a":"\u0000"}`, jsonType, `{"a":"\u0000"}`), ""},
		{"a NUL as it is, which JSON does not have", config.Body{}, jsonType, "{\"a\":\"\x00\"}", one("{\"a\":\"\x00\"}", jsonType, `{}`), "not valid JSON"},
		{"JSON as deep as it may be", config.Body{}, jsonType, deep, one(deep, jsonType, deep), ""},
		{"JSON that is deeper", config.Body{}, jsonType, tooDeep, one(tooDeep, jsonType, `{}`), "levels"},
		{"what is no JSON", config.Body{Each: config.Names{"[]"}}, jsonType, `{"a":`, one(`{"a":`, jsonType, `{}`), "not valid JSON"},
		{"two values", config.Body{}, jsonType, `{} {}`, one(`{} {}`, jsonType, `{}`), "not valid JSON"},
	})
}

func TestCompileSaysEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		in   config.Body
		says []string
	}{
		{"a format that there is not", config.Body{Format: "yaml"}, []string{`format "yaml" is not known: there are auto, json, form`}},
		{"a field's format without a field", config.Body{FieldFormat: "json"}, []string{"name it with field"}},
		{"a field's encoding without a field", config.Body{FieldEncoding: "base64"}, []string{"name it with field"}},
		{"a field of JSON", config.Body{Format: "json", Field: "a"}, []string{`field "a" is for a form`}},
		{"a field of a format that there is not", config.Body{Field: "a", FieldFormat: "csv"}, []string{`field_format "csv"`}},
		{"a field of an encoding that there is not", config.Body{Field: "a", FieldEncoding: "hex"}, []string{`field_encoding "hex"`}},
		{"arrays of text", config.Body{Format: "text", Each: config.Names{"a"}}, []string{"each does not go with format text"}},
		{"an empty path", config.Body{Each: config.Names{""}}, []string{`each "" is no path`}},
		{"empty steps", config.Body{Each: config.Names{"a..b", ".a", "a.", "a[]..b", "[].", "a.[]"}}, []string{`"a..b"`, `".a"`, `"a."`, `"a[]..b"`, `"[]."`, `"a.[]"`}},
		{"a path twice", config.Body{Each: config.Names{"a", "a"}}, []string{`each has "a" twice`}},
		{"something to add to nothing", config.Body{Add: map[string]string{"a": "root.a"}}, []string{"add is for the elements"}},
		{"something to add from nowhere", config.Body{Each: config.Names{"a"}, Add: map[string]string{"x": "realmId", "y": "root", "z": "parent.a[]", "q": "parent.a..b"}}, []string{
			`add x: "realmId"`, `add y: "root"`, `add z: "parent.a[]"`, `add q: "parent.a..b"`, "write root.path",
		}},
		{"several mistakes", config.Body{Format: "yaml", FieldFormat: "csv", Each: config.Names{""}}, []string{"format", "field_format", "each"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := body.Compile(tt.in)
			if err == nil || got != nil {
				t.Fatalf("a reader, and error %v", err)
			}
			for _, says := range tt.says {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("%q does not say %q", err, says)
				}
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	one := []byte(`{"id":"evt_1","items":[` + strings.Repeat(`{"id":"li_1","text":"a line of an invoice"},`, 110) + `{}]}`)
	many := []byte(`{"realm":"r1","events":[` + strings.Repeat(`{"id":"evt_1","type":"invoice.paid","data":{"object":{"id":"in_1","amount":1099}}},`, 999) + `{}]}`)
	for _, bb := range []struct {
		name string
		body config.Body
		in   []byte
	}{
		{"plain JSON of 5 KB", config.Body{}, one},
		{"a batch of 1,000", config.Body{Each: config.Names{"events"}}, many},
		{"a batch of 1,000 with an addition", config.Body{Each: config.Names{"events"}, Add: map[string]string{"realm": "root.realm"}}, many},
	} {
		b.Run(bb.name, func(b *testing.B) {
			r := reader(b, bb.body)
			b.SetBytes(int64(len(bb.in)))
			b.ReportAllocs()
			for b.Loop() {
				if m := r.Read(bb.in, jsonType); m.Unreadable != nil {
					b.Fatal(m.Unreadable)
				}
			}
		})
	}
}
