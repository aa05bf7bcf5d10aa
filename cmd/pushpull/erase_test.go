package main

import (
	"bytes"
	"strings"
	"testing"

	"pushpull/shared/event"
	"pushpull/shared/ledger"
)

func TestWhatAPersonMeansIsFound(t *testing.T) {
	t.Parallel()
	const text = "erika+1@example.com"
	json := func(data string) event.Event {
		return event.Event{ID: "1", Source: "shop", ContentType: "application/json", Data: []byte(data)}
	}
	for _, tt := range []struct {
		name, where, text string
		event             event.Event
		want, fails       bool
	}{
		{"by an expression that holds", `.data.email == "a"`, "", json(`{"email":"a"}`), true, false},
		{"not by one that does not", `.data.email == "a"`, "", json(`{"email":"b"}`), false, false},
		{"one that fails leaves it unknown", `.data.email.of == "a"`, "", json(`{"email":"b"}`), false, true},
		{"by a text in the data", "", text, json(`{"to":["erika+1@example.com"]}`), true, false},
		{"by one that JSON escapes", "", text, json(`{"to":["erika\u002b1@example.com"]}`), true, false},
		{"by the name of a member", "", text, json(`{"erika\u002b1@example.com":1}`), true, false},
		{"by one in a form", "", text, event.Event{Data: []byte("email=erika%2B1%40example.com&a=b")}, true, false},
		{"by one in bytes", "", text, event.Event{Data: []byte("\xff erika+1@example.com \x00")}, true, false},
		{"by a header that is kept", "", text, event.Event{Headers: event.Carried{"x-user": text}, Data: []byte("{}")}, true, false},
		{"by its entity", "", text, event.Event{Subject: text, Data: []byte("{}")}, true, false},
		{"not by a part that is not there", "", text, json(`{"to":["erika@example.com"]}`), false, false},
		{"by both where both hold", `.source == "shop"`, text, json(`{"to":"erika+1@example.com"}`), true, false},
		{"not where one does not", `.source == "crm"`, text, json(`{"to":"erika+1@example.com"}`), false, false},
		{"data that are gone leave it unknown", "", text, event.Event{DataRef: "s3://bodies/shop/1"}, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, err := newMatcher(tt.where, tt.text)
			if err != nil {
				t.Fatal(err)
			}
			got, err := m.event(t.Context(), tt.event)
			if got != tt.want || (err != nil) != tt.fails {
				t.Errorf("%v, %v; want %v", got, err, tt.want)
			}
		})
	}
}

func TestAProofThatWasChangedIsKnown(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	p := proof{to: &b}
	e := eraser{id: "k3f9", by: "privacy", reason: "request 17", keys: map[string]bool{"shop/1": true, "shop/2": true}}
	kept := []ledger.Kept{{Event: event.Event{Data: []byte("{}")}}}
	for _, err := range []error{
		p.begin(e, eraseFlags{contains: "a@example.com"}),
		p.add(proofLine{Key: "shop/1", Erased: erasedOf(kept)}), p.add(proofLine{Key: "shop/2", Erased: erasedOf(kept)}), p.end(e),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	whole := b.String()
	if strings.Contains(whole, "a@example.com") {
		t.Error("it names the person")
	}
	lines := strings.SplitAfter(whole, "\n")
	for _, tt := range []struct{ name, text, err string }{
		{"as it was written", whole, ""},
		{"another key", strings.Replace(whole, "shop/1", "shop/3", 1), "line 3: it does not follow"},
		{"a line taken out", lines[0] + lines[2] + lines[3], "line 2: it does not follow"},
		{"two lines changed about", lines[0] + lines[2] + lines[1] + lines[3], "line 2: it does not follow"},
		{"its end taken away", lines[0] + lines[1] + lines[2], "its last line is not there"},
		{"cut within a line", whole[:len(whole)-9], "line 4: it is cut off"},
		{"something else", "?\n", "line 1: "},
		{"nothing", "", "its last line is not there"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			keys, seal, err := readProof(strings.NewReader(tt.text))
			if tt.err == "" && (err != nil || len(keys) != 2 || seal != p.previous) {
				t.Errorf("%v, %v", keys, err)
			}
			if tt.err != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.err)) {
				t.Errorf("%v, want %q", err, tt.err)
			}
		})
	}
}
