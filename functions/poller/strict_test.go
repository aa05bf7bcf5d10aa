package main

import (
	"context"
	"testing"

	"pushpull/shared/event"
)

// box is another event queue.
type box struct{ events []event.Event }

func (b *box) SendEvents(_ context.Context, events ...event.Event) error {
	b.events = append(b.events, events...)
	return nil
}

func TestEventsInStrictOrderGoToTheQueueThatKeepsIt(t *testing.T) {
	t.Parallel()
	for _, deployed := range []bool{true, false} {
		w := newWorld(t, 2)
		shop := w.sources["shop"]
		shop.Order = "strict"
		w.sources["shop"] = shop
		w.happen(3)
		strict, want := &box{}, 0
		if deployed {
			w.strict, want = strict, 3
		}
		deliver(t.Context(), t, w.handler, scheduled(w.at).Encode(), 1)
		if len(strict.events) != want || len(w.queued) != 0 {
			t.Errorf("deployed: %v: %d events are in order and %d elsewhere, want %d and 0", deployed, len(strict.events), len(w.queued), want)
		}
		if n := w.status(t).Last.New; n != want {
			t.Errorf("deployed: %v: the status counts %d new events, want %d", deployed, n, want)
		}
	}
}
