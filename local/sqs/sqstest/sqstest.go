// Package sqstest is what an SQS must do, as one suite of cases that ours and the
// reference, ElasticMQ, both pass. A case says one thing about SQS, in a sentence,
// and makes queues of its own, so that all run at once and against any endpoint
// that is shared. Its one invariant: a case never asserts what AWS does not do.
package sqstest

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// cases is every case, by its file.
func cases() []testCase {
	return slices.Concat(queueCases(), messageCases(), attributeCases(), limitCases(), batchCases(),
		visibilityCases(), fifoCases(), deadLetterCases(), moveCases(), fairCases())
}

type testCase struct {
	name string
	run  func(*testing.T, env)
}

// Departures is where an endpoint is known to differ from AWS. Ours has none.
type Departures struct {
	Cases map[string]string   // the names of cases that it cannot pass, and why
	Codes map[string][]string // the codes of errors that it answers in place of one of AWS
}

// Run runs every case against the endpoint of the clients that newClient makes.
func Run(t *testing.T, newClient func(t *testing.T) *sqs.Client, departures Departures) {
	t.Helper()
	unknown := maps.Clone(departures.Cases)
	for _, c := range cases() {
		delete(unknown, c.name)
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if why, departs := departures.Cases[c.name]; departs {
				t.Skip(why)
			}
			c.run(t, env{newClient(t), departures})
		})
	}
	for name := range unknown {
		t.Errorf("there is no case %q to depart from", name)
	}
}

// NewClient returns an SDK client of an endpoint, with made-up credentials and no retries.
func NewClient(endpoint string) *sqs.Client {
	return sqs.New(sqs.Options{
		BaseEndpoint:     &endpoint,
		Region:           "us-east-1",
		Credentials:      credentials.NewStaticCredentialsProvider("local", "local", ""),
		RetryMaxAttempts: 1,
	})
}

// An env is what a case works with.
type env struct {
	*sqs.Client
	departures Departures
}

type attributes = map[string]string

func uniqueName() string { return "t-" + uuid.NewString() }

// queue makes a standard queue of its own for the case.
func (e env) queue(t *testing.T, a attributes) string {
	t.Helper()
	return e.named(t, uniqueName(), a)
}

// fifo makes a FIFO queue.
func (e env) fifo(t *testing.T, a attributes) string {
	t.Helper()
	all := attributes{"FifoQueue": "true"}
	maps.Copy(all, a)
	return e.named(t, uniqueName()+".fifo", all)
}

func (e env) named(t *testing.T, name string, a attributes) string {
	t.Helper()
	out, err := e.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: a})
	must(t, err)
	return *out.QueueUrl
}

func (e env) arn(t *testing.T, url string) string {
	t.Helper()
	return e.attribute(t, url, types.QueueAttributeNameQueueArn)
}

func (e env) attribute(t *testing.T, url string, name types.QueueAttributeName) string {
	t.Helper()
	out, err := e.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{name}})
	must(t, err)
	return out.Attributes[string(name)]
}

// send sends a message, perhaps changed by edits, and returns the answer.
func (e env) send(t *testing.T, url, body string, edits ...func(*sqs.SendMessageInput)) *sqs.SendMessageOutput {
	t.Helper()
	out, err := e.trySend(t, url, body, edits...)
	must(t, err)
	return out
}

func (e env) trySend(t *testing.T, url, body string, edits ...func(*sqs.SendMessageInput)) (*sqs.SendMessageOutput, error) {
	t.Helper()
	in := &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body}
	for _, edit := range edits {
		edit(in)
	}
	return e.SendMessage(t.Context(), in)
}

func inGroup(id string) func(*sqs.SendMessageInput) {
	return func(in *sqs.SendMessageInput) { in.MessageGroupId = &id }
}

func dedup(id string) func(*sqs.SendMessageInput) {
	return func(in *sqs.SendMessageInput) { in.MessageDeduplicationId = &id }
}

func after(seconds int32) func(*sqs.SendMessageInput) {
	return func(in *sqs.SendMessageInput) { in.DelaySeconds = seconds }
}

func with(a map[string]types.MessageAttributeValue) func(*sqs.SendMessageInput) {
	return func(in *sqs.SendMessageInput) { in.MessageAttributes = a }
}

func text(s string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &s}
}

func numeral(s string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("Number"), StringValue: &s}
}

func binary(b []byte) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("Binary"), BinaryValue: b}
}

// receive takes what is there at once, up to ten, with all attributes.
func (e env) receive(t *testing.T, url string, edits ...func(*sqs.ReceiveMessageInput)) []types.Message {
	t.Helper()
	in := &sqs.ReceiveMessageInput{
		QueueUrl: &url, MaxNumberOfMessages: 10,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}, MessageAttributeNames: []string{"All"},
	}
	for _, edit := range edits {
		edit(in)
	}
	out, err := e.ReceiveMessage(t.Context(), in)
	must(t, err)
	return out.Messages
}

func wait(seconds int32) func(*sqs.ReceiveMessageInput) {
	return func(in *sqs.ReceiveMessageInput) { in.WaitTimeSeconds = seconds }
}

func atMost(n int32) func(*sqs.ReceiveMessageInput) {
	return func(in *sqs.ReceiveMessageInput) { in.MaxNumberOfMessages = n }
}

func hidden(seconds int32) func(*sqs.ReceiveMessageInput) {
	return func(in *sqs.ReceiveMessageInput) { in.VisibilityTimeout = seconds }
}

// one receives the one message that must be there within five seconds.
func (e env) one(t *testing.T, url string, edits ...func(*sqs.ReceiveMessageInput)) types.Message {
	t.Helper()
	got := e.receive(t, url, append([]func(*sqs.ReceiveMessageInput){wait(5), atMost(1)}, edits...)...)
	if len(got) != 1 {
		t.Fatalf("received %d messages, want 1", len(got))
	}
	return got[0]
}

// drain receives and deletes until n messages came or five seconds passed, and
// returns the bodies in the order of arrival.
func (e env) drain(t *testing.T, url string, n int) []string {
	t.Helper()
	var bodies []string
	for end := time.Now().Add(5 * time.Second); len(bodies) < n && time.Now().Before(end); {
		for _, m := range e.receive(t, url, wait(1)) {
			bodies = append(bodies, *m.Body)
			e.delete(t, url, m)
		}
	}
	return bodies
}

func (e env) delete(t *testing.T, url string, m types.Message) {
	t.Helper()
	_, err := e.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle})
	must(t, err)
}

func (e env) hold(t *testing.T, url string, m types.Message, seconds int32) {
	t.Helper()
	_, err := e.ChangeMessageVisibility(t.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: seconds})
	must(t, err)
}

// empty asserts that nothing can be received.
func (e env) empty(t *testing.T, url string) {
	t.Helper()
	if got := bodies(e.receive(t, url)); len(got) > 0 {
		t.Fatalf("received %q, want nothing", got)
	}
}

func bodies(messages []types.Message) []string {
	var all []string
	for _, m := range messages {
		all = append(all, *m.Body)
	}
	return all
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T any](t *testing.T, what string, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

// refused asserts an error of the caller by its code, in the spelling of the JSON
// protocol or the query protocol: SDKs show one or the other.
func (e env) refused(t *testing.T, err error, codes ...string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Fatalf("got %v, want the error %s", err, codes[0])
	}
	code := strings.TrimSuffix(strings.TrimPrefix(api.ErrorCode(), "com.amazonaws.sqs#"), "Exception")
	if !slices.Contains(codes, code) && !slices.Contains(e.departures.Codes[codes[0]], code) {
		t.Fatalf("got the error %s (%s), want %s", api.ErrorCode(), api.ErrorMessage(), strings.Join(codes, " or "))
	}
}

// refusedAs asserts an error that the SDK has a type for.
func refusedAs[E error](t *testing.T, err error) {
	t.Helper()
	if want, ok := errors.AsType[E](err); !ok {
		t.Fatalf("got %v, want a %T", err, want)
	}
}
