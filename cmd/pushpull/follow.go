package main

import (
	"context"
	"slices"
	"time"

	"pushpull/shared/ledger"
)

const (
	followEvery  = 500 * time.Millisecond // between two looks at the ledger
	followWindow = 10 * time.Minute       // how long a change of status is still shown
)

// follow prints the newest records in the order they came, then new ones and
// those whose status changed, until ctx ends. It remembers only the window.
func follow(ctx context.Context, l *ledger.Ledger, f ledger.Filter, limit int, p recordPrinter) error {
	shown := map[string]shownRecord{}
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for first := true; ; first = false {
		fresh, err := changed(ctx, l, f, shown, limit, first)
		if ctx.Err() != nil {
			return nil // the person stopped it
		}
		if err != nil {
			return err
		}
		if first && limit > 0 && len(fresh) == limit {
			f.Since = fresh[limit-1].Received // what is older was not asked for
		}
		for _, r := range slices.Backward(fresh) {
			if err := p.print(r); err != nil {
				return err
			}
		}
		if err := p.flush(); err != nil {
			return err
		}
		f.Since = forget(shown, f.Since, time.Now().Add(-followWindow))
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

type shownRecord struct {
	status   ledger.Status
	received time.Time
}

// changed returns what was not shown yet, newest first. Only the first look is
// held to the limit: what comes later is all shown.
func changed(ctx context.Context, l *ledger.Ledger, f ledger.Filter, shown map[string]shownRecord, limit int, first bool) ([]ledger.Record, error) {
	var fresh []ledger.Record
	for r, err := range l.Records(ctx, f) {
		if err != nil {
			return nil, err
		}
		if was, ok := shown[r.Key]; ok && was.status == r.Status {
			continue
		}
		shown[r.Key] = shownRecord{r.Status, r.Received}
		if fresh = append(fresh, r); first && len(fresh) == limit {
			break
		}
	}
	return fresh, nil
}

// forget drops what is older than the window, and returns the new lower bound.
func forget(shown map[string]shownRecord, since, before time.Time) time.Time {
	if before.Before(since) {
		return since
	}
	for key, r := range shown {
		if r.received.Before(before) {
			delete(shown, key)
		}
	}
	return before
}
