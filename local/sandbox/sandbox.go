// Package sandbox is a provider to try Pushpull with: a shop that pushes its
// events as webhooks, loses, repeats, delays and reorders some of them, lists all
// of them through its API, and has an inbox that counts what is delivered.
//
// Its one invariant: what it pushed, listed or acknowledged is on disk, so that
// its counts are true after it was killed.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Options are what a sandbox needs.
type Options struct {
	// Webhooks is the address of the gateway; the sandbox posts to /webhooks/sandbox there.
	Webhooks string
	// Secret resolves the references of the configuration: WebhookSecret, TokenSecret and InboxSecret.
	Secret func(ctx context.Context, ref string) (string, error)
	// File keeps the state between runs.
	File string
	// Every is the time between two events; 0 is a second.
	Every time.Duration
	// Seed makes the same events and the same mishaps again; 0 is any.
	Seed uint64
	// Logger is told of webhooks that were not taken; nil tells nobody.
	Logger *slog.Logger
	// Client posts the webhooks; nil is one of its own.
	Client *http.Client
	// Now is the clock; nil is the real one.
	Now func() time.Time
}

// A Sandbox is the provider. It is safe for concurrent use.
type Sandbox struct {
	o      Options
	log    *slog.Logger
	now    func() time.Time
	store  *store
	routes *http.ServeMux

	mu   sync.Mutex // guards what follows, and is held while the disk is written
	shop shop
}

// New opens the sandbox with what it did in earlier runs. Close it in the end.
func New(o Options) (*Sandbox, error) {
	if o.Secret == nil || o.File == "" {
		return nil, errors.New("sandbox: Options.Secret and Options.File are needed")
	}
	o.Webhooks = strings.TrimSuffix(o.Webhooks, "/")
	if o.Every <= 0 {
		o.Every = time.Second
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: pushTimeout}
	}
	s := &Sandbox{o: o, log: o.Logger, now: o.Now}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	var err error
	if s.store, err = openStore(o.File, o.Seed); err != nil {
		return nil, fmt.Errorf("open the sandbox's state %s: %w", o.File, err)
	}
	if s.shop, err = s.store.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("read the sandbox's state %s: %w", o.File, err), s.store.close())
	}
	s.routes = http.NewServeMux()
	s.routes.HandleFunc("GET /api/events", s.list)
	s.routes.HandleFunc("POST /inbox", s.inbox)
	s.routes.HandleFunc("GET /{$}", s.stats)
	return s, nil
}

// ServeHTTP answers the API, GET /api/events; the inbox, POST /inbox; and the counts, GET /.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.routes.ServeHTTP(w, r) }

// Close closes the state. Call it after Run has returned and nothing is served any more.
func (s *Sandbox) Close() error { return s.store.close() }

// Run makes events and pushes them until ctx ends; then it waits for the pushes
// under way. Webhooks that an earlier run still owed are pushed first.
func (s *Sandbox) Run(ctx context.Context) error {
	var pushes sync.WaitGroup
	defer pushes.Wait()
	for _, id := range s.owed() {
		pushes.Go(func() { s.push(ctx, id) })
	}
	wait := min(s.o.Every, 200*time.Millisecond)
	for {
		if err := sleep(ctx, wait); err != nil {
			return nil // to be stopped is its end, not a failure
		}
		id, err := s.happen()
		if err != nil {
			return fmt.Errorf("sandbox: %w", err)
		}
		pushes.Go(func() { s.push(ctx, id) })
		wait = s.o.Every
	}
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
