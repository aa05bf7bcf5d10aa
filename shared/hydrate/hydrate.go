// Package hydrate completes an event whose body is thin, or was not signed, with
// what the provider's API says of it.
//
// Its one invariant: the credential goes only to the host that the configuration
// names, whatever the event says and whatever a server answers.
package hydrate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"

	"pushpull/shared/api"
	"pushpull/shared/apiauth"
	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/guard"
)

const (
	defaultTimeout = 10 * time.Second
	mostWait       = 5 * time.Second // for a limit, as a batch of events waits for it
	mostBytes      = 16 << 20        // of an answer, decompressed
	mostHosts      = 64              // whose clients are kept, where events choose among hosts
	contentType    = "application/json"
)

// A Source fetches the data of one source's events. It is safe for concurrent use.
type Source struct {
	name    string
	rule    *Rule
	c       config.Hydrate
	env     *Env
	answers answers

	mu      sync.Mutex
	clients map[string]*api.Client // by scheme and host
}

// Open prepares the source of that name. The error is a mistake in its configuration.
func Open(name string, c config.Hydrate, env *Env) (*Source, error) {
	rule, err := Compile(c)
	if err != nil {
		return nil, err
	}
	if c.Timeout <= 0 {
		c.Timeout = config.Duration(defaultTimeout)
	}
	s := &Source{
		name: name, rule: rule, c: c, env: env, clients: map[string]*api.Client{},
		answers: answers{keep: c.Cache.Std(), now: env.o.Now, latest: map[string]*answer{}},
	}
	bases := rule.bases()
	if len(bases) == 0 {
		bases = []*url.URL{{Scheme: "https", Host: "any"}} // the events choose it, and the rest is the same for all
	}
	for _, base := range bases {
		if _, err := s.open(base); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// open prepares the requests to one host.
func (s *Source) open(base *url.URL) (*api.Client, error) {
	auth, err := apiauth.New(s.c.Auth, apiauth.Options{
		Token: s.c.Token, Secrets: s.c.Secrets, With: s.c.With, Base: base,
		Store: s.env.o.Secrets, Locker: s.env.o.Locker, Now: s.env.o.Now, Getenv: s.env.o.Getenv,
	})
	if err != nil {
		return nil, err
	}
	o := api.Options{
		Auth: auth, Budget: s.env.o.Budget, Source: s.name, Client: s.env.guarded,
		Now: s.env.o.Now, Sleep: s.env.o.Sleep, MaxWait: mostWait,
	}
	// An address that an event carries may not lead to where we run.
	if guard.Loopback(base.Hostname()) && s.rule.writes(base) {
		o.Client = s.env.local
	}
	return api.New(api.Config{
		Base: base, RateLimit: s.c.RateLimit, Retry: s.c.Retry, Timeout: s.c.Timeout.Std(), MaxBytes: mostBytes,
	}, o)
}

// client is that of an address' host.
func (s *Source) client(u *url.URL) (*api.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	base := &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}
	key := base.String()
	if c := s.clients[key]; c != nil {
		return c, nil
	}
	c, err := s.open(base)
	if err != nil {
		return nil, permanent("hydrate cannot be used: %v", err)
	}
	if len(s.clients) >= mostHosts {
		clear(s.clients)
	}
	s.clients[key] = c
	return c, nil
}

// Fetch returns the event with its data as the API has them, as JSON. All else of
// it stays. One of a type that is excepted comes back as it is. Events that need
// the same request at the same time share its answer. Errors: *Missing,
// *api.Permanent, *api.Limited; any other may pass by itself. None quotes the
// event, the answer or the address beyond its host, which may hold a credential.
func (s *Source) Fetch(ctx context.Context, e event.Event) (event.Event, error) {
	if s.rule.Exempt(e) {
		return e, nil
	}
	data, err := s.fetch(ctx, e)
	if missing, ok := errors.AsType[*Missing](err); ok {
		return event.Event{}, &Missing{Reason: missing.Reason, Keep: s.c.Missing == "keep"}
	}
	if err != nil {
		return event.Event{}, err
	}
	e.Data, e.DataRef, e.ContentType, e.Hydrated = data, "", contentType, true
	return e, nil
}

func (s *Source) fetch(ctx context.Context, e event.Event) ([]byte, error) {
	u, header, err := s.rule.Request(e)
	if err != nil {
		return nil, err
	}
	return s.answers.get(ctx, keyOf(u, header), e.ReceivedTime, func() ([]byte, error) { return s.ask(ctx, u, header) })
}

// keyOf is the same for requests that are the same.
func keyOf(u *url.URL, header http.Header) string {
	var b strings.Builder
	b.WriteString(u.String())
	_ = header.Write(&b) // sorted by name; a Builder takes everything
	return b.String()
}

func (s *Source) ask(ctx context.Context, u *url.URL, header http.Header) ([]byte, error) {
	client, err := s.client(u)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, mostWait+s.c.Timeout.Std())
	defer cancel()
	a, err := client.Do(ctx, api.Request{URL: u, Header: header, OK: redirects})
	if err != nil {
		return nil, meaning(err)
	}
	return s.read(a)
}

// redirects are not followed: they leave the path that is written out.
var redirects = []int{
	http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect,
}

// read is the data in an answer.
func (s *Source) read(a *api.Answer) ([]byte, error) {
	if slices.Contains(redirects, a.Status) {
		_ = a.Body.Close()
		return nil, permanent("the api answered %d: redirects are not followed, so write the address it leads to in hydrate.url", a.Status)
	}
	body, err := a.All(mostBytes)
	if _, large := errors.AsType[*api.Permanent](err); large {
		return nil, permanent("the api's answer is larger than %d bytes: write a url that asks for less", mostBytes)
	}
	if err != nil {
		return nil, err
	}
	if len(body) == 0 {
		return nil, &Missing{Reason: fmt.Sprintf("the api answered %d with nothing", a.Status)}
	}
	if !event.ValidJSON(body) {
		return nil, errors.New("the api's answer is not JSON: check hydrate.url, and hydrate.headers for an Accept")
	}
	if s.rule.path == "" {
		return body, nil
	}
	found := gjson.GetBytes(body, s.rule.path)
	switch {
	case !found.Exists():
		return nil, permanent("the api's answer has nothing at hydrate.path")
	case found.Type == gjson.Null:
		return nil, &Missing{Reason: "the api's answer has null at hydrate.path"}
	}
	return []byte(found.Raw), nil
}
