package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/apiauth"
	"pushpull/shared/budget"
	"pushpull/shared/config"
)

var (
	_ Auth   = (*apiauth.Authenticator)(nil)
	_ Budget = (*budget.Store)(nil)
)

const key = "k-3f9a"

// auth is a credential that may be renewed.
type auth struct {
	mu          sync.Mutex
	tokens      []string // the first is in use
	certificate *tls.Certificate
	clock       time.Time
}

func (a *auth) Apply(_ context.Context, req *http.Request, _ []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	req.Header.Set("Authorization", "Bearer "+a.tokens[0])
	q := req.URL.Query()
	q.Set("key", a.tokens[0])
	req.URL.RawQuery = q.Encode()
	return nil
}

func (a *auth) Refused(context.Context, *http.Request) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.tokens) == 1 {
		return false
	}
	a.tokens = a.tokens[1:]
	return true
}

func (a *auth) Clock(server time.Time) { a.clock = server }
func (a *auth) Key() string            { return "credential" }
func (a *auth) ClientCertificate(context.Context) (*tls.Certificate, error) {
	return a.certificate, nil
}

// api is a stand-in and a client for it, which does not truly sleep.
type api struct {
	*Client
	url   *url.URL
	slept []time.Duration
	auth  *auth

	mu    sync.Mutex
	asked int
	lines []string // of the stand-in's own choice
}

func (a *api) requests() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked
}

func (a *api) noted() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.lines
}

func (a *api) note(line string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lines = append(a.lines, line)
}

type setup struct {
	c      Config
	o      Options
	tokens []string
	handle func(a *api, n int, w http.ResponseWriter, r *http.Request) // n counts requests, from 1
}

func (s setup) open(t *testing.T) *api {
	t.Helper()
	a := &api{auth: &auth{tokens: s.tokens}}
	if a.auth.tokens == nil {
		a.auth.tokens = []string{key}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		a.asked++
		n := a.asked
		a.mu.Unlock()
		s.handle(a, n, w, r)
	}))
	t.Cleanup(server.Close)
	a.url = parse(server.URL)
	if s.c.Base == nil {
		s.c.Base = a.url
	}
	s.o.Auth = a.auth
	if s.o.Sleep == nil {
		s.o.Sleep = func(_ context.Context, d time.Duration) error {
			a.slept = append(a.slept, d)
			return nil
		}
	}
	var err error
	if a.Client, err = New(s.c, s.o); err != nil {
		t.Fatal(err)
	}
	return a
}

func parse(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil {
		panic(err)
	}
	return u
}

// get asks for /things and reads the answer.
func (a *api) get(t *testing.T, r Request) (string, error) {
	t.Helper()
	if r.URL == nil {
		r.URL = a.url.JoinPath("things")
	}
	answer, err := a.Do(t.Context(), r)
	if err != nil {
		if strings.Contains(err.Error(), key) || strings.Contains(err.Error(), "?") {
			t.Errorf("the error holds the query or the credential: %v", err)
		}
		return "", err
	}
	body, err := answer.All(1 << 20)
	return string(body), err
}

func TestARequest(t *testing.T) {
	t.Parallel()
	a := setup{handle: func(a *api, _ int, w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		for _, name := range []string{"User-Agent", "Accept", "Accept-Encoding", "Authorization", "X-Version"} {
			a.note(name + ": " + r.Header.Get(name))
		}
		a.note(r.Method + " " + r.URL.String() + " " + string(body))
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = z.Write([]byte("\xef\xbb\xbf[1]"))
		_ = z.Close()
	}}.open(t)
	u := a.url.JoinPath("v1", "search")
	u.RawQuery = "q=a"
	got, err := a.get(t, Request{Method: "POST", URL: u, Header: http.Header{"X-Version": {"7"}}, Body: []byte(`{}`)})
	if err != nil || got != "[1]" {
		t.Errorf("got %q, %v", got, err)
	}
	want := []string{
		"User-Agent: pushpull/1", "Accept: application/json, */*;q=0.5", "Accept-Encoding: gzip",
		"Authorization: Bearer " + key, "X-Version: 7", "POST /v1/search?key=" + key + "&q=a {}",
	}
	if diff := cmp.Diff(want, a.noted()); diff != "" {
		t.Error(diff)
	}
}

func TestTheServersClock(t *testing.T) {
	t.Parallel()
	local := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	a := setup{
		o: Options{Now: func() time.Time { return local }},
		handle: func(_ *api, n int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", map[int]string{1: "Wed, 25 Nov 2026 08:00:00 GMT", 2: "never", 3: "Fri, 31 Dec 9999 08:00:00 GMT", 4: "Thu, 01 Jan 1970 00:00:00 GMT"}[n])
		},
	}.open(t)
	for _, want := range []time.Time{local.Add(-time.Hour), local, local, local} {
		answer, err := a.Do(t.Context(), Request{URL: a.url})
		if err != nil {
			t.Fatal(err)
		}
		if !answer.Server.Equal(want) {
			t.Errorf("Server = %v, want %v", answer.Server, want)
		}
		_ = answer.Body.Close()
	}
}

func TestValidators(t *testing.T) {
	t.Parallel()
	both := Request{ETag: `W/"a"`, LastModified: "Wed, 25 Nov 2026 08:00:00 GMT"}
	for _, test := range []struct {
		name, conditional string
		r                 Request
		want              []string
	}{
		{"none are sent unless configured", "", both, []string{"", ""}},
		{"the tag alone", "etag", both, []string{`W/"a"`, ""}},
		{"the date alone", "last_modified", both, []string{"", both.LastModified}},
		{"of both, the tag", "both", both, []string{`W/"a"`, ""}},
		{"of both, the date where there was no tag", "both", Request{LastModified: both.LastModified}, []string{"", both.LastModified}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := setup{c: Config{Conditional: test.conditional}, handle: func(a *api, _ int, w http.ResponseWriter, r *http.Request) {
				a.note(r.Header.Get("If-None-Match"))
				a.note(r.Header.Get("If-Modified-Since"))
				w.WriteHeader(http.StatusNotModified)
			}}.open(t)
			test.r.URL = a.url
			answer, err := a.Do(t.Context(), test.r)
			if err != nil || answer.Status != http.StatusNotModified {
				t.Fatalf("got %+v, %v", answer, err)
			}
			if diff := cmp.Diff(test.want, a.noted()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// kind is an error's, with its status.
func kind(err error) string {
	if e, ok := errors.AsType[*Limited](err); ok {
		return fmt.Sprintf("limited %d", e.Status)
	}
	if e, ok := errors.AsType[*Permanent](err); ok {
		return fmt.Sprintf("permanent %d", e.Status)
	}
	if e, ok := errors.AsType[*Expired](err); ok {
		return fmt.Sprintf("expired %d", e.Status)
	}
	if e, ok := errors.AsType[*TooLarge](err); ok {
		return fmt.Sprintf("too large %d", e.Status)
	}
	if err != nil {
		return "passing"
	}
	return "ok"
}

func TestJudge(t *testing.T) {
	t.Parallel()
	gone := &config.OnExpired{}
	plaid := &config.OnExpired{Status: []int{400}, When: `.body.error_code == "CURSOR_TOO_OLD"`}
	graphql := &config.RateLimit{LimitedWhen: `any(.body.errors[]?; .code == "THROTTLED")`}
	for _, test := range []struct {
		name     string
		c        Config
		ok       []int
		status   int
		header   string
		body     string
		want     string
		requests int
	}{
		{"200", Config{}, nil, 200, "", "[]", "ok", 1},
		{"204 without a body", Config{}, nil, 204, "", "", "ok", 1},
		{"206", Config{}, nil, 206, "", "[]", "ok", 1},
		{"300 is not an answer", Config{}, nil, 300, "", "", "permanent 300", 1},
		{"400", Config{}, nil, 400, "", "", "permanent 400", 1},
		{"401", Config{}, nil, 401, "", "", "permanent 401", 1},
		{"403", Config{}, nil, 403, "", "", "permanent 403", 1},
		{"404", Config{}, nil, 404, "", "", "permanent 404", 1},
		{"408 passes", Config{}, nil, 408, "", "", "passing", 3},
		{"409", Config{}, nil, 409, "", "", "permanent 409", 1},
		{"409 that is configured passes", Config{Retry: &config.RequestRetry{Statuses: []int{409}}}, nil, 409, "", "", "passing", 3},
		{"410", Config{}, nil, 410, "", "", "permanent 410", 1},
		{"410 of a cursor", Config{Expired: gone}, nil, 410, "", "", "expired 410", 1},
		{"400 of a cursor, by its body", Config{Expired: plaid}, nil, 400, "", `{"error_code":"CURSOR_TOO_OLD"}`, "expired 400", 1},
		{"400 of something else", Config{Expired: plaid}, nil, 400, "", `{"error_code":"OTHER"}`, "permanent 400", 1},
		{"400 that is not JSON", Config{Expired: plaid}, nil, 400, "", `<html>`, "permanent 400", 1},
		{"412 that is wanted", Config{Expired: &config.OnExpired{Status: []int{412}}}, []int{412}, 412, "", "{}", "ok", 1},
		{"425 passes", Config{}, nil, 425, "", "", "passing", 3},
		{"429 that asks for an hour", Config{}, nil, 429, "Retry-After: 3600", "", "limited 429", 1},
		{"429 that asks for a second", Config{}, nil, 429, "Retry-After: 1", "", "limited 429", 3},
		{"429 that asks for nothing", Config{}, nil, 429, "", "", "limited 429", 1},
		{"403 of a limit", Config{}, nil, 403, "Retry-After: 3600", "", "limited 403", 1},
		{"403 of a limit that only the body tells", Config{}, nil, 403, "", `{"message":"a secondary rate limit"}`, "limited 403", 1},
		{"400 of a limit", Config{RateLimit: graphql}, nil, 400, "", `{"errors":[{"code":"THROTTLED"}]}`, "limited 400", 1},
		{"200 of a limit", Config{RateLimit: graphql}, nil, 200, "", `{"errors":[{"code":"THROTTLED"}]}`, "limited 200", 1},
		{"200 of no limit, which had to be read", Config{RateLimit: graphql}, nil, 200, "", `{"data":1}`, "ok", 1},
		{"500 passes", Config{}, nil, 500, "", "", "passing", 3},
		{"attempts are configured", Config{Retry: &config.RequestRetry{Attempts: 5}}, nil, 500, "", "", "passing", 5},
		{"502 of a page that is too large", Config{Retry: &config.RequestRetry{ShrinkPageOn: []int{502}}}, nil, 502, "", "", "too large 502", 1},
		{"503 that asks for an hour", Config{}, nil, 503, "Retry-After: 3600", "", "limited 503", 1},
		{"503 that asks for nothing passes", Config{}, nil, 503, "", "", "passing", 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := setup{c: test.c, handle: func(_ *api, _ int, w http.ResponseWriter, _ *http.Request) {
				if name, value, ok := strings.Cut(test.header, ": "); ok {
					w.Header().Set(name, value)
				}
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			}}.open(t)
			body, err := a.get(t, Request{OK: test.ok})
			if got := kind(err); got != test.want {
				t.Errorf("%s (%v), want %s", got, err, test.want)
			}
			if err == nil && body != test.body {
				t.Errorf("body %q, want %q", body, test.body)
			}
			if a.requests() != test.requests {
				t.Errorf("%d requests, want %d", a.requests(), test.requests)
			}
			for i, d := range a.slept {
				if test.status != 429 && d > time.Second<<i {
					t.Errorf("slept %v before attempt %d", d, i+2)
				}
				if test.status == 429 && d < time.Second-50*time.Millisecond {
					t.Errorf("slept %v, want the second that was asked for", d)
				}
			}
		})
	}
}

func TestRetries(t *testing.T) {
	t.Parallel()
	fails := func(times int) func(*api, int, http.ResponseWriter, *http.Request) {
		return func(_ *api, n int, w http.ResponseWriter, _ *http.Request) {
			if n <= times {
				panic(http.ErrAbortHandler) // the connection breaks
			}
			_, _ = io.WriteString(w, "[]")
		}
	}
	t.Run("a connection that breaks is tried again", func(t *testing.T) {
		t.Parallel()
		a := setup{handle: fails(2)}.open(t)
		if got, err := a.get(t, Request{Method: "POST"}); err != nil || got != "[]" {
			t.Errorf("got %q, %v", got, err)
		}
	})
	t.Run("but not where it is not known what it changed", func(t *testing.T) {
		t.Parallel()
		a := setup{handle: fails(1)}.open(t)
		if _, err := a.get(t, Request{Method: "POST", Once: true}); kind(err) != "passing" || a.requests() != 1 {
			t.Errorf("%d requests, %v", a.requests(), err)
		}
	})
	t.Run("a status is known, so that one is", func(t *testing.T) {
		t.Parallel()
		a := setup{handle: func(_ *api, n int, w http.ResponseWriter, _ *http.Request) {
			if n == 1 {
				w.WriteHeader(http.StatusBadGateway)
			}
		}}.open(t)
		if _, err := a.get(t, Request{Method: "POST", Once: true}); err != nil || a.requests() != 2 {
			t.Errorf("%d requests, %v", a.requests(), err)
		}
	})
	t.Run("a wait that would outlast the time left is not begun", func(t *testing.T) {
		t.Parallel()
		a := setup{handle: func(_ *api, _ int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "20")
			w.WriteHeader(http.StatusTooManyRequests)
		}}.open(t)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := a.Do(ctx, Request{URL: a.url})
		if kind(err) != "limited 429" || a.requests() != 1 || len(a.slept) != 0 {
			t.Errorf("%d requests, slept %v, %v", a.requests(), a.slept, err)
		}
	})
	t.Run("all waits for limits together are bounded", func(t *testing.T) {
		t.Parallel()
		a := setup{o: Options{MaxWait: 50 * time.Second}, handle: func(_ *api, _ int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(http.StatusTooManyRequests)
		}}.open(t)
		if _, err := a.get(t, Request{}); kind(err) != "limited 429" || len(a.slept) != 1 {
			t.Errorf("slept %v, %v", a.slept, err)
		}
	})
	t.Run("who cancels is obeyed", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		a := setup{handle: func(_ *api, _ int, w http.ResponseWriter, _ *http.Request) {
			cancel()
			w.WriteHeader(http.StatusBadGateway)
		}}.open(t)
		if _, err := a.Do(ctx, Request{URL: a.url}); err == nil || a.requests() != 1 {
			t.Errorf("%d requests, %v", a.requests(), err)
		}
	})
}

func TestARefusedCredential(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		tokens   []string
		want     string
		requests int
	}{
		{"that was renewed is tried once more", []string{"old", key}, "ok", 2},
		{"that was not is final", []string{"old"}, "permanent 401", 1},
		{"that was renewed in vain is final", []string{"old", "older", key}, "permanent 401", 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := setup{tokens: test.tokens, handle: func(_ *api, _ int, w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "Bearer "+key {
					w.WriteHeader(http.StatusUnauthorized)
				}
			}}.open(t)
			if _, err := a.get(t, Request{}); kind(err) != test.want || a.requests() != test.requests {
				t.Errorf("%d requests, %v", a.requests(), err)
			}
			if a.auth.clock.IsZero() {
				t.Error("the credential was not told the API's clock")
			}
		})
	}
}

func TestTime(t *testing.T) {
	t.Parallel()
	hang := func(r *http.Request) { <-r.Context().Done() }
	for _, test := range []struct {
		name   string
		handle func(w http.ResponseWriter, r *http.Request)
		want   string // in the error
	}{
		{"an answer that does not begin", func(_ http.ResponseWriter, r *http.Request) { hang(r) }, "raise request.timeout"},
		{"a body that stops", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "[1,")
			w.(http.Flusher).Flush()
			hang(r)
		}, "raise request.timeout"},
		{"a body that drips", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, " ")
				w.(http.Flusher).Flush()
				<-time.After(10 * time.Millisecond)
			}
		}, "raise request.timeout"},
		{"a body that is cut short", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "[1,")
		}, "unexpected EOF"},
		{"a packed body that is cut short", func(w http.ResponseWriter, _ *http.Request) {
			var packed bytes.Buffer
			z := gzip.NewWriter(&packed)
			_, _ = io.WriteString(z, "[1,2,3]")
			_ = z.Close()
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed.Bytes()[:packed.Len()-6])
		}, "unexpected EOF"},
		{"a body that says gzip and is not", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "[1,2,3] is longer than a header")
		}, "says gzip and is not"},
		{"a body that is too large", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(make([]byte, 1<<20+1))
		}, "raise request.max_bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := setup{c: Config{Timeout: 200 * time.Millisecond, Retry: &config.RequestRetry{Attempts: 1}}, handle: func(_ *api, _ int, w http.ResponseWriter, r *http.Request) {
				test.handle(w, r)
			}}.open(t)
			began := time.Now()
			_, err := a.get(t, Request{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("err = %v, want one with %q", err, test.want)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestTheTimeBetweenReadsIsTheReaders(t *testing.T) {
	t.Parallel()
	a := setup{c: Config{Timeout: 50 * time.Millisecond}, handle: func(_ *api, _ int, w http.ResponseWriter, _ *http.Request) {
		for range 64 {
			_, _ = w.Write(make([]byte, 64<<10))
		}
	}}.open(t)
	answer, err := a.Do(t.Context(), Request{URL: a.url})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	for total := 0; ; {
		n, err := io.CopyN(io.Discard, answer.Body, 1<<20)
		total += int(n)
		if err == io.EOF { //nolint:errorlint // as a Reader's contract has it
			if total != 4<<20 {
				t.Errorf("read %d bytes", total)
			}
			return
		}
		if err != nil {
			t.Fatalf("after %d bytes: %v", total, err)
		}
		<-time.After(60 * time.Millisecond) // longer than the timeout
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	base := parse("https://api.example.com")
	for _, test := range []struct {
		name string
		c    Config
		want string
	}{
		{"no address", Config{}, "base_url is missing"},
		{"a limit's condition", Config{Base: base, RateLimit: &config.RateLimit{LimitedWhen: "("}}, "rate_limit.limited_when: "},
		{"an expiry's condition", Config{Base: base, Expired: &config.OnExpired{When: "("}}, "incremental.on_expired.when: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := New(test.c, Options{}); err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("err = %v, want %q", err, test.want)
			}
		})
	}
}

// purse is a budget that remembers.
type purse struct {
	mu    sync.Mutex
	until time.Time
	took  []budget.Limit
	keys  []string
	told  []time.Time
}

func (p *purse) Take(_ context.Context, key string, l budget.Limit, _ time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys, p.took = append(p.keys, key), append(p.took, l)
	if !p.until.IsZero() {
		return &budget.Wait{Until: p.until}
	}
	return nil
}

func (p *purse) Told(_ context.Context, key string, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys, p.told = append(p.keys, key), append(p.told, until)
}

func TestBudget(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)
	limit := &config.RateLimit{Requests: 10, Reserve: "10%"}
	open := func(t *testing.T, p *purse, o Options, c config.RateLimit, header string) *api {
		o.Budget, o.Now = p, func() time.Time { return now }
		return setup{c: Config{RateLimit: &c}, o: o, handle: func(_ *api, _ int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", "Wed, 25 Nov 2026 07:00:00 GMT")
			if name, value, ok := strings.Cut(header, ": "); ok {
				w.Header().Set("X-RateLimit-Remaining", "0")
				w.Header().Set(name, value)
			}
		}}.open(t)
	}
	t.Run("each request takes from it", func(t *testing.T) {
		t.Parallel()
		p := &purse{}
		a := open(t, p, Options{Share: 0.5}, *limit, "")
		if _, err := a.get(t, Request{}); err != nil {
			t.Fatal(err)
		}
		want := []budget.Limit{{Requests: 10, Per: time.Minute, Reserve: 0.1, Share: 0.5}}
		if diff := cmp.Diff(want, p.took); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{a.url.Host + "/credential"}, p.keys); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a limit of the source is its own", func(t *testing.T) {
		t.Parallel()
		p, own := &purse{}, *limit
		own.Scope = "source"
		a := open(t, p, Options{Source: "desk"}, own, "")
		if _, err := a.get(t, Request{}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{a.url.Host + "/credential/desk"}, p.keys); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("without room no request is made", func(t *testing.T) {
		t.Parallel()
		p := &purse{until: now.Add(time.Minute)}
		a := open(t, p, Options{}, *limit, "")
		_, err := a.get(t, Request{})
		if limited, ok := errors.AsType[*Limited](err); !ok || !limited.Until.Equal(p.until) || a.requests() != 0 {
			t.Errorf("%d requests, %v", a.requests(), err)
		}
	})
	t.Run("it is told when the last request was made, by our clock", func(t *testing.T) {
		t.Parallel()
		p := &purse{}
		a := open(t, p, Options{}, *limit, "X-RateLimit-Reset: 1795590090") // 90 s after the API's time
		if _, err := a.get(t, Request{}); err != nil {
			t.Fatal(err)
		}
		if len(p.told) != 1 || !p.told[0].Equal(now.Add(90*time.Second)) {
			t.Errorf("told %v", p.told)
		}
	})
}

func TestRecord(t *testing.T) {
	t.Parallel()
	var got []Exchange
	at := time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)
	a := setup{
		o: Options{Now: func() time.Time { return at }, Record: func(x Exchange) { x.Took = 0; got = append(got, x) }},
		handle: func(_ *api, n int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Set-Cookie", "session="+key)
			w.Header()["Date"] = nil
			if n == 1 {
				w.WriteHeader(http.StatusBadGateway)
			}
			_, _ = fmt.Fprintf(w, "[%d]", n)
		},
	}.open(t)
	if _, err := a.get(t, Request{Header: http.Header{"X-Version": {"7"}}}); err != nil {
		t.Fatal(err)
	}
	exchange := func(status int, body string) Exchange {
		return Exchange{
			URL: a.url.JoinPath("things"), Header: http.Header{"X-Version": {"7"}}, At: at, Status: status,
			AnswerHeader: http.Header{"Content-Length": {"3"}, "Content-Type": {"text/plain; charset=utf-8"}}, AnswerBody: []byte(body),
		}
	}
	if diff := cmp.Diff([]Exchange{exchange(502, "[1]"), exchange(200, "[2]")}, got); diff != "" {
		t.Error(diff)
	}
}
