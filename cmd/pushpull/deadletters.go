package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"pushpull/shared/event"
	"pushpull/shared/job"
	"pushpull/shared/queue"
)

// A deadLetter is one message of a dead-letter queue.
type deadLetter struct {
	Key         string    `json:"key"` // <source>/<identity>; of a poll job what it works on, as job.Job.Key has it
	Reason      string    `json:"reason"`
	Destination string    `json:"destination,omitempty"`
	Source      string    `json:"source"`
	Type        string    `json:"type,omitempty"`
	Replay      string    `json:"replay,omitempty"` // the id of the replay that it was sent by
	Since       time.Time `json:"since"`
	Body        string    `json:"-"`

	attributes map[string]types.MessageAttributeValue
	receipt    string
	message    string
}

const (
	// lookFor is how long the messages looked at are hidden from others: long
	// enough to read the queue once, so that no message is met twice.
	lookFor = 60 * time.Second
	// pageSize is the most SQS gives at once.
	pageSize = 10
)

// deadLetters reads the queue without taking anything from it: messages are
// hidden while we look. give hands the messages that were not used back at once.
func deadLetters(ctx context.Context, client *sqs.Client, queueURL string) (found []deadLetter, give func(context.Context, []deadLetter) error, err error) {
	seen := map[string]bool{}
	give = func(ctx context.Context, back []deadLetter) error { return unhide(ctx, client, queueURL, back) }
	for {
		out, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &queueURL, MaxNumberOfMessages: pageSize, VisibilityTimeout: int32(lookFor / time.Second),
			WaitTimeSeconds:             1, // a long poll asks all of SQS's servers, a short one some of them
			MessageAttributeNames:       []string{"All"},
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameSentTimestamp},
		})
		if err != nil {
			return found, give, fmt.Errorf("read the dead letters: %w", err)
		}
		fresh := 0
		for _, m := range out.Messages {
			if !seen[aws.ToString(m.MessageId)] {
				seen[aws.ToString(m.MessageId)] = true
				found = append(found, readDeadLetter(m))
				fresh++
			}
		}
		if fresh == 0 {
			return found, give, nil
		}
	}
}

func readDeadLetter(m types.Message) deadLetter {
	text := func(name string) string { return aws.ToString(m.MessageAttributes[name].StringValue) }
	d := deadLetter{
		Key: text(queue.AttributeKey), Reason: text(queue.AttributeReason), Destination: text(queue.AttributeDestination),
		Since: sentAt(m), Body: aws.ToString(m.Body),
		attributes: m.MessageAttributes, receipt: aws.ToString(m.ReceiptHandle), message: aws.ToString(m.MessageId),
	}
	if e, err := event.Decode([]byte(d.Body)); err == nil {
		d.Source, d.Type, d.Replay = e.Source, e.Type, e.Replay
		d.Key = cmp.Or(d.Key, e.Key())
	} else if j, err := job.Parse(d.Body); err == nil {
		d.Source = j.Source
		d.Key = cmp.Or(d.Key, j.Key())
	} else {
		d.Source, _, _ = strings.Cut(d.Key, "/")
	}
	if d.Reason == "" {
		d.Reason = "its function failed or was cut off on every try: see the function's log"
	}
	return d
}

func unhide(ctx context.Context, client *sqs.Client, queueURL string, letters []deadLetter) error {
	for chunk := range slices.Chunk(letters, pageSize) {
		in := &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &queueURL}
		for i, d := range chunk {
			in.Entries = append(in.Entries, types.ChangeMessageVisibilityBatchRequestEntry{Id: entryID(i), ReceiptHandle: &d.receipt})
		}
		out, err := client.ChangeMessageVisibilityBatch(ctx, in)
		if err != nil {
			return fmt.Errorf("give the dead letters back (they show again in %s): %w", lookFor, err)
		}
		for _, f := range out.Failed {
			return fmt.Errorf("give a dead letter back (it shows again in %s): %s: %s", lookFor, aws.ToString(f.Code), aws.ToString(f.Message))
		}
	}
	return nil
}

func discard(ctx context.Context, client *sqs.Client, queueURL string, letters []deadLetter) error {
	for chunk := range slices.Chunk(letters, pageSize) {
		in := &sqs.DeleteMessageBatchInput{QueueUrl: &queueURL}
		for i, d := range chunk {
			in.Entries = append(in.Entries, types.DeleteMessageBatchRequestEntry{Id: entryID(i), ReceiptHandle: &d.receipt})
		}
		out, err := client.DeleteMessageBatch(ctx, in)
		if err != nil {
			return fmt.Errorf("delete dead letters: %w", err)
		}
		for _, f := range out.Failed {
			return fmt.Errorf("delete a dead letter: %s: %s", aws.ToString(f.Code), aws.ToString(f.Message))
		}
	}
	return nil
}

// redrive sends the letters back to the queue they came from, then deletes them:
// a crash between the two repeats one, under the same identity. The attributes
// travel along, by which the processor knows a redriven letter from a duplicate.
func redrive(ctx context.Context, client *sqs.Client, from, to, only string, letters []deadLetter) error {
	for _, d := range letters {
		_, err := client.SendMessage(ctx, &sqs.SendMessageInput{
			QueueUrl: &to, MessageBody: &d.Body, MessageGroupId: group(d.Source), MessageAttributes: redriven(d, only),
		})
		if err != nil {
			return fmt.Errorf("redrive %s: %w", d.Key, err)
		}
		if err := discard(ctx, client, from, []deadLetter{d}); err != nil {
			return err
		}
	}
	return nil
}

// redriven makes sure of the attribute by which a redriven letter is known, and says
// for which destination it is, where it is for one.
func redriven(d deadLetter, only string) map[string]types.MessageAttributeValue {
	with := map[string]types.MessageAttributeValue{}
	set := func(name, value string) {
		if value != "" {
			with[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
		}
	}
	set(queue.AttributeKey, d.Key)
	maps.Copy(with, d.attributes)
	set(queue.AttributeTo, only)
	return with
}

// lacks tells whether the destination is one that did not get it, or leads to one:
// of paid/crm#2 it is crm, too.
func (d deadLetter) lacks(destination string) bool {
	for name := range strings.SplitSeq(d.Destination, ",") {
		of, _, _ := strings.Cut(name[strings.LastIndexByte(name, '/')+1:], "#")
		if name == destination || of == destination {
			return true
		}
	}
	return false
}

func group(source string) *string {
	if source == "" {
		return nil
	}
	return &source
}

func entryID(i int) *string { return aws.String(fmt.Sprintf("e%d", i)) }

func sentAt(m types.Message) time.Time {
	var ms int64
	if _, err := fmt.Sscan(m.Attributes[string(types.MessageSystemAttributeNameSentTimestamp)], &ms); err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
