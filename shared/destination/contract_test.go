package destination

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pushpull/shared/apiauth"
	"pushpull/shared/config"
	"pushpull/shared/event"
)

// rig is a destination of a kind that works, and what it has got.
type rig struct {
	Destination
	got func(t *testing.T) []string // the ids of the events, in any order
}

// rigs has a line for each kind.
var rigs = map[string]func(t *testing.T) rig{
	"http":        httpRig,
	"file":        fileRig,
	"eventbridge": cloudRig("eventbridge"),
	"firehose":    cloudRig("firehose"),
	"kinesis":     cloudRig("kinesis"),
	"lambda":      cloudRig("lambda"),
	"s3":          cloudRig("s3"),
	"sns":         cloudRig("sns"),
	"sqs":         cloudRig("sqs"),
	"log":         logRig,
	"postgres":    postgresRig,
	"slack":       slackRig,
}

func httpRig(t *testing.T) rig {
	var mu sync.Mutex
	var ids []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		mu.Lock()
		defer mu.Unlock()
		ids = append(ids, r.Header.Get("ce-id"))
	}))
	t.Cleanup(s.Close)
	d := openTest(t, config.Destination{Kind: "http", URL: s.URL, AllowPrivate: true}, nil)
	return rig{d, func(*testing.T) []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(ids)
	}}
}

func fileRig(t *testing.T) rig {
	path := filepath.Join(t.TempDir(), "deep", "down", "events.ndjson")
	d := openTest(t, config.Destination{Kind: "file", Path: path}, nil)
	return rig{d, func(t *testing.T) []string {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for line := range strings.Lines(string(b)) {
			e, err := event.Decode([]byte(line))
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, e.ID)
		}
		return ids
	}}
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func at() time.Time { return noon }

func openTest(t *testing.T, c config.Destination, secrets apiauth.Secrets) Destination {
	t.Helper()
	d, err := Open(c, NewEnv(Options{Secrets: secrets, Data: t.TempDir(), Now: at}))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func sample(id string) event.Event {
	return event.Event{
		ID: id, Source: "github", Type: "issues", Time: noon.Add(-time.Minute), Subject: "issue 17", Version: "3",
		ContentType: "application/json", Data: []byte("{\n  \"n\": 1\n}\n"), Transport: event.Webhook,
		ReceivedTime: noon.Add(-time.Second), VerifiedTime: noon.Add(-time.Second), CorrelationID: "c-1",
		TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	}
}

func TestEveryKind(t *testing.T) {
	t.Parallel()
	tags := map[string]bool{}
	for f := range reflect.TypeFor[config.Destination]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		tags[name] = true
	}
	for _, k := range Kinds() {
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			for _, text := range []string{k.Doc, k.Idempotency, k.Limits} {
				if !strings.HasSuffix(text, ".") || strings.Contains(text, "\n") {
					t.Errorf("its documentation is not one sentence: %q", text)
				}
			}
			for _, f := range k.Fields {
				if !tags[f] {
					t.Errorf("its field %s is not one of config.Destination", f)
				}
			}
			if _, err := os.Stat(k.Name + ".go"); err != nil {
				t.Error(err)
			}
			documented(t, k)
			if rigs[k.Name] == nil {
				t.Fatal("it has no line in the contract test")
			}
			contract(t, rigs[k.Name])
		})
	}
}

// documented: the kind has a section, which names the rights that it needs.
func documented(t *testing.T, k Kind) {
	t.Helper()
	text, err := os.ReadFile("../../docs/destinations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n## "+k.Name+"\n")
	if !found {
		t.Fatal("docs/destinations.md has no section on it")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	want := []string{"kind: " + k.Name, "**IAM**", "**Twice**", "**Limits**"}
	if k.Permissions != nil {
		for _, p := range k.Permissions(config.Destination{}) {
			want = append(want, p.Actions...)
		}
	}
	for _, w := range want {
		if !strings.Contains(section, w) {
			t.Errorf("its section in docs/destinations.md has no %q", w)
		}
	}
}

func contract(t *testing.T, open func(*testing.T) rig) {
	t.Run("all events delivered at once arrive, each once", func(t *testing.T) {
		t.Parallel()
		r := open(t)
		var wg sync.WaitGroup
		var want []string
		for i := range 40 {
			id := fmt.Sprintf("event-%02d", i)
			want = append(want, id)
			wg.Go(func() {
				if _, err := r.Deliver(t.Context(), sample(id)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := slices.Sorted(slices.Values(r.got(t))); !slices.Equal(want, got) {
			t.Errorf("it got %v", got)
		}
	})
	t.Run("a delivery that ran out of time may be tried again", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := open(t).Deliver(ctx, sample("1"))
		if _, ok := errors.AsType[*Retryable](err); !ok {
			t.Errorf("the error is %v, want a *Retryable", err)
		}
	})
	t.Run("any bytes are delivered, none at all too", func(t *testing.T) {
		t.Parallel()
		r := open(t)
		for i, data := range [][]byte{nil, {}, {0, '\n', 255}, []byte("\"a\\u0000b\""), []byte("not json\r\n")} {
			e := sample(fmt.Sprint("shape ", i))
			e.Data = data
			if _, err := r.Deliver(t.Context(), e); err != nil {
				t.Errorf("%q: %v", data, err)
			}
		}
		if n := len(r.got(t)); n != 5 {
			t.Errorf("%d arrived, want 5", n)
		}
	})
}

func TestOpenRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		c    config.Destination
		want string
	}{
		{"an unknown kind names those there are", config.Destination{Kind: "htpp"}, "write one of eventbridge, file"},
		{"a file without a path", config.Destination{Kind: "file"}, "path: is empty"},
		{"an http destination without a URL", config.Destination{Kind: "http"}, "url: is not"},
		{"a URL of another scheme", config.Destination{Kind: "http", URL: "ftp://example.com"}, "url: is not"},
		{"a status that is none", config.Destination{Kind: "http", URL: "https://example.com", Responses: &config.Responses{Success: config.Statuses{"6xx"}}}, "responses.success: \"6xx\" is no status"},
		{"a range of statuses that ends before it begins", config.Destination{Kind: "http", URL: "https://example.com", Responses: &config.Responses{Retry: config.Statuses{"409-404"}}}, "responses.retry"},
		{"an auth that lacks its token", config.Destination{Kind: "http", URL: "https://example.com", Auth: &config.APIAuth{Type: "bearer"}}, "token: is missing"},
		{"a slack destination that knows nowhere to post", config.Destination{Kind: "slack"}, "webhook_url: is missing"},
		{"a slack app without a channel", config.Destination{Kind: "slack", Token: config.Secrets{"env:T"}}, "webhook_url: is missing"},
		{"a message that is no jq", config.Destination{Kind: "slack", WebhookURL: config.Secrets{"env:W"}, Message: ".a ||"}, "message: jq"},
		{"a log where there is none", config.Destination{Kind: "log"}, "there is no log here"},
		{"a URL without a host", config.Destination{Kind: "http", URL: "https:///in"}, "url: is not"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := Open(test.c, NewEnv(Options{Now: at}))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v, want one with %q", err, test.want)
			}
		})
	}
}
