// Package pull reads one resource of a provider's API: requests, authentication,
// pages, and going on where the last run ended.
//
// Its one invariant: a state it gives out covers only records it gave out
// before or together with it, so that whoever saves a page's state after the
// page's records are safe can be killed anywhere and loses nothing.
package pull

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"time"

	"pushpull/shared/config"
)

// Options are what a Source needs besides its configuration.
type Options struct {
	// Token gives the credential; fresh asks for it anew, after it was refused. Nil where auth is none.
	Token func(ctx context.Context, fresh bool) (string, error)
	// Client makes the requests; its redirects are followed only within the API's own host.
	Client *http.Client
	// Now is the local clock, used only where the API does not send its own (Date).
	Now func() time.Time
	// Sleep waits between the attempts of one request; nil waits for real.
	Sleep func(ctx context.Context, d time.Duration) error
	// Identity names a record, so that a tie at the watermark is known again; nil takes a hash of its bytes.
	Identity func(record []byte) (string, error)
}

// A Source is one resource of one API. It holds nothing of a run and is safe
// for concurrent use.
type Source struct {
	poll   config.Poll
	base   *url.URL // the first request, without what changes
	header http.Header
	client *http.Client
	o      Options
}

// New prepares a source. The error is a mistake in its configuration.
func New(poll config.Poll, o Options) (*Source, error) {
	if poll.Request == nil {
		return nil, errors.New("poll.request is missing: say its path")
	}
	if o.Token == nil && authType(poll.Auth) != "none" {
		return nil, fmt.Errorf("poll.auth is %s, which needs poll.token", poll.Auth.Type)
	}
	base, err := firstURL(poll)
	if err != nil {
		return nil, err
	}
	header := http.Header{}
	for name, value := range poll.Request.Headers {
		v, err := expand(value, poll.With, nil)
		if err != nil {
			return nil, fmt.Errorf("poll.request.headers.%s: %w", name, err)
		}
		header.Set(name, v)
	}
	s := &Source{poll: poll, base: base, header: header, o: defaults(o)}
	s.client = s.sameHostOnly(o.Client)
	return s, nil
}

func defaults(o Options) Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
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

// A Record is one element of a page: the exact bytes the API sent.
type Record struct {
	Data []byte
	// Time is the record's value at incremental.cursor_path where that is a time; zero otherwise.
	Time time.Time
}

// A Page is what one request brought.
type Page struct {
	// Records are those that may be new; what is older than the run's bound, or
	// known at the watermark, is left out.
	Records []Record
	// Read counts all records of the page.
	Read int
	// Next is the state to save once Records are durable elsewhere, and not before.
	Next State
	// More is true while the run is not at its end; Next.Run then says where it goes on.
	More bool
	// Unchanged is true where the API answered that nothing changed (304).
	Unchanged bool
	// Interval is how long the API asks to wait before the next poll (X-Poll-Interval); 0 where it does not.
	Interval time.Duration
}

// Run reads on from st, a page at a time, until the run is at its end, fails,
// or has read max_pages: then the last page has More set, and Run with its Next
// goes on. Errors: *Limited, *Permanent; any other may pass by itself.
func (s *Source) Run(ctx context.Context, st State) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		r := s.begin(st)
		for range s.maxPages() {
			page, err := r.next(ctx)
			if err != nil {
				yield(Page{}, err)
				return
			}
			if !yield(page, nil) || !page.More {
				return
			}
		}
	}
}

func (s *Source) maxPages() int {
	if p := s.poll.Pagination; p != nil && p.MaxPages > 0 {
		return p.MaxPages
	}
	return 1000
}
