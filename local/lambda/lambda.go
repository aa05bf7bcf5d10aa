// Package lambda runs functions as Lambda does: the deployed binaries, each in
// processes of its own, over the Lambda Runtime API. Its one invariant: an
// environment (a process) has one invocation at a time, and every invocation
// ends with exactly one result, whatever becomes of the process.
package lambda

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"time"

	"pushpull/local/httpd"
)

// A Function is what runs in each environment.
type Function struct {
	Name    string // how Invoke calls it
	ARN     string
	Path    string   // the binary
	Env     []string // NAME=value, all that the process gets besides what Lambda itself sets
	Timeout time.Duration
	Memory  int // MiB; told to the function, not enforced
	Limit   int // environments at once; 0 is twice the cores, at least two
}

func (f Function) limit() int {
	if f.Limit > 0 {
		return f.Limit
	}
	return max(2, 2*runtime.NumCPU())
}

// A Line is one line that a function wrote. Text is valid during the call only.
type Line struct {
	Function string
	Text     []byte
}

// Options of a Runtime.
type Options struct {
	Logger *slog.Logger // default discards
	Region string       // AWS_REGION of the functions; default us-east-1
	// Output gets each line that a function wrote, from several goroutines at once.
	Output func(Line)
	// InitTimeout is how long a process may take to ask for its first invocation. Default 30 s.
	InitTimeout time.Duration
}

// A Runtime serves the Runtime API and runs functions. It is safe for concurrent use.
type Runtime struct {
	o        Options
	listener net.Listener
	server   *httpd.Server

	mu    sync.RWMutex
	pools map[string]*pool
	envs  map[string]*environment // by id, which is the first part of the path
}

// An Error is what a function, or its failing process, answered instead of a result.
type Error struct {
	Function string `json:"-"`
	Type     string `json:"errorType"`
	Message  string `json:"errorMessage"`
}

func (e *Error) Error() string { return e.Function + ": " + e.Type + ": " + e.Message }

// The error types that the runtime itself answers with, as Lambda writes them.
const (
	TypeTimeout   = "Sandbox.Timedout"
	TypeExit      = "Runtime.ExitError"
	TypeInit      = "Runtime.InitError"
	TypeTooLarge  = "Function.ResponseSizeTooLarge"
	TypeThrottled = "TooManyRequestsException"
)

// ErrClosed is returned once the runtime is closed.
var ErrClosed = errors.New("the runtime is closed")

// New listens on a free port of 127.0.0.1.
func New(ctx context.Context, o Options) (*Runtime, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Output == nil {
		o.Output = func(Line) {}
	}
	if o.InitTimeout == 0 {
		o.InitTimeout = 30 * time.Second
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the runtime API: %w", err)
	}
	r := &Runtime{o: o, listener: l, pools: map[string]*pool{}, envs: map[string]*environment{}}
	r.server = &httpd.Server{Handler: r, Full: &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}, Logger: o.Logger}
	go func() { _ = r.server.Serve(l) }()
	return r, nil
}

// Add makes a function known; nothing runs before Warm or the first Invoke.
func (r *Runtime) Add(f Function) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pools[f.Name] = newPool(r, f)
}

func (r *Runtime) pool(name string) (*pool, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	p, ok := r.pools[name]
	if !ok {
		return nil, fmt.Errorf("no function %s runs here", name)
	}
	return p, nil
}

// Warm starts one environment of each function and waits until all are up. The
// error says of each that is not why.
func (r *Runtime) Warm(ctx context.Context) error {
	pools := r.allPools()
	waits := make([]func(context.Context) error, 0, len(pools))
	for _, p := range pools {
		waits = append(waits, p.warm())
	}
	var errs []error
	for _, wait := range waits {
		errs = append(errs, wait(ctx))
	}
	return errors.Join(errs...)
}

func (r *Runtime) allPools() []*pool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Collect(maps.Values(r.pools))
}

// Replace gives the function's next version its place once an environment of
// it is up: until then the old one answers, and it finishes what it began. On
// error the old one stays.
func (r *Runtime) Replace(ctx context.Context, f Function) error {
	p, err := r.pool(f.Name)
	if err != nil {
		return err
	}
	return p.replace(f)(ctx)
}

// Invoke calls a function and waits for its answer. The error is an *Error where
// the function failed. A call whose ctx ends is given up; the function is not told.
func (r *Runtime) Invoke(ctx context.Context, function string, payload []byte) ([]byte, error) {
	p, err := r.pool(function)
	if err != nil {
		return nil, err
	}
	return p.invoke(ctx, payload)
}

// Close lets what runs end until ctx does, then ends every process.
func (r *Runtime) Close(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, p := range r.allPools() {
		wg.Go(func() { p.close(ctx) })
	}
	wg.Wait()
	if err := r.server.Close(); err != nil {
		return fmt.Errorf("close the runtime API: %w", err)
	}
	return nil
}

func (r *Runtime) register(e *environment) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.envs[e.id] = e
}

func (r *Runtime) forget(e *environment) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.envs, e.id)
}
