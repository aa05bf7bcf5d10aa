package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"pushpull/shared/destination"
	"pushpull/shared/event"
	"pushpull/shared/ledger"
	"pushpull/shared/ledger/ledgertest"
	"pushpull/shared/queue"
)

func down(string, int) (int, string) { return 503, "" }

func TestWhatSQSMovedAndSomebodyRedroveIsNotLostAsADuplicate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sink.answers(down)
	w.send(ledgertest.Event("github", "1", w.clock.Now()))
	w.invoke()
	w.want("github/1", ledger.Waiting)

	// The processor is down until SQS itself moves the message to its dead letters;
	// a redrive sends it anew, with another id and nothing that says so.
	w.clock.Add(5 * time.Hour)
	m := w.receive(eventQueue)
	if err := w.queues.Delete(t.Context(), eventQueue, []string{m[0].ReceiptHandle}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.queues.Send(t.Context(), eventQueue, m[0].Body, nil); err != nil {
		t.Fatal(err)
	}
	w.sink.answers(nil)
	w.drain()
	w.want("github/1", ledger.Delivered, "crm", "mail")
}

func TestAnEventIsDeadWithItsReasonBeforeSQSMovesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config = strings.ReplaceAll(w.config, `"attempts":3`, `"attempts":1000`)
	w.start()
	w.sink.answers(down)
	w.send(ledgertest.Event("github", "1", w.clock.Now()))
	w.drainWithin(13 * 24 * time.Hour)
	r := w.want("github/1", ledger.Dead)
	if !strings.Contains(r.Reason, "as the queue gives a message out") {
		t.Errorf("the reason is %q", r.Reason)
	}
	if asked, _ := w.sink.count("crm/1"); asked >= 150 { // maxReceiveCount in template.yaml
		t.Errorf("it was received %d times; at 150 SQS moves it", asked)
	}
}

// closed is a claim check that does not answer.
type closed struct{ queue.Bodies }

func (closed) Get(context.Context, string) ([]byte, error) { return nil, errFault }

func TestAMessageThatCameOftenIsNotDeadBecauseItsDataFailOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config = strings.ReplaceAll(w.config, `"attempts":3`, `"attempts":30`)
	w.start()
	w.sink.answers(func(_ string, n int) (int, string) {
		if n < 20 {
			return 503, ""
		}
		return 200, ""
	})
	e := ledgertest.Event("stripe", "1", w.clock.Now())
	e.ContentType, e.Data = "text/plain", []byte(strings.Repeat("large\n", 300_000))
	w.send(e)
	for asked := 0; asked < 15; asked, _ = w.sink.count("crm/1") {
		w.invoke()
		w.clock.Add(time.Hour)
	}
	w.handler.bodies = closed{w.bodies}
	w.invoke()
	w.handler.bodies = w.bodies
	w.drain()
	w.want("stripe/1", ledger.Delivered, "crm")
}

type panics struct{}

func (panics) Deliver(context.Context, event.Event) (destination.Result, error) {
	panic("secret payload")
}

func TestADestinationThatPanicsHarmsNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	crm := w.handler.catalog.target("crm")
	crm.to = panics{}
	w.handler.catalog.destinations["crm"] = crm
	w.send(ledgertest.Event("github", "1", w.clock.Now()))
	w.drain()
	if r := w.want("github/1", ledger.Dead, "mail"); !strings.Contains(r.Reason, "panicked with a string") {
		t.Errorf("the reason is %q", r.Reason)
	}
	if asked, _ := w.sink.count("mail/1"); asked != 1 {
		t.Errorf("its neighbour was asked %d times", asked)
	}
}

func TestWhatThereWasNoTimeForBacksOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for receives, want := range map[string]time.Duration{"1": defaultFirst, "30": defaultMax} {
		m := events.SQSMessage{Attributes: map[string]string{"ApproximateReceiveCount": receives}}
		o := w.handler.attempt(ctx, &work{message: m}, w.handler.catalog.target("crm"))
		if got := o.next.Sub(w.clock.Now()); got != want || o.final || o.attempt != nil {
			t.Errorf("with receive %s it comes back after %v, want %v, without an attempt: %+v", receives, got, want, o)
		}
	}
}
