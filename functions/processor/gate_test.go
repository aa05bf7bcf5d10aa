package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/event"
	"pushpull/shared/ledger"
)

// configure adds to what a destination is configured with.
func (w *world) configure(destination, with string) {
	w.t.Helper()
	from := fmt.Sprintf(`destination %s {"kind":"http",`, destination)
	if !strings.Contains(w.config, from) {
		w.t.Fatalf("no destination %s", destination)
	}
	w.config = strings.Replace(w.config, from, from+with+",", 1)
	w.start()
}

func numbered(w *world, i int) event.Event {
	return event.Event{
		ID: fmt.Sprint(i), Source: "github", Type: "push", ContentType: "application/json", Data: []byte(`{}`),
		Transport: event.Webhook, ReceivedTime: w.clock.Now(), CorrelationID: "c",
	}
}

func TestWhileADestinationIsDownItsDeliveriesWaitAndOthersGoOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.configure("crm", `"breaker":{"failures":50,"least":4,"window":"1m","open":"30s"}`)
	var down atomic.Bool
	down.Store(true)
	w.sink.answers(func(path string, _ int) (int, string) {
		if path == "crm" && down.Load() {
			return 503, ""
		}
		return 200, ""
	})
	const all = 30
	for i := range all {
		w.send(numbered(w, i))
	}
	for range 20 {
		w.invoke()
		w.clock.Add(10 * time.Second)
	}
	probes := 0
	for i := range all {
		asked, _ := w.sink.count(fmt.Sprint("crm/", i))
		probes += asked
		if _, got := w.sink.count(fmt.Sprint("mail/", i)); got != 1 {
			t.Errorf("mail has event %d %d times, want once", i, got)
		}
	}
	if probes < 4 || probes > 24 {
		t.Errorf("what is down was tried %d times in 200 s: with a breaker it is about 10 times at first, and a probe each 30 s", probes)
	}
	down.Store(false)
	w.drain()
	burnt := 0
	for i := range all {
		r := w.want(fmt.Sprint("github/", i), ledger.Delivered, "crm", "mail")
		for _, a := range r.Attempts {
			if a.Destination == "crm" && a.Error != "" {
				burnt++
			}
		}
	}
	if burnt > probes {
		t.Errorf("%d attempts were burnt, and %d made", burnt, probes)
	}
	if !strings.Contains(w.log.String(), "delivery held") || !strings.Contains(w.log.String(), "breaker opened") {
		t.Error("the log does not say that the breaker opened, and that deliveries were held")
	}
}

// counting counts the calls of DynamoDB by their names.
type counting struct {
	http.RoundTripper
	mu    sync.Mutex
	calls map[string]int
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	_, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	c.calls[name]++
	c.mu.Unlock()
	return c.RoundTripper.RoundTrip(r)
}

func TestABatchCostsTwoCallsAnEventAndOneForTheirPayloads(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		ordered bool
		want    map[string]int
	}{
		{"in no order", false, map[string]int{"UpdateItem": 20, "BatchWriteItem": 1, "GetItem": 2}},
		{"in order", true, map[string]int{"TransactWriteItems": 20, "BatchWriteItem": 1, "GetItem": 2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c := &counting{RoundTripper: http.DefaultTransport, calls: map[string]int{}}
			w.count(c)
			for i := range 10 {
				e := numbered(w, i)
				if test.ordered {
					e.Subject, e.Version = fmt.Sprint("issue ", i), "3"
				}
				w.send(e)
			}
			w.invoke()
			if diff := cmp.Diff(test.want, c.calls); diff != "" {
				t.Errorf("ten events, and a read for the breaker of each destination: %s", diff)
			}
		})
	}
}

func TestADestinationMayBeGivenATotalTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config = strings.Replace(w.config, `"retry":{"attempts":3,"first":"5s","max":"1h"}`, `"retry":{"attempts":100,"first":"1m","max":"1h","total":"10m"}`, 1)
	w.configure("crm", `"breaker":{"off":true}`)
	w.sink.answers(func(path string, _ int) (int, string) {
		if path == "crm" {
			return 503, ""
		}
		return 200, ""
	})
	w.send(numbered(w, 1))
	w.drain()
	r := w.want("github/1", ledger.Dead, "mail")
	if !strings.Contains(r.Reason, "in 10m") {
		t.Errorf("the reason is %q, want that it gave up after 10m", r.Reason)
	}
	if asked, _ := w.sink.count("crm/1"); asked < 2 || asked > 5 {
		t.Errorf("it was tried %d times within 10m, with waits that double from 1m", asked)
	}
}

func TestConcurrencyIsKeptTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.configure("crm", `"concurrency":2`)
	const all = 10
	for i := range all {
		w.send(numbered(w, i))
	}
	w.drain()
	for i := range all {
		w.want(fmt.Sprint("github/", i), ledger.Delivered, "crm", "mail")
	}
	if most := w.sink.most("crm"); most > 2 {
		t.Errorf("%d deliveries were under way at once, want 2 at most", most)
	}
}

func TestARateIsKeptTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.configure("crm", `"rate":"1/h"`)
	for i := range 3 {
		w.send(numbered(w, i))
	}
	w.invoke()
	delivered := 0
	for i := range 3 {
		_, got := w.sink.count(fmt.Sprint("crm/", i))
		delivered += got
	}
	if delivered != 1 {
		t.Errorf("%d were delivered within an hour, want 1", delivered)
	}
	w.drain()
	for i := range 3 {
		r := w.want(fmt.Sprint("github/", i), ledger.Delivered, "crm", "mail")
		if n := len(r.Attempts); n != 2 {
			t.Errorf("event %d took %d attempts, want one a destination: to wait is none", i, n)
		}
	}
}

func TestAnEventThatWaitsForItsDestinationIsFetchedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := newAPI(t, w, "")
	w.configure("crm", `"breaker":{"failures":50,"least":1,"window":"1m","open":"5m"}`)
	var down atomic.Bool
	down.Store(true)
	w.sink.answers(func(string, int) (int, string) {
		if down.Load() {
			return 503, ""
		}
		return 200, ""
	})
	w.send(numbered(w, 1)) // opens the breaker
	w.invoke()
	e := thin(w, "tr_1")
	e.Subject = "payment tr_1"
	w.send(e)
	for range 5 {
		w.invoke()
		w.clock.Add(20 * time.Second)
	}
	if asked, _ := w.sink.count("crm/" + e.ID); asked != 0 {
		t.Fatalf("it was tried %d times, although the breaker is open", asked)
	}
	down.Store(false)
	w.drain()
	w.want(e.Key(), ledger.Delivered, "crm")
	if n := len(a.requests()); n != 1 {
		t.Errorf("the api was asked %d times, want once", n)
	}
}
