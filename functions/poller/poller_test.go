package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"pushpull/shared/checkpoint"
	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/job"
	"pushpull/shared/queue"
)

func TestAPollBringsWhatTheLedgerDoesNotHave(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.happen(5)
	w.seen["shop/e1"] = true
	due := w.at
	if !deliver(t.Context(), t, w.handler, scheduled(due).Encode(), 1) {
		t.Fatal("the job failed")
	}
	got, _ := w.ids()
	if diff := cmp.Diff([]string{"e0", "e2", "e3", "e4"}, got); diff != "" {
		t.Error(diff)
	}
	first := w.queued[0]
	if first.CorrelationID == "" || first.CorrelationID == w.queued[1].CorrelationID {
		t.Errorf("the correlation ids are %q and %q", first.CorrelationID, w.queued[1].CorrelationID)
	}
	first.CorrelationID = ""
	want := event.Event{
		ID: "e0", Source: "shop", Type: "shop", Time: w.records[0].At, ContentType: "application/json",
		Data: []byte(`{"id":"e0","at":"2026-11-23T10:00:01Z"}`), Transport: event.Poll, ReceivedTime: w.at, VerifiedTime: w.at,
	}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Error(diff)
	}
	st := w.status(t)
	if diff := cmp.Diff(checkpoint.Tally{Started: w.at, Ended: w.at, Pages: 3, Requests: 3, Bytes: 195, Records: 5, New: 4}, st.Last); diff != "" {
		t.Error(diff)
	}
	if !st.Due.Equal(due.Add(15*time.Minute)) || !st.LeaseUntil.IsZero() {
		t.Errorf("the status is %+v", st)
	}
}

func TestWhatASourceHidesIsNotQueued(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	shop := w.sources["shop"]
	shop.Privacy = &config.Privacy{Mask: config.Paths{".at"}, Tokenise: config.Paths{".id"}, Key: config.Secrets{"ssm:/privacy"}}
	w.sources["shop"] = shop
	w.happen(3)
	if !deliver(t.Context(), t, w.handler, scheduled(w.at).Encode(), 1) {
		t.Fatal("the job failed")
	}
	if got, _ := w.ids(); len(got) != 3 || got[0] != "e0" {
		t.Errorf("the identities are %v: they are of what came", got)
	}
	for _, e := range w.queued {
		if data := string(e.Data); !strings.HasPrefix(data, `{"id":"tok_`) || !strings.HasSuffix(data, `","at":"***"}`) {
			t.Errorf("queued is %s", data)
		}
	}
}

func TestARecordOfATimeThatNoEventCanHaveKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	delete(w.sources, "push")
	shop := w.sources["shop"]
	shop.Poll[0].Event.Time = nil
	w.happen(3)
	w.records[1].At = time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -12*3600))
	if !deliver(t.Context(), t, w.handler, scheduled(w.at).Encode(), 1) {
		t.Fatal("the job failed")
	}
	if len(w.queued) != 3 {
		t.Errorf("%d events were queued, want 3", len(w.queued))
	}
	for _, e := range w.queued {
		if err := e.Validate(); err != nil {
			t.Errorf("the queue would refuse the page for %s: %v", e.ID, err)
		}
	}
}

func TestMissedIsWhatTheWebhookShouldHaveBrought(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 100)
	w.happen(3)
	w.at = w.at.Add(30 * time.Minute)
	if !deliver(t.Context(), t, w.handler, scheduled(w.at).Encode(), 1) {
		t.Fatal("the job failed")
	}
	w.happen(2) // two that the webhook lost
	w.at = w.at.Add(2 * time.Minute)
	w.happen(1) // and one that may still come
	if !deliver(t.Context(), t, w.handler, job.Job{Source: "shop", Reason: job.Manual}.Encode(), 1) {
		t.Fatal("the job failed")
	}
	var missed []string
	for _, e := range w.queued {
		if e.Missed {
			missed = append(missed, e.ID)
		}
	}
	if diff := cmp.Diff([]string{"e3", "e4"}, missed); diff != "" {
		t.Errorf("of a first poll nothing is missed, nor within the grace: %s", diff)
	}
	if got := w.status(t).Last.Missed; got != 2 {
		t.Errorf("%d are recorded", got)
	}
}

func TestACrashBetweenQueueAndCheckpointRepeatsAndNeverLoses(t *testing.T) {
	t.Parallel()
	for crash := 1; crash <= 5; crash++ {
		t.Run(fmt.Sprint("at write ", crash), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 2)
			w.happen(5)
			writes := 0
			w.table.fail = func() error {
				if writes++; writes >= crash {
					return errors.New("killed") // and so is every write that follows
				}
				return nil
			}
			j := scheduled(w.at)
			acked := deliver(t.Context(), t, w.handler, j.Encode(), 1)
			if acked != (crash == 5) { // four writes: lease, two pages, the last page with the release
				t.Fatalf("acknowledged: %v", acked)
			}
			w.table.fail = nil
			w.at = w.at.Add(lease + time.Second)
			deliver(t.Context(), t, w.handler, job.Job{Source: "shop", Reason: job.Manual}.Encode(), 1)
			_, repeated := w.ids()
			w.complete(t, repeated)
			if repeated > 2 {
				t.Errorf("%d repeated: more than the page under way", repeated)
			}
		})
	}
}

func TestAQueueThatRefusesKeepsTheCheckpointWhereItWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.happen(3)
	w.refuse = errors.New("refused")
	if deliver(t.Context(), t, w.handler, scheduled(w.at).Encode(), 1) {
		t.Fatal("the job was acknowledged")
	}
	st := w.status(t)
	if !st.Checkpoint.IsZero() || st.Error == "" || !st.LeaseUntil.IsZero() || len(w.hidden) != 1 {
		t.Errorf("the status is %+v, hidden %v", st, w.hidden)
	}
	w.refuse = nil
	if !deliver(t.Context(), t, w.handler, scheduled(w.at).Encode(), 2) {
		t.Fatal("the retry failed")
	}
	w.complete(t, 0)
	if st := w.status(t); st.Error != "" {
		t.Errorf("the error is still %q", st.Error)
	}
}

func TestTheLeaseKeepsTwoRunsApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.happen(5)
	l, err := w.states.Acquire(t.Context(), "shop", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if !deliver(t.Context(), t, w.handler, scheduled(w.at).Encode(), 1) || w.asked != 0 {
		t.Error("a held source is left to its holder, and the job acknowledged")
	}
	if _, err := w.states.Release(t.Context(), l, checkpoint.Outcome{}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		h := w.poller(w.client)
		wg.Go(func() { deliver(t.Context(), t, h, scheduled(w.at).Encode(), 1) })
	}
	wg.Wait()
	w.complete(t, 0)
}

func TestALeaseThatWasLostEndsTheRunWithoutItsCheckpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.happen(5)
	var other checkpoint.Lease
	w.beforeSend = func() { // the page takes so long that another run takes over
		w.beforeSend = nil
		w.at = w.at.Add(lease + time.Second)
		var err error
		if other, err = w.states.Acquire(t.Context(), "shop", lease); err != nil {
			t.Error(err)
		}
	}
	if !deliver(t.Context(), t, w.handler, scheduled(w.at).Encode(), 1) {
		t.Error("the job failed, where the other run has the source")
	}
	if st := w.status(t); !st.Checkpoint.IsZero() || !st.LeaseUntil.Equal(other.Until) {
		t.Errorf("the late run wrote: %+v", st)
	}
}

func TestALongRunGoesOnInItsContinuation(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		left time.Duration // of each invocation
		jobs int
	}{
		{"after max_pages", time.Hour, 3},
		{"after each page when the time is nearly up", pageTime + reserve - time.Second, 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 2)
			w.happen(13)
			w.sent = []queue.Message{message(scheduled(w.at), 0)}
			jobs := 0
			for len(w.sent) > 0 {
				m := w.sent[0]
				w.sent = w.sent[1:]
				ctx, cancel := context.WithTimeout(t.Context(), tt.left)
				if !deliver(ctx, t, w.handler, m.Body, 1) {
					t.Fatal("a job failed")
				}
				cancel()
				jobs++
			}
			w.complete(t, 0)
			if jobs != tt.jobs {
				t.Errorf("%d jobs, want %d", jobs, tt.jobs)
			}
			if got := w.status(t).Last; got.Records != 13 || got.New != 13 {
				t.Errorf("the run is recorded as %+v", got)
			}
		})
	}
}

func TestATieLargerThanAPageComesWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	for i := range 9 {
		w.records = append(w.records, record{fmt.Sprint("e", i), w.at})
	}
	j := scheduled(w.at)
	for range 2 {
		if !deliver(t.Context(), t, w.handler, j.Encode(), 1) {
			t.Fatal("the job failed")
		}
		j = job.Job{Source: "shop", Reason: job.Manual, Continuation: true}
	}
	w.records = append(w.records, record{"late", w.at}) // joins the tie after it was read
	for range 2 {
		if !deliver(t.Context(), t, w.handler, j.Encode(), 1) {
			t.Fatal("the job failed")
		}
	}
	w.complete(t, 0)
}

func TestFailuresEndAsDeadLetters(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		body     string
		status   int
		receives int
		dead     string // in the reason; "" where the job comes back
	}{
		{"a failure that may pass comes back", "", 502, 4, ""},
		{"the fifth failure is the last", "", 502, 5, "status 502"},
		{"one that will not pass is the only one", "", 401, 1, "refused the credential"},
		{"what is not a job", "{", 0, 1, "not a poll job"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 2)
			w.fail = tt.status
			if tt.body == "" {
				tt.body = scheduled(w.at).Encode()
			}
			acked := deliver(t.Context(), t, w.handler, tt.body, tt.receives)
			if acked != (tt.dead != "") || len(w.dead) == 1 != (tt.dead != "") {
				t.Fatalf("acknowledged %v, dead %v", acked, w.dead)
			}
			if tt.dead == "" {
				return
			}
			if got := w.dead[0].Attributes[queue.AttributeReason]; !strings.Contains(got, tt.dead) {
				t.Errorf("the reason is %q", got)
			}
			if tt.status != 0 {
				job, err := job.Parse(w.dead[0].Body)
				if err != nil || job.Source != "shop" || job.Stopped == "" {
					t.Errorf("the dead letter is %s (%v)", w.dead[0].Body, err)
				}
				if st := w.status(t); st.Error == "" || !st.Due.After(w.at) {
					t.Errorf("the status is %+v", st)
				}
			}
		})
	}
}

func TestAnOutageOfTheAPIIsOneDeadLetterAndHealsByItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.happen(1)
	w.do(t, scheduled(w.at))
	w.pass(15 * time.Minute)
	w.fail = 502
	first := scheduled(w.at)
	for receives := 1; receives <= maxReceives; receives++ {
		deliver(t.Context(), t, w.handler, first.Encode(), receives)
		w.pass(30 * time.Second)
	}
	requests := w.requests()
	for range 12 * 60 { // half a day
		w.pass(time.Minute)
		w.tick(t)
		w.drain(t)
	}
	if len(w.dead) != 1 {
		t.Errorf("%d dead letters", len(w.dead))
	}
	if n := (w.requests() - requests) / 3; n > 12*4+4 { // each tries its request three times
		t.Errorf("%d polls in twelve hours", n)
	}
	w.fail = 0
	w.happen(1)
	for range 15 {
		w.pass(time.Minute)
		w.tick(t)
		w.drain(t)
	}
	w.complete(t, 0)
}

func TestALimitPutsTheSourceOffAndIsNoFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.fail, w.header = 429, http.Header{"Retry-After": {"600"}}
	if !deliver(t.Context(), t, w.handler, scheduled(w.at).Encode(), 1) {
		t.Fatal("the job failed")
	}
	if st := w.status(t); !st.Due.Equal(w.at.Add(10*time.Minute)) || st.Error != "" || !st.Checkpoint.IsZero() {
		t.Errorf("the status is %+v", st)
	}
}

func TestJobsThatAreNotNeeded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name     string
		job      job.Job
		status   checkpoint.Status
		receives int
		want     bool
	}{
		{"a paused poll is not made by the schedule", scheduled(now), checkpoint.Status{Paused: true}, 1, true},
		{"but by hand", job.Job{Reason: job.Manual}, checkpoint.Status{Paused: true}, 1, false},
		{"polled since it was due", scheduled(now), checkpoint.Status{Last: checkpoint.Tally{Started: now.Add(time.Second)}}, 1, true},
		{"another job took this turn", scheduled(now), checkpoint.Status{Due: now.Add(time.Minute)}, 1, true},
		{"a retry is not dropped for the pause its failure made", scheduled(now), checkpoint.Status{Due: now.Add(time.Minute)}, 2, false},
		{"its turn", scheduled(now), checkpoint.Status{Due: now, Last: checkpoint.Tally{Started: now.Add(-time.Minute)}}, 1, false},
		{"a continuation", job.Job{Reason: job.Scheduled, Due: now, Continuation: true}, checkpoint.Status{Due: now.Add(time.Minute)}, 1, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := needless(tt.job, tt.status, tt.receives, poll{}); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestTheScheduleQueuesEachTimeASourceIsDueWithinTheMinute(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	fast := w.sources["shop"]
	fast.Poll = slices.Clone(fast.Poll)
	fast.Poll[0].Every = config.Duration(20 * time.Second)
	w.sources["fast"] = fast
	later, err := w.states.Acquire(t.Context(), "shop", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.states.Release(t.Context(), later, checkpoint.Outcome{Due: w.at.Add(30 * time.Second)}); err != nil {
		t.Fatal(err)
	}
	payload, err := os.ReadFile("../../events/scheduled.json")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.handle(t.Context(), payload); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range w.sent {
		got = append(got, fmt.Sprint(m.Group, " ", m.Delay))
	}
	if diff := cmp.Diff([]string{"fast 0s", "fast 20s", "fast 40s", "shop 30s"}, got); diff != "" {
		t.Error(diff)
	}
	w.at = w.at.Add(35 * time.Second)
	if !deliver(t.Context(), t, w.handler, w.sent[3].Body, 1) {
		t.Fatal("the job failed")
	}
	if got := w.status(t).Due.Sub(later.Until); got != 14*time.Minute+30*time.Second {
		t.Errorf("the rhythm is lost: next is %v after", got)
	}
}

func TestASourceWhoseStateIsDamagedStopsNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.sources["damaged"] = w.sources["shop"]
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	if _, err := w.table.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: aws.String(w.table.name), Key: map[string]types.AttributeValue{"key": text("poll/damaged")},
		UpdateExpression: aws.String("SET #checkpoint = :checkpoint"), ConditionExpression: aws.String("attribute_not_exists(#owner)"),
		ExpressionAttributeNames:  map[string]string{"#checkpoint": "checkpoint", "#owner": "owner"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":checkpoint": text("{")},
	}); err != nil {
		t.Fatal(err)
	}
	if err := w.schedule(t.Context()); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("the error is %v", err)
	}
	if len(w.sent) != 1 || w.sent[0].Group != "shop" {
		t.Errorf("%d jobs, want the one of shop", len(w.sent))
	}
}

func TestTheSampleIsAJob(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../events/poll-job.json")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, 2)
	w.happen(1)
	w.sources["stripe"] = w.sources["shop"]
	if out, err := w.handle(t.Context(), b); err != nil || len(out.(events.SQSEventResponse).BatchItemFailures) > 0 {
		t.Errorf("%v, %v", out, err)
	}
	w.complete(t, 0)
}

func TestBackoffStaysWithinItsBounds(t *testing.T) {
	t.Parallel()
	for receives := range 20 {
		if d := backoff(receives, 0.999); d < firstBackoff/2 || d > maxBackoff {
			t.Errorf("%d: %v", receives, d)
		}
	}
}

// renewals counts them, and stands for nothing else of a store.
type renewals struct {
	stateStore
	n int
}

func (r *renewals) Renew(context.Context, checkpoint.Lease) error {
	r.n++
	return nil
}

func TestALeaseIsRenewedWhileAPageTakesLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &renewals{}
		h := &handler{states: r, log: slog.New(slog.DiscardHandler)}
		stop := h.keep(t.Context(), checkpoint.Lease{})
		<-time.After(2*lease + time.Second)
		stop()
		if r.n != 6 {
			t.Errorf("%d renewals in two leases", r.n)
		}
	})
}
