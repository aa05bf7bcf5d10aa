package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pushpull/shared/api"
	"pushpull/shared/apiauth"
	"pushpull/shared/config"
	"pushpull/shared/config/load"
	"pushpull/shared/event"
	"pushpull/shared/pull"
	"pushpull/test/pull/standin"
)

// The engine alone, over a socket: it is cut off at random pages, goes on from
// what was saved, and gives out every record.
func TestEveryDialectIsReadWhole(t *testing.T) {
	t.Parallel()
	seed, err := number("SEED", 1)
	if err != nil {
		t.Fatal(err)
	}
	p, err := standin.New(standin.Options{Seed: uint64(seed), Records: 400, Growing: 6 * time.Second, Faults: 0.1, Slow: 1500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	engines, errs := make([]*engine, len(p.APIs)), make([]error, len(p.APIs))
	var reading sync.WaitGroup
	for i, a := range p.APIs { // all at once, as their records come about meanwhile
		if engines[i], err = newEngine(a, rand.New(rand.NewPCG(uint64(seed), uint64(i)))); err != nil {
			t.Fatalf("%s: %v", a.Name, err)
		}
		reading.Go(func() { errs[i] = engines[i].untilWhole(ctx) })
	}
	reading.Wait()
	for i, a := range p.APIs {
		t.Run(a.Name, func(t *testing.T) {
			t.Parallel()
			e, c, v := engines[i], a.Counts(), judge(a, engines[i].came)
			t.Logf("%d of %d records in %d runs, cut off %d times; %d requests, faults %v", v.Arrived, v.Must, e.runs, e.cut, c.Requests, c.Faults)
			if err := errors.Join(errs[i], v.err()); err != nil {
				t.Error(err)
			}
			if c.Early > e.cut {
				t.Errorf("%d requests came before the time that the api had told; cut off %d times", c.Early, e.cut)
			}
		})
	}
}

// An engine reads one API as the poller does, with the ledger and the queue in memory.
type engine struct {
	api    *standin.API
	source *pull.Source
	rand   *rand.Rand
	state  pull.State
	until  time.Time // the API asked to wait

	came      *arrivals
	runs, cut int   // cut: how often it was cut off
	failed    error // the last run's
}

func newEngine(a *standin.API, r *rand.Rand) (*engine, error) {
	poll, err := pollOf(a)
	if err != nil {
		return nil, err
	}
	base, err := pull.BaseURL(poll)
	if err != nil {
		return nil, err
	}
	o := apiauth.Options{Token: poll.Token, With: poll.With, Base: base, Store: secrets{"ssm:/standin/" + a.Name: a.Token()}, Client: &http.Client{}}
	e := &engine{api: a, rand: r, came: newArrivals()}
	var auth api.Auth
	if poll.Auth != nil && poll.Auth.Type != "none" {
		if auth, err = apiauth.New(poll.Auth, o); err != nil {
			return nil, err
		}
	}
	identify, err := event.Compile(*poll.Event)
	if err != nil {
		return nil, err
	}
	fields := func(record []byte) event.Fields {
		return identify.Identify(event.Input{Body: record, DefaultType: a.Name})
	}
	e.source, err = pull.New(poll, pull.Options{
		API:      api.Options{Auth: auth, Client: &http.Client{}, MaxWait: 100 * time.Millisecond},
		Identity: func(record []byte) (string, error) { return fields(record).ID, nil },
		Entity:   func(record []byte) (string, error) { return fields(record).Entity, nil },
		Snapshot: &snapshot{entries: map[string]pull.Entry{}, seen: map[string][]string{}},
	})
	return e, err
}

func pollOf(a *standin.API) (config.Poll, error) {
	text := fmt.Sprintf("sources:\n  %s:\n%s", a.Name, a.Config())
	cfg, problems := load.Load([]load.File{{Name: "standin.yaml", Data: []byte(text)}})
	if wrong := load.Errors(problems); len(wrong) > 0 {
		return config.Poll{}, fmt.Errorf("%v in\n%s", wrong, text)
	}
	return cfg.Sources[a.Name].Poll[0], nil
}

// untilWhole polls until all there will be has arrived.
func (e *engine) untilWhole(ctx context.Context) error {
	for ctx.Err() == nil {
		if wait := time.Until(e.until); wait > 0 {
			pause(ctx, wait)
		}
		whole := e.api.Grown()
		if e.run(ctx); whole && e.failed == nil && e.whole() {
			return nil
		}
		if final, ok := errors.AsType[*api.Permanent](e.failed); ok {
			return final
		}
		pause(ctx, 50*time.Millisecond)
	}
	return fmt.Errorf("not whole in time; the last run ended with %w", errors.Join(e.failed, ctx.Err()))
}

func (e *engine) whole() bool {
	v := judge(e.api, e.came)
	return v.Lost == 0
}

// run is one run, or what is left of it when it is cut off: between the queue and
// the checkpoint, or before both.
func (e *engine) run(ctx context.Context) {
	e.runs++
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	e.failed = nil
	for page, err := range e.source.Run(ctx, e.state) {
		if limit, ok := errors.AsType[*api.Limited](err); ok {
			e.failed = err
			if e.until = limit.Until; !e.api.Tells() {
				e.until = time.Now().Add(time.Second) // our minute, where the API does not say until when
			}
			return
		}
		if err != nil {
			e.failed = err
			return
		}
		if e.rand.IntN(25) == 0 {
			e.cut++
			return
		}
		e.queue(page)
		if e.rand.IntN(25) == 0 {
			e.cut++
			return
		}
		if err := page.Commit(ctx); err != nil {
			e.failed = err
			return
		}
		if e.rand.IntN(25) == 0 {
			e.cut++
			return
		}
		e.state = page.Next
		if page.Wait > 0 {
			e.until = time.Now().Add(page.Wait)
			return
		}
	}
}

// queue takes what the ledger does not have.
func (e *engine) queue(p pull.Page) {
	for _, r := range p.Records {
		id := r.ID
		if r.Change != "" {
			id = r.Entity + "@" + r.Change
		}
		if e.came.times[id] == 0 {
			e.came.add(id, slices.Clone(r.Data))
		}
	}
}

// A snapshot keeps entities in memory.
type snapshot struct {
	mu      sync.Mutex
	entries map[string]pull.Entry
	seen    map[string][]string // runs, by entity
}

func (s *snapshot) Lookup(_ context.Context, entities []string) (map[string]pull.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]pull.Entry{}
	for _, name := range entities {
		if e, ok := s.entries[name]; ok {
			out[name] = e
		}
	}
	return out, nil
}

func (s *snapshot) Commit(_ context.Context, run string, entries []pull.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range entries {
		s.entries[e.Entity] = e
		s.seen[e.Entity] = append(s.seen[e.Entity], run)
	}
	return nil
}

func (s *snapshot) Gone(_ context.Context, runs []string, _ string) (gone []pull.Entry, next string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, e := range s.entries {
		if e.Hash != "" && !slices.ContainsFunc(runs, func(run string) bool { return slices.Contains(s.seen[name], run) }) {
			gone = append(gone, e)
		}
	}
	slices.SortFunc(gone, func(a, b pull.Entry) int { return strings.Compare(a.Entity, b.Entity) })
	return gone, "", nil
}
