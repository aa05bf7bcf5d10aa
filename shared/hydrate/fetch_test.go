package hydrate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pushpull/shared/api"
	"pushpull/shared/apiauth"
	"pushpull/shared/budget"
	"pushpull/shared/config"
	"pushpull/shared/event"
)

type fixed string

func (f fixed) All(_ context.Context, refs []string) ([]string, error) {
	values := make([]string, len(refs))
	for i := range values {
		values[i] = string(f)
	}
	return values, nil
}

func (f fixed) Fresh(ctx context.Context, refs []string) ([]string, error) { return f.All(ctx, refs) }

func (f fixed) Anew(context.Context, string) (string, error) { return string(f), nil }

func (f fixed) Put(context.Context, string, string, bool) error { return nil }

func at(now func() time.Time) *Env {
	return NewEnv(Options{
		Secrets: fixed("hunter2"), Now: now, Sleep: func(context.Context, time.Duration) error { return nil },
	})
}

func open(t *testing.T, c config.Hydrate) *Source {
	t.Helper()
	return openIn(t, c, at(time.Now))
}

func openIn(t *testing.T, c config.Hydrate, env *Env) *Source {
	t.Helper()
	if c.Auth == nil {
		c.Auth = &config.APIAuth{Type: "bearer"}
	}
	if len(c.Token) == 0 && c.Auth.Type != "none" {
		c.Token = config.Secrets{"env:KEY"}
	}
	s, err := Open("shop", c, env)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAnAddressThatTheEventCarriesIsFetchedWithTheCredential(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "example.com" || r.Header.Get("Authorization") != "Basic hunter2" || !strings.HasPrefix(r.Header.Get("Accept"), "application/json") {
			t.Errorf("%s %v", r.Host, r.Header)
		}
		_, _ = io.WriteString(w, `{"path":"`+r.RequestURI+`"}`)
	}))
	t.Cleanup(server.Close)
	s := open(t, config.Hydrate{
		URL: urls("{body.resource_url}"), Hosts: config.Names{`example\.com`},
		Auth: &config.APIAuth{Type: "api_key", In: "header", Name: "Authorization", Prefix: "Basic"},
	})
	// Every name leads to the server, whose certificate is of example.com.
	transport := server.Client().Transport.(*http.Transport).Clone()
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	}
	s.env.guarded.Transport = transport
	in := event.Event{ID: "1", Type: "t", Data: []byte(`{"resource_url":"https://example.com/orders?batch=1"}`), ContentType: "text/json"}
	out, err := s.Fetch(t.Context(), in)
	if err != nil || string(out.Data) != `{"path":"/orders?batch=1"}` || out.ContentType != "application/json" || out.ID != "1" {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestOnlyALoopbackAddressThatIsWrittenOutIsConnectedTo(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, url, data string
		hosts           config.Names
	}{
		{"a private address that is written out", "https://10.0.0.1/x", `{}`, nil},
		{"the metadata service", "https://169.254.169.254/x", `{}`, nil},
		{"a loopback address that the event carries", "{body.u}", `{"u":"https://127.0.0.1/x"}`, config.Names{".*"}},
		{"a loopback name that the event carries", "{body.u}", `{"u":"https://localhost/x"}`, config.Names{".*"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, config.Hydrate{URL: urls(test.url), Hosts: test.hosts})
			_, err := s.Fetch(t.Context(), event.Event{Data: []byte(test.data)})
			if !is[*api.Permanent](err) || !strings.Contains(err.Error(), "not a public address") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestWhatAnAnswerMeans(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		path   string
		status int
		retry  string
		body   string
		want   string // the data, or the error's kind
		after  time.Duration
	}{
		{"the whole", "", 200, "", `{"a":1}`, `{"a":1}`, 0},
		{"a part", "data.0.x", 200, "", `{"data":[{"x":{"y":2}}]}`, `{"y":2}`, 0},
		{"a part that is null", "data", 200, "", `{"data":null}`, "missing", 0},
		{"a part that is not there", "data", 200, "", `{"errors":[]}`, "permanent", 0},
		{"nothing", "", 204, "", ``, "missing", 0},
		{"not found", "", 404, "", `{}`, "missing", 0},
		{"gone", "", 410, "", `{}`, "missing", 0},
		{"no JSON", "", 200, "", `<html>`, "passes", 0},
		{"JSON that ends too early", "", 200, "", `{"a":`, "passes", 0},
		{"refused", "", 403, "", `{}`, "passes", 0},
		{"limited", "", 429, "120", `{}`, "limited", 2 * time.Minute},
		{"unwell", "", 503, "30", `{}`, "limited", 30 * time.Second},
		{"unwell without a time", "", 502, "", `{}`, "passes", 0},
		{"in conflict", "", 409, "", `{}`, "passes", 0},
		{"bad", "", 422, "", `{}`, "permanent", 0},
		{"a redirect", "", 308, "", ``, "permanent", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if test.retry != "" {
					w.Header().Set("Retry-After", test.retry)
				}
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			}))
			t.Cleanup(server.Close)
			now := time.Now()
			s := openIn(t, config.Hydrate{URL: urls(server.URL + "/x"), Path: test.path}, at(func() time.Time { return now }))
			out, err := s.Fetch(t.Context(), event.Event{Data: []byte(`{}`)})
			got, after := string(out.Data), time.Duration(0)
			if limited, ok := errors.AsType[*api.Limited](err); ok {
				got, after = "limited", limited.Until.Sub(now)
			} else if is[*Missing](err) {
				got = "missing"
			} else if is[*api.Permanent](err) {
				got = "permanent"
			} else if err != nil {
				got = "passes"
			}
			if got != test.want || after != test.after {
				t.Errorf("%s after %s, want %s after %s: %v", got, after, test.want, test.after, err)
			}
		})
	}
}

func TestAnErrorQuotesNoCredential(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close() // nobody listens
	s := open(t, config.Hydrate{URL: urls(server.URL + "/{body.id}"), Auth: &config.APIAuth{Type: "api_key", In: "query", Name: "key"}})
	_, err := s.Fetch(t.Context(), event.Event{Data: []byte(`{"id":"payload"}`)})
	if err == nil || is[*api.Permanent](err) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "payload") {
		t.Errorf("%v", err)
	}
}

func TestASlowAPIIsCutOff(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(release) })
	s := open(t, config.Hydrate{URL: urls(server.URL), Timeout: config.Duration(50 * time.Millisecond)})
	if _, err := s.Fetch(t.Context(), event.Event{Data: []byte(`{}`)}); err == nil || is[*api.Permanent](err) {
		t.Errorf("%v", err)
	}
}

// counting is a provider's API that answers with how often it was asked.
type counting struct {
	url   string
	asked atomic.Int64
	came  chan struct{} // has one for each request
	let   chan struct{} // answers wait for it to be closed; nil for none
}

func newCounting(t *testing.T, let chan struct{}) *counting {
	t.Helper()
	c := &counting{let: let, came: make(chan struct{}, 1000)}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

func (c *counting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := c.asked.Add(1)
	c.came <- struct{}{}
	if c.let != nil {
		<-c.let
	}
	_, _ = fmt.Fprintf(w, `{"n":%d,"tenant":%q}`, n, r.Header.Get("X-Tenant"))
}

// clock is set by hand.
type clock struct{ ns atomic.Int64 }

func (c *clock) Now() time.Time { return time.Unix(0, c.ns.Load()) }

func (c *clock) Add(d time.Duration) time.Time { return time.Unix(0, c.ns.Add(int64(d))) }

func thing(received time.Time, data string) event.Event {
	return event.Event{ID: "1", Type: "t", Data: []byte(data), ReceivedTime: received}
}

func TestABurstOfEventsForOneThingIsFetchedOnce(t *testing.T) {
	t.Parallel()
	c := &clock{}
	received := c.Add(time.Hour)
	c.Add(time.Second)
	let := make(chan struct{})
	a := newCounting(t, let)
	s := openIn(t, config.Hydrate{URL: urls(a.url + "/{body.id}"), Cache: config.Duration(10 * time.Second)}, at(c.Now))
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			if i == 0 {
				close(let)
			}
			out, err := s.Fetch(t.Context(), thing(received, `{"id":1}`))
			if err != nil || string(out.Data) != `{"n":1,"tenant":""}` || !out.Hydrated {
				t.Errorf("%+v, %v", out, err)
			}
		})
	}
	wg.Wait()
	if n := a.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestWhichAnswersServeAnotherEvent(t *testing.T) {
	t.Parallel()
	const cache = 10 * time.Second
	for _, test := range []struct {
		name     string
		cache    time.Duration
		after    time.Duration // of the first fetch, the second is made
		received time.Duration // of the second event, after the first fetch
		data     string
		asked    int64
	}{
		{"one that was received before the fetch", cache, time.Second, -time.Second, `{"id":1,"tenant":"a"}`, 1},
		{"one that was received after the fetch is fetched again", cache, time.Second, time.Millisecond, `{"id":1,"tenant":"a"}`, 2},
		{"one that was received with the fetch is fetched again, as clocks differ", cache, time.Second, 0, `{"id":1,"tenant":"a"}`, 2},
		{"a thing of another id is fetched", cache, time.Second, -time.Second, `{"id":2,"tenant":"a"}`, 2},
		{"a thing of another tenant is fetched", cache, time.Second, -time.Second, `{"id":1,"tenant":"b"}`, 2},
		{"an answer that is too old serves no more", cache, cache, -time.Second, `{"id":1,"tenant":"a"}`, 2},
		{"without a cache an answer serves no more once it is there", 0, 0, -time.Second, `{"id":1,"tenant":"a"}`, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := &clock{}
			fetched := c.Add(time.Hour)
			a := newCounting(t, nil)
			s := openIn(t, config.Hydrate{
				URL: urls(a.url + "/{body.id}"), Headers: map[string]string{"X-Tenant": "{body.tenant}"}, Cache: config.Duration(test.cache),
			}, at(c.Now))
			if _, err := s.Fetch(t.Context(), thing(fetched.Add(-time.Minute), `{"id":1,"tenant":"a"}`)); err != nil {
				t.Fatal(err)
			}
			c.Add(test.after)
			if _, err := s.Fetch(t.Context(), thing(fetched.Add(test.received), test.data)); err != nil {
				t.Fatal(err)
			}
			if n := a.asked.Load(); n != test.asked {
				t.Errorf("asked %d times, want %d", n, test.asked)
			}
		})
	}
}

func TestAChangeThatArrivesDuringAFetchIsFetchedAgain(t *testing.T) {
	t.Parallel()
	c := &clock{}
	before := c.Add(time.Hour)
	c.Add(time.Minute)
	let := make(chan struct{})
	a := newCounting(t, let)
	s := openIn(t, config.Hydrate{URL: urls(a.url + "/{body.id}"), Cache: config.Duration(time.Hour)}, at(c.Now))
	var wg sync.WaitGroup
	fetch := func(received time.Time, want string) {
		wg.Go(func() {
			out, err := s.Fetch(t.Context(), thing(received, `{"id":1}`))
			if err != nil || string(out.Data) != want {
				t.Errorf("%q, %v; want %q", out.Data, err, want)
			}
		})
	}
	fetch(before, `{"n":1,"tenant":""}`)
	<-a.came
	during := c.Add(time.Minute)
	c.Add(time.Minute)
	fetch(during, `{"n":2,"tenant":""}`)
	<-a.came
	close(let)
	wg.Wait()
	// What was asked for last is what serves now.
	fetch(during, `{"n":2,"tenant":""}`)
	wg.Wait()
	if n := a.asked.Load(); n != 2 {
		t.Errorf("asked %d times", n)
	}
}

func TestAnErrorServesNobodyElse(t *testing.T) {
	t.Parallel()
	c := &clock{}
	received := c.Add(time.Hour)
	c.Add(time.Minute)
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = io.WriteString(w, `{}`)
	}))
	t.Cleanup(server.Close)
	s := openIn(t, config.Hydrate{URL: urls(server.URL), Cache: config.Duration(time.Hour)}, at(c.Now))
	if _, err := s.Fetch(t.Context(), thing(received, `{}`)); !is[*Missing](err) {
		t.Errorf("%v", err)
	}
	if _, err := s.Fetch(t.Context(), thing(received, `{}`)); err != nil {
		t.Errorf("%v", err)
	}
}

func TestAnswersThatAreKeptAreBounded(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	a := &answers{keep: time.Hour, now: func() time.Time { return now }, latest: map[string]*answer{}}
	for i := range 100 {
		_, err := a.get(t.Context(), fmt.Sprint(i), time.Time{}, func() ([]byte, error) { return make([]byte, 1<<20), nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	if a.size > mostKept || len(a.latest) != len(a.kept) || len(a.kept) != mostKept>>20 {
		t.Errorf("%d bytes in %d answers, %d in all", a.size, len(a.kept), len(a.latest))
	}
	now = now.Add(time.Hour)
	a.find("x", time.Time{})
	if a.size != 0 || len(a.latest) != 1 || len(a.kept) != 0 {
		t.Errorf("%d bytes in %d answers, %d in all, after an hour", a.size, len(a.kept), len(a.latest))
	}
}

// account notes who takes from which budget.
type account struct {
	mu   sync.Mutex
	took []string
	full time.Time
}

func (a *account) Take(_ context.Context, key string, l budget.Limit, _ time.Duration) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.took = append(a.took, fmt.Sprint(key, l))
	if !a.full.IsZero() {
		return &budget.Wait{Until: a.full}
	}
	return nil
}

func (a *account) Told(context.Context, string, time.Time) {}

func TestTheBudgetIsThatOfAPollWithTheSameCredential(t *testing.T) {
	t.Parallel()
	address := newCounting(t, nil).url
	base, err := url.Parse(address + "/v1")
	if err != nil {
		t.Fatal(err)
	}
	auth, limit, spent := &config.APIAuth{Type: "bearer"}, &config.RateLimit{Requests: 10}, &account{}
	env := at(time.Now)
	env.o.Budget = spent
	polls, err := apiauth.New(auth, apiauth.Options{Token: config.Secrets{"env:KEY"}, Base: base, Store: fixed("hunter2")})
	if err != nil {
		t.Fatal(err)
	}
	poll, err := api.New(api.Config{Base: base, RateLimit: limit}, api.Options{Auth: polls, Budget: spent})
	if err != nil {
		t.Fatal(err)
	}
	a, err := poll.Do(t.Context(), api.Request{URL: base.JoinPath("events")})
	if err != nil {
		t.Fatal(err)
	}
	_ = a.Body.Close()
	s := openIn(t, config.Hydrate{URL: urls(address + "/v1/things/{body.id}"), Auth: auth, RateLimit: limit}, env)
	if _, err := s.Fetch(t.Context(), thing(time.Time{}, `{"id":1}`)); err != nil {
		t.Fatal(err)
	}
	if len(spent.took) != 2 || spent.took[0] != spent.took[1] {
		t.Errorf("%q", spent.took)
	}
	spent.full = time.Now().Add(time.Hour)
	_, err = s.Fetch(t.Context(), thing(time.Time{}, `{"id":1}`))
	limited, ok := errors.AsType[*api.Limited](err)
	if !ok || !limited.Until.Equal(spent.full) {
		t.Errorf("%v, want to be told to come back at %s", err, spent.full)
	}
}

func TestACredentialThatCannotBeHadMayBeMended(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":"invalid_client"}`)
	}))
	t.Cleanup(server.Close)
	s := openIn(t, config.Hydrate{
		URL: urls(server.URL + "/things"), With: map[string]string{"client_id": "app"}, Secrets: map[string]config.Secrets{"client_secret": {"env:SECRET"}},
		Token: config.Secrets{}, Auth: &config.APIAuth{Type: "oauth2", Grant: "client_credentials", TokenURL: "/token", ClientID: "{client_id}"},
	}, at(time.Now))
	_, err := s.Fetch(t.Context(), thing(time.Time{}, `{}`))
	if err == nil || is[*api.Permanent](err) || !strings.HasPrefix(err.Error(), "hydrate.auth.") {
		t.Errorf("%v", err)
	}
}

func TestASourceThatCannotBeUsedSaysWhy(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		c    config.Hydrate
		want string
	}{
		{"without a token", config.Hydrate{URL: urls("https://a.example/x"), Auth: &config.APIAuth{Type: "bearer"}}, "token: is missing"},
		{"without a token, where the event carries the address", config.Hydrate{URL: urls("{body.u}"), Hosts: config.Names{"a"}, Auth: &config.APIAuth{Type: "bearer"}}, "token: is missing"},
		{"with a condition that is none", config.Hydrate{URL: urls("https://a.example/x"), RateLimit: &config.RateLimit{LimitedWhen: ".a |"}}, "limited_when"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Open("shop", test.c, at(time.Now)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}
