// Package budget makes all requests of a credential keep to one limit, whichever
// process makes them, and reads what an API's answers tell of its limits.
//
// Its one invariant: as long as the table answers, no window of a limit's period
// has more requests than the limit at the API, if each request arrives within half
// of the tolerance after Take returned, clocks' differences included. That half is
// 3.5 % of a period below 10 s, 2.5 % of a longer one, and 1 s at most.
//
// The budget of a credential is one item, budget/<key>, of the state table: each
// Take is one conditional write that reserves the next slot. A million requests are
// a million writes, which cost less than the time the requests take; one item takes
// about a thousand of them a second. A table that does not answer lets requests
// pass, as a budget is no lock, but what an API has asked for is kept to.
package budget

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	patience = 2 * time.Second  // with the table, for a request that waits
	fresh    = time.Second      // how old what is known of the table may be
	spread   = time.Second      // over which those come back who waited for the same time
	longest  = 24 * time.Hour   // that an API can ask us to wait
	shortest = time.Second      // that a wait is worth
	tries    = 5                // to be in time for a slot
	keep     = 768 * time.Hour  // that an item is kept after its last use
	pause    = 5 * time.Second  // before a table that did not answer is asked again
	unknown  = 60 * time.Second // to wait where a limit's end is not told
)

// Wait is a budget that has no room in time. Come back at Until.
type Wait struct{ Until time.Time }

func (e *Wait) Error() string {
	return fmt.Sprintf("the credential's budget is used up until %s: poll less often, or raise rate_limit.requests if the api allows more", e.Until.UTC().Format(time.RFC3339))
}

// A Store keeps budgets in a table. It is safe for concurrent use.
type Store struct {
	api   API
	table string
	log   *slog.Logger
	now   func() time.Time

	mu    sync.Mutex
	known map[string]state
	down  time.Time // the table is not asked before
}

// New returns a store over the state table.
func New(api API, table string, log *slog.Logger, now func() time.Time) *Store {
	return &Store{api: api, table: table, log: log, now: now, known: map[string]state{}}
}

// Take waits for the credential's next request, for no longer than most, or a
// second where that is longer. Make the request at once. Errors: *Wait, and the
// context's.
func (s *Store) Take(ctx context.Context, key string, l Limit, most time.Duration) error {
	end := s.now().Add(max(most, time.Second))
	switch {
	case l.Requests <= 0 || l.Per <= 0:
		return s.pass(ctx, key, end)
	case l.Share > 0 && l.Share < 1:
		if err := s.slot(ctx, key+"#share", l.part().pace(), end); err != nil {
			return err
		}
	}
	return s.slot(ctx, key, l.pace(), end)
}

// pass waits until what answers told is over.
func (s *Store) pass(ctx context.Context, key string, end time.Time) error {
	for {
		until := s.told(ctx, key)
		now := s.now()
		switch {
		case !until.After(now):
			return ctx.Err()
		case until.After(end):
			return &Wait{Until: until}
		}
		if err := sleep(ctx, until.Sub(now)+rand.N(spread)); err != nil { //nolint:gosec // jitter is no secret
			return err
		}
	}
}

// slot reserves slots until it is in time for one.
func (s *Store) slot(ctx context.Context, key string, p pace, end time.Time) error {
	lead := time.Duration(0) // for a table that takes longer than a slot lives
	for range tries {
		if !s.answers() {
			return s.pass(ctx, key, end)
		}
		began := s.now()
		at, err := s.reserve(ctx, key, p, began.Add(lead), end)
		if _, full := errors.AsType[*Wait](err); full {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			s.failed(ctx, key, err)
			return s.pass(ctx, key, end)
		}
		lead = 2 * max(lead, s.now().Sub(began))
		if inTime, err := s.await(ctx, key, at, p.late()); err != nil || inTime {
			return err
		}
	}
	s.log.WarnContext(ctx, "the budget is not kept to: its table answers too late", "key", key, "period_tolerance", p.tolerance)
	return s.pass(ctx, key, end)
}

// await waits for a slot's time, and tells whether the slot is still good then: not
// too late, and not before what an API asked for meanwhile. The table is asked for
// that a second before, so that its answer does not make the slot late.
func (s *Store) await(ctx context.Context, key string, at time.Time, late time.Duration) (bool, error) {
	if err := sleep(ctx, at.Add(-fresh).Sub(s.now())); err != nil {
		return false, err
	}
	s.told(ctx, key)
	if err := sleep(ctx, at.Sub(s.now())); err != nil {
		return false, err
	}
	now := s.now()
	return now.Sub(at) <= late && !s.knows(key).until.After(now), nil
}

// Told keeps all who share the key from requests until then, as an API asked for it.
func (s *Store) Told(ctx context.Context, key string, until time.Time) {
	if latest := s.now().Add(longest); until.After(latest) {
		until = latest
	}
	if !s.learn(key, state{until: until}) {
		return
	}
	if err := s.write(ctx, key, until); err != nil {
		s.failed(ctx, key, err)
	}
}

// failed leaves the table alone for a while: requests must not wait for it.
func (s *Store) failed(ctx context.Context, key string, err error) {
	s.mu.Lock()
	s.down = s.now().Add(pause)
	s.mu.Unlock()
	s.log.WarnContext(ctx, "the budget is kept to by this process alone, if at all: its table does not answer", "key", key, "error", err)
}

func (s *Store) answers() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.now().Before(s.down)
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
