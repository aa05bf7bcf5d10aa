// Package route says what an event becomes, and for which destinations. Its one
// invariant: the answer depends on the configuration and the event alone, so that
// a retry asks for the same deliveries under the same names.
package route

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/privacy"
)

// All is the name in a route's from that stands for every source.
const All = "*"

// A Target is one delivery: what a route makes of an event, for one destination.
type Target struct {
	// Name is the delivery's own in the ledger: the destination's where an event goes
	// there as it is, else <route>/<destination>, and <route>/<destination>#<n> for
	// the nth part of a split. An event goes to it once, whichever routes lead there.
	Name        string
	Destination string
	Event       event.Event // what is delivered
	Err         error       // why nothing can be; nothing of the payload is in it
	Passes      bool        // Err may pass by itself: a key that cannot be had now
}

// A Plan is all that becomes of an event.
type Plan struct {
	Targets []Target // sorted by name
	Dropped []string // why routes of its source do not take it, such as "when of paid"
	Invalid int      // data that are not as a route's schema says, whatever becomes of them
	Notes   []string // what somebody should know of
}

// Filtered is why an event of the source goes nowhere, "" where it goes somewhere.
func (p Plan) Filtered(source string) string {
	const most = 10 // reasons
	switch {
	case len(p.Targets) > 0:
		return ""
	case len(p.Dropped) == 0:
		return "no route takes events of " + source
	}
	return "dropped by " + strings.Join(p.Dropped[:min(len(p.Dropped), most)], ", ")
}

// Options are what routes work with.
type Options struct {
	Privacy *privacy.Env
	Table   func(name string) (config.Table, error) // of enrich; config.Compiled.Table is one
}

// A Table is all routes. Those of a source are made ready when its first event
// comes. It is safe for concurrent use.
type Table struct {
	o      Options
	routes []*route
	// turn is of the one event whose expressions run. They have a second each by the
	// clock, and would take it from each other: a function has one thread.
	turn chan struct{}

	mu      sync.Mutex
	sources map[string][]*route
	tables  map[string]config.Table
}

// New takes the routes in their order in the configuration.
func New(routes []config.Route, o Options) *Table {
	t := &Table{o: o, turn: make(chan struct{}, 1), sources: map[string][]*route{}, tables: map[string]config.Table{}}
	for i, r := range routes {
		label := r.Name
		if label == "" {
			label = "routes[" + strconv.Itoa(i) + "]"
		}
		t.routes = append(t.routes, &route{Route: r, label: label})
	}
	return t
}

// of are the routes of a source, each made ready once.
func (t *Table) of(source string) []*route {
	t.mu.Lock()
	defer t.mu.Unlock()
	if found, ok := t.sources[source]; ok {
		return found
	}
	var found []*route
	for _, r := range t.routes {
		if slices.Contains(r.From, source) || slices.Contains(r.From, All) {
			t.ready(r)
			found = append(found, r)
		}
	}
	if len(found) > 0 { // names in messages are not ours to remember
		t.sources[source] = found
	}
	return found
}

// Plan is what becomes of an event whose data are there. An event takes every
// route of its source whose when holds.
func (t *Table) Plan(ctx context.Context, e event.Event) Plan {
	p := planner{ctx: ctx, event: e, turn: t.turn, targets: map[string]Target{}}
	for _, r := range t.of(e.Source) {
		p.take(r)
	}
	for _, target := range p.targets {
		p.plan.Targets = append(p.plan.Targets, target)
	}
	slices.SortFunc(p.plan.Targets, func(a, b Target) int { return cmp.Compare(a.Name, b.Name) })
	return p.plan
}

// A planner makes the plan of one event.
type planner struct {
	ctx     context.Context
	event   event.Event
	turn    chan struct{}
	input   map[string]any // of jq, made where a route needs it
	targets map[string]Target
	plan    Plan
}

// take adds what one route makes of the event.
func (p *planner) take(r *route) {
	made, err := p.make(r)
	if err != nil {
		for _, to := range r.To {
			p.add(Target{Name: r.target(to, 0), Destination: to, Event: p.event, Err: err, Passes: passes(err)})
		}
		return
	}
	for _, one := range made {
		for _, to := range r.To {
			p.add(Target{
				Name: r.target(to, one.number), Destination: to, Event: one.event, Err: one.err, Passes: passes(one.err),
			})
		}
	}
}

// make makes of a panic an error of its route: it must not end the process, and
// with it what is being written down of other events.
func (p *planner) make(r *route) (made []part, err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			made, err = nil, r.wrong("", fmt.Errorf("it panicked with a %T", thrown)) // what was thrown may hold a payload
		}
	}()
	return r.make(p)
}

// add keeps a delivery; one that can be made counts before one that cannot.
func (p *planner) add(t Target) {
	if had, ok := p.targets[t.Name]; ok && had.Err == nil {
		return
	}
	p.targets[t.Name] = t
}

func (p *planner) drop(why string, r *route) {
	p.plan.Dropped = append(p.plan.Dropped, why+" of "+r.label)
}
