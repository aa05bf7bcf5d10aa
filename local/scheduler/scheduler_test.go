package scheduler

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"pushpull/local/sqs"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestTheNextTimeOfASchedule(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 11, 23, 20, 14, 3, 0, time.UTC) // a Monday
	tests := map[string]struct{ expression, want string }{
		"a minute later":                    {"rate(1 minute)", "2026-11-23T20:15:03Z"},
		"seconds, on one machine":           {"rate(5 seconds)", "2026-11-23T20:14:08Z"},
		"two days later":                    {"rate(2 days)", "2026-11-25T20:14:03Z"},
		"noon every day":                    {"cron(0 12 * * ? *)", "2026-11-24T12:00:00Z"},
		"every quarter of an hour":          {"cron(0/15 * * * ? *)", "2026-11-23T20:15:00Z"},
		"working days at six and eighteen":  {"cron(30 6,18 ? * MON-FRI *)", "2026-11-24T06:30:00Z"},
		"the first of the months by number": {"cron(0 0 1 1/3 ? *)", "2027-01-01T00:00:00Z"},
		"a leap day":                        {"cron(0 0 29 FEB ? *)", "2028-02-29T00:00:00Z"},
		"a year that is over":               {"cron(0 0 1 1 ? 2020)", "0001-01-01T00:00:00Z"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			next, err := Parse(tt.expression)
			if err != nil {
				t.Fatal(err)
			}
			if got := next(from).Format(time.RFC3339); got != tt.want {
				t.Errorf("next %s, want %s", got, tt.want)
			}
		})
	}
}

func TestWhatIsNoScheduleIsSaid(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "rate", "rate()", "rate(0 minutes)", "rate(1 fortnight)", "cron(* * * * *)", "cron(61 * * * ? *)", "cron(0 0 L * ? *)", "cron(0/0 * * * ? *)", "at(2026-11-23T00:00:00)"} {
		if _, err := Parse(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("cron(0/15 1-5 ? * MON-FRI *)")
	f.Add("rate(5 minutes)")
	f.Fuzz(func(t *testing.T, expression string) {
		next, err := Parse(expression)
		if err != nil {
			return
		}
		from := time.Date(2026, 11, 23, 20, 14, 3, 0, time.UTC)
		if got := next(from); !got.IsZero() && !got.After(from) {
			t.Errorf("%q: %v is not after %v", expression, got, from)
		}
	})
}

func TestAScheduleCallsAtOnceAndThenOnTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second)
		defer cancel()
		var calls atomic.Int32
		s := Schedule{Name: "Due", Function: "Poller", Expression: "rate(1 minute)"}
		err := s.Run(ctx, func(_ context.Context, function string, payload []byte) ([]byte, error) {
			calls.Add(1)
			if function != "Poller" || !strings.Contains(string(payload), `"source":"aws.scheduler"`) {
				t.Errorf("called %s with %s", function, payload)
			}
			return nil, errors.New("fails, and is called again all the same")
		}, discard(), time.Now)
		if err != nil || calls.Load() != 3 {
			t.Errorf("%d calls, %v: want 3, at 0, 1 and 2 minutes", calls.Load(), err)
		}
	})
}

// queue is a queue that hands out its messages once and keeps what is deleted.
type queue struct {
	messages chan sqs.Message
	deleted  chan string
}

func (q *queue) Receive(ctx context.Context, _ string, most int, _ time.Duration) ([]sqs.Message, error) {
	var out []sqs.Message
	select {
	case m := <-q.messages:
		out = append(out, m)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for len(out) < most {
		select {
		case m := <-q.messages:
			out = append(out, m)
		default:
			return out, nil
		}
	}
	return out, nil
}

func (q *queue) Delete(_ context.Context, _ string, handles []string) error {
	for _, h := range handles {
		q.deleted <- h
	}
	return nil
}

func TestOnlyWhatAFunctionDidIsDeleted(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answer string
		err    error
		whole  bool // no partial batches
		want   []string
	}{
		"nothing said is all done":             {answer: "", want: []string{"r1", "r2"}},
		"null is all done":                     {answer: "null", want: []string{"r1", "r2"}},
		"no failures is all done":              {answer: `{"batchItemFailures":[]}`, want: []string{"r1", "r2"}},
		"one failed":                           {answer: `{"batchItemFailures":[{"itemIdentifier":"m1"}]}`, want: []string{"r2"}},
		"an unknown one is all failed":         {answer: `{"batchItemFailures":[{"itemIdentifier":"m9"}]}`},
		"an empty one is all failed":           {answer: `{"batchItemFailures":[{"itemIdentifier":""}]}`},
		"what is not JSON is all failed":       {answer: `oops`},
		"a function that failed is all failed": {err: errors.New("timeout")},
		"without partial batches all is done":  {answer: `{"batchItemFailures":[{"itemIdentifier":"m1"}]}`, whole: true, want: []string{"r1", "r2"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := &queue{messages: make(chan sqs.Message, 2), deleted: make(chan string, 2)}
			q.messages <- sqs.Message{MessageID: "m1", ReceiptHandle: "r1"}
			q.messages <- sqs.Message{MessageID: "m2", ReceiptHandle: "r2"}
			ctx, cancel := context.WithCancel(t.Context())
			Mapping{BatchSize: 10, PartialBatch: !tt.whole}.Run(ctx, q, func(context.Context, string, []byte) ([]byte, error) {
				cancel()
				return []byte(tt.answer), tt.err
			}, discard())
			close(q.deleted)
			var got []string
			for h := range q.deleted {
				got = append(got, h)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("deleted (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAMessageArrivesAsLambdaSendsIt(t *testing.T) {
	t.Parallel()
	m := Mapping{QueueARN: "arn:aws:sqs:us-east-1:000000000000:q", Region: "us-east-1"}
	payload, err := json.Marshal(m.event([]sqs.Message{{
		MessageID: "m", ReceiptHandle: "r", Body: "b", MD5OfBody: "92eb5ffee6ae2fec3ad71c777531578f", Attributes: map[string]string{"SentTimestamp": "1"},
		MessageAttributes: map[string]sqs.MessageAttribute{"s": {DataType: "String", StringValue: "v"}, "b": {DataType: "Binary", BinaryValue: []byte{0, 255}}},
	}}))
	if err != nil {
		t.Fatal(err)
	}
	var got events.SQSEvent
	if err := json.Unmarshal(payload, &got); err != nil {
		t.Fatal(err)
	}
	v := "v"
	want := events.SQSEvent{Records: []events.SQSMessage{{
		MessageId: "m", ReceiptHandle: "r", Body: "b", Md5OfBody: "92eb5ffee6ae2fec3ad71c777531578f", Attributes: map[string]string{"SentTimestamp": "1"},
		MessageAttributes: map[string]events.SQSMessageAttribute{
			"s": {DataType: "String", StringValue: &v, StringListValues: []string{}, BinaryListValues: [][]byte{}},
			"b": {DataType: "Binary", BinaryValue: []byte{0, 255}, StringListValues: []string{}, BinaryListValues: [][]byte{}},
		},
		EventSource: "aws:sqs", EventSourceARN: "arn:aws:sqs:us-east-1:000000000000:q", AWSRegion: "us-east-1",
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}
