package apiauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pushpull/shared/apiauth"
	"pushpull/shared/config"
	"pushpull/shared/secret"
)

// parameters stands for the Parameter Store.
type parameters struct {
	mu     sync.Mutex
	values map[string]string
	puts   int
	refuse int // so many writes
}

func (p *parameters) JSON(_ context.Context, _, target, _ string, in []byte, out any) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var ask struct {
		Name, Value string
		Names       []string
	}
	if err := json.Unmarshal(in, &ask); err != nil {
		return err
	}
	type parameter struct{ Name, Value string }
	var answer any
	switch target {
	case "AmazonSSM.GetParameter":
		answer = map[string]parameter{"Parameter": {ask.Name, p.values[ask.Name]}}
	case "AmazonSSM.GetParameters":
		var all []parameter
		for _, name := range ask.Names {
			all = append(all, parameter{name, p.values[name]})
		}
		answer = map[string][]parameter{"Parameters": all}
	case "AmazonSSM.PutParameter":
		if p.refuse > 0 {
			p.refuse--
			return errors.New("the store is down")
		}
		p.puts++
		p.values[ask.Name] = ask.Value
	}
	b, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, out)
}

func (p *parameters) set(name, value string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.values[name] = value
}

func (p *parameters) get(name string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.values[name]
}

// store is a secret store of one process, with its own cache.
func (p *parameters) store() *secret.Store {
	return secret.New(p, func(string) string { return "" }, slog.New(slog.DiscardHandler))
}

// locks is the table of locks of all processes.
type locks struct{ held sync.Mutex }

func (l *locks) Lock(context.Context, string, time.Duration) (func(context.Context), error) {
	l.held.Lock()
	return func(context.Context) { l.held.Unlock() }, nil
}

// A clock that the test moves.
type clock struct{ ns atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ns.Store(time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(0, c.ns.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

// An asked is a request for a token, as the server saw it.
type asked struct {
	Path, Authorization, ContentType string
	Form                             url.Values
	Body                             string
}

// A provider answers token requests, and keeps what was asked.
type provider struct {
	*httptest.Server
	mu   sync.Mutex
	all  []asked
	date func() time.Time
}

// newProvider answers each request with what reply says: a status and a body.
func newProvider(t *testing.T, reply func(n int, r asked) (int, string)) *provider {
	t.Helper()
	p := &provider{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		a := asked{Path: r.URL.RequestURI(), Authorization: r.Header.Get("Authorization"), ContentType: r.Header.Get("Content-Type"), Body: string(body)}
		if a.ContentType == "application/x-www-form-urlencoded" {
			a.Form, a.Body = form, ""
		}
		p.mu.Lock()
		p.all = append(p.all, a)
		status, text := reply(len(p.all), a)
		if p.date != nil {
			w.Header().Set("Date", p.date().UTC().Format(http.TimeFormat))
		}
		p.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		io.WriteString(w, text)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *provider) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.all)
}

func (p *provider) last() asked {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all[len(p.all)-1]
}

// A world is what authenticators of several processes have in common.
type world struct {
	secrets *parameters
	locks   *locks
	clock   *clock
	base    string
}

func newWorld(secrets map[string]string) *world {
	return &world{secrets: &parameters{values: maps.Clone(secrets)}, locks: &locks{}, clock: newClock(), base: "https://api.example.com"}
}

// process is the authenticator of another process. Its secrets are all there are,
// ssm:/name for each; token is the one called so.
func (w *world) process(t *testing.T, a config.APIAuth, with map[string]string) *apiauth.Authenticator {
	t.Helper()
	auth, err := w.make(a, with)
	if err != nil {
		t.Fatal(err)
	}
	return auth
}

func (w *world) make(a config.APIAuth, with map[string]string) (*apiauth.Authenticator, error) {
	base, err := url.Parse(w.base)
	if err != nil {
		return nil, err
	}
	o := apiauth.Options{
		With: with, Base: base, Store: w.secrets.store(), Locker: w.locks, Now: w.clock.now, Secrets: map[string]config.Secrets{},
		Getenv: func(name string) string { return map[string]string{"AWS_REGION": "eu-central-1"}[name] },
	}
	for _, name := range slices.Sorted(maps.Keys(w.secrets.values)) {
		if name == "/token" {
			o.Token = config.Secrets{"ssm:/token"}
			continue
		}
		o.Secrets[name[1:]] = config.Secrets{"ssm:" + name}
	}
	return apiauth.New(&a, o)
}

// get is a request to the API.
func get(t *testing.T, address string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// apply authenticates a fresh request and returns it.
func apply(t *testing.T, a *apiauth.Authenticator) *http.Request {
	t.Helper()
	req := get(t, "https://api.example.com/v1/things?a=1&b=%20x")
	if err := a.Apply(t.Context(), req, nil); err != nil {
		t.Fatal(err)
	}
	return req
}

func bearer(t *testing.T, a *apiauth.Authenticator) string {
	t.Helper()
	return apply(t, a).Header.Get("Authorization")
}
