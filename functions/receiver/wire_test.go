package main

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pushpull/shared/config/load"
	"pushpull/shared/event"
)

// sqs answers as SQS does, keeps what it was sent, and refuses while it is told to.
type sqs struct {
	mu      sync.Mutex
	refuses bool
	bodies  []string
}

func (s *sqs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var in struct {
		Entries []struct{ Id, MessageBody string }
	}
	b, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(b, &in) != nil || s.refuses || !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ") {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"__type":"com.amazon.coral.service#AccessDeniedException"}`)
		return
	}
	type taken struct{ Id, MessageId string }
	var out struct{ Successful []taken }
	for _, e := range in.Entries {
		s.bodies = append(s.bodies, e.MessageBody)
		out.Successful = append(out.Successful, taken{e.Id, "m"})
	}
	_ = json.NewEncoder(w).Encode(out)
}

// TestWire sends a sample through everything that main wires: the compiled
// configuration, a secret, and a queue over HTTP.
func TestWire(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"sources.yaml":      "sources:\n  github:\n    webhook: { provider: github, secret: env:GITHUB_SECRET }\n",
		"destinations.yaml": "destinations:\n  archive: { kind: file, path: x.ndjson }\n",
		"routes.yaml":       "routes:\n  - { from: github, to: archive }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if problems, err := load.Write(dir); err != nil || len(load.Errors(problems)) > 0 {
		t.Fatal(problems, err)
	}
	queue := &sqs{}
	server := httptest.NewServer(queue)
	defer server.Close()
	env := map[string]string{
		"PUSHPULL_CONFIG": dir, "GITHUB_SECRET": sampleSecret, "EVENT_QUEUE_URL": server.URL + "/123456789012/events",
		"BODIES": "file://" + filepath.ToSlash(t.TempDir()), "AWS_ENDPOINT_URL": server.URL,
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key",
	}
	h, err := wire(func(name string) string { return env[name] }, slog.New(slog.DiscardHandler), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{handler: h}
	if got := w.invoke(t.Context(), t, sample(t, "github-push.json", nil)); got.Status != 202 {
		t.Fatalf("answered %d: %s", got.Status, got.Body)
	}
	if len(queue.bodies) != 1 {
		t.Fatalf("%d messages on the queue, want one", len(queue.bodies))
	}
	e, err := event.Decode([]byte(queue.bodies[0]))
	if err != nil {
		t.Fatal(err)
	}
	if e.Source != "github" || e.Type != "push" || string(e.Data) != string(bodyOfSample(t, "github-push.json")) {
		t.Errorf("on the queue: %+v", e)
	}
	queue.refuses = true
	if got := w.invoke(t.Context(), t, sample(t, "github-push.json", nil)); got.Status != 503 || got.Headers["retry-after"] == "" {
		t.Errorf("a queue that refuses: answered %d with %v", got.Status, got.Headers)
	}
}

func TestWireSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		env  map[string]string
		says string
	}{
		"no queue":         {nil, "EVENT_QUEUE_URL is empty"},
		"no configuration": {map[string]string{"EVENT_QUEUE_URL": "https://q", "PUSHPULL_CONFIG": t.TempDir()}, "configuration"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := wire(func(name string) string { return tt.env[name] }, slog.New(slog.DiscardHandler), io.Discard)
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v, want one that says %q", err, tt.says)
			}
		})
	}
}
