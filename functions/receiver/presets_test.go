package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"pushpull/shared/config"
	"pushpull/shared/provider"
	"pushpull/shared/telemetry"
	"pushpull/shared/webhook"
)

// A hook is a source that uses a preset, with secrets of its own, and the
// preset's samples as its provider would send them.
type hook struct {
	name        string
	config      config.Webhook
	credentials webhook.Credentials
	samples     []webhook.Request // signed
}

func (h *hook) secretRef() string { return "ssm:/" + h.name }
func (h *hook) tokenRef() string  { return "ssm:/" + h.name + "/token" }

// verifyToken is the text at each hook's verify_token.
const verifyToken = "a-token-that-nobody-guesses-0123456789"

// offline answers every fetch as a network does that is down.
type offline struct{}

func (offline) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("no network") }

// An orchard is a receiver with a source for each preset that is asked for.
type orchard struct {
	*world
	hooks   map[string]*hook // those that were asked for
	visited []string         // addresses that handshakes had it fetch
}

// hook is that of a preset, made when it is asked for; nil of one that has no
// webhook, or takes anything.
func (o *orchard) hook(tb testing.TB, name string) *hook {
	tb.Helper()
	if h, ok := o.hooks[name]; ok {
		return h
	}
	h, err := planted.hook(name)
	if err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	o.hooks[name] = h
	if h != nil {
		o.config.sources[name] = config.Source{Webhook: &h.config}
		o.store(h)
	}
	return h
}

// all are the hooks of every preset.
func (o *orchard) all(tb testing.TB) []*hook {
	tb.Helper()
	var hooks []*hook
	for _, name := range provider.Names() {
		if h := o.hook(tb, name); h != nil {
			hooks = append(hooks, h)
		}
	}
	return hooks
}

// A nursery keeps the hooks that were made: keys take long to make.
type nursery struct {
	mu     sync.Mutex
	folder string // of keys that would be fetched
	pairs  map[string][2]string
	hooks  map[string]*hook
}

var planted = &nursery{pairs: map[string][2]string{}, hooks: map[string]*hook{}}

func (n *nursery) hook(name string) (*hook, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if h, ok := n.hooks[name]; ok {
		return h, nil
	}
	h, err := plant(name, n.folder, n.pairs)
	if err == nil {
		n.hooks[name] = h
	}
	return h, err
}

func TestMain(m *testing.M) {
	var err error
	if planted.folder, err = os.MkdirTemp("", "keys"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(planted.folder)
	os.Exit(code)
}

// plant makes a hook of a preset; nil of one that has no webhook, or that takes anything.
func plant(name, folder string, pairs map[string][2]string) (*hook, error) {
	p, err := provider.Load(name)
	if err != nil || p.Webhook == nil || p.Webhook.Auth.Scheme == "none" {
		return nil, err
	}
	h := &hook{name: name}
	with := map[string]string{}
	for parameter := range p.Parameters {
		with[parameter] = "sample-" + parameter
	}
	text, err := json.Marshal(p.Webhook.Webhook)
	if err != nil {
		return nil, err
	}
	var raw map[string]any
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, err
	}
	provider.FillIn(raw, with)
	provider.FillInToken(raw["auth"].(map[string]any), h.tokenRef())
	if text, err = json.Marshal(raw); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &h.config); err != nil {
		return nil, err
	}
	h.config.Secret, h.config.VerifyToken = config.Secrets{h.secretRef()}, config.Secrets{h.tokenRef()}
	secret, private, err := newSecret(*h.config.Auth, pairs)
	if err != nil {
		return nil, err
	}
	h.credentials = webhook.Credentials{Secrets: []string{secret}, Own: map[string]string{h.tokenRef(): verifyToken}, Private: private, VerifyToken: verifyToken}
	for _, s := range p.Samples {
		r := requestOf(name, s.Fill(s.Type, with, sampleTime))
		if err := publish(h, r, folder); err != nil {
			return nil, err
		}
		if err := webhook.Sign(*h.config.Auth, h.credentials, &r, "", sampleTime); err != nil {
			return nil, err
		}
		h.samples = append(h.samples, r)
	}
	return h, nil
}

// newSecret makes of key pairs one of a kind, as an RSA key takes long.
func newSecret(auth config.Auth, pairs map[string][2]string) (secret, private string, err error) {
	text, _ := json.Marshal(auth)
	kind := ""
	for _, one := range []string{`"rsa`, `"RS256`, `"PS256`} {
		if strings.Contains(string(text), one) {
			kind = "rsa"
		}
	}
	if pair, ok := pairs[kind]; ok && kind != "" {
		return pair[0], pair[1], nil
	}
	secret, private, err = webhook.NewSecret(auth)
	pairs[kind] = [2]string{secret, private}
	return secret, private, err
}

func requestOf(name string, s provider.Sample) webhook.Request {
	r := webhook.Request{
		Method: "POST", Path: "/webhooks/" + name, RawQuery: s.Query, URL: "https://hooks.example.com/webhooks/" + name,
		Body: []byte(s.Body), SourceIP: "192.0.2.1",
	}
	if s.Method != "" {
		r.Method = s.Method
	}
	if s.Query != "" {
		r.URL += "?" + s.Query
	}
	switch s.ContentType {
	case "":
		r.Header.Set("Content-Type", "application/json")
	case "none":
	default:
		r.Header.Set("Content-Type", s.ContentType)
	}
	for _, header := range slices.Sorted(maps.Keys(s.Headers)) {
		r.Header.Set(header, s.Headers[header])
	}
	return r
}

// publish puts the key that signs where a fetched document would be.
func publish(h *hook, r webhook.Request, folder string) error {
	if !webhook.FetchesKey(*h.config.Auth) {
		return nil
	}
	address, document, err := webhook.KeyDocument(*h.config.Auth, r, h.credentials.Private, sampleTime)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, webhook.KeyFile(address)), document, 0o600)
}

func newOrchard(tb testing.TB) *orchard {
	tb.Helper()
	o := &orchard{hooks: map[string]*hook{}, world: &world{
		config:  &fakeConfig{sources: map[string]config.Source{}},
		secrets: &fakeSecrets{cached: map[string]string{}, now: map[string]string{}},
		queue:   &fakeQueue{}, logged: &bytes.Buffer{}, metered: &bytes.Buffer{},
	}}
	now := func() time.Time { return sampleTime.Add(time.Second) }
	o.handler = &handler{
		config: o.config, secrets: o.secrets, queue: o.queue, now: now,
		keys:    webhook.NewKeys(&http.Client{Transport: offline{}}, planted.folder, now),
		visit:   func(_ context.Context, address string) error { o.visited = append(o.visited, address); return nil },
		log:     telemetry.NewLogger(o.logged, slog.LevelDebug.String()),
		metrics: telemetry.NewMetrics(o.metered, now),
	}
	return o
}

// store puts a hook's secrets where they are kept.
func (o *orchard) store(h *hook) {
	for _, values := range []map[string]string{o.secrets.now, o.secrets.cached} {
		values[h.secretRef()], values[h.tokenRef()] = h.credentials.Secrets[0], verifyToken
	}
}

// forget forgets what one request left behind.
func (o *orchard) forget() {
	o.queue.taken, o.visited = nil, nil
	o.logged.Reset()
	o.metered.Reset()
}

// send sends a request as the gateway would hand it over.
func (o *orchard) send(tb testing.TB, r webhook.Request) answer {
	tb.Helper()
	return o.invoke(context.Background(), tb, invocation(r))
}

// invocation is the request as an HTTP API hands it over. Fields that are there
// twice stay so.
func invocation(r webhook.Request) []byte {
	text := func(s string) string {
		b, _ := json.Marshal(s) // a text always can be
		return string(b)
	}
	body, inBase64 := string(r.Body), "false"
	if !utf8.Valid(r.Body) {
		body, inBase64 = base64.StdEncoding.EncodeToString(r.Body), "true"
	}
	fields := make([]string, len(r.Header))
	for i, f := range r.Header {
		fields[i] = text(f.Name) + ":" + text(f.Value)
	}
	return []byte(`{"version":"2.0","rawPath":` + text(r.Path) + `,"rawQueryString":` + text(r.RawQuery) +
		`,"headers":{` + strings.Join(fields, ",") + `},"requestContext":{"domainName":"hooks.example.com","requestId":"request-1","http":{"method":` +
		text(r.Method) + `,"sourceIp":` + text(r.SourceIP) + `}},"body":` + text(body) + `,"isBase64Encoded":` + inBase64 + `}`)
}

// again is a copy of a request that may be changed.
func again(r webhook.Request) webhook.Request {
	r.Header, r.Body = slices.Clone(r.Header), slices.Clone(r.Body)
	return r
}

func TestEverySampleOfEveryPresetIsQueuedByTheHandler(t *testing.T) {
	t.Parallel()
	o := newOrchard(t)
	hooks := o.all(t)
	if len(hooks) < 150 {
		t.Errorf("%d presets", len(hooks))
	}
	for _, h := range hooks {
		if h.config.Auth.Scheme == "mtls" {
			continue
		}
		for i, r := range h.samples {
			o.forget()
			got := o.send(t, r)
			if got.Status > 299 || len(o.queue.taken) == 0 {
				t.Errorf("%s, sample %d: answered %d, queued %d: %s", h.name, i, got.Status, len(o.queue.taken), o.logged)
			}
		}
	}
}
