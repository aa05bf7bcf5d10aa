package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pushpull/shared/event"
	"pushpull/shared/ledger"
	"pushpull/shared/ledger/ledgertest"
	"pushpull/shared/telemetry"
)

func TestAnIdentityWithOtherDataIsAConflict(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name          string
		source        string
		first, second string
		poll          bool // brings the second
		conflicts     int
		kept          bool
	}{
		{name: "the same data are a duplicate", source: "github", first: `{"a":1}`, second: `{"a":1}`},
		{name: "other data are a conflict, and kept", source: "github", first: `{"a":1}`, second: `{"a":2}`, conflicts: 1, kept: true},
		{name: "what is volatile is no difference", source: "stripe", first: `{"a":1,"attempt":1}`, second: `{"a":1,"attempt":2}`},
		{name: "nor is it of a poll, which has a rule of its own", source: "both", first: `{"a":1,"tries":1}`, second: `{"a":1,"tries":2}`, poll: true},
		{name: "what is beside it is one", source: "stripe", first: `{"a":1,"attempt":1}`, second: `{"a":2,"attempt":2}`, conflicts: 1, kept: true},
		{name: "a poll writes the same event differently", source: "github", first: `{"a":1}`, second: `{"a":1,"more":2}`, poll: true},
		{name: "a source that keeps no payloads keeps no conflict", source: "private", first: `{"a":1}`, second: `{"a":2}`, conflicts: 1},
		{name: "large data are compared without being fetched", source: "github", first: large("a"), second: large("b"), conflicts: 1, kept: true},
		{name: "large data that are the same", source: "github", first: large("a"), second: large("a")},
		{name: "large data in which something is volatile cannot be compared", source: "stripe", first: large("a"), second: large("b")},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.config = strings.Replace(w.config, `source stripe {"window":"2d"}`,
				`source stripe {"webhook":{"event":{"volatile":["attempt"]}},"window":"2d"}`, 1)
			w.config = strings.Replace(w.config, "source github", `source both {"poll":{"event":{"volatile":["tries"]}}}`+"\nsource github", 1)
			w.start()
			e := ledgertest.Event(test.source, "1", w.clock.Now())
			if test.source == "both" {
				e.Transport = event.Poll
			}
			e.Data = []byte(test.first)
			w.send(e)
			w.drain()
			if test.poll {
				e.Transport = event.Poll
			}
			e.Data = []byte(test.second)
			for range 2 { // the provider sends it twice more
				w.send(e)
				if n, back := w.invoke(); n != 1 || back != 0 {
					t.Fatalf("%d messages, %d come back; want it acknowledged", n, back)
				}
			}
			r := w.record(e.Key())
			if r.Conflicts != 2*test.conflicts || r.Duplicates[e.Transport] != 2 {
				t.Errorf("%d conflicts, duplicates %v; want %d and 2", r.Conflicts, r.Duplicates, 2*test.conflicts)
			}
			if test.source == "github" {
				if asked, got := w.sink.count("crm/1"); asked != 1 || got != 1 || w.sink.bodies["crm/1"] != test.first {
					t.Errorf("delivered %d times, %d bytes; want the first arrival, once", got, len(w.sink.bodies["crm/1"]))
				}
			}
			if warned := strings.Count(w.log.String(), telemetry.MsgConflict); warned != 2*test.conflicts {
				t.Errorf("%d warnings of conflicts, want %d", warned, 2*test.conflicts)
			}
			kept, err := w.ledger.ConflictPayload(t.Context(), e.Key(), r.Conflict)
			if test.kept && (err != nil || string(kept.Data) != test.second) {
				t.Errorf("%d bytes are kept, %v; want the %d of the second", len(kept.Data), err, len(test.second))
			}
			if !test.kept && !errors.Is(err, ledger.ErrNotFound) {
				t.Errorf("a conflict is kept: %v", err)
			}
			if first, err := w.ledger.Payload(t.Context(), e.Key()); test.source == "github" && (err != nil || string(first.Data) != test.first) {
				t.Errorf("the payload has %d bytes, %v; want the %d of the first", len(first.Data), err, len(test.first))
			}
		})
	}
}

func large(letter string) string { return `"` + strings.Repeat(letter, 1<<21) + `"` }

func TestAConflictThatIsNotKeptComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := ledgertest.Event("github", "1", w.clock.Now())
	w.send(e)
	w.drain()
	f := faults{keep: 1}
	f.install(w.handler)
	e.Data = []byte(`{"other":true}`)
	w.send(e)
	if n, back := w.invoke(); n != 1 || back != 1 {
		t.Fatalf("%d messages, %d come back; want it back", n, back)
	}
	w.clock.Add(time.Minute)
	w.invoke()
	if kept, err := w.ledger.ConflictPayload(t.Context(), e.Key(), hashOf(e, nil)); err != nil || string(kept.Data) != string(e.Data) {
		t.Errorf("%q is kept, %v", kept.Data, err)
	}
}
