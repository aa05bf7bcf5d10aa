package ledger_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"pushpull/shared/event"
	"pushpull/shared/ledger"
	"pushpull/shared/ledger/ledgertest"
)

// down is a claim check that takes nothing.
type down struct{}

func (down) Put(context.Context, string, []byte) (string, error) { return "", errors.New("down") }
func (down) Get(context.Context, string) ([]byte, error)         { return nil, errors.New("down") }

func TestAPayloadThatCannotBeKeptCostsNoOtherItsOwn(t *testing.T) {
	t.Parallel()
	api, table := local(t)
	clock := ledgertest.NewClock()
	l := ledger.New(api, table, down{}, clock.Now)
	large := ledgertest.Event("github", "large", clock.Now())
	large.Data = make([]byte, 500<<10)
	_, _ = rand.Read(large.Data) // so that it stays as large when compressed
	small := ledgertest.Event("github", "small", clock.Now())
	if err := l.KeepPayloads(t.Context(), []event.Event{large, small}, time.Hour); err == nil {
		t.Error("all are kept, it says")
	}
	if _, err := l.Payload(t.Context(), small.Key()); err != nil {
		t.Errorf("the small one: %v", err)
	}
}
