package scheduler

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"pushpull/local/sqs"
)

// A Queues is what a mapping needs of the queues; *sqs.Server is one.
type Queues interface {
	Receive(ctx context.Context, queue string, most int, wait time.Duration) ([]sqs.Message, error)
	Delete(ctx context.Context, queue string, receiptHandles []string) error
}

// A Mapping gives the messages of a queue to a function, in batches.
type Mapping struct {
	Name         string
	Function     string
	Queue        string // its name
	QueueARN     string
	Region       string
	BatchSize    int // 1 to 10: more is only worth it with a batching window
	Concurrency  int // batches at once
	PartialBatch bool
}

// longPoll is how long one call waits for messages.
const longPoll = 20 * time.Second

// gather is how long the messages of a batch may gather while other batches are
// under way. A message that comes alone never waits; of many, ten in one batch
// cost the function and the tables far less than ten batches do.
const gather = 20 * time.Millisecond

// Run takes messages until ctx ends, and returns when the last batch has been
// answered. What a function failed to do comes back after the queue's
// visibility timeout.
func (m Mapping) Run(ctx context.Context, queues Queues, invoke Invoke, log *slog.Logger) {
	slots := make(chan struct{}, max(1, m.Concurrency))
	ended := make(chan struct{}, 1) // told, without waiting, of each batch that has ended
	most := min(10, max(1, m.BatchSize))
	full := false // the last batch was: there may be more already
	var batches sync.WaitGroup
	defer batches.Wait()
	for {
		// First a slot, then messages: none is taken that nobody would work on.
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		if !full && most > 1 {
			waitWhile(ctx, gather, ended, func() bool { return len(slots) > 1 })
		}
		messages, err := queues.Receive(ctx, m.Queue, most, longPoll)
		full = len(messages) == most
		if len(messages) == 0 {
			<-slots
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				log.Error("a queue could not be read", "queue", m.Queue, "error", err)
				pause(ctx, time.Second)
			}
			continue
		}
		batches.Go(func() {
			defer func() {
				<-slots
				select {
				case ended <- struct{}{}:
				default:
				}
			}()
			// Not ctx: a batch that was taken is finished.
			m.batch(context.WithoutCancel(ctx), queues, invoke, log, messages)
		})
	}
}

// waitWhile waits for at most d, and only while busy says so; it asks again
// whenever changed is told.
func waitWhile(ctx context.Context, d time.Duration, changed <-chan struct{}, busy func() bool) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for busy() {
		select {
		case <-changed:
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func (m Mapping) batch(ctx context.Context, queues Queues, invoke Invoke, log *slog.Logger, messages []sqs.Message) {
	payload, err := json.Marshal(m.event(messages))
	if err != nil {
		log.Error("messages could not become an event", "queue", m.Queue, "error", err)
		return
	}
	answer, err := invoke(ctx, m.Function, payload)
	if err != nil {
		log.Error("a batch failed, its messages will come again", "function", m.Function, "messages", len(messages), "error", err)
		return
	}
	done, err := m.done(messages, answer)
	if err != nil {
		log.Error("a batch's answer is not understood, its messages will come again", "function", m.Function, "error", err)
		return
	}
	if len(done) == 0 {
		return
	}
	if err := queues.Delete(ctx, m.Queue, done); err != nil {
		log.Error("messages that are done could not be deleted, they will come again", "queue", m.Queue, "error", err)
	}
}

// done returns the receipt handles of what the function did, as Lambda reads
// its answer: nothing at all means everything; a failure that names no message
// of the batch means nothing.
func (m Mapping) done(messages []sqs.Message, answer []byte) ([]string, error) {
	failed := map[string]bool{}
	answer = bytes.TrimSpace(answer)
	if m.PartialBatch && len(answer) > 0 && !bytes.Equal(answer, []byte("null")) {
		var partial struct {
			BatchItemFailures []struct {
				ItemIdentifier string `json:"itemIdentifier"`
			} `json:"batchItemFailures"`
		}
		if err := json.Unmarshal(answer, &partial); err != nil {
			return nil, fmt.Errorf("read the partial batch response: %w", err)
		}
		known := make(map[string]bool, len(messages))
		for i := range messages {
			known[messages[i].MessageID] = true
		}
		for _, f := range partial.BatchItemFailures {
			if !known[f.ItemIdentifier] {
				return nil, fmt.Errorf("the partial batch response names %q, which is not in the batch", f.ItemIdentifier)
			}
			failed[f.ItemIdentifier] = true
		}
	}
	out := make([]string, 0, len(messages))
	for i := range messages {
		if !failed[messages[i].MessageID] {
			out = append(out, messages[i].ReceiptHandle)
		}
	}
	return out, nil
}

type sqsEvent struct {
	Records []record `json:"Records"`
}

type record struct {
	MessageID         string               `json:"messageId"`
	ReceiptHandle     string               `json:"receiptHandle"`
	Body              string               `json:"body"`
	Attributes        map[string]string    `json:"attributes"`
	MessageAttributes map[string]attribute `json:"messageAttributes"`
	MD5OfBody         string               `json:"md5OfBody"`
	EventSource       string               `json:"eventSource"`
	EventSourceARN    string               `json:"eventSourceARN"`
	AWSRegion         string               `json:"awsRegion"`
}

type attribute struct {
	StringValue      string   `json:"stringValue,omitempty"`
	BinaryValue      []byte   `json:"binaryValue,omitempty"`
	StringListValues []string `json:"stringListValues"`
	BinaryListValues [][]byte `json:"binaryListValues"`
	DataType         string   `json:"dataType"`
}

func (m Mapping) event(messages []sqs.Message) sqsEvent {
	out := sqsEvent{Records: make([]record, len(messages))}
	for i := range messages {
		in := &messages[i]
		r := record{
			MessageID: in.MessageID, ReceiptHandle: in.ReceiptHandle, Body: in.Body, Attributes: in.Attributes,
			MessageAttributes: make(map[string]attribute, len(in.MessageAttributes)), MD5OfBody: in.MD5OfBody,
			EventSource: "aws:sqs", EventSourceARN: m.QueueARN, AWSRegion: m.Region,
		}
		for name, a := range in.MessageAttributes {
			r.MessageAttributes[name] = attribute{
				StringValue: a.StringValue, BinaryValue: a.BinaryValue, DataType: a.DataType,
				StringListValues: []string{}, BinaryListValues: [][]byte{},
			}
		}
		out.Records[i] = r
	}
	return out
}
