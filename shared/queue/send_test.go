package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const queueURL = "https://sqs.eu-central-1.amazonaws.com/123456789012/events"

func TestEveryMessageIsSentOnceInBatchesUnderTheLimits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lengths := rapid.SliceOfN(rapid.OneOf(
			rapid.IntRange(1, 300), rapid.IntRange(100_000, 400_000), rapid.IntRange(maxBytes-9000, maxBytes),
		), 1, 60).Draw(t, "lengths")
		url := rapid.SampledFrom([]string{queueURL, queueURL + ".fifo"}).Draw(t, "queue")
		big := strings.Repeat("x", maxBytes)
		messages := make([]Message, len(lengths))
		for i, n := range lengths {
			messages[i] = Message{Body: big[:n], Group: fmt.Sprint(i)}
		}
		sqs := &fakeSQS{}
		if err := New(sqs, url, nil).Send(t.Context(), messages...); err != nil {
			t.Fatal(err)
		}
		for i, n := range sqs.calls {
			if n > maxBatch || sqs.bytes[i] > maxBytes {
				t.Fatalf("call %d: %d messages of %d bytes", i, n, sqs.bytes[i])
			}
		}
		got := make([]bool, len(messages))
		for i, m := range sqs.taken {
			var index int
			if _, err := fmt.Sscan(m.Group, &index); err != nil || got[index] {
				t.Fatalf("message %s was sent twice", m.Group)
			}
			if isFIFO(url) && index != i {
				t.Fatalf("message %d came as %d", index, i)
			}
			got[index] = true
		}
		if slices.Contains(got, false) {
			t.Fatalf("not all were sent: %v", got)
		}
	})
}

func TestMessagesAreRefusedOneByOne(t *testing.T) {
	t.Parallel()
	attributes := map[string]string{}
	for i := range 11 {
		attributes[fmt.Sprint("a", i)] = "v"
	}
	sqs := &fakeSQS{}
	err := New(sqs, queueURL, nil).Send(t.Context(),
		Message{Body: "good"},
		Message{Body: strings.Repeat("x", maxBytes+1)},
		Message{Body: "a\x00b"},
		Message{Body: "not UTF-8 \xff"},
		Message{Body: ""},
		Message{Body: "late", Delay: time.Hour},
		Message{Body: "many", Attributes: attributes},
		Message{Body: "empty", Attributes: map[string]string{"a": ""}},
		Message{Body: "noncharacter \uffff"},
		Message{Body: "tab\tand 😀"},
	)
	refused, ok := errors.AsType[*RefusedError](err)
	if !ok {
		t.Fatalf("error %v", err)
	}
	got := map[int]string{}
	for _, f := range refused.Failures {
		got[f.Index] = f.Code
		if !f.Sender {
			t.Errorf("message %d: is not said to be our fault", f.Index)
		}
	}
	want := map[int]string{
		1: "MessageTooLong", 2: "InvalidMessageContents", 3: "InvalidMessageContents", 4: "MissingBody",
		5: "InvalidDelay", 6: "TooManyAttributes", 7: "InvalidAttribute", 8: "InvalidMessageContents",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(sqs.taken) != 2 {
		t.Errorf("%d were taken, want the two good ones", len(sqs.taken))
	}
	if !strings.Contains(err.Error(), "queue events: did not take 8 of 10 messages") {
		t.Errorf("error %v", err)
	}
}

func TestWhatIsRefusedForAPassingReasonIsSentAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sqs := &fakeSQS{refuse: func(call int, m Message) *Failure {
			switch {
			case m.Body == "busy" && call < 2:
				return &Failure{Code: "InternalError"}
			case m.Body == "throttled" && call < 1:
				return &Failure{Code: "RequestThrottled", Sender: true}
			case m.Body == "bad":
				return &Failure{Code: "InvalidParameterValue", Sender: true}
			}
			return nil
		}}
		err := New(sqs, queueURL, nil).Send(t.Context(),
			Message{Body: "good"}, Message{Body: "bad"}, Message{Body: "busy"}, Message{Body: "throttled"})
		refused, ok := errors.AsType[*RefusedError](err)
		if !ok {
			t.Fatalf("error %v", err)
		}
		want := []Failure{{Index: 1, Code: "InvalidParameterValue", Sender: true}}
		if diff := cmp.Diff(want, refused.Failures); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]int{4, 2, 1}, sqs.calls); diff != "" {
			t.Error(diff)
		}
	})
}

func TestSendStopsWhenTheCallersTimeIsUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sqs := &fakeSQS{refuse: func(int, Message) *Failure { return &Failure{Code: "InternalError"} }}
		q := New(sqs, queueURL, nil)
		q.jitter = func() float64 { return 1 }
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		begin := time.Now()
		err := q.Send(ctx, Message{Body: "one"})
		if refused, ok := errors.AsType[*RefusedError](err); !ok || refused.Failures[0].Code != "InternalError" {
			t.Errorf("error %v", err)
		}
		if took := time.Since(begin); took != 150*time.Millisecond { // 50 and 100; the next 200 would be too long
			t.Errorf("took %v", took)
		}
	})
}

func TestACallThatFailsAsAWholeRefusesItsMessagesAndNoOthers(t *testing.T) {
	t.Parallel()
	down := errors.New("down")
	sqs := &fakeSQS{broken: func(call int) error {
		if call == 1 {
			return down
		}
		return nil
	}}
	messages := make([]Message, 25)
	for i := range messages {
		messages[i] = Message{Body: "x", Group: "g"}
	}
	err := New(sqs, queueURL+".fifo", nil).Send(t.Context(), messages...)
	refused, ok := errors.AsType[*RefusedError](err)
	if !ok || !errors.Is(err, down) {
		t.Fatalf("error %v", err)
	}
	if len(refused.Failures) != 10 || refused.Failures[0].Index != 10 || refused.Failures[0].Sender {
		t.Errorf("failures %+v, want messages 10 to 19", refused.Failures)
	}
}
