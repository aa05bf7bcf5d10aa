package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"pushpull/shared/api"
	"pushpull/shared/apiauth"
	"pushpull/shared/config"
	"pushpull/shared/config/load"
	"pushpull/shared/event"
	"pushpull/shared/pull"
	"pushpull/shared/webhook"
)

// secrets are as the local stack makes them: random text, a value a reference.
func secrets(_ context.Context, ref string) (string, error) { return "value-of-" + ref, nil }

// fakeSecrets gives the same, to whoever polls.
type fakeSecrets struct{ apiauth.Secrets }

func (fakeSecrets) All(ctx context.Context, refs []string) ([]string, error) {
	value, err := secrets(ctx, refs[0])
	return []string{value}, err
}

func open(t *testing.T, o Options) *Sandbox {
	t.Helper()
	o.Secret = secrets
	if o.File == "" {
		o.File = filepath.Join(t.TempDir(), "sandbox.db")
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// loaded is the configuration as the functions get it.
func loaded(t *testing.T, url string) config.Config {
	t.Helper()
	cfg, problems := load.Load([]load.File{{Name: "sandbox.yaml", Data: Config(url)}})
	for _, p := range problems {
		t.Error(p)
	}
	return cfg
}

func TestTheConfigurationDescribesTheWebhooks(t *testing.T) {
	t.Parallel()
	cfg := loaded(t, "http://127.0.0.1:9999").Sources[Name]
	verifier, err := webhook.Compile(*cfg.Webhook.Auth)
	if err != nil {
		t.Fatal(err)
	}
	secret, _ := secrets(t.Context(), WebhookSecret)
	got := make(chan error, 1)
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		var h webhook.Header
		for name, values := range r.Header {
			h = append(h, webhook.Field{Name: name, Value: values[0]})
		}
		select {
		case got <- verifier.Verify(t.Context(), webhook.Credentials{Secrets: []string{secret}}, webhook.Request{Method: r.Method, Path: r.URL.Path, Header: h, Body: b}, time.Now()):
		default:
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	defer gateway.Close()
	s := open(t, Options{Webhooks: gateway.URL})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	select {
	case err := <-got:
		if err != nil {
			t.Errorf("the webhook does not verify: %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("no webhook came")
	}
	cancel()
	wg.Wait()
}

func TestTheConfigurationDescribesTheApi(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	server := httptest.NewServer(s)
	defer server.Close()
	const n = 230 // three pages
	for range n {
		if _, err := s.happen(); err != nil {
			t.Fatal(err)
		}
	}
	poll := loaded(t, server.URL).Sources[Name].Poll[0]
	identify, err := event.Compile(*poll.Event)
	if err != nil {
		t.Fatal(err)
	}
	auth, err := apiauth.New(poll.Auth, apiauth.Options{Token: poll.Token, Store: fakeSecrets{}})
	if err != nil {
		t.Fatal(err)
	}
	source, err := pull.New(poll, pull.Options{API: api.Options{Auth: auth}})
	if err != nil {
		t.Fatal(err)
	}
	var i, pages int
	for page, err := range source.Run(t.Context(), pull.State{}) {
		if err != nil {
			t.Fatal(err)
		}
		pages++
		for _, record := range page.Records {
			want := s.shop.entries[i]
			if diff := cmp.Diff(string(want.Body), string(record.Data)); diff != "" {
				t.Fatal(diff)
			}
			f := identify.Identify(event.Input{Body: record.Data})
			wantFields := event.Fields{ID: want.ID, Type: "order." + want.Status, Time: want.Created, Entity: want.Order}
			if diff := cmp.Diff(wantFields, f); diff != "" {
				t.Fatal(diff)
			}
			i++
		}
	}
	if i != n || pages != 3 {
		t.Errorf("%d records on %d pages", i, pages)
	}
}

func TestTheApiRefusesWhatItDoesNotUnderstand(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	token, _ := secrets(t.Context(), TokenSecret)
	for _, tt := range []struct {
		name, url, token string
		want             int
	}{
		{"no token", "/api/events", "", 401},
		{"another token", "/api/events", "x", 401},
		{"a time that is none", "/api/events?created[gte]=soon", token, 400},
		{"a cursor that is none", "/api/events?cursor=%21", token, 400},
		{"a limit over the most", "/api/events?limit=101", token, 400},
		{"an empty shop", "/api/events?limit=1", token, 200},
		{"the counts", "/", "", 200},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, tt.url, nil)
		r.Header.Set("Authorization", "Bearer "+tt.token)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != tt.want {
			t.Errorf("%s: %d %s", tt.name, w.Code, w.Body)
		}
	}
}

// deliver posts to the inbox as an http destination does.
func deliver(t *testing.T, s *Sandbox, secret, id string, body []byte) int {
	t.Helper()
	wh, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		if wh, err = standardwebhooks.NewWebhookRaw([]byte(secret)); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	signature, err := wh.Sign(id, now, body)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/inbox", bytes.NewReader(body))
	r.Header.Set(standardwebhooks.HeaderWebhookID, id)
	r.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	r.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code
}

func TestTheInboxCountsOnceTwiceAndNeverAlsoAfterARestart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "data", "sandbox.db")
	s := open(t, Options{File: file})
	for range 3 {
		if _, err := s.happen(); err != nil {
			t.Fatal(err)
		}
	}
	secret, _ := secrets(t.Context(), InboxSecret)
	first, second := s.shop.entries[0], s.shop.entries[1] // the second is lost
	for _, e := range []*entry{first, first, second} {
		if code := deliver(t, s, secret, e.ID, e.Body); code != http.StatusNoContent {
			t.Fatalf("the answer is %d", code)
		}
	}
	if code := deliver(t, s, "another", first.ID, first.Body); code != http.StatusUnauthorized {
		t.Errorf("a foreign signature is answered %d", code)
	}
	want := Stats{Made: 3, Lost: 1, Healed: 1, Delivered: 2, DeliveredTwice: 1, Waiting: 1}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, Options{File: file})
	if diff := cmp.Diff(want, s.Stats()); diff != "" {
		t.Error(diff)
	}
	id, err := s.happen()
	if err != nil || !strings.HasSuffix(id, "_4") {
		t.Errorf("after the restart comes %s (%v)", id, err)
	}
}

func TestMishapsHappenAsOftenAsTheyShould(t *testing.T) {
	t.Parallel()
	sh := shop{seed: 7, prefix: "x", byID: map[string]*entry{}, showed: true}
	counts := map[fate]int{}
	at := time.Now()
	for i := range 3000 {
		e, err := sh.next(at.Add(time.Duration(i) * time.Second))
		if err != nil {
			t.Fatal(err)
		}
		if (e.Fate == lost) != (i == 1) && i < 3 {
			t.Errorf("of the first three the second is lost: %d is %s", i+1, e.Fate)
		}
		sh.add(e)
		counts[e.Fate]++
	}
	for f, want := range map[fate]int{lost: 300, repeated: 300, delayed: 240, reordered: 180} {
		if got := counts[f]; got < want*3/4 || got > want*5/4 {
			t.Errorf("%d of 3000 are %s, want about %d", got, f, want)
		}
	}
	sh.showed, sh.listed = false, true
	if e, err := sh.next(at); err != nil || e.Fate != lost {
		t.Errorf("the first after the first poll is %s (%v)", e.Fate, err)
	}
	if e, err := sh.next(at); err != nil || !e.Created.After(at.Add(time.Hour/2)) {
		t.Errorf("a clock put back unsorts the list: %v (%v)", e.Created, err)
	}
}

// A line answers webhooks without a network.
type line func(n int) (int, error)

func (l line) client(sent *[]string) *http.Client {
	var mu sync.Mutex
	return &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		b, _ := io.ReadAll(r.Body)
		var e body
		_ = json.Unmarshal(b, &e)
		status, err := l(len(*sent))
		*sent = append(*sent, e.ID)
		if err != nil {
			return nil, err
		}
		return &http.Response{StatusCode: status, Body: http.NoBody, Request: r}, nil
	})}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestWebhooksAreSentAsTheirFateHasItAndRetried(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		fate fate
		line line
		sent int
		want Stats
	}{
		{"one that is lost is never sent", lost, func(int) (int, error) { return 202, nil }, 0, Stats{Lost: 1}},
		{"one that is repeated is sent twice", repeated, func(int) (int, error) { return 202, nil }, 2, Stats{Pushed: 1, Repeated: 1}},
		{"one that is delayed arrives", delayed, func(int) (int, error) { return 202, nil }, 1, Stats{Pushed: 1, Delayed: 1}},
		{"503 and broken connections are retried", onTime, func(n int) (int, error) {
			if n == 0 {
				return 0, errors.New("broken")
			}
			return []int{0, 503, 429, 202}[n], nil
		}, 4, Stats{Pushed: 1}},
		{"a refusal is not, and the webhook is lost", onTime, func(int) (int, error) { return 401, nil }, 1, Stats{Lost: 1}},
		{"at some time it gives up", onTime, func(int) (int, error) { return 500, nil }, pushAttempts, Stats{Lost: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "sandbox.db")
			synctest.Test(t, func(t *testing.T) {
				var sent []string
				s := open(t, Options{File: file, Client: tt.line.client(&sent)})
				id, err := s.happen()
				if err != nil {
					t.Fatal(err)
				}
				if err := s.change(id, func(e *entry) { e.Fate = tt.fate }); err != nil {
					t.Fatal(err)
				}
				s.push(t.Context(), id)
				tt.want.Made, tt.want.Waiting = 1, 1
				if diff := cmp.Diff(tt.want, s.Stats()); diff != "" {
					t.Error(diff)
				}
				if len(sent) != tt.sent {
					t.Errorf("sent %v", sent)
				}
			})
		})
	}
}

func TestAnEarlierRunsWebhooksAreStillOwed(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	var want []string
	for i := range 3 {
		id, err := s.happen()
		if err != nil {
			t.Fatal(err)
		}
		if i != 1 { // which is lost
			want = append(want, id)
		}
	}
	if diff := cmp.Diff(want, s.owed()); diff != "" {
		t.Error(diff)
	}
}

func TestTheOldestAreForgottenAndStillCounted(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	for range 4 {
		if _, err := s.happen(); err != nil {
			t.Fatal(err)
		}
	}
	want := s.Stats()
	oldest := *s.shop.entries[0]
	if err := s.store.forget(oldest, s.shop.past.with(oldest)); err != nil {
		t.Fatal(err)
	}
	s.shop.forget()
	if diff := cmp.Diff(want, s.Stats()); diff != "" {
		t.Error(diff)
	}
	back, err := s.store.load()
	if err != nil || len(back.entries) != 3 || back.past.Made != 1 {
		t.Errorf("on disk are %d and %+v (%v)", len(back.entries), back.past, err)
	}
}
