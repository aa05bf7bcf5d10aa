package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"pushpull/shared/event"
	"pushpull/shared/ledger"
	"pushpull/shared/queue"
)

func eventOf(batch []events.SQSMessage) events.SQSEvent { return events.SQSEvent{Records: batch} }

// drainWithin invokes until so much time has passed.
func (w *world) drainWithin(d time.Duration) {
	w.t.Helper()
	for end := w.clock.Now().Add(d); w.clock.Now().Before(end); {
		if n, _ := w.invoke(); n == 0 {
			w.clock.Add(time.Hour)
		}
	}
}

var errFault = errors.New("out of order")

// faults make the first so many calls fail before anything is done.
type faults struct {
	claim, complete, keep, hide, letter int
	wasComplete, wasKeep                int

	mu      sync.Mutex
	claims  claims
	hider   hider
	letters letters
}

func (f *faults) install(h *handler) {
	f.claims, f.hider, f.letters = h.ledger, h.hider, h.letters
	f.wasComplete, f.wasKeep = f.complete, f.keep
	h.ledger, h.hider, h.letters = f, f, f
}

func (f *faults) take(n *int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if *n > 0 {
		*n--
		return errFault
	}
	return nil
}

func (f *faults) Claim(ctx context.Context, e event.Event, o ledger.Options) (ledger.Claim, error) {
	if err := f.take(&f.claim); err != nil {
		return ledger.Claim{}, err
	}
	return f.claims.Claim(ctx, e, o)
}

func (f *faults) Complete(ctx context.Context, c ledger.Claim, end ledger.Status, reason string, done []string, attempts []ledger.Attempt) error {
	if err := f.take(&f.complete); err != nil {
		return err
	}
	return f.claims.Complete(ctx, c, end, reason, done, attempts)
}

func (f *faults) Release(ctx context.Context, c ledger.Claim, done []string, attempts []ledger.Attempt) error {
	return f.claims.Release(ctx, c, done, attempts)
}

func (f *faults) KeepPayloads(ctx context.Context, events []event.Event, window time.Duration) error {
	if err := f.take(&f.keep); err != nil {
		return err
	}
	return f.claims.KeepPayloads(ctx, events, window)
}

func (f *faults) Payload(ctx context.Context, key string) (event.Event, error) {
	return f.claims.Payload(ctx, key)
}

func (f *faults) KeepConflict(ctx context.Context, e event.Event, hash string, window time.Duration) error {
	if err := f.take(&f.keep); err != nil {
		return err
	}
	return f.claims.KeepConflict(ctx, e, hash, window)
}

func (f *faults) Visibility(ctx context.Context, queueURL, receiptHandle string, d time.Duration) error {
	if err := f.take(&f.hide); err != nil {
		return err
	}
	return f.hider.Visibility(ctx, queueURL, receiptHandle, d)
}

func (f *faults) Send(ctx context.Context, messages ...queue.Message) error {
	if err := f.take(&f.letter); err != nil {
		return err
	}
	return f.letters.Send(ctx, messages...)
}
