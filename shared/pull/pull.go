// Package pull reads one poll of a source: its pages, and going on where the last
// run ended. docs/polling.md says how a run works.
//
// Its one invariant: a state it gives out covers only records it gave out
// before or together with it, so that whoever saves a page's state after the
// page's records are safe can be killed anywhere and loses nothing.
package pull

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"regexp"
	"time"

	"pushpull/shared/api"
	"pushpull/shared/config"
	"pushpull/shared/jq"
)

// Options are what a Source needs besides its configuration.
type Options struct {
	// API is how requests are made. Its clock is used only where the API does not send its own (Date).
	API api.Options
	// Identity names a record, so that a tie at the watermark is known again; nil takes its bytes.
	Identity func(record []byte) (string, error)
	// Entity is what a record is about; needed for a snapshot.
	Entity func(record []byte) (string, error)
	// Known tells which records, by their identities, need no detail, because their
	// events are in the ledger. Nil: none.
	Known func(ctx context.Context, ids []string) (map[string]bool, error)
	// Snapshot is needed where the poll has one.
	Snapshot Snapshot
}

// A doer makes requests; *api.Client is one.
type doer interface {
	Do(ctx context.Context, r api.Request) (*api.Answer, error)
}

// A Source is one poll of a source. It holds nothing of a run and is safe for
// concurrent use.
type Source struct {
	poll  config.Poll
	inc   config.Incremental // the zero one where each run reads everything
	scale scale
	base  *url.URL
	o     Options

	list   list  // the pages of records
	parent *list // those of the parents
	detail *endpoint
	seed   *endpoint
	status *endpoint // of an export
	file   *endpoint // of an export's download

	hosts []*regexp.Regexp // of files elsewhere

	each, deleted, only, detailed *jq.Program

	of string // a hash of what a position depends on

	from, to time.Time // of a backfill
	chunk    int       // records
}

// A list is an endpoint whose answers are pages.
type list struct {
	endpoint
	records config.Records
	jq      *jq.Program
	pages   config.Pagination
	stop    *jq.Program
}

// An endpoint is a request, and the client that makes it.
type endpoint struct {
	form *form
	do   doer
	none *jq.Program // makes no records: the document is the answer
}

// New prepares a poll. The error is a mistake in its configuration.
func New(poll config.Poll, o Options) (*Source, error) {
	if poll.Request == nil {
		return nil, errors.New("poll.request is missing: say its path")
	}
	base, err := BaseURL(poll)
	if err != nil {
		return nil, err
	}
	s := &Source{poll: poll, base: base, o: defaults(o), of: shape(poll), chunk: chunkRecords}
	if poll.Detail != nil {
		s.chunk = chunkDetails
	}
	if poll.Incremental != nil {
		s.inc = *poll.Incremental
	}
	if s.scale, err = newScale(s.inc); err != nil {
		return nil, fmt.Errorf("poll.%w", err)
	}
	if poll.Snapshot != nil && (o.Snapshot == nil || o.Entity == nil) {
		return nil, errors.New("poll.snapshot needs to know a record's entity: say poll.event.entity")
	}
	if err := s.prepare(); err != nil {
		return nil, fmt.Errorf("poll.%w", err)
	}
	return s, nil
}

// shape is a hash of what a position in a run depends on.
func shape(p config.Poll) string {
	b, err := json.Marshal(config.Poll{
		With: p.With, Request: p.Request, Records: p.Records, Pagination: p.Pagination,
		Incremental: p.Incremental, Parent: p.Parent, Export: p.Export,
	})
	if err != nil {
		return "" // what was read from JSON can be written
	}
	return shortHash(string(b))
}

func defaults(o Options) Options {
	if o.API.Now == nil {
		o.API.Now = time.Now
	}
	if o.API.Sleep == nil {
		o.API.Sleep = sleep
	}
	if o.Identity == nil {
		o.Identity = func(record []byte) (string, error) { return string(record), nil }
	}
	return o
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Range is the same poll over [from, to) instead of what is new: a backfill. Its
// states are its own. A range has no lookback and does not wait for anything to settle.
func (s *Source) Range(from, to time.Time) *Source {
	ranged := *s
	ranged.from, ranged.to = from, to
	ranged.inc.Lookback, ranged.inc.Settle, ranged.inc.Retention = 0, 0, 0
	if b := s.poll.Backfill; b != nil && b.Window > 0 {
		ranged.inc.Window = b.Window
	} else if ranged.inc.Window == 0 {
		ranged.inc.Window = config.Duration(day)
	}
	return &ranged
}

func (s *Source) ranged() bool { return !s.to.IsZero() }

// Age is how long ago, by the API's clock, what follows the state began, and how
// long the API keeps it: what is older than that is lost. Zero where it is not known.
func (s *Source) Age(st State) (age, keeps time.Duration) {
	if st.Settled.IsZero() {
		return 0, s.inc.Retention.Std()
	}
	return s.now(st).Sub(st.Settled), s.inc.Retention.Std()
}

// Covered is how much of a backfill's range is read.
func (s *Source) Covered(st State) (done, total time.Duration) {
	total = s.to.Sub(s.from)
	if st.Run == nil {
		if !st.Settled.IsZero() {
			done = total
		}
		return done, total
	}
	// What was read lies between the slice's beginning and the last record, or,
	// newest first, between that and its end.
	begin, err := s.scale.parse(st.Run.Start)
	if err == nil && !begin.at.IsZero() {
		done = begin.at.Sub(s.from)
	}
	if last, err := s.scale.parse(st.Run.Last); err == nil && !last.at.IsZero() {
		switch s.inc.Order {
		case "asc":
			done = last.at.Sub(s.from)
		case "desc":
			end, err := s.scale.parse(st.Run.Slice)
			if err != nil || end.at.IsZero() {
				end.at = s.to
			}
			done += end.at.Sub(last.at)
		}
	}
	return min(max(done, 0), total), total
}

// now is the API's clock, as far as it is known.
func (s *Source) now(st State) time.Time { return s.o.API.Now().Add(st.Skew) }

// Run reads on from st, a page at a time, until the run is at its end, fails,
// has read max_pages, or must wait for the API: then the last page has More set,
// and Run with its Next goes on. Errors: *api.Limited, *api.Permanent; any other
// may pass by itself.
func (s *Source) Run(ctx context.Context, st State) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		r := &run{s: s, st: st, yield: yield}
		more, err := true, r.begin()
		for range s.maxPages() {
			if err == nil {
				more, err = r.step(ctx)
			}
			if err != nil && !errors.Is(err, errStopped) {
				yield(Page{}, err)
			}
			if err != nil || !more {
				return
			}
		}
	}
}

func (s *Source) maxPages() int {
	if n := s.list.pages.MaxPages; n > 0 {
		return n
	}
	return 1000
}

// key is the address, credential and form of an answer that a validator is good for.
func (s *Source) key(req api.Request) string {
	credential := ""
	if s.o.API.Auth != nil {
		credential = s.o.API.Auth.Key()
	}
	return shortHash(req.Method + " " + req.URL.String() + " " + credential + " " + req.Header.Get("Accept") + " " + string(req.Body))
}
