package ledgertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/event"
	"pushpull/shared/ledger"
)

// bodies is a claim check in memory.
type bodies map[string][]byte

func (b bodies) Put(_ context.Context, source string, body []byte) (string, error) {
	ref := fmt.Sprintf("file:///%s/%d", source, len(b))
	b[ref] = bytes.Clone(body)
	return ref, nil
}

func (b bodies) Get(_ context.Context, ref string) ([]byte, error) {
	body, ok := b[ref]
	if !ok {
		return nil, errors.New("no such body: " + ref)
	}
	return body, nil
}

func payloads(t *testing.T, open Open) {
	t.Helper()
	api, table := open(t)
	clock := NewClock()
	checked := bodies{"file:///there": []byte("in the claim check")}
	l := ledger.New(api, table, checked, clock.Now)

	random := make([]byte, 600<<10)
	for i := range random {
		random[i] = byte(rand.IntN(256))
	}
	var events []event.Event
	for i, data := range [][]byte{
		[]byte(`{"a": 1}`), {}, {0, 1, 255, '\n'}, bytes.Repeat([]byte("much the same "), 100_000), random,
	} {
		e := Event("github", fmt.Sprint("shape ", i), clock.Now())
		e.Data = data
		events = append(events, e)
	}
	there := Event("github", "there", clock.Now())
	there.Data, there.DataRef = nil, "file:///there"
	events = append(events, there, there)
	carried := Event("github", "carried", clock.Now())
	carried.Headers, carried.Query = event.Carried{"x-github-delivery": "1"}, event.Carried{"tenant": "a b"}
	events = append(events, carried)
	hostile := Event("github", "shape 0#payload", clock.Now()) // an identity that looks like a payload of another
	events = append(events, hostile)
	for i := range 60 { // more than one batch
		events = append(events, Event("many", fmt.Sprint(i), clock.Now()))
	}
	if err := l.KeepPayloads(t.Context(), events, time.Hour); err != nil {
		t.Fatal(err)
	}
	for _, want := range events {
		got, err := l.Payload(t.Context(), want.Key())
		if err != nil {
			t.Fatal(err)
		}
		if want.ID == "there" {
			want.Data = []byte("in the claim check")
		}
		if len(want.Data) == len(random) {
			want.DataRef = got.DataRef // it was put there
		}
		if diff := cmp.Diff(want, got); diff != "" && bytes.Equal(want.Data, got.Data) {
			t.Errorf("%s: %s", want.Key(), diff)
		} else if diff != "" {
			t.Errorf("%s: the bytes differ", want.Key())
		}
	}
	if len(checked) != 2 {
		t.Errorf("%d bodies are in the claim check, want the one that was and the one that is too large", len(checked))
	}
	if _, err := l.Payload(t.Context(), "github/none"); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("a payload that is not there: %v, want ErrNotFound", err)
	}
	seen, err := l.Seen(t.Context(), []string{"github/shape 0", "github/shape 0#payload"})
	if err != nil || len(seen) != 0 {
		t.Errorf("a payload is no claim, but seen is %v, %v", seen, err)
	}
}
