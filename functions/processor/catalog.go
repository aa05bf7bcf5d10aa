package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"pushpull/shared/config"
	"pushpull/shared/destination"
	"pushpull/shared/event"
	"pushpull/shared/hydrate"
	"pushpull/shared/privacy"
	"pushpull/shared/route"
	"pushpull/shared/schema"
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
	routes *route.Table
	env    *destination.Env
	apis   *hydrate.Env
	hides  *privacy.Env
	drift  schema.Drift

	mu           sync.Mutex
	sources      map[string]source
	destinations map[string]target
}

// A source is what the processor needs to know of one.
type source struct {
	window time.Duration
	keep   bool // its payloads, for replay
	order  string
	quiet  bool // deliveries without a failure are not recorded
	// volatile are the paths in an event's data that change with each attempt to
	// deliver it, by transport.
	volatile map[event.Transport][]string
	hydrate  hydrator       // of its webhooks; nil where events are delivered as they come
	kept     time.Duration  // its payloads, for how long
	privacy  *privacy.Rules // of what is fetched; what came was hidden before it was queued
	hidden   error          // privacy cannot be used
	schema   validator
}

// A target is one delivery: what goes to a destination, with its retries.
type target struct {
	name        string // in the ledger
	destination string
	event       event.Event
	err         error // why there is nothing to deliver
	passes      bool  // err may, by itself
	spared      bool  // the message is not for it
	to          destination.Destination
	retry       config.Retry
	gate        gate
}

func newCatalog(c config.Compiled, env *destination.Env, apis *hydrate.Env, hides *privacy.Env) (*catalog, error) {
	routes, err := c.Routes()
	if err != nil {
		return nil, fmt.Errorf("read the routes: %w", err)
	}
	return &catalog{
		config: c, routes: route.New(routes, route.Options{Privacy: hides, Table: c.Table}), env: env, apis: apis, hides: hides,
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
	s := source{window: defaultWindow, keep: true, kept: defaultWindow}
	if found, err := c.config.Source(name); err == nil {
		if found.Window > 0 {
			s.window = found.Window.Std()
		}
		s.kept = s.window
		if found.Retention > 0 {
			s.kept = found.Retention.Std()
		}
		s.keep = found.KeepPayload == nil || *found.KeepPayload
		s.order, s.quiet = found.Order, found.History == "failures"
		s.volatile = volatile(found)
		s.hydrate = c.hydrator(name, found)
		s.privacy, s.hidden = c.hides.Open(found.Privacy)
		s.schema = validatorOf(found.Schema)
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
	if s.Privacy != nil {
		for transport, those := range map[event.Transport][]string{event.Webhook: nil, event.Poll: nil} {
			for _, path := range s.Privacy.Encrypt {
				those = append(those, volatilePath(path))
			}
			paths[transport] = append(paths[transport], those...)
		}
	}
	return paths
}

// volatilePath is a path of privacy as those of volatile are written. What is
// encrypted is another text each time.
func volatilePath(path string) string {
	steps, err := privacy.ParsePath(path)
	if err != nil {
		return path // the configuration was proved
	}
	for i := range steps {
		steps[i] = strings.NewReplacer(`\`, `\\`, ".", `\.`).Replace(steps[i])
	}
	return strings.Join(steps, ".")
}

// plan is what becomes of an event: its deliveries, in a stable order, and what
// else there is to say. A destination that cannot be opened fails for good, with
// the reason.
func (c *catalog) plan(ctx context.Context, e event.Event) ([]target, route.Plan) {
	p := c.routes.Plan(ctx, e)
	targets := make([]target, len(p.Targets))
	for i, one := range p.Targets {
		t := c.target(one.Destination)
		t.name, t.event, t.err, t.passes = one.Name, one.Event, one.Err, one.Passes
		targets[i] = t
	}
	return targets, p
}

func (c *catalog) target(name string) target {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t, ok := c.destinations[name]; ok {
		return t
	}
	t := target{destination: name, retry: config.Retry{Attempts: defaultAttempts, First: config.Duration(defaultFirst), Max: config.Duration(defaultMax)}}
	found, err := c.config.Destination(name)
	if err == nil {
		t.to, err = destination.Open(found, c.env)
		t.retry, t.gate = withDefaults(found.Retry, t.retry), gateOf(name, found)
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
