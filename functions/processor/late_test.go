package main

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/event"
	"pushpull/shared/ledger"
	"pushpull/shared/ledger/ledgertest"
)

// latecount is what was counted as late, by source.
type latecount struct {
	mu     sync.Mutex
	n      map[string]int
	calls  int
	refuse error
}

func (l *latecount) AddLate(_ context.Context, source string, n int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	if l.refuse != nil {
		return l.refuse
	}
	if l.n == nil {
		l.n = map[string]int{}
	}
	l.n[source] += n
	return nil
}

func TestAWebhookThatComesAfterItsEventWasMissedCorrectsTheCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, id := range []string{"1", "2", "3"} {
		e := ledgertest.Event("github", id, w.clock.Now())
		e.Transport, e.Missed = event.Poll, id != "3"
		w.send(e)
	}
	w.drain()
	for _, id := range []string{"1", "2", "3", "1"} { // the first of them twice
		w.send(ledgertest.Event("github", id, w.clock.Now()))
	}
	w.drain()
	if diff := cmp.Diff(map[string]int{"github": 2}, w.late.n); diff != "" {
		t.Error(diff)
	}
	if w.late.calls != 1 {
		t.Errorf("%d writes for one batch", w.late.calls)
	}
	if r := w.want("github/1", ledger.Delivered, "crm", "mail"); r.Missed {
		t.Error("it is still called missed")
	}
}

func TestACountThatCannotBeCorrectedKeepsNoMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.late.refuse = errors.New("refused")
	e := ledgertest.Event("github", "1", w.clock.Now())
	e.Transport, e.Missed = event.Poll, true
	w.send(e)
	w.drain()
	w.send(ledgertest.Event("github", "1", w.clock.Now()))
	if _, back := w.invoke(); back != 0 {
		t.Errorf("%d messages came back", back)
	}
}
