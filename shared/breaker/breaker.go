// Package breaker keeps deliveries from a destination that is down, whichever
// process found it so. Its one invariant: while a breaker is open, one probe at a
// time passes, and what it meets closes the breaker or keeps it open.
//
// A breaker is one item, breaker/<destination>, of the state table. A destination
// that is well costs a read each ten seconds a process, and no write; each failure
// costs one write. A table that does not answer lets deliveries pass: a breaker
// spares, it guards nothing.
package breaker

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// A Policy says when a breaker opens, and for how long.
type Policy struct {
	Share  float64       // of deliveries that must fail, from 0 to 1
	Least  int           // deliveries that a window needs to be judged by
	Window time.Duration // over which they are counted
	Open   time.Duration // until the next probe
}

const (
	wellFor  = 10 * time.Second // how old what is known of a destination may be that is well
	illFor   = time.Second      // and of one that is not
	recent   = 5 * time.Second  // for how long what succeeded is worth telling when something fails
	patience = 2 * time.Second  // with the table
	pause    = 5 * time.Second  // before a table that did not answer is asked again
	keep     = 24 * time.Hour   // that an item is kept after its last write
)

// Open is a breaker that is open. Come back at Until.
type Open struct{ Until time.Time }

func (e *Open) Error() string {
	return fmt.Sprintf("the destination's breaker is open until %s, as most deliveries failed", e.Until.UTC().Format(time.RFC3339))
}

// A Try is a delivery that may be made now. Tell what came of it.
type Try struct {
	name   string
	policy Policy
	probe  time.Time // until when the breaker was open; zero where it was closed
}

// Name is the destination's.
func (t Try) Name() string { return t.name }

// Probe tells whether it is the one delivery that an open breaker lets pass.
func (t Try) Probe() bool { return !t.probe.IsZero() }

// A Store keeps breakers in a table. It is safe for concurrent use.
type Store struct {
	api   API
	table string
	log   *slog.Logger
	now   func() time.Time

	mu    sync.Mutex
	known map[string]*breaker
	down  time.Time // the table is not asked before
}

// A breaker is what one process knows of one. Its lock is held while the table is
// asked, so that deliveries which begin together ask once.
type breaker struct {
	sync.Mutex
	state
	unsent int       // deliveries that succeeded lately, not yet told to the table
	begun  time.Time // when the first of them did
	told   time.Time // when the table was told last
}

// New returns a store over the state table.
func New(api API, table string, log *slog.Logger, now func() time.Time) *Store {
	return &Store{api: api, table: table, log: log, now: now, known: map[string]*breaker{}}
}

func (s *Store) breaker(name string) *breaker {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.known[name]
	if !ok {
		b = &breaker{}
		s.known[name] = b
	}
	return b
}

// Allow lets a delivery to the destination pass, or says in an *Open when to come back.
func (s *Store) Allow(ctx context.Context, name string, p Policy) (Try, error) {
	b := s.breaker(name)
	b.Lock()
	defer b.Unlock()
	try := Try{name: name, policy: p}
	if now := s.now(); now.Sub(b.read) >= b.fresh(now, p) && s.answers() {
		said, err := s.get(ctx, name)
		if err != nil {
			s.failed(ctx, name, err)
			return try, nil
		}
		b.state = said
	}
	now := s.now()
	switch {
	case b.until.IsZero() || !s.answers():
		return try, nil
	case b.until.After(now):
		return Try{}, &Open{Until: b.until}
	case b.probe.After(now):
		return Try{}, &Open{Until: now.Add(p.Open / 4)}
	}
	try.probe = b.until
	said, taken, err := s.hold(ctx, name, b.until, now.Add(p.Open))
	switch {
	case err != nil:
		s.failed(ctx, name, err)
		return Try{name: name, policy: p}, nil
	case taken:
		b.state = said
		return try, nil
	}
	b.state = said
	if said.until.IsZero() {
		return Try{name: name, policy: p}, nil
	}
	return Try{}, &Open{Until: later(said.until, now.Add(p.Open/4))}
}

// fresh is how old what is known may be. Failures count for as long as their window.
func (b *breaker) fresh(now time.Time, p Policy) time.Duration {
	if b.until.IsZero() && !b.ill(now, p) {
		return wellFor
	}
	return illFor
}

func (b *breaker) ill(now time.Time, p Policy) bool {
	return b.bad > 0 && now.Sub(b.since) < p.Window
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Tell says whether the destination was well, and reports whether the breaker
// opened by that.
func (s *Store) Tell(ctx context.Context, t Try, well bool) (opened bool) {
	b := s.breaker(t.name)
	b.Lock()
	defer b.Unlock()
	if !s.answers() {
		return false
	}
	now := s.now()
	if now.Sub(b.begun) > recent {
		b.unsent, b.begun = 0, now
	}
	bad := 1
	if well {
		bad = 0
		b.unsent++
	}
	var said state
	var err error
	switch {
	case !t.probe.IsZero():
		said, err = s.judge(ctx, t, well, now)
	case well && (!b.ill(now, t.policy) || now.Sub(b.told) < illFor):
		return false
	default:
		said, opened, err = s.count(ctx, t, b.unsent, bad, now)
		b.unsent, b.told = 0, now
	}
	if err != nil {
		s.failed(ctx, t.name, err)
		return false
	}
	b.state = said
	return opened
}

// failed leaves the table alone for a while: deliveries must not wait for it.
func (s *Store) failed(ctx context.Context, name string, err error) {
	s.mu.Lock()
	s.down = s.now().Add(pause)
	s.mu.Unlock()
	s.log.WarnContext(ctx, "breaker not kept: its table does not answer", "destination", name, "error", err)
}

func (s *Store) answers() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.now().Before(s.down)
}
