package main

import (
	"strconv"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"pushpull/shared/event"
)

func TestVolatileDataAreNoDifference(t *testing.T) {
	t.Parallel()
	const form = "application/x-www-form-urlencoded"
	sum := strings.Repeat("ab", 32)
	for _, test := range []struct {
		name     string
		a, b     event.Event
		volatile []string
		same     bool
		unknown  bool // there is no hash of a
	}{
		{name: "the same bytes", a: data(`{"a":1}`), b: data(`{"a":1}`), same: true},
		{name: "other bytes", a: data(`{"a":1}`), b: data(`{"a":2}`)},
		{name: "no bytes at all", a: event.Event{}, b: data(``), same: true},
		{name: "a volatile member", a: data(`{"n":1,"a":1}`), b: data(`{"n":2,"a":1}`), volatile: []string{"n"}, same: true},
		{name: "another member beside it", a: data(`{"n":1,"a":1}`), b: data(`{"n":2,"a":2}`), volatile: []string{"n"}},
		{name: "a volatile member that is absent", a: data(`{"a":1}`), b: data(`{"a":1, "n":2}`), volatile: []string{"n"}, same: true},
		{name: "a volatile member within others", a: data(`{"m":{"x":1,"n":[1,2]},"a":1}`), b: data(`{"m":{"x":1,"n":{}},"a":1}`), volatile: []string{"m.n"}, same: true},
		{name: "a member of that name elsewhere", a: data(`{"m":{"n":1},"n":1}`), b: data(`{"m":{"n":1},"n":2}`), volatile: []string{"m.n"}},
		{name: "an element of an array", a: data(`[{"n":1},{"n":1}]`), b: data(`[{"n":2},{"n":1}]`), volatile: []string{"0.n"}, same: true},
		{name: "a member that is there twice", a: data(`{"n":1,"n":2}`), b: data(`{"n":3,"n":4}`), volatile: []string{"n"}, same: true},
		{name: "a dot in a name", a: data(`{"a.b":1,"a":{"b":1}}`), b: data(`{"a.b":2,"a":{"b":1}}`), volatile: []string{`a\.b`}, same: true},
		{name: "an escape in a name", a: data(`{"\u006e":1}`), b: data(`{"n":2}`), volatile: []string{"n"}, same: true},
		{name: "several paths", a: data(`{"n":1,"m":{"n":1,"o":1}}`), b: data(`{"n":2,"m":{"n":2,"o":1}}`), volatile: []string{"n", "m.n", "m.x.y"}, same: true},
		{name: "a value that the path does not fit", a: data(`"text"`), b: data(`"text"`), volatile: []string{"n"}, same: true},
		{name: "a path of nothing", a: data(`{"a":1}`), b: data(`{"a":2}`), volatile: []string{"", ".", "a."}},
		{name: "a form", a: typed(form, `n=1&a=1`), b: typed(form+"; charset=utf-8", `a=1&n=2`), volatile: []string{"n"}, same: true},
		{name: "a form with another field", a: typed(form, `n=1&a=1`), b: typed(form, `n=1&a=2`), volatile: []string{"n"}},
		{name: "a text, in which nothing can be found", a: typed("text/plain", "n 1"), volatile: []string{"n"}, unknown: true},
		{name: "a form that is none", a: typed(form, "%zz"), volatile: []string{"n"}, unknown: true},
		{name: "a text without anything volatile", a: typed("text/plain", "1"), b: typed("text/plain", "2")},
		{name: "references to the same data", a: event.Event{DataRef: "s3://b/github/" + sum}, b: event.Event{DataRef: "file:///b/github/" + sum}, same: true},
		{name: "references to other data", a: event.Event{DataRef: "s3://b/github/" + sum}, b: event.Event{DataRef: "s3://b/github/" + strings.Repeat("ac", 32)}},
		{name: "a reference, and something is volatile", a: event.Event{DataRef: "s3://b/github/" + sum}, volatile: []string{"n"}, unknown: true},
		{name: "a reference without a hash", a: event.Event{DataRef: "s3://elsewhere/body"}, unknown: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a, b := hashOf(test.a, test.volatile), hashOf(test.b, test.volatile)
			if (a == "") != test.unknown || a != "" && len(a) != hashDigits {
				t.Errorf("the hash is %q, and unknown should be %v", a, test.unknown)
			}
			if !test.unknown && (a == b) != test.same {
				t.Errorf("%q and %q; the same should be %v", a, b, test.same)
			}
		})
	}
}

func TestDataAndTheReferenceToThemHaveOneHash(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ref, err := w.bodies.Put(t.Context(), "github", []byte("data"))
	if err != nil {
		t.Fatal(err)
	}
	if a, b := hashOf(event.Event{Data: []byte("data")}, nil), hashOf(event.Event{DataRef: ref}, nil); a != b {
		t.Errorf("%s and %s", a, b)
	}
}

func data(s string) event.Event { return typed("application/json", s) }

func typed(contentType, s string) event.Event {
	return event.Event{ContentType: contentType, Data: []byte(s)}
}

// FuzzHash: whatever is at a volatile path, the hash is the same.
func FuzzHash(f *testing.F) {
	f.Add(`{"a":{"n":1},"b":[1,2]}`, "a.n")
	f.Add(`[{"n":1},"x"]`, "0.n")
	f.Add(`{"a":1,"a":2}`, "a")
	f.Add(`{"\u0061":{"":1}}`, `a.`)
	f.Add(` null `, "x")
	f.Fuzz(func(t *testing.T, body, path string) {
		a := hashOf(data(body), []string{path})
		if !event.ValidJSON([]byte(body)) || strings.ContainsAny(path, `\*?|#@!{}[]()=<>%:"`) || strings.Trim(path, ".") == "" {
			return
		}
		for step := range strings.SplitSeq(path, ".") {
			if n, err := strconv.Atoi(step); err == nil && strconv.Itoa(n) != step {
				return // 00 is no index here, and is one there
			}
		}
		if !gjson.Get(body, path).Exists() {
			return
		}
		changed, err := sjson.Set(body, path, "changed")
		if err != nil || !event.ValidJSON([]byte(changed)) || gjson.Get(changed, path).Str != "changed" {
			return
		}
		if b := hashOf(data(changed), []string{path}); a == "" || a != b {
			t.Errorf("%q and %q differ beside %q", body, changed, path)
		}
	})
}
