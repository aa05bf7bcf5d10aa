package lambda

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// An invocation is one call of a function on its way.
type invocation struct {
	id      string
	payload []byte
	taken   bool        // the process has it; before that another may take it over
	done    chan result // buffered: whoever ends the invocation never waits
}

type result struct {
	response []byte
	err      error
}

func (i *invocation) end(r result) { i.done <- r }

// A pool is the environments of one function and the invocations that wait for one.
type pool struct {
	rt   *Runtime
	name string

	mu         sync.Mutex
	fn         Function
	generation int // of fn
	latest     int // the newest generation that was tried
	pending    []*invocation
	idle       []*environment // the last one to become idle is the first to be used: the rest may rest
	all        map[*environment]bool
	starting   int
	returning  int       // have answered, and will ask for the next invocation in a moment
	failure    *Error    // why the last start failed; nil once one succeeds
	retryAt    time.Time // no new start before, so that a broken function does not spin
	backoff    time.Duration
	closed     bool
	empty      chan struct{} // closed when the last environment ended after close
}

func newPool(r *Runtime, f Function) *pool {
	return &pool{rt: r, name: f.Name, fn: f, all: map[*environment]bool{}, empty: make(chan struct{})}
}

func (p *pool) invoke(ctx context.Context, payload []byte) ([]byte, error) {
	inv := &invocation{id: uuid.NewString(), payload: payload, done: make(chan result, 1)}
	p.submit(inv)
	select {
	case r := <-inv.done:
		return r.response, r.err
	case <-ctx.Done():
		p.abandon(inv)
		return nil, fmt.Errorf("%s: %w", p.name, ctx.Err())
	}
}

// submit gives the invocation to an idle environment, or has it wait for one.
func (p *pool) submit(inv *invocation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		inv.end(result{err: ErrClosed})
	case len(p.idle) > 0:
		e := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		e.assign(inv)
	case len(p.all) == 0 && p.failure != nil && time.Now().Before(p.retryAt):
		inv.end(result{err: p.failure})
	default:
		p.pending = append(p.pending, inv)
		p.scale()
	}
}

// scale starts environments while more invocations wait than are starting or
// about to be free.
func (p *pool) scale() {
	for !p.closed && p.starting+p.returning < len(p.pending) && len(p.all) < p.fn.limit() {
		p.start(p.fn, p.generation)
	}
}

func (p *pool) start(f Function, generation int) *environment {
	e := newEnvironment(p, f, generation)
	p.all[e] = true
	p.starting++
	p.rt.register(e)
	go e.run()
	return e
}

// abandon takes back an invocation that nobody waits for any more.
func (p *pool) abandon(inv *invocation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pending = slices.DeleteFunc(p.pending, func(i *invocation) bool { return i == inv })
}

// warm starts an environment where there is none, and returns how to wait for it.
func (p *pool) warm() func(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for e := range p.all {
		return e.wait
	}
	return p.start(p.fn, p.generation).wait
}

// replace starts an environment of the next version, which takes over when it is up.
func (p *pool) replace(f Function) func(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.latest = max(p.latest, p.generation) + 1
	return p.start(f, p.latest).wait
}

// next is called when the process asks for work: it is up, and has ended
// what it had. It reports false where the environment is to end.
func (p *pool) next(e *environment) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.returned(e)
	if e.current != nil {
		e.finish(result{err: &Error{Function: p.name, Type: "Runtime.NoResponse", Message: "the function asked for the next invocation without answering this one"}})
	}
	if !e.up {
		p.cameUp(e)
	}
	if p.closed || e.generation < p.generation || e.ended {
		return false
	}
	if len(p.pending) > 0 {
		inv := p.pending[0]
		p.pending = p.pending[1:]
		e.assign(inv)
		return true
	}
	if !slices.Contains(p.idle, e) { // it may ask again on another connection
		p.idle = append(p.idle, e)
	}
	return true
}

func (p *pool) returned(e *environment) {
	if e.returning {
		e.returning = false
		p.returning--
	}
}

func (p *pool) cameUp(e *environment) {
	e.up = true
	p.starting--
	p.failure, p.backoff = nil, 0
	close(e.ready)
	if e.generation > p.generation {
		p.fn, p.generation = e.fn, e.generation
		for _, old := range p.idle {
			old.kill()
		}
		p.idle = nil
	}
}

// exited is called once when the process of an environment has ended.
func (p *pool) exited(e *environment, cause *Error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e.ended = true
	p.returned(e)
	delete(p.all, e)
	p.idle = slices.DeleteFunc(p.idle, func(i *environment) bool { return i == e })
	if inv := e.current; inv != nil {
		if inv.taken {
			e.finish(result{err: cause})
		} else {
			e.current = nil
			p.pending = slices.Insert(p.pending, 0, inv)
		}
	}
	if !e.up {
		p.starting--
		p.initFailed(e, cause)
	}
	switch {
	case p.closed:
		if len(p.all) == 0 {
			close(p.empty)
		}
	case len(p.pending) > 0 && p.failure == nil:
		p.scale()
	case len(p.all) == 0 && e.served && p.failure == nil:
		p.start(p.fn, p.generation) // the next invocation finds it up
	}
}

// initFailed remembers why a process did not come up, and fails what waits only for it.
func (p *pool) initFailed(e *environment, cause *Error) {
	e.failure = cause
	close(e.ready)
	if p.closed || e.generation > p.generation {
		return // the version in place goes on
	}
	p.failure = cause
	p.backoff = min(max(2*p.backoff, 500*time.Millisecond), 30*time.Second)
	p.retryAt = time.Now().Add(p.backoff)
	p.rt.o.Logger.Error("a function did not start", "function", p.name, "error", cause.Message)
	if len(p.all) > 0 {
		return
	}
	for _, inv := range p.pending {
		inv.end(result{err: cause})
	}
	p.pending = nil
}

// close fails what waits, lets what runs end until ctx does, and ends the processes.
func (p *pool) close(ctx context.Context) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	p.closed = true
	for _, inv := range p.pending {
		inv.end(result{err: ErrClosed})
	}
	p.pending = nil
	for e := range p.all {
		if e.current == nil {
			e.kill()
		}
	}
	if len(p.all) == 0 {
		close(p.empty)
	}
	p.mu.Unlock()
	select {
	case <-p.empty:
		return
	case <-ctx.Done():
	}
	p.mu.Lock()
	for e := range p.all {
		e.kill()
	}
	p.mu.Unlock()
	<-p.empty
}
