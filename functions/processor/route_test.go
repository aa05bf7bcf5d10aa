package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/ledger"
	"pushpull/shared/ledger/ledgertest"
	"pushpull/shared/queue"
	"pushpull/shared/telemetry"
)

// routed is a world with other lines of routes, sources and tables, which are
// written in their order.
func routed(t *testing.T, lines string) *world {
	t.Helper()
	w := newWorld(t)
	to, _, _ := strings.Cut(standard, "route ")
	w.config = config.Header + "test\n" + strings.ReplaceAll(to, "SINK", w.sink.url) + lines
	w.start()
	return w
}

// order is an event of the shop.
func (w *world) order(data string) event.Event {
	e := ledgertest.Event("shop", "1", w.clock.Now())
	e.Type, e.ContentType, e.Data = "order.paid", "application/json", []byte(data)
	return e
}

func (w *world) body(key string) string {
	w.sink.mu.Lock()
	defer w.sink.mu.Unlock()
	return w.sink.bodies[key]
}

func TestRoutesMakeWhatIsDelivered(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, routes, data string
		status             ledger.Status
		reason             string // the record's
		done               []string
		bodies             map[string]string // by path and id
	}{
		{
			name:   "a condition keeps an event from one destination and not from another",
			routes: `route 0000 {"from":["shop"],"when":".data.total > 10","to":["crm"]}` + "\n" + `route 0001 {"from":["shop"],"when":".data.total < 10","to":["mail"]}`,
			data:   `{"total":12}`, status: ledger.Delivered, done: []string{"crm"}, bodies: map[string]string{"crm/1": `{"total":12}`, "mail/1": ""},
		},
		{
			name:   "what no condition takes is filtered, and the ledger says by which route",
			routes: `route 0000 {"name":"big","from":["shop"],"when":".data.total > 100","to":["crm"]}`,
			data:   `{"total":12}`, status: ledger.Filtered, reason: "dropped by when of big",
		},
		{
			name:   "a transform makes the data under the same identity",
			routes: `route 0000 {"name":"short","from":["shop"],"transform":"{id, sum: .data.total}","to":["crm"]}` + "\n" + `route 0001 {"from":["shop"],"to":["crm"]}`,
			data:   `{"total":12.50}`, status: ledger.Delivered, done: []string{"crm", "short/crm"},
		},
		{
			name:   "a transform without output drops the event for its route",
			routes: `route 0000 {"name":"short","from":["shop"],"transform":"empty","to":["crm"]}` + "\n" + `route 0001 {"from":["shop"],"to":["mail"]}`,
			data:   `{}`, status: ledger.Delivered, done: []string{"mail"},
		},
		{
			name:   "a split makes events of their own",
			routes: `route 0000 {"name":"lines","from":["shop"],"split":".data.lines[]","to":["crm"]}`,
			data:   `{"lines":[{"sku":"a"},{"sku":"b"}]}`, status: ledger.Delivered, done: []string{"lines/crm#1", "lines/crm#2"},
			bodies: map[string]string{"crm/1/1": `{"sku":"a"}`, "crm/1/2": `{"sku":"b"}`},
		},
		{
			name:   "a table adds what it knows",
			routes: `route 0000 {"name":"rich","from":["shop"],"enrich":[{"table":"plans.csv","key":".data.customer","into":".plan"}],"to":["crm"]}` + "\n" + `table plans.csv {"cus_1":"gold"}`,
			data:   `{"customer":"cus_1"}`, status: ledger.Delivered, done: []string{"rich/crm"}, bodies: map[string]string{"crm/1": `{"customer":"cus_1","plan":"gold"}`},
		},
		{
			name:   "privacy hides what one route delivers, and not what another does",
			routes: `route 0000 {"name":"safe","from":["shop"],"privacy":{"mask":[".email"]},"to":["crm"]}` + "\n" + `route 0001 {"from":["shop"],"to":["mail"]}`,
			data:   `{"email":"ann@example.com"}`, status: ledger.Delivered, done: []string{"mail", "safe/crm"},
			bodies: map[string]string{"crm/1": `{"email":"***"}`, "mail/1": `{"email":"ann@example.com"}`},
		},
		{
			name:   "what a route cannot make is dead with its reason, and its neighbour got it",
			routes: `route 0000 {"name":"short","from":["shop"],"transform":".data.email | tonumber","to":["crm"]}` + "\n" + `route 0001 {"from":["shop"],"to":["mail"]}`,
			data:   `{"email":"ann@example.com"}`, status: ledger.Dead, done: []string{"mail"},
			reason: "short/crm: route short: transform: jq .data.email | tonumber: tonumber cannot be applied to this value",
		},
		{
			name:   "data that are not as a route's schema says are dead",
			routes: `route 0000 {"name":"proved","from":["shop"],"schema":{"inline":{"required":["vat"]},"on_fail":"dead"},"to":["crm"]}`,
			data:   `{"email":"ann@example.com"}`, status: ledger.Dead,
			reason: "proved/crm: route proved: not as the schema says: the data lacks vat",
		},
		{
			name:   "or are dropped, and the event is filtered",
			routes: `route 0000 {"name":"proved","from":["shop"],"schema":{"inline":{"required":["vat"]},"on_fail":"drop"},"to":["crm"]}`,
			data:   `{}`, status: ledger.Filtered, reason: "dropped by schema of proved",
		},
		{
			name:   "data that are not as their source's schema says are dead",
			routes: `route 0000 {"from":["shop"],"to":["crm"]}` + "\n" + `source shop {"schema":{"inline":{"required":["vat"]},"on_fail":"dead"}}`,
			data:   `{}`, status: ledger.Dead, reason: "not as the schema says: the data lacks vat",
		},
		{
			name:   "or are dropped before any route",
			routes: `route 0000 {"from":["shop"],"to":["crm"]}` + "\n" + `source shop {"schema":{"inline":{"required":["vat"]},"on_fail":"drop"}}`,
			data:   `{}`, status: ledger.Filtered, reason: "dropped by the source's schema: not as the schema says: the data lacks vat",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := routed(t, test.routes+"\n")
			w.send(w.order(test.data))
			w.drain()
			r := w.want("shop/1", test.status, test.done...)
			if r.Reason != test.reason {
				t.Errorf("the reason is %q, want %q", r.Reason, test.reason)
			}
			for key, want := range test.bodies {
				if got := w.body(key); got != want {
					t.Errorf("%s got %s, want %s", key, got, want)
				}
			}
			if test.status != ledger.Delivered && strings.Contains(w.log.String(), "ann@") {
				t.Error("the log has the data")
			}
		})
	}
}

func TestARetryGoesOnlyToThePartsThatFailed(t *testing.T) {
	t.Parallel()
	w := routed(t, `route 0000 {"name":"lines","from":["shop"],"split":".data[]","to":["crm","mail"]}`+"\n")
	w.sink.answers(func(path string, n int) (int, string) {
		if path == "crm" && n == 1 {
			return 503, ""
		}
		return 200, ""
	})
	w.send(w.order(`["a","b"]`))
	w.invoke()
	w.want("shop/1", ledger.Waiting, "lines/mail#1", "lines/mail#2")
	w.drain()
	w.want("shop/1", ledger.Delivered, "lines/crm#1", "lines/crm#2", "lines/mail#1", "lines/mail#2")
	for key, want := range map[string]int{"crm/1/1": 2, "crm/1/2": 2, "mail/1/1": 1, "mail/1/2": 1} {
		if asked, _ := w.sink.count(key); asked != want {
			t.Errorf("%s was asked %d times, want %d", key, asked, want)
		}
	}
}

func TestARouteThatIsMendedTakesItsDeadLetters(t *testing.T) {
	t.Parallel()
	w := routed(t, `route 0000 {"name":"short","from":["shop"],"transform":".data.total | ascii_downcase","to":["crm"]}`+"\n"+`route 0001 {"from":["shop"],"to":["mail"]}`+"\n")
	w.send(w.order(`{"total":12}`))
	w.drain()
	w.config = strings.ReplaceAll(w.config, ".data.total | ascii_downcase", ".data.total")
	w.start()
	letters := w.redrive()
	if len(letters) != 1 || *letters[0].MessageAttributes[queue.AttributeDestination].StringValue != "short/crm" {
		t.Fatalf("the dead letters are %+v", letters)
	}
	w.drain()
	w.want("shop/1", ledger.Delivered, "mail", "short/crm")
	if asked, _ := w.sink.count("mail/1"); asked != 1 {
		t.Errorf("the neighbour was asked %d times", asked)
	}
	if got := w.body("crm/1"); got != "12" {
		t.Errorf("delivered is %s", got)
	}
}

func TestWithoutTheKeyOfWhatItHidesADeliveryWaits(t *testing.T) {
	t.Parallel()
	w := routed(t, `route 0000 {"name":"safe","from":["shop"],"privacy":{"hash":[".email"],"key":["ssm:/none"]},"to":["crm"]}`+"\n"+`route 0001 {"from":["shop"],"to":["mail"]}`+"\n")
	w.send(w.order(`{"email":"ann@example.com"}`))
	w.invoke()
	w.want("shop/1", ledger.Waiting, "mail")
	if asked, _ := w.sink.count("crm/1"); asked != 0 {
		t.Error("it was delivered as it is")
	}
	w.config = strings.ReplaceAll(w.config, "ssm:/none", "ssm:/there")
	w.start()
	w.drain()
	r := w.want("shop/1", ledger.Delivered, "mail", "safe/crm")
	if r.Attempts[len(r.Attempts)-1].Number != 1 {
		t.Errorf("waiting for the key counted as an attempt: %+v", r.Attempts)
	}
}

func TestDataThatPassWithAMarkAreDeliveredWithIt(t *testing.T) {
	t.Parallel()
	w := routed(t, `route 0000 {"from":["shop"],"to":["crm"]}`+"\n"+`source shop {"schema":{"inline":{"required":["vat"]},"on_fail":"pass"}}`+"\n")
	w.send(w.order(`{}`))
	w.drain()
	w.want("shop/1", ledger.Delivered, "crm")
	w.sink.mu.Lock()
	defer w.sink.mu.Unlock()
	if got, err := url.PathUnescape(w.sink.headers["crm/1"].Get("ce-schemaerror")); err != nil || got != "not as the schema says: the data lacks vat" {
		t.Errorf("the mark is %q", got)
	}
}

func TestMembersThatTheSchemaDoesNotKnowAreToldOnceAnHour(t *testing.T) {
	t.Parallel()
	w := routed(t, `route 0000 {"from":["shop"],"to":["crm"]}`+"\n"+`source shop {"schema":{"inline":{"properties":{"id":{"type":"integer"}}},"on_fail":"drop"}}`+"\n")
	var metrics bytes.Buffer
	w.handler.metrics = telemetry.NewMetrics(io.MultiWriter(&metrics), w.clock.Now)
	for i, data := range []string{`{"id":1,"new":1}`, `{"id":2,"new":2}`, `{"id":"three"}`} {
		e := w.order(data)
		e.ID = string(rune('a' + i))
		w.send(e)
	}
	w.invoke()
	if n := strings.Count(w.log.String(), telemetry.MsgDrift); n != 1 || !strings.Contains(w.log.String(), `"paths":".new"`) {
		t.Errorf("told %d times, want once", n)
	}
	for _, want := range []string{`"SchemaDrift":1`, `"EventsInvalid":1`} {
		if !strings.Contains(metrics.String(), want) {
			t.Errorf("the metrics lack %s: %s", want, metrics.String())
		}
	}
}

func TestWhatIsEncryptedMakesNoConflictOfADuplicate(t *testing.T) {
	t.Parallel()
	for _, path := range []string{".email", ".items[].email", `.["a.b"]`} {
		hidden := map[string][]string{
			".email":         {`{"a":1,"email":"enc:1"}`, `{"a":1,"email":"enc:2"}`},
			".items[].email": {`{"items":[{"email":"enc:1"},{"email":"enc:2"}]}`, `{"items":[{"email":"enc:3"},{"email":"enc:4"}]}`},
			`.["a.b"]`:       {`{"a.b":"enc:1"}`, `{"a.b":"enc:2"}`},
		}[path]
		volatile := volatile(config.Source{Privacy: &config.Privacy{Encrypt: config.Paths{path}}})[event.Webhook]
		one, two := hashOf(event.Event{Data: []byte(hidden[0])}, volatile), hashOf(event.Event{Data: []byte(hidden[1])}, volatile)
		if one != two || one == hashOf(event.Event{Data: []byte(`{"other":1}`)}, volatile) {
			t.Errorf("%s: %s and %s", path, one, two)
		}
	}
}

// keeping notes for how long payloads are kept.
type keeping struct {
	claims
	kept map[time.Duration]int
}

func (k keeping) KeepPayloads(ctx context.Context, events []event.Event, window time.Duration) error {
	k.kept[window] += len(events)
	return k.claims.KeepPayloads(ctx, events, window)
}

func TestAPayloadIsKeptForItsRetention(t *testing.T) {
	t.Parallel()
	w := routed(t, `route 0000 {"from":["shop"],"to":["crm"]}`+"\n"+`source shop {"window":"30d","retention":"1d"}`+"\n")
	kept := map[time.Duration]int{}
	w.handler.ledger = keeping{w.handler.ledger, kept}
	w.send(w.order(`{}`))
	w.drain()
	if diff := cmp.Diff(map[time.Duration]int{24 * time.Hour: 1}, kept); diff != "" {
		t.Error(diff)
	}
	if _, err := w.ledger.Payload(t.Context(), "shop/1"); errors.Is(err, ledger.ErrNotFound) {
		t.Error("it is not kept")
	}
}
