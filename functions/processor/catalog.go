package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"pushpull/shared/config"
	"pushpull/shared/destination"
	"pushpull/shared/event"
	"pushpull/shared/hydrate"
	"pushpull/shared/route"
)

// What counts where the configuration leaves it out.
const (
	defaultWindow   = 30 * 24 * time.Hour
	defaultAttempts = 12
	defaultFirst    = 5 * time.Second
	defaultMax      = time.Hour
)

// A catalog is the configuration as the processor uses it: what a batch needs
// is decoded and opened when it is first needed, and kept.
type catalog struct {
	config config.Compiled
	routes route.Table
	env    *destination.Env
	apis   *hydrate.Env

	mu           sync.Mutex
	sources      map[string]source
	destinations map[string]target
}

// A source is what the processor needs to know of one.
type source struct {
	window time.Duration
	keep   bool // its payloads, for replay
	// volatile are the paths in an event's data that change with each attempt to
	// deliver it, by transport.
	volatile map[event.Transport][]string
	hydrate  hydrator // of its webhooks; nil where events are delivered as they come
}

// A target is a destination with its retries.
type target struct {
	name  string
	to    destination.Destination
	retry config.Retry
}

func newCatalog(c config.Compiled, env *destination.Env, apis *hydrate.Env) (*catalog, error) {
	routes, err := c.Routes()
	if err != nil {
		return nil, fmt.Errorf("read the routes: %w", err)
	}
	return &catalog{
		config: c, routes: route.New(routes), env: env, apis: apis,
		sources: map[string]source{}, destinations: map[string]target{},
	}, nil
}

// source never fails: an event whose source was taken out of the configuration
// after it came is still an event.
func (c *catalog) source(name string) source {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, ok := c.sources[name]; ok {
		return s
	}
	s := source{window: defaultWindow, keep: true}
	if found, err := c.config.Source(name); err == nil {
		if found.Window > 0 {
			s.window = found.Window.Std()
		}
		s.keep = found.KeepPayload == nil || *found.KeepPayload
		s.volatile = volatile(found)
		s.hydrate = c.hydrator(name, found)
		c.sources[name] = s // only those that exist: names in messages are not ours to remember
	}
	return s
}

func volatile(s config.Source) map[event.Transport][]string {
	paths := map[event.Transport][]string{}
	if s.Webhook != nil && s.Webhook.Event != nil {
		paths[event.Webhook] = s.Webhook.Event.Volatile
	}
	for _, p := range s.Poll {
		if p.Event != nil {
			paths[event.Poll] = append(paths[event.Poll], p.Event.Volatile...)
		}
	}
	return paths
}

// targets are the destinations of the source's events, in a stable order. One
// that cannot be opened fails for good, with the reason.
func (c *catalog) targets(source string) []target {
	names := c.routes.To(source)
	targets := make([]target, len(names))
	for i, name := range names {
		targets[i] = c.target(name)
	}
	return targets
}

func (c *catalog) target(name string) target {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t, ok := c.destinations[name]; ok {
		return t
	}
	t := target{name: name, retry: config.Retry{Attempts: defaultAttempts, First: config.Duration(defaultFirst), Max: config.Duration(defaultMax)}}
	found, err := c.config.Destination(name)
	if err == nil {
		t.to, err = destination.Open(found, c.env)
		t.retry = withDefaults(found.Retry, t.retry)
	}
	if err != nil {
		t.to = unusable{fmt.Errorf("it cannot be used: %w", err)}
	}
	c.destinations[name] = t
	return t
}

func withDefaults(r *config.Retry, defaults config.Retry) config.Retry {
	if r == nil {
		return defaults
	}
	merged := *r
	if merged.Attempts <= 0 {
		merged.Attempts = defaults.Attempts
	}
	if merged.First <= 0 {
		merged.First = defaults.First
	}
	if merged.Max <= 0 {
		merged.Max = defaults.Max
	}
	return merged
}

// unusable is a destination that cannot be opened.
type unusable struct{ err error }

func (u unusable) Deliver(context.Context, event.Event) (destination.Result, error) {
	return destination.Result{}, &destination.Permanent{Err: u.err}
}
