package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/event"
	"pushpull/shared/ledger"
	"pushpull/shared/ledger/ledgertest"
	"pushpull/shared/queue"
	"pushpull/shared/telemetry"
)

// provider is one's API, which answers as the test says and counts.
type provider struct {
	url string

	mu     sync.Mutex
	asked  []string // the paths with their queries
	tokens []string
	answer http.HandlerFunc
}

// newAPI starts one, and gives the world a source shop that is hydrated from it;
// more is appended to what the source says.
func newAPI(t *testing.T, w *world, more string) *provider {
	t.Helper()
	a := &provider{}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	a.url = server.URL
	w.apis.Secrets = &vault{values: []string{"hunter2"}}
	w.config += fmt.Sprintf(`route 0003 {"from":["shop"],"to":["crm"]}
source shop {"webhook":{"hydrate":{"token":["env:KEY"],"url":[{"value":"%s/v2/payments/{body.id}"}],"auth":{"type":"bearer"}%s}}}
`, a.url, more)
	w.config = sorted(w.config)
	w.start()
	return a
}

// sorted puts the lines behind the header in the order in which they are looked up.
func sorted(config string) string {
	head, rest, _ := strings.Cut(config, "\n")
	lines := slices.Sorted(strings.Lines(rest))
	return head + "\n" + strings.Join(lines, "")
}

func (a *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.asked = append(a.asked, r.RequestURI)
	a.tokens = append(a.tokens, r.Header.Get("Authorization"))
	answer := a.answer
	a.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	_, _ = io.WriteString(w, `{"id":"tr_1","status":"paid"}`)
}

func (a *provider) requests() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.asked)
}

// vault has one secret, whose value changes each time that it is asked for anew.
type vault struct {
	mu     sync.Mutex
	values []string
}

func (v *vault) All(context.Context, []string) ([]string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.values[:1], nil
}

func (v *vault) Fresh(ctx context.Context, refs []string) ([]string, error) {
	v.mu.Lock()
	if len(v.values) > 1 {
		v.values = v.values[1:]
	}
	v.mu.Unlock()
	return v.All(ctx, refs)
}

func (v *vault) Anew(ctx context.Context, ref string) (string, error) {
	values, err := v.Fresh(ctx, []string{ref})
	return values[0], err
}

func (v *vault) Put(context.Context, string, string, bool) error { return nil }

func status(codes ...int) http.HandlerFunc {
	var mu sync.Mutex
	n := 0
	return func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		code := codes[min(n, len(codes)-1)]
		n++
		if code == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", "600")
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, `{"id":"tr_1","status":"paid"}`)
	}
}

func limited(seconds string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", seconds)
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

func thin(w *world, id string) event.Event {
	e := ledgertest.Event("shop", "e-"+id, w.clock.Now())
	e.ContentType, e.Data = "application/json", fmt.Appendf(nil, `{"id":%q,"forged":"payload"}`, id)
	return e
}

func TestAThinEventIsDeliveredAsTheAPIHasIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := newAPI(t, w, "")
	e := thin(w, "tr_1")
	w.send(e)
	w.drain()
	w.want(e.Key(), ledger.Delivered, "crm")
	want := `{"id":"tr_1","status":"paid"}`
	if got := w.sink.bodies["crm/e-tr_1"]; got != want {
		t.Errorf("delivered %q, want %q", got, want)
	}
	kept, err := w.ledger.Payload(t.Context(), e.Key())
	if err != nil || string(kept.Data) != want || kept.ID != e.ID || kept.Type != e.Type {
		t.Errorf("kept %+v, %v; want what was delivered", kept, err)
	}
	if diff := cmp.Diff([]string{"/v2/payments/tr_1"}, a.requests()); diff != "" {
		t.Error(diff)
	}
	if a.tokens[0] != "Bearer hunter2" {
		t.Errorf("the credential is %q", a.tokens[0])
	}
}

func TestADuplicateFetchesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := newAPI(t, w, "")
	w.send(thin(w, "tr_1"))
	w.send(thin(w, "tr_1"))
	w.drain()
	w.send(thin(w, "tr_1"))
	w.drain()
	r := w.want("shop/e-tr_1", ledger.Delivered, "crm")
	if len(a.requests()) != 1 || r.Duplicates[event.Webhook] != 2 || strings.Contains(w.log.String(), telemetry.MsgConflict) {
		t.Errorf("asked %v, duplicates %v: %s", a.requests(), r.Duplicates, w.log)
	}
}

func TestWhatWasPolledIsNotFetchedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := newAPI(t, w, "")
	e := thin(w, "tr_1")
	e.Transport = event.Poll
	w.send(e)
	w.drain()
	w.want(e.Key(), ledger.Delivered, "crm")
	if len(a.requests()) != 0 || w.sink.bodies["crm/e-tr_1"] != string(e.Data) {
		t.Errorf("asked %v, delivered %q", a.requests(), w.sink.bodies["crm/e-tr_1"])
	}
}

func TestWhatBecomesOfAnEventThatIsNotFetched(t *testing.T) {
	t.Parallel()
	packed()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a request went to another host")
	}))
	t.Cleanup(elsewhere.Close)
	for _, test := range []struct {
		name   string
		more   string
		data   string
		answer http.HandlerFunc
		end    ledger.Status
		reason string
		asked  int
	}{
		{"what the api does not have is dead", "", "", status(404), ledger.Dead, "the api does not have it (answered 404)", 1},
		{"what the api has no more is dead", "", "", status(410), ledger.Dead, "the api does not have it (answered 410)", 1},
		{"what the api does not have is kept where that is asked for", `,"missing":"keep"`, "", status(404), ledger.Delivered, "", 1},
		{"what has no address is dead", "", `{"other":1}`, nil, ledger.Dead, "no url of hydrate is for it", 0},
		{"what has no address is kept where that is asked for", `,"missing":"keep"`, `{"other":1}`, nil, ledger.Delivered, "", 0},
		{"what is excepted is delivered as it came", `,"except":["push"]`, "", nil, ledger.Delivered, "", 0},
		{"an error passes", "", "", status(500, 503, 200), ledger.Delivered, "", 3},
		{"a limit passes", "", "", status(429, 200), ledger.Delivered, "", 2},
		{"a refused credential is mended", "", "", status(403, 401, 200), ledger.Delivered, "", 3},
		{"a bad request is dead", "", "", status(400), ledger.Dead, "the api answered 400", 1},
		{"a redirect is not followed", "", "", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		}, ledger.Dead, "redirects are not followed", 1},
		{"an id that would leave the path is refused", "", `{"id":".."}`, nil, ledger.Dead, "leads elsewhere", 0},
		{"an id that would leave the path in disguise is refused", "", `{"id":"..\/..\/admin"}`, nil, ledger.Dead, "leads elsewhere", 0},
		{"an answer that is too large is refused", "", "", tooLarge, ledger.Dead, "larger than 16777216 bytes", 1},
		{"an answer that unpacks to too much is refused", "", "", bomb, ledger.Dead, "larger than 16777216 bytes", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			a := newAPI(t, w, test.more)
			a.answer = test.answer
			e := thin(w, "tr_1")
			e.Type = "push"
			if test.data != "" {
				e.Data = []byte(test.data)
			}
			w.send(e)
			w.drain()
			r := w.record(e.Key())
			if r.Status != test.end || !strings.Contains(r.Reason, test.reason) {
				t.Errorf("it is %s (%s), want %s (%s)", r.Status, r.Reason, test.end, test.reason)
			}
			if n := len(a.requests()); n != test.asked {
				t.Errorf("asked %d times, want %d: %v", n, test.asked, a.requests())
			}
			if letters := w.receive(deadQueue); len(letters) != 0 != (test.end == ledger.Dead) {
				t.Errorf("%d dead letters", len(letters))
			}
			for _, secret := range []string{"hunter2", "forged", "/v2/payments", a.url} {
				if strings.Contains(w.log.String(), secret) {
					t.Errorf("the log has %q: %s", secret, w.log)
				}
			}
		})
	}
}

func tooLarge(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, `{"a":"`)
	mega := bytes.Repeat([]byte("a"), 1<<20)
	for range 17 {
		_, _ = w.Write(mega)
	}
	_, _ = io.WriteString(w, `"}`)
}

// packed is made once: packing takes longer than fetching may.
var packed = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	mega := bytes.Repeat([]byte("a"), 1<<20)
	for range 17 {
		_, _ = z.Write(mega)
	}
	_ = z.Close()
	return b.Bytes()
})

func bomb(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	_, _ = w.Write(packed())
}

func TestTheAPIsRetryAfterIsHeeded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := newAPI(t, w, "")
	a.answer = status(429, 200)
	w.send(thin(w, "tr_1"))
	w.invoke()
	if r := w.want("shop/e-tr_1", ledger.Waiting); len(r.Attempts) != 0 {
		t.Errorf("attempts were counted: %v", r.Attempts)
	}
	w.clock.Add(10*time.Minute - time.Second)
	if n, _ := w.invoke(); n != 0 {
		t.Error("it came back before the ten minutes were over")
	}
	w.clock.Add(time.Second + defaultFirst) // as much as those who wait for the same time spread
	w.invoke()
	w.want("shop/e-tr_1", ledger.Delivered, "crm")
}

func TestAnAPIThatStaysAwayMakesADeadLetterThatCanBeRedriven(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, reason string
		answer       http.HandlerFunc
		attempts     int // in one receive
	}{
		{"of as many attempts as the queue allows", "as the queue gives a message out 140 times", status(500), 3},
		{"before the queue drops it", "as the queue keeps a message for 14 days", limited("40000"), 1},
		{"not of coming back for a limit", "as the queue keeps a message for 14 days", limited("1"), 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			a := newAPI(t, w, "")
			a.answer = test.answer
			w.send(thin(w, "tr_1"))
			w.drainWithin(15 * 24 * time.Hour)
			if r := w.want("shop/e-tr_1", ledger.Dead); !strings.Contains(r.Reason, test.reason) {
				t.Errorf("the reason is %q", r.Reason)
			}
			if n := len(a.requests()); n >= test.attempts*150 { // maxReceiveCount in template.yaml
				t.Errorf("asked %d times", n)
			}
			a.mu.Lock()
			a.answer = nil
			a.mu.Unlock()
			if letters := w.redrive(); len(letters) != 1 || *letters[0].MessageAttributes[queue.AttributeKey].StringValue != "shop/e-tr_1" {
				t.Fatalf("the dead letters are %v", letters)
			}
			w.drain()
			w.want("shop/e-tr_1", ledger.Delivered, "crm")
			if got := w.sink.bodies["crm/e-tr_1"]; got != `{"id":"tr_1","status":"paid"}` {
				t.Errorf("delivered %q", got)
			}
		})
	}
}

func TestABurstOfEventsForOneThingIsFetchedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := newAPI(t, w, `,"cache":"10s"`)
	for i := range 100 {
		e := thin(w, "tr_1")
		e.ID = fmt.Sprint("change-", i)
		w.send(e)
	}
	w.clock.Add(time.Second)
	for n := 1; n > 0; {
		n, _ = w.invoke()
	}
	for i := range 100 {
		w.want(fmt.Sprint("shop/change-", i), ledger.Delivered, "crm")
	}
	if diff := cmp.Diff([]string{"/v2/payments/tr_1"}, a.requests()); diff != "" {
		t.Error(diff)
	}
}

func unwellOnce(_ string, n int) (status int, retry string) {
	if n == 1 {
		return http.StatusServiceUnavailable, ""
	}
	return http.StatusOK, ""
}

func TestAnEventIsNotFetchedAgain(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		more  string // that the source says
		again func(w *world, e event.Event)
		asked int
	}{
		{"to be delivered where a destination failed", "", func(w *world, _ event.Event) { w.sink.answers(unwellOnce) }, 1},
		{"unless its payloads are not kept", `"keep_payload":false,`, func(w *world, _ event.Event) { w.sink.answers(unwellOnce) }, 2},
		{"as it was kept, under another identity", "", func(w *world, e event.Event) {
			w.drain()
			kept, err := w.ledger.Payload(w.t.Context(), e.Key())
			if err != nil {
				w.t.Fatal(err)
			}
			kept.ID += "-again"
			w.send(kept)
		}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			a := newAPI(t, w, "")
			w.config = strings.ReplaceAll(w.config, "source shop {", "source shop {"+test.more)
			w.start()
			e := thin(w, "tr_1")
			w.send(e)
			test.again(w, e)
			w.drain()
			w.want(e.Key(), ledger.Delivered, "crm")
			for key, body := range w.sink.bodies {
				if body != `{"id":"tr_1","status":"paid"}` {
					t.Errorf("%s got %q", key, body)
				}
			}
			if n := len(a.requests()); n != test.asked {
				t.Errorf("asked %d times, want %d", n, test.asked)
			}
		})
	}
}

func TestARotatedTokenIsReadAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := newAPI(t, w, "")
	w.apis.Secrets.(*vault).values = []string{"hunter2", "hunter3"}
	a.answer = func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer hunter3" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = io.WriteString(w, `{}`)
	}
	w.send(thin(w, "tr_1"))
	if _, back := w.invoke(); back != 0 {
		t.Error("it came back")
	}
	w.want("shop/e-tr_1", ledger.Delivered, "crm")
}

func TestAHydrateThatCannotBeUsedMakesADeadLetter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	newAPI(t, w, "")
	w.config = strings.ReplaceAll(w.config, `"token":["env:KEY"],`, "")
	w.start()
	w.send(thin(w, "tr_1"))
	w.drain()
	if r := w.want("shop/e-tr_1", ledger.Dead); !strings.Contains(r.Reason, "hydrate cannot be used") {
		t.Errorf("the reason is %q", r.Reason)
	}
}
