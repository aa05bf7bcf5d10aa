package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pushpull/shared/event"
	"pushpull/shared/ledger"
	"pushpull/shared/ledger/ledgertest"
	"pushpull/shared/queue"
	"pushpull/shared/telemetry"
)

func TestABatchIsDeliveredToEachDestinationOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 10 {
		w.send(ledgertest.Event("github", fmt.Sprint(i), w.clock.Now()))
	}
	w.drain()
	for i := range 10 {
		w.want(fmt.Sprint("github/", i), ledger.Delivered, "crm", "mail")
		for _, d := range []string{"crm/", "mail/"} {
			if asked, got := w.sink.count(d + fmt.Sprint(i)); asked != 1 || got != 1 {
				t.Errorf("%s%d was asked %d times and got %d", d, i, asked, got)
			}
		}
	}
	e, err := w.ledger.Payload(t.Context(), "github/3")
	if err != nil || string(e.Data) != `{"id": "3"}` {
		t.Errorf("the payload kept is %q, %v", e.Data, err)
	}
	if !strings.Contains(w.log.String(), `"correlationid":"c-3"`) || !strings.Contains(w.log.String(), telemetry.MsgDelivered) {
		t.Errorf("the log says too little: %s", w.log)
	}
}

func TestADuplicateIsAcknowledgedAndCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := ledgertest.Event("github", "1", w.clock.Now())
	w.send(e)
	w.invoke()
	e.Transport = event.Poll
	w.send(e)
	if n, back := w.invoke(); n != 1 || back != 0 {
		t.Errorf("%d messages, %d come back; want the duplicate acknowledged", n, back)
	}
	if r := w.want(e.Key(), ledger.Delivered, "crm", "mail"); r.Duplicates[event.Poll] != 1 {
		t.Errorf("duplicates: %v", r.Duplicates)
	}
	if asked, _ := w.sink.count("crm/1"); asked != 1 {
		t.Errorf("delivered %d times", asked)
	}
}

func TestADuplicateWithinABatchIsDeliveredOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := ledgertest.Event("github", "1", w.clock.Now())
	for range 5 {
		w.send(e)
	}
	if n, back := w.invoke(); n != 5 || back != 0 {
		t.Errorf("%d messages, %d come back", n, back)
	}
	if r := w.want(e.Key(), ledger.Delivered, "crm", "mail"); r.Duplicates[event.Webhook] != 4 {
		t.Errorf("duplicates: %v", r.Duplicates)
	}
	if asked, _ := w.sink.count("crm/1"); asked != 1 {
		t.Errorf("delivered %d times", asked)
	}
}

func TestWhatNoRouteTakesIsFiltered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send(ledgertest.Event("private", "1", w.clock.Now()))
	w.drain()
	if r := w.want("private/1", ledger.Filtered); r.Reason == "" {
		t.Error("the record has no reason")
	}
	if _, err := w.ledger.Payload(t.Context(), "private/1"); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("a payload was kept that is not to be: %v", err)
	}
}

func TestAFailureIsTriedAgainAndItsNeighbourIsNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sink.answers(func(path string, n int) (int, string) {
		if path == "crm" && n == 1 {
			return 503, ""
		}
		return 200, ""
	})
	w.send(ledgertest.Event("github", "1", w.clock.Now()))
	if n, back := w.invoke(); n != 1 || back != 1 {
		t.Fatalf("%d messages, %d come back; want 1 and 1", n, back)
	}
	w.want("github/1", ledger.Waiting, "mail")
	w.clock.Add(4 * time.Second)
	if n, _ := w.invoke(); n != 0 {
		t.Error("it came back before its backoff of 5 s was over")
	}
	w.clock.Add(time.Second)
	if n, back := w.invoke(); n != 1 || back != 0 {
		t.Errorf("%d messages, %d come back; want 1 and 0", n, back)
	}
	if r := w.want("github/1", ledger.Delivered, "crm", "mail"); len(r.Attempts) != 3 {
		t.Errorf("%d attempts are recorded, want 3", len(r.Attempts))
	}
	if asked, _ := w.sink.count("mail/1"); asked != 1 {
		t.Errorf("the neighbour was asked %d times", asked)
	}
}

func TestRetryAfterWinsForItsDestinationAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sink.answers(func(path string, n int) (int, string) {
		switch {
		case path == "crm" && n == 1:
			return 429, "7200"
		case path == "mail" && n == 1:
			return 500, ""
		}
		return 200, ""
	})
	w.send(ledgertest.Event("github", "1", w.clock.Now()))
	w.invoke()
	w.clock.Add(5 * time.Second)
	w.invoke()
	w.want("github/1", ledger.Waiting, "mail")
	if asked, _ := w.sink.count("crm/1"); asked != 1 {
		t.Errorf("crm was asked %d times, want once until its two hours are over", asked)
	}
	w.clock.Add(2*time.Hour - 6*time.Second)
	if n, _ := w.invoke(); n != 0 {
		t.Error("it came back before the two hours were over")
	}
	w.clock.Add(time.Second)
	w.invoke()
	w.want("github/1", ledger.Delivered, "crm", "mail")
}

func TestWhatFailsForGoodIsDeadWithAReasonAndItsNeighbourGotIt(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		status int
		asked  int
		reason string
	}{
		{"at once where trying again is in vain", 410, 1, "crm: answered 410"},
		{"after the last attempt else", 500, 3, "crm: gave up after 3 attempts: answered 500"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.sink.answers(func(path string, n int) (int, string) {
				if path == "crm" {
					return test.status, ""
				}
				if n == 1 {
					return 503, "" // the neighbour needs a second attempt: crm must not get one for it
				}
				return 200, ""
			})
			w.send(ledgertest.Event("github", "1", w.clock.Now()))
			w.drain()
			if r := w.want("github/1", ledger.Dead, "mail"); !strings.HasPrefix(r.Reason, test.reason) {
				t.Errorf("the reason is %q, want %q", r.Reason, test.reason)
			}
			if asked, _ := w.sink.count("crm/1"); asked != test.asked {
				t.Errorf("crm was asked %d times, want %d", asked, test.asked)
			}
			w.sink.answers(nil)
			letters := w.redrive()
			if len(letters) != 1 {
				t.Fatalf("%d dead letters, want 1", len(letters))
			}
			for name, want := range map[string]string{
				queue.AttributeKey: "github/1", queue.AttributeDestination: "crm", queue.AttributeReason: w.record("github/1").Reason,
			} {
				if got := *letters[0].MessageAttributes[name].StringValue; got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			w.drain()
			if r := w.want("github/1", ledger.Delivered, "crm", "mail"); r.Reason != "" {
				t.Errorf("a delivered event has the reason %q", r.Reason)
			}
			if _, got := w.sink.count("mail/1"); got != 1 {
				t.Errorf("the neighbour got it %d times", got)
			}
		})
	}
}

func TestADestinationThatCannotBeOpenedMakesADeadLetter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send(ledgertest.Event("slack", "1", w.clock.Now()))
	w.drain()
	if r := w.want("slack/1", ledger.Dead); !strings.Contains(r.Reason, "off: it cannot be used") {
		t.Errorf("the reason is %q", r.Reason)
	}
}

func TestABadMessageIsADeadLetterAndNoPoison(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.queues.Send(t.Context(), eventQueue, "{not an event", nil); err != nil {
		t.Fatal(err)
	}
	w.send(ledgertest.Event("github", "1", w.clock.Now()))
	w.drain()
	w.want("github/1", ledger.Delivered, "crm", "mail")
	letters := w.receive(deadQueue)
	if len(letters) != 1 || letters[0].Body != "{not an event" {
		t.Fatalf("the dead letters are %+v", letters)
	}
	if reason := *letters[0].MessageAttributes[queue.AttributeReason].StringValue; !strings.HasPrefix(reason, "not an event: ") {
		t.Errorf("the reason is %q", reason)
	}
}

func TestLargeDataComeFromTheClaimCheck(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := ledgertest.Event("github", "large", w.clock.Now())
	e.ContentType, e.Data = "text/plain", []byte(strings.Repeat("two\nlines\x00", 200_000))
	w.send(e)
	w.drain()
	w.want(e.Key(), ledger.Delivered, "crm", "mail")
	if got := w.sink.bodies["crm/large"]; got != string(e.Data) {
		t.Errorf("%d bytes were delivered, want %d", len(got), len(e.Data))
	}
}

func TestDataThatAreGoneMakeADeadLetter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := ledgertest.Event("github", "1", w.clock.Now())
	e.Data, e.DataRef = nil, "s3://elsewhere/body"
	body, err := event.Encode(e)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.queues.Send(t.Context(), eventQueue, string(body), nil); err != nil {
		t.Fatal(err)
	}
	w.drain()
	if r := w.want(e.Key(), ledger.Dead); !strings.Contains(r.Reason, "its data could not be fetched") {
		t.Errorf("the reason is %q", r.Reason)
	}
}

func TestAMessageThatAnotherWorkerHoldsComesBackWhenTheLeaseEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := ledgertest.Event("github", "1", w.clock.Now())
	w.send(e)
	m := w.receive(eventQueue)
	if _, err := w.ledger.Claim(t.Context(), e, ledger.Options{Message: m[0].MessageId, Lease: 10 * time.Minute}); err != nil {
		t.Fatal(err)
	}
	w.clock.Add(visibility) // the queue gives it out again, to us
	if n, back := w.invoke(); n != 1 || back != 1 {
		t.Fatalf("%d messages, %d come back; want it back", n, back)
	}
	w.clock.Add(4*time.Minute - time.Second)
	if n, _ := w.invoke(); n != 0 {
		t.Error("it came back before the lease ended")
	}
	w.clock.Add(time.Second)
	if n, back := w.invoke(); n != 1 || back != 0 {
		t.Errorf("%d messages, %d come back; want it done", n, back)
	}
	w.want(e.Key(), ledger.Delivered, "crm", "mail")
}

func TestDeliveriesAreCutInTimeToWriteThemDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config = strings.ReplaceAll(w.config, w.sink.url+"/crm", "http://192.0.2.1:9") // nobody there, nobody refuses
	w.start()
	w.send(ledgertest.Event("github", "1", w.clock.Now()))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	batch := w.receive(eventQueue)
	out, err := w.handler.handle(ctx, eventOf(batch))
	if err != nil || ctx.Err() != nil || len(out.BatchItemFailures) != 1 {
		t.Errorf("%v, %v, %v", out, err, ctx.Err())
	}
	w.want("github/1", ledger.Waiting, "mail")
}

func TestFailuresOfOurOwnComeBack(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		fail *faults
	}{
		{"a claim that fails", &faults{claim: 1}},
		{"a completion that fails", &faults{complete: 1}},
		{"a payload that is not kept at first", &faults{keep: 1}},
		{"a payload that is never kept", &faults{keep: 1000}},
		{"a visibility that cannot be changed", &faults{hide: 1000, claim: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			test.fail.install(w.handler)
			w.send(ledgertest.Event("github", "1", w.clock.Now()))
			if _, back := w.invoke(); back != 1 {
				t.Error("it did not come back")
			}
			w.drain()
			w.want("github/1", ledger.Delivered, "crm", "mail")
			asked, _ := w.sink.count("crm/1")
			if want := 1 + min(test.fail.wasComplete, 1); asked != want {
				t.Errorf("delivered %d times, want %d", asked, want)
			}
			_, err := w.ledger.Payload(t.Context(), "github/1")
			if lost := errors.Is(err, ledger.ErrNotFound); lost != (test.fail.wasKeep == 1000) {
				t.Errorf("the payload: %v", err)
			}
		})
	}
}

func TestADeadLetterThatCannotBeSentIsSentLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sink.answers(func(string, int) (int, string) { return 410, "" })
	f := faults{letter: 2}
	f.install(w.handler)
	w.send(ledgertest.Event("github", "1", w.clock.Now()))
	if _, err := w.queues.Send(t.Context(), eventQueue, "bad", nil); err != nil {
		t.Fatal(err)
	}
	w.drain()
	w.want("github/1", ledger.Dead)
	if n := len(w.receive(deadQueue)); n != 2 {
		t.Errorf("%d dead letters, want 2", n)
	}
	if asked, _ := w.sink.count("crm/1"); asked != 1 {
		t.Errorf("crm was asked %d times, want once", asked)
	}
}

func TestBackoffDoublesUpToItsMost(t *testing.T) {
	t.Parallel()
	h := &handler{jitter: func(d time.Duration) time.Duration { return d }}
	for n, want := range map[int]time.Duration{
		1: 5 * time.Second, 2: 10 * time.Second, 3: 20 * time.Second, 10: 2560 * time.Second, 11: time.Hour, 33: time.Hour, 1000: time.Hour,
	} {
		if got := h.backoff(n, 5*time.Second, time.Hour); got != want {
			t.Errorf("after failure %d: %v, want %v", n, got, want)
		}
	}
	for range 1000 {
		if d := jitter(time.Second); d <= 0 || d > time.Second {
			t.Fatalf("jitter is %v", d)
		}
	}
}

func TestAttemptsEndBeforeTheQueueDropsTheMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config = strings.ReplaceAll(w.config, `"attempts":3`, `"attempts":1000`)
	w.start()
	w.sink.answers(func(string, int) (int, string) { return 503, "36000" })
	w.send(ledgertest.Event("stripe", "1", w.clock.Now()))
	w.drainWithin(15 * 24 * time.Hour)
	if r := w.want("stripe/1", ledger.Dead); !strings.Contains(r.Reason, "keeps a message for 14 days") {
		t.Errorf("the reason is %q", r.Reason)
	}
}
