package presets

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"pushpull/shared/config"
	"pushpull/shared/provider"
	"pushpull/shared/webhook"
)

// A sender is the provider of one source, with its secrets.
type sender struct {
	*system
	name   string
	preset provider.Preset
	hook   config.Webhook
}

func (s *system) sender(t *testing.T, name string) sender {
	t.Helper()
	source, err := s.config.Source(name)
	if err != nil {
		t.Fatal(err)
	}
	return sender{system: s, name: name, preset: load(t, name), hook: *source.Webhook}
}

// values are what the references stand for; of what was handed over, line by line.
func (p sender) values(t *testing.T, refs []string) []string {
	t.Helper()
	var all []string
	for _, ref := range refs {
		value, err := p.secrets.Value(ref)
		if err != nil {
			t.Fatal(err)
		}
		if kept(p.hook) {
			all = append(all, strings.Fields(value)...)
		} else {
			all = append(all, value)
		}
	}
	return all
}

func kept(hook config.Webhook) bool {
	for _, h := range hook.Handshakes {
		if h.Keep != "" {
			return true
		}
	}
	return false
}

func (p sender) secret(t *testing.T) string {
	t.Helper()
	return p.values(t, p.hook.Secret)[0]
}

func (p sender) token(t *testing.T) string {
	t.Helper()
	value, err := p.secrets.Value(p.hook.VerifyToken[0])
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// request is a sample, filled in and not signed.
func (p sender) request(s provider.Sample) webhook.Request {
	s = s.Fill(s.Type, p.hook.With, time.Now())
	r := webhook.Request{Method: s.Method, RawQuery: s.Query, Body: []byte(s.Body)}
	switch s.ContentType {
	case "":
		r.Header.Set("Content-Type", "application/json")
	case "none":
	default:
		r.Header.Set("Content-Type", s.ContentType)
	}
	for name, value := range s.Headers {
		r.Header.Set(name, value)
	}
	return r
}

// signed is the request as the provider would sign it.
func (p sender) signed(t *testing.T, r webhook.Request) webhook.Request {
	t.Helper()
	at := time.Now()
	r = p.addressed(r)
	known := webhook.Credentials{Private: p.private(t, r, at)}
	if webhook.UsesSecret(*p.hook.Auth) {
		known.Secrets = p.values(t, p.hook.Secret)
	}
	for _, ref := range webhook.References(*p.hook.Auth) {
		value, err := p.secrets.Value(ref)
		if err != nil {
			t.Fatal(err)
		}
		known.Own = map[string]string{ref: value}
	}
	if err := webhook.Sign(*p.hook.Auth, known, &r, "msg_for_"+p.name, at); err != nil {
		t.Fatal(err)
	}
	return r
}

// private is the key that signs; where the receiver would fetch its public half,
// that is where it looks.
func (p sender) private(t *testing.T, r webhook.Request, at time.Time) string {
	t.Helper()
	key, err := p.keys.Private(p.hook, r, at)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (p sender) addressed(r webhook.Request) webhook.Request {
	if r.Method == "" {
		r.Method = http.MethodPost
	}
	r.Path = "/webhooks/" + p.name
	r.URL = "https://" + strings.TrimPrefix(p.URL, "http://") + r.Path
	if r.RawQuery != "" {
		r.URL += "?" + r.RawQuery
	}
	return r
}

// An answer is what the front door said.
type answer struct {
	Status int
	Type   string
	Body   string
	header http.Header
}

// send sends the request as it is.
func (p sender) send(ctx context.Context, t *testing.T, r webhook.Request) answer {
	t.Helper()
	r = p.addressed(r)
	url := p.URL + r.Path
	if r.RawQuery != "" {
		url += "?" + r.RawQuery
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, url, bytes.NewReader(r.Body))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Header {
		req.Header.Add(f.Name, f.Value)
	}
	req.Host = r.Header.Get("Host")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{Status: res.StatusCode, Type: res.Header.Get("Content-Type"), Body: string(body), header: res.Header}
}
