package sqstest

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func messageCases() []testCase {
	return []testCase{
		{"a body comes back byte for byte", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			for _, body := range []string{
				"plain", "<&>\"'\\/", "tab\tnewline\nreturn\r", "é 漢字 \U0001F600 \uFFFD \u2028", strings.Repeat("x", 100_000),
			} {
				sent := e.send(t, url, body)
				got := e.one(t, url)
				equal(t, "the body", body, *got.Body)
				equal(t, "the id", *sent.MessageId, *got.MessageId)
				equal(t, "the digest", *sent.MD5OfMessageBody, *got.MD5OfBody)
				e.delete(t, url, got)
			}
		}},
		{"an empty queue answers at once without messages", func(t *testing.T, e env) {
			begin := time.Now()
			e.empty(t, e.queue(t, nil))
			if took := time.Since(begin); took > 2*time.Second {
				t.Errorf("it took %s", took)
			}
		}},
		{"a deleted message does not come back", func(t *testing.T, e env) {
			url := e.queue(t, attributes{"VisibilityTimeout": "1"})
			e.send(t, url, "a")
			e.delete(t, url, e.one(t, url))
			if got := e.receive(t, url, wait(2)); len(got) > 0 {
				t.Errorf("received %q", bodies(got))
			}
		}},
		{"deleting twice is no error", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			e.send(t, url, "a")
			m := e.one(t, url)
			e.delete(t, url, m)
			e.delete(t, url, m)
		}},
		{"what never was a receipt handle is refused", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			_, err := e.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: aws.String("nonsense")})
			refusedAs[*types.ReceiptHandleIsInvalid](t, err)
		}},
		{"at most as many messages come as were asked for", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			for range 5 {
				e.send(t, url, "x")
			}
			equal(t, "messages", 3, len(e.receive(t, url, atMost(3))))
		}},
		{"at most ten messages can be asked for", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			for _, n := range []int32{-1, 11} {
				_, err := e.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: n})
				e.refused(t, err, "InvalidParameterValue", "ReadCountOutOfRange")
			}
		}},
		{"a long poll ends when a message arrives", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			begin := time.Now()
			sent := make(chan error, 1)
			time.AfterFunc(500*time.Millisecond, func() {
				_, err := e.trySend(t, url, "x")
				sent <- err
			})
			e.one(t, url, wait(10))
			took := time.Since(begin)
			must(t, <-sent)
			if took < 400*time.Millisecond || took > 3*time.Second {
				t.Errorf("it took %s", took)
			}
		}},
		{"a long poll ends when a delay does", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			begin := time.Now()
			e.send(t, url, "x", after(1))
			e.one(t, url, wait(10))
			if took := time.Since(begin); took < 900*time.Millisecond || took > 4*time.Second {
				t.Errorf("it took %s", took)
			}
		}},
		{"a long poll ends when a visibility timeout does", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			e.send(t, url, "x")
			begin := time.Now()
			e.one(t, url, hidden(1))
			e.one(t, url, wait(10))
			if took := time.Since(begin); took < 900*time.Millisecond || took > 4*time.Second {
				t.Errorf("it took %s", took)
			}
		}},
		{"a long poll that gets nothing ends when its time does", func(t *testing.T, e env) {
			begin := time.Now()
			got := e.receive(t, e.queue(t, nil), wait(1))
			if took := time.Since(begin); len(got) > 0 || took < 900*time.Millisecond || took > 4*time.Second {
				t.Errorf("it took %s and got %q", took, bodies(got))
			}
		}},
		{"the queue's own wait time is the default", func(t *testing.T, e env) {
			url := e.queue(t, attributes{"ReceiveMessageWaitTimeSeconds": "1"})
			begin := time.Now()
			e.receive(t, url)
			if took := time.Since(begin); took < 900*time.Millisecond {
				t.Errorf("it took %s", took)
			}
		}},
		{"a delayed message is not there before its time", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			e.send(t, url, "later", after(1))
			e.empty(t, url)
			e.one(t, url)
		}},
		{"the queue's own delay is the default", func(t *testing.T, e env) {
			url := e.queue(t, attributes{"DelaySeconds": "1"})
			e.send(t, url, "later")
			e.empty(t, url)
			e.one(t, url)
		}},
		{"a delay is at most fifteen minutes", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			e.send(t, url, "x", after(900))
			_, err := e.trySend(t, url, "x", after(901))
			e.refused(t, err, "InvalidParameterValue")
		}},
		{"a message says when it was sent, and how often and since when it was received", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			begin := time.Now()
			e.send(t, url, "x")
			first := e.one(t, url)
			e.hold(t, url, first, 0)
			second := e.one(t, url)
			near := func(name string) {
				t.Helper()
				ms, err := strconv.ParseInt(second.Attributes[name], 10, 64)
				must(t, err)
				if off := time.UnixMilli(ms).Sub(begin).Abs(); off > 10*time.Second {
					t.Errorf("%s is %s off", name, off)
				}
			}
			near("SentTimestamp")
			near("ApproximateFirstReceiveTimestamp")
			equal(t, "the first count", "1", first.Attributes["ApproximateReceiveCount"])
			equal(t, "the second count", "2", second.Attributes["ApproximateReceiveCount"])
			equal(t, "the first receive", first.Attributes["ApproximateFirstReceiveTimestamp"], second.Attributes["ApproximateFirstReceiveTimestamp"])
		}},
		{"only the system attributes that were asked for are answered", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			e.send(t, url, "x")
			m := e.one(t, url, func(in *sqs.ReceiveMessageInput) {
				in.MessageSystemAttributeNames = []types.MessageSystemAttributeName{"SentTimestamp"}
			})
			if _, ok := m.Attributes["SentTimestamp"]; !ok || len(m.Attributes) != 1 {
				t.Errorf("got %v", m.Attributes)
			}
		}},
		{"the old name of the parameter for system attributes still works", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			e.send(t, url, "x")
			m := e.one(t, url, func(in *sqs.ReceiveMessageInput) {
				in.MessageSystemAttributeNames = nil
				in.AttributeNames = []types.QueueAttributeName{"All"} //nolint:staticcheck // that it works is the point
			})
			for _, name := range []string{"SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp"} {
				if m.Attributes[name] == "" {
					t.Errorf("%s is missing from %v", name, m.Attributes)
				}
			}
		}},
		{"a trace header travels with the message", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			const trace = "Root=1-5759e988-bd862e3fe1be46a994272793"
			sent := e.send(t, url, "x", func(in *sqs.SendMessageInput) {
				in.MessageSystemAttributes = map[string]types.MessageSystemAttributeValue{"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String(trace)}}
			})
			equal(t, "the trace", trace, e.one(t, url).Attributes["AWSTraceHeader"])
			if aws.ToString(sent.MD5OfMessageSystemAttributes) == "" {
				t.Error("the answer has no MD5OfMessageSystemAttributes")
			}
		}},
		{"every message is received once by consumers at the same time", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			const n = 60
			for i := range n {
				e.send(t, url, strconv.Itoa(i))
			}
			results := make(chan []string)
			for range 4 {
				go func() {
					var mine []string
					for {
						out, err := e.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 7})
						if err != nil || len(out.Messages) == 0 {
							results <- mine
							return
						}
						mine = append(mine, bodies(out.Messages)...)
					}
				}()
			}
			var all []string
			for range 4 {
				all = append(all, <-results...)
			}
			slices.Sort(all)
			equal(t, "messages", n, len(all))
			equal(t, "different ones", n, len(slices.Compact(all)))
		}},
	}
}
