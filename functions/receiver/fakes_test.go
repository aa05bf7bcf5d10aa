package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pushpull/events"
	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/privacy"
	"pushpull/shared/provider"
	"pushpull/shared/secret"
	"pushpull/shared/telemetry"
)

// The secrets that the samples are signed with, and when those were whose time is signed.
const (
	sampleSecret   = "It's a Secret to Everybody"
	standardSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
)

var sampleTime = time.Date(2025, 12, 1, 8, 0, 0, 0, time.UTC)

// fakeConfig is a configuration in a map.
type fakeConfig struct {
	sources map[string]config.Source
	broken  error
}

func (c *fakeConfig) Source(name string) (config.Source, error) {
	if c.broken != nil {
		return config.Source{}, c.broken
	}
	s, ok := c.sources[name]
	if !ok {
		return config.Source{}, fmt.Errorf("source %q: %w", name, config.ErrUnknown) // as config.Compiled has it
	}
	return s, nil
}

// fakeSecrets is a store whose cache is behind: All gives what it read first,
// Fresh what is there now.
type fakeSecrets struct {
	mu       sync.Mutex
	now      map[string]string // as they are at the store
	cached   map[string]string // as they were read last
	broken   error
	anew     int                // calls of Fresh
	behind   map[string]string  // what Fresh still has, as it was read a moment ago
	rival    func(*fakeSecrets) // writes after each Put, as another receiver might
	anewFail error
}

func (s *fakeSecrets) All(_ context.Context, refs []string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ref := range refs {
		if _, ok := s.cached[ref]; ok {
			continue
		}
		value, ok := s.now[ref]
		if s.broken != nil || !ok {
			return nil, secret.ErrUnresolved
		}
		s.cached[ref] = value
	}
	return s.values(refs), nil
}

func (s *fakeSecrets) Fresh(_ context.Context, refs []string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.anew++
	if s.anewFail != nil {
		return nil, s.anewFail
	}
	maps.Copy(s.cached, s.now)
	maps.Copy(s.cached, s.behind)
	for _, ref := range refs {
		if _, there := s.now[ref]; !there {
			return nil, secret.ErrAbsent
		}
	}
	return s.values(refs), nil
}

func (s *fakeSecrets) Anew(_ context.Context, ref string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	value, there := s.now[ref]
	if !there {
		return "", secret.ErrAbsent
	}
	s.cached[ref] = value
	return value, nil
}

func (s *fakeSecrets) Put(_ context.Context, ref, value string, replace bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.now[ref]; there && !replace {
		return secret.ErrTaken
	}
	s.now[ref] = value
	delete(s.cached, ref)
	if s.rival != nil {
		s.rival(s)
	}
	return nil
}

func (s *fakeSecrets) values(refs []string) []string {
	values := make([]string, len(refs))
	for i, ref := range refs {
		values[i] = s.cached[ref]
	}
	return values
}

// fakeQueue keeps what it took, as it is encoded.
type fakeQueue struct {
	mu     sync.Mutex
	taken  []event.Event
	broken error
	panics any
	hangs  bool
}

func (q *fakeQueue) SendEvents(ctx context.Context, events ...event.Event) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.panics != nil {
		panic(q.panics)
	}
	if q.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	if q.broken != nil {
		return q.broken
	}
	for _, e := range events {
		b, err := event.Encode(e)
		if err != nil {
			return err
		}
		decoded, err := event.Decode(b)
		if err != nil {
			return err
		}
		q.taken = append(q.taken, decoded)
	}
	return nil
}

// A world is a receiver with everything around it.
type world struct {
	*handler
	config  *fakeConfig
	secrets *fakeSecrets
	queue   *fakeQueue
	logged  *bytes.Buffer
	metered *bytes.Buffer
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	w := &world{
		config: &fakeConfig{sources: map[string]config.Source{
			"github":   preset(tb, "github", "ssm:/github"),
			"stripe":   preset(tb, "stripe", "ssm:/stripe"),
			"standard": preset(tb, "standard-webhooks", "ssm:/standard"),
			"polled":   {Poll: config.Polls{{}}},
			"open":     {Webhook: &config.Webhook{Auth: &config.Auth{Scheme: "none"}}},
			"rotating": preset(tb, "github", "ssm:/old", "ssm:/github"),
			"small":    {Webhook: &config.Webhook{Auth: &config.Auth{Scheme: "none"}, MaxBody: 8}},
			"hollow":   {Webhook: &config.Webhook{}},
			"wrong":    {Webhook: &config.Webhook{Auth: &config.Auth{Scheme: "none"}, Event: &event.Spec{Type: event.Choices{{Value: "{"}}}}},
			"lost":     preset(tb, "github", "ssm:/lost"),
			"empty":    preset(tb, "github", "ssm:/empty"),
		}},
		secrets: &fakeSecrets{cached: map[string]string{}, now: map[string]string{
			"ssm:/github": sampleSecret, "ssm:/stripe": sampleSecret, "ssm:/standard": standardSecret, "ssm:/old": "old", "ssm:/empty": "",
		}},
		queue: &fakeQueue{}, logged: &bytes.Buffer{}, metered: &bytes.Buffer{},
	}
	now := func() time.Time { return sampleTime.Add(time.Second) }
	w.handler = &handler{
		config: w.config, secrets: w.secrets, queue: w.queue, now: now,
		hides: privacy.NewEnv(privacy.Options{Secrets: w.secrets, Now: now}),
		log:   telemetry.NewLogger(w.logged, slog.LevelDebug.String()), metrics: telemetry.NewMetrics(w.metered, now),
	}
	return w
}

func preset(tb testing.TB, name string, secrets ...string) config.Source {
	tb.Helper()
	p, err := provider.Load(name)
	if err != nil {
		tb.Fatal(err)
	}
	hook := new(p.Webhook.Webhook)
	hook.Secret = secrets
	return config.Source{Webhook: hook}
}

// An answer is what the gateway is told.
type answer struct {
	Status  int               `json:"statusCode"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Base64  bool              `json:"isBase64Encoded"`
}

// invoke sends one invocation. Whatever it is, the answer has a form.
func (w *world) invoke(ctx context.Context, tb testing.TB, payload []byte) answer {
	tb.Helper()
	out, err := w.Invoke(ctx, payload)
	if err != nil {
		tb.Fatalf("an error instead of an answer: %v", err)
	}
	var a answer
	d := json.NewDecoder(bytes.NewReader(out))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		tb.Fatalf("%v: %s", err, out)
	}
	return a
}

// sample is a sample invocation; change, where it is not nil, changes it first.
func sample(tb testing.TB, name string, change func(m map[string]any)) []byte {
	tb.Helper()
	b, err := events.Files.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	if change == nil {
		return b
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		tb.Fatal(err)
	}
	change(m)
	if b, err = json.Marshal(m); err != nil {
		tb.Fatal(err)
	}
	return b
}

// at turns the invocation towards another path.
func at(path string) func(map[string]any) {
	return func(m map[string]any) { m["rawPath"] = path }
}

// with sets a header, or takes it away where the value is empty.
func with(name, value string) func(map[string]any) {
	return func(m map[string]any) {
		headers := m["headers"].(map[string]any)
		if headers[name] = value; value == "" {
			delete(headers, name)
		}
	}
}

func all(changes ...func(map[string]any)) func(map[string]any) {
	return func(m map[string]any) {
		for _, change := range changes {
			change(m)
		}
	}
}

// lines are the log's lines.
func (w *world) lines(tb testing.TB) []map[string]any {
	tb.Helper()
	var lines []map[string]any
	for line := range strings.Lines(w.logged.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			tb.Fatal(err)
		}
		lines = append(lines, m)
	}
	return lines
}

// bodyOfSample is the body within a sample.
func bodyOfSample(tb testing.TB, name string) []byte {
	tb.Helper()
	r, err := readRequest(sample(tb, name, nil))
	if err != nil {
		tb.Fatal(err)
	}
	if err := r.decodeBody(1 << 20); err != nil {
		tb.Fatal(err)
	}
	return slices.Clone(r.body)
}

func longHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// shortHash is what tells two events of one identity apart.
func shortHash(s string) string { return longHash(s)[:16] }
