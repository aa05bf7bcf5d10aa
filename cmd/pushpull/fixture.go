package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"pushpull/shared/event"
)

// A fixture is a file of `pushpull test`: an event, and what is to come of it.
type fixture struct {
	Source string `json:"source"`

	// One of these is there.
	Event  *fixtureEvent   `json:"event"`
	Sample string          `json:"sample"` // a type of which the provider has a sample
	Body   json.RawMessage `json:"body"`   // of a webhook: a text, or what is written as JSON
	Record json.RawMessage `json:"record"` // of a poll

	Headers map[string]string `json:"headers"` // of body
	Poll    string            `json:"poll"`    // of record, where the source has several

	Want json.RawMessage `json:"want"`
}

// A fixtureEvent is an event as it is written in a file.
type fixtureEvent struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	Time      time.Time       `json:"time"`
	Subject   string          `json:"subject"`
	Version   string          `json:"version"`
	Transport event.Transport `json:"transport"`
	Data      json.RawMessage `json:"data"`
	Text      *string         `json:"text"` // data that are not JSON
	Content   string          `json:"datacontenttype"`
}

func readFixture(text string) (fixture, error) {
	var f fixture
	document, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return f, fmt.Errorf("not YAML that can be read: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(document))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return f, fmt.Errorf("not as a test is written: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if string(f.Want) == "null" {
		f.Want = nil
	}
	given := 0
	for _, there := range []bool{f.Event != nil, f.Sample != "", len(f.Body) > 0, len(f.Record) > 0} {
		if there {
			given++
		}
	}
	switch {
	case f.Source == "":
		return f, errors.New("it has no source")
	case given != 1:
		return f, errors.New("one of event, sample, body and record is to be there")
	}
	return f, nil
}

// withWant puts what is wanted into the text, the rest of which stays as it is.
func withWant(text, want string) (string, error) {
	lines := strings.SplitAfter(text, "\n")
	at := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "want:") })
	if at < 0 {
		at = len(lines)
		if text != "" && !strings.HasSuffix(text, "\n") {
			lines[at-1] += "\n"
		}
	}
	for _, line := range lines[min(at+1, len(lines)):] {
		if strings.TrimSpace(line) != "" && !strings.ContainsAny(line[:1], " \t-#") {
			return "", errors.New("something stands behind want: put that last, and it can be written anew")
		}
	}
	var out strings.Builder
	out.WriteString(strings.Join(lines[:at], "") + "want:\n")
	for line := range strings.Lines(want) {
		out.WriteString("  " + line)
	}
	return out.String(), nil
}

// asYAML writes JSON so that the same values are the same text.
func asYAML(document json.RawMessage) (string, error) {
	if len(document) == 0 {
		return "", nil
	}
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return "", err
	}
	text, err := json.Marshal(plainNumbers(v))
	if err != nil {
		return "", err
	}
	out, err := yaml.JSONToYAML(text)
	return string(out), err
}

// plainNumbers writes each number in one way: YAML knows no 1.50.
func plainNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if len(v) > 40 || strings.ContainsAny(v.String(), "eE") {
			return v
		}
		if r, ok := new(big.Rat).SetString(v.String()); ok {
			short := strings.TrimRight(strings.TrimRight(r.FloatString(len(v)), "0"), ".")
			return json.Number(short)
		}
		return v
	case []any:
		for i := range v {
			v[i] = plainNumbers(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = plainNumbers(v[name])
		}
	}
	return v
}
