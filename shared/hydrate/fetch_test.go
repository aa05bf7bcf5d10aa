package hydrate

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pushpull/shared/config"
	"pushpull/shared/event"
)

type fixed string

func (f fixed) All(context.Context, []string) ([]string, error) { return []string{string(f)}, nil }

func (f fixed) Fresh(context.Context, []string) ([]string, error) { return []string{string(f)}, nil }

func open(t *testing.T, c config.Hydrate) *Source {
	t.Helper()
	c.Token = config.Secrets{"env:KEY"}
	if c.Auth == nil {
		c.Auth = &config.PollAuth{Type: "bearer"}
	}
	s, err := Open(c, NewEnv(fixed("hunter2"), time.Now))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAnAddressThatTheEventCarriesIsFetchedWithTheCredential(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "example.com" || r.Header.Get("Authorization") != "Basic hunter2" || r.Header.Get("Accept") != "application/json" {
			t.Errorf("%s %v", r.Host, r.Header)
		}
		_, _ = io.WriteString(w, `{"path":"`+r.RequestURI+`"}`)
	}))
	t.Cleanup(server.Close)
	s := open(t, config.Hydrate{
		URL: urls("{body.resource_url}"), Hosts: config.Names{`example\.com`},
		Auth: &config.PollAuth{Type: "api_key", In: "header", Name: "Authorization", Prefix: "Basic"},
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
			if !is[*Permanent](err) || !strings.Contains(err.Error(), "not on the public internet") {
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
		{"no JSON", "", 200, "", `<html>`, "retryable", 0},
		{"JSON that ends too early", "", 200, "", `{"a":`, "retryable", 0},
		{"refused", "", 403, "", `{}`, "retryable", 0},
		{"limited", "", 429, "120", `{}`, "retryable", 2 * time.Minute},
		{"unwell", "", 503, "30", `{}`, "retryable", 30 * time.Second},
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
			s := open(t, config.Hydrate{URL: urls(server.URL + "/x"), Path: test.path})
			out, err := s.Fetch(t.Context(), event.Event{Data: []byte(`{}`)})
			got, after := string(out.Data), time.Duration(0)
			if is[*Missing](err) {
				got = "missing"
			} else if is[*Permanent](err) {
				got = "permanent"
			} else if is[*Retryable](err) {
				got, after = "retryable", asRetryable(err).After
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
	s := open(t, config.Hydrate{URL: urls(server.URL + "/{body.id}"), Auth: &config.PollAuth{Type: "api_key", In: "query", Name: "key"}})
	_, err := s.Fetch(t.Context(), event.Event{Data: []byte(`{"id":"payload"}`)})
	if !is[*Retryable](err) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "payload") {
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
	if _, err := s.Fetch(t.Context(), event.Event{Data: []byte(`{}`)}); !is[*Retryable](err) {
		t.Errorf("%v", err)
	}
}

func asRetryable(err error) *Retryable {
	r, _ := errors.AsType[*Retryable](err)
	return r
}
