// Package samples puts every sample of events/ through the functions as they
// are deployed: the built binaries, over the Lambda Runtime API. Its one
// invariant: a sample that no test knows is a failure.
package samples

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"pushpull/events"
	"pushpull/local/lambda"
	"pushpull/local/stack"
	"pushpull/shared/ledger"
)

// The secrets are those that events/README.md names. The sources called late
// are those whose samples have a signed time, which is past: they forgive it.
const (
	secrets = `"ssm:/samples/text": "It's a Secret to Everybody"
"ssm:/samples/standard": whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
"ssm:/samples/token": a token
`
	configuration = `
sources:
  github:
    webhook: { provider: github, secret: "ssm:/samples/text" }
  stripe:
    webhook: { provider: stripe, secret: "ssm:/samples/text" }
    poll: { provider: stripe, resource: events, token: "ssm:/samples/token", base_url: "%s" }
  late-stripe:
    webhook: { provider: stripe, secret: "ssm:/samples/text", auth: { timestamp: { tolerance: 3650d } } }
  standard:
    webhook: { provider: standard-webhooks, secret: "ssm:/samples/standard" }
  late-standard:
    webhook: { provider: standard-webhooks, secret: "ssm:/samples/standard", auth: { timestamp: { tolerance: 3650d } } }
destinations:
  archive: { kind: file, path: delivered.ndjson }
routes:
  - { from: "*", to: archive }
`
	listed = `{"object":"list","has_more":false,"data":[{"id":"evt_listed","object":"event","type":"invoice.paid","created":%d,"data":{"object":{"id":"in_listed"}}}]}`
)

const receiver, processor, poller = "ReceiverFunction", "ProcessorFunction", "PollerFunction"

func TestSamples(t *testing.T) {
	t.Parallel()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, listed, time.Now().Unix())
	}))
	t.Cleanup(api.Close)
	s := start(t, fmt.Sprintf(configuration, api.URL))

	// In this order: the job polls a source that the schedule has not had polled.
	tests := []struct {
		file, function string
		from, to       string // a source's path, and the one it is sent to instead
		want           answer
	}{
		{file: "poll-job.json", function: poller},
		{file: "scheduled.json", function: poller},
		{file: "github-ping.json", function: receiver, want: answer{Status: 202}},
		{file: "github-push.json", function: receiver, want: answer{Status: 202}},
		{file: "github-push-base64.json", function: receiver, want: answer{Status: 202}},
		{file: "github-push-function-url.json", function: receiver, want: answer{Status: 202}},
		{file: "github-push-rest-v1.json", function: receiver, want: answer{Status: 202}},
		{file: "github-push-tampered.json", function: receiver, want: answer{Status: 401}},
		{file: "stripe-invoice-paid.json", function: receiver, want: answer{Status: 401}},
		{file: "stripe-invoice-paid.json", function: receiver, from: "/stripe", to: "/late-stripe", want: answer{Status: 202}},
		{file: "standard-webhooks-user-created.json", function: receiver, want: answer{Status: 401}},
		{file: "standard-webhooks-user-created.json", function: receiver, from: "/standard", to: "/late-standard", want: answer{Status: 202}},
		{file: "sqs-batch.json", function: processor},
		{file: "sqs-batch-with-a-bad-message.json", function: processor},
	}
	known := map[string]bool{}
	for _, test := range tests {
		known[test.file] = true
		payload, err := events.Files.ReadFile(test.file)
		if err != nil {
			t.Fatal(err)
		}
		if test.from != "" {
			payload = bytes.ReplaceAll(payload, []byte("/webhooks"+test.from+`"`), []byte("/webhooks"+test.to+`"`))
		}
		out, err := s.Invoke(t.Context(), test.function, payload)
		if err != nil {
			t.Fatalf("%s: %v", test.file, err)
		}
		var got answer
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%s was answered %s: %v", test.file, out, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s to %s (-want +got):\n%s", test.file, test.function, diff)
		}
	}
	files, err := fs.Glob(events.Files, "*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !known[file] {
			t.Errorf("no test has the sample %s", file)
		}
	}
	become(t, s)
}

// An answer is what matters of what a function returns: the receiver's status,
// or the messages that are to come again.
type answer struct {
	Status   int             `json:"statusCode"`
	Failures json.RawMessage `json:"batchItemFailures"`
}

// Equal tells whether the answers mean the same to Lambda, to which an empty
// list of failures is none.
func (a answer) Equal(b answer) bool { return a.Status == b.Status && a.failures() == b.failures() }

func (a answer) failures() string {
	if s := string(a.Failures); s != "[]" && s != "null" {
		return s
	}
	return ""
}

// become waits until every event of the samples is delivered, and the bad
// message with the dead letters.
func become(t *testing.T, s *stack.Stack) {
	t.Helper()
	a := s.Address()
	key := credentials.NewStaticCredentialsProvider("local", "local", "")
	db := ledger.New(dynamodb.New(dynamodb.Options{Region: a.Region, BaseEndpoint: aws.String(a.DynamoDB), Credentials: key}), a.Tables["EventsTable"], nil, time.Now)
	queues := sqs.New(sqs.Options{Region: a.Region, BaseEndpoint: aws.String(a.SQS), Credentials: key})
	want := []string{
		"github/0b989ba4-242f-11e5-81e1-c7b6966d2516", "github/72d3162e-cc78-11e3-81ab-4c9367dc0958",
		"late-standard/msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", "late-stripe/evt_1NG8Du2eZvKYlo2CUI79vXWy",
		"stripe/evt_1NG8Du2eZvKYlo2CUI79vXWy", "stripe/evt_listed",
	}
	until(t, "each event is delivered", func() (string, bool) {
		var waiting []string
		for _, key := range want {
			r, err := db.Get(t.Context(), key)
			if err != nil && !errors.Is(err, ledger.ErrNotFound) {
				t.Fatal(err)
			}
			if r.Status != ledger.Delivered {
				waiting = append(waiting, fmt.Sprintf("%s is %q", key, r.Status))
			}
		}
		return fmt.Sprint(waiting), len(waiting) == 0
	})
	out, err := queues.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(a.Queues["DeadLetterQueue"]), AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := out.Attributes["ApproximateNumberOfMessages"]; got != "1" {
		t.Errorf("there are %s dead letters, want the one bad message", got)
	}
}

// until waits until check is content, for a minute at most, and says where it stands if it is not.
func until(t *testing.T, what string, check func() (stands string, done bool)) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for {
		stands, done := check()
		if done {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("not within a minute: %s: %s", what, stands)
		case <-tick.C:
		}
	}
}

// start starts a stack with that configuration, without the provider to try with.
func start(t *testing.T, config string) *stack.Stack {
	t.Helper()
	data, configDir := t.TempDir(), t.TempDir()
	for path, text := range map[string]string{filepath.Join(configDir, "all.yaml"): config, filepath.Join(data, "secrets.yaml"): secrets} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := stack.Start(t.Context(), stack.Options{
		ConfigDir: configDir, Data: data, Addr: "127.0.0.1:0",
		Output: func(l lambda.Line) { t.Logf("%s: %s", l.Function, l.Text) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return s
}
