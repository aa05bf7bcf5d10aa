package event_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"pushpull/shared/event"

	"github.com/google/go-cmp/cmp"
)

func one(values ...string) event.Choices {
	var c event.Choices
	for _, v := range values {
		c = append(c, event.Choice{Value: v})
	}
	return c
}

const (
	hashOfEmptyObject = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" // sha256 of {}
)

func TestIdentify(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		spec   event.Spec
		body   string
		header map[string]string
		query  map[string]string
		want   event.Fields
	}{
		{
			name: "a spec that says nothing gives the hash of the body and the default type",
			body: `{}`, want: event.Fields{ID: hashOfEmptyObject, Type: "source"},
		},
		{
			name: "the provider's own id, type, time and entity",
			spec: event.Spec{Identity: one("{body.id}"), Type: one("{body.type}"), Time: one("{body.created}"), Entity: one("{body.data.object.id}")},
			body: `{"id":"evt_1","type":"invoice.paid","created":1614265330,"data":{"object":{"id":"in_1"}}}`,
			want: event.Fields{ID: "evt_1", Type: "invoice.paid", Time: time.Unix(1614265330, 0).UTC(), Entity: "in_1"},
		},
		{
			name: "the first candidate whose placeholders are all present wins",
			spec: event.Spec{Type: one("{header.X-GitHub-Event}.{body.action}", "{header.X-GitHub-Event}")},
			body: `{}`, header: map[string]string{"X-GitHub-Event": "push"},
			want: event.Fields{ID: hashOfEmptyObject, Type: "push"},
		},
		{
			name: "entity and version make an identity",
			spec: event.Spec{Entity: one("issue {body.n}"), Version: one("{body.at}")},
			body: `{"n":17,"at":"2026-11-23T08:00:00Z"}`,
			want: event.Fields{ID: "issue 17@2026-11-23T08:00:00Z", Type: "source", Entity: "issue 17", Version: "2026-11-23T08:00:00Z"},
		},
		{
			name: "an entity without a version is not enough for an identity",
			spec: event.Spec{Entity: one("{query.e}"), Version: one("{body.at}")},
			body: `{}`, query: map[string]string{"e": "7"},
			want: event.Fields{ID: hashOfEmptyObject, Type: "source", Entity: "7"},
		},
		{
			name: "an identity that is declared and missing falls back to entity and version",
			spec: event.Spec{Identity: one("{body.id}"), Entity: one("e"), Version: one("1")},
			body: `{"id":null}`, want: event.Fields{ID: "e@1", Type: "source", Entity: "e", Version: "1"},
		},
		{
			name: "the identity may use what was found",
			spec: event.Spec{Identity: one("{type}/{entity}/{version}/{time}"), Type: one("t"), Entity: one("e"), Version: one("v"), Time: one("{body.t}")},
			body: `{"t":1614265330123}`,
			want: event.Fields{ID: "t/e/v/2021-02-25T15:02:10.123Z", Type: "t", Entity: "e", Version: "v", Time: time.UnixMilli(1614265330123).UTC()},
		},
		{
			name: "a candidate for some types is used for no other",
			spec: event.Spec{
				Type:   one("{body.type}"),
				Entity: event.Choices{{Value: "{body.a}", For: []string{"x", "y"}}, {Value: "{body.b}"}},
			},
			body: `{"type":"z","a":"1","b":"2"}`, want: event.Fields{ID: hashOf(`{"type":"z","a":"1","b":"2"}`), Type: "z", Entity: "2"},
		},
		{
			name: "values are renamed before they are used",
			spec: event.Spec{Type: one("{body.type}"), Identity: one("{body.id}"), Map: map[string]map[string]string{"body.type": {"IssuesEvent": "issues"}}},
			body: `{"type":"IssuesEvent","id":"IssuesEvent"}`, want: event.Fields{ID: "IssuesEvent", Type: "issues"},
		},
		{
			name: "numbers keep the digits they were written with",
			spec: event.Spec{Identity: one("{body.id}")},
			body: `{"id":12345678901234567890123.0}`, want: event.Fields{ID: "12345678901234567890123.0", Type: "source"},
		},
		{
			name: "a boolean is a value, an empty text, an object and an array are none",
			spec: event.Spec{Identity: one("{body.a}", "{body.b}", "{body.c}", "{body.d}")},
			body: `{"a":"","b":{"x":1},"c":[1],"d":false}`, want: event.Fields{ID: "false", Type: "source"},
		},
		{
			name: "a path leads into arrays and through names with dots, stars and at signs",
			spec: event.Spec{Identity: one(`{body.@a.1.b\.c.*}`)},
			body: `{"@a":[0,{"b.c":{"*":"x"}}]}`, want: event.Fields{ID: "x", Type: "source"},
		},
		{
			name: "an identity that is too long is its hash",
			spec: event.Spec{Identity: one("{header.long}")},
			body: `{}`, header: map[string]string{"long": strings.Repeat("x", 513)},
			want: event.Fields{ID: hashOf(strings.Repeat("x", 513)), Type: "source"},
		},
		{
			name: "a time that is none leaves the next candidate",
			spec: event.Spec{Time: one("{body.a}", "{body.b}")},
			body: `{"a":"soon","b":"2026-11-23T09:00:00.5+01:00"}`,
			want: event.Fields{ID: hashOf(`{"a":"soon","b":"2026-11-23T09:00:00.5+01:00"}`), Type: "source", Time: time.Date(2026, 11, 23, 8, 0, 0, 5e8, time.UTC)},
		},
		{
			name: "without another body, root and parent are the body",
			spec: event.Spec{Identity: one("{root.a}/{parent.a}/{body.a}")},
			body: `{"a":1}`, want: event.Fields{ID: "1/1/1", Type: "source"},
		},
		{
			name: "a member's name is a type where it is there, whatever it holds",
			spec: event.Spec{Type: one("{body.edited_message|key}", "{body.message|key}"), Identity: one("{body.update_id}")},
			body: `{"update_id":7,"message":{"text":"hi"}}`, want: event.Fields{ID: "7", Type: "message"},
		},
		{
			name: "of a token what is signed is the same, however its signature is written",
			spec: event.Spec{Identity: one("{header.token|signed}")},
			body: `{}`, header: map[string]string{"token": " e30.e30.AB= "}, want: event.Fields{ID: "e30.e30", Type: "source"},
		},
		{
			name: "of what is no token nothing is signed",
			spec: event.Spec{Identity: one("{header.token|signed}", "{header.id}")},
			body: `{}`, header: map[string]string{"token": "e30", "id": "7"}, want: event.Fields{ID: "7", Type: "source"},
		},
		{
			name: "filters change a value",
			spec: event.Spec{Identity: one("{header.id|unescape|lower}"), Type: one("{body.t|upper}")},
			body: `{"t":"x"}`, header: map[string]string{"id": "A%20B"}, want: event.Fields{ID: "a b", Type: "X"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			id, err := event.Compile(tt.spec)
			if err != nil {
				t.Fatal(err)
			}
			got := id.Identify(event.Input{
				Body:        []byte(tt.body),
				Header:      func(name string) string { return tt.header[name] },
				Query:       func(name string) string { return tt.query[name] },
				DefaultType: "source",
			})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnElementIsIdentifiedWithWhatIsAroundIt(t *testing.T) {
	t.Parallel()
	id, err := event.Compile(event.Spec{Identity: one("{root.batch}-{parent.realm}-{body.id}")})
	if err != nil {
		t.Fatal(err)
	}
	got := id.Identify(event.Input{Body: []byte(`{"id":3}`), Parent: []byte(`{"realm":2}`), Root: []byte(`{"batch":1}`)})
	if got.ID != "1-2-3" {
		t.Errorf("the identity is %q", got.ID)
	}
	bytes := id.Identify(event.Input{Body: []byte(`{}`), Data: []byte("not json")})
	if bytes.ID != hashOf("not json") {
		t.Errorf("what has no JSON form has the hash of its bytes, not %q", bytes.ID)
	}
}

func TestCompileSaysEveryMistake(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		spec event.Spec
		says string
	}{
		{"a placeholder that does not exist", event.Spec{Identity: one("{id}")}, `identity, candidate 1, "{id}": unknown placeholder {id}`},
		{"a root that does not exist", event.Spec{Entity: one("{data.id}")}, "did you mean {body.data.id}?"},
		{"a field of a form", event.Spec{Entity: one("{form.id}")}, "the fields of a form as {body.id}"},
		{"a body without a path", event.Spec{Entity: one("{body.}")}, "unknown placeholder {body.}"},
		{"a path with an empty step", event.Spec{Entity: one("{body.a..b}")}, "empty step"},
		{"a brace that is not closed", event.Spec{Version: one("{body.id")}, "without its }"},
		{"a brace that was not opened", event.Spec{Version: one("body.id}")}, "without its {"},
		{"nothing in the braces", event.Spec{Version: one("{}")}, "nothing between"},
		{"no template", event.Spec{Time: one("")}, "is empty"},
		{"a field that is found later", event.Spec{Type: one("{entity}")}, "not known yet"},
		{"types for the type", event.Spec{Type: event.Choices{{Value: "x", For: []string{"y"}}}}, "cannot have it"},
		{"a filter that does not exist", event.Spec{Identity: one("{body.id|rot13}")}, `unknown filter "rot13"`},
		{"the key of a header", event.Spec{Identity: one("{header.id|key}")}, `unknown filter "key"`},
		{"a map of nothing", event.Spec{Map: map[string]map[string]string{"kind": nil}}, `map "kind"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := event.Compile(tt.spec)
			var spec *event.SpecError
			if !errors.As(err, &spec) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v, want a SpecError that says %q", err, tt.says)
			}
		})
	}
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"1614265330":                "2021-02-25T15:02:10Z",
		"1614265330.5":              "2021-02-25T15:02:10.5Z",
		"1614265330123":             "2021-02-25T15:02:10.123Z",
		"1614265330123456":          "2021-02-25T15:02:10.123456Z",
		"2021-02-25T16:02:10+01:00": "2021-02-25T15:02:10Z",
		"2021-02-25T16:02:10+0100":  "2021-02-25T15:02:10Z",
		"2021-02-25T15:02:10":       "2021-02-25T15:02:10Z",
		"2021-02-25 15:02:10":       "2021-02-25T15:02:10Z",
		"2021-02-25 15:02:10 UTC":   "2021-02-25T15:02:10Z",
		"2021-02-25":                "2021-02-25T00:00:00Z",

		"Thu, 25 Feb 2021 15:02:10 GMT": "2021-02-25T15:02:10Z",
		"":                              "", "0": "", "-5": "", "999999999999999999": "", "1.": "1970-01-01T00:00:01Z", "1.x": "", "soon": "",
		"9999-12-31T23:59:59-01:00": "", "0000-01-01T00:00:00Z": "",
	} {
		got, ok := event.ParseTime(in)
		text := ""
		if ok {
			text = got.Format(time.RFC3339Nano)
		}
		if text != want {
			t.Errorf("ParseTime(%q) is %q, want %q", in, text, want)
		}
	}
}

// Whatever an authentic body holds, what was found must be encodable: else the
// provider would be answered 503 for ever.
func FuzzIdentify(f *testing.F) {
	id, err := event.Compile(event.Spec{
		Identity: one("{body.id}"), Type: one("{body.type}"), Time: one("{body.time}"), Entity: one("{body.e.0.id}"), Version: one("{header.v}"),
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"id":1,"type":"t","time":"9999-12-31T23:59:59-01:00","e":[{"id":"x"}]}`), "v")
	f.Add([]byte("{\"id\":\"\xff\uFFFF\"}"), "\x00")
	f.Fuzz(func(t *testing.T, body []byte, v string) {
		if !json.Valid(body) {
			return
		}
		got := id.Identify(event.Input{Body: body, Header: func(string) string { return v }, DefaultType: "d"})
		if _, err := event.Encode(event.Event{
			ID: got.ID, Type: got.Type, Time: got.Time, Subject: got.Entity, Version: got.Version,
			Source: "s", Transport: event.Webhook, Data: body,
		}); err != nil {
			t.Error(err)
		}
	})
}

func BenchmarkIdentify(b *testing.B) {
	id, err := event.Compile(event.Spec{
		Identity: one("{body.id}"), Type: one("{body.type}"), Time: one("{body.created}"), Entity: one("{body.data.object.id}"),
	})
	if err != nil {
		b.Fatal(err)
	}
	body := []byte(`{"id":"evt_1","object":"event","created":1614265330,"data":{"object":{"id":"in_1","lines":[` +
		strings.Repeat(`{"id":"li_1","text":"a line of an invoice"},`, 200) + `{}]}},"type":"invoice.paid"}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		id.Identify(event.Input{Body: body})
	}
}

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
