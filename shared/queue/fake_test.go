package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"pushpull/shared/awslite"
)

// fakeSQS takes messages as SQS does, and fails when it is told to.
type fakeSQS struct {
	mu     sync.Mutex
	calls  []int // messages in each call
	bytes  []int // of the messages in each call
	taken  []Message
	refuse func(call int, m Message) *Failure
	broken func(call int) error
}

func (f *fakeSQS) SendBatch(_ context.Context, _ string, batch []Message) ([]Failure, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	call := len(f.calls)
	total := 0
	for _, m := range batch {
		total += size(m)
	}
	f.calls, f.bytes = append(f.calls, len(batch)), append(f.bytes, total)
	if f.broken != nil {
		if err := f.broken(call); err != nil {
			return nil, err
		}
	}
	var failures []Failure
	for i, m := range batch {
		if f.refuse != nil {
			if failure := f.refuse(call, m); failure != nil {
				failure.Index = i
				failures = append(failures, *failure)
				continue
			}
		}
		f.taken = append(f.taken, m)
	}
	return failures, nil
}

// entry is one entry of a batch call, as encoding/json reads it.
type entry struct {
	ID                     string `json:"Id"`
	MessageBody            string
	MessageGroupId         string
	MessageDeduplicationId string
	DelaySeconds           int
	MessageAttributes      map[string]struct{ DataType, StringValue string }
	ReceiptHandle          string
	VisibilityTimeout      int
}

type batchCall struct {
	Target   string `json:"-"`
	QueueURL string `json:"QueueUrl"`
	Entries  []entry
	entry
}

// overHTTP returns the API of an SQS whose answer to each call is made by answer.
func overHTTP(t *testing.T, answer func(call batchCall) string) *SQS {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		call := batchCall{Target: r.Header.Get("X-Amz-Target")}
		if err := json.Unmarshal(body, &call); err != nil {
			t.Errorf("not JSON: %v: %s", err, body)
		}
		_, _ = io.WriteString(w, answer(call))
	}))
	t.Cleanup(server.Close)
	return Direct(client(t, server.URL))
}

func client(t *testing.T, endpoint string) *awslite.Client {
	t.Helper()
	vars := map[string]string{
		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
		"AWS_SECRET_ACCESS_KEY": "not-a-real-key", "AWS_ENDPOINT_URL": endpoint,
	}
	c, err := awslite.New(func(name string) string { return vars[name] }, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func allDone(call batchCall) string {
	type done struct{ Id string }
	var result struct{ Successful []done }
	for _, e := range call.Entries {
		result.Successful = append(result.Successful, done{e.ID})
	}
	b, err := json.Marshal(result)
	if err != nil {
		return fmt.Sprint(err)
	}
	return string(b)
}
