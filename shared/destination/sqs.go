package destination

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"pushpull/shared/config"
	"pushpull/shared/event"
)

var sqsKind = Kind{
	Name:   "sqs",
	Doc:    "Sends each event as CloudEvents JSON to an SQS queue, its attributes as message attributes.",
	Fields: []string{"queue", "batch", "timeout", "retry"},
	Permissions: func(c config.Destination) []Permission {
		return []Permission{{Actions: []string{"sqs:SendMessage"}, Resources: []string{queueARN(c.Queue)}}}
	},
	Idempotency: "A FIFO queue drops an event that is sent again within 5 minutes; a standard queue has it twice, under the same id.",
	Limits:      "A message of 1 MiB with its attributes, and calls of 10 messages and 1 MiB.",
	open:        openSQS,
}

type sqsQueue struct {
	client  *sqs.Client
	url     string
	fifo    bool
	timeout time.Duration
}

func openSQS(c config.Destination, env *Env) (Destination, error) {
	u, err := url.Parse(c.Queue)
	if err != nil || u.Host == "" || strings.Trim(u.Path, "/") == "" {
		return nil, errors.New("queue: is not the URL of a queue: write https://sqs.<region>.amazonaws.com/<account>/<name>")
	}
	settings, err := env.aws()
	if err != nil {
		return nil, err
	}
	client := sqs.NewFromConfig(settings, func(o *sqs.Options) { o.Region = queueRegion(u.Hostname(), o.Region) })
	return &sqsQueue{client: client, url: c.Queue, fifo: strings.HasSuffix(c.Queue, ".fifo"), timeout: timeoutOf(c)}, nil
}

// Batch is what SendMessageBatch takes, less what it does not say to the byte.
func (q *sqsQueue) Batch() BatchLimits {
	return BatchLimits{Count: 10, Bytes: 1<<20 - 8<<10, Each: 1 << 20}
}

// Deliver sends one message.
func (q *sqsQueue) Deliver(ctx context.Context, e event.Event) (Result, error) {
	return alone(ctx, q, e)
}

// DeliverBatch sends a message for each event.
func (q *sqsQueue) DeliverBatch(ctx context.Context, events []event.Event) []Outcome {
	return inCalls(events, q.Batch(), q.entry, func(entries []types.SendMessageBatchRequestEntry) ([]Outcome, error) {
		for i := range entries {
			entries[i].Id = aws.String(strconv.Itoa(i))
		}
		out, err := within(ctx, q.timeout, func(ctx context.Context) (*sqs.SendMessageBatchOutput, error) {
			return q.client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: entries})
		})
		if err != nil {
			return nil, err
		}
		all := unnamed(len(entries))
		for _, r := range out.Successful {
			all.set(r.Id, nil)
		}
		for _, r := range out.Failed {
			all.set(r.Id, judgeCode(aws.ToString(r.Code), aws.ToString(r.Message), 0))
		}
		return all, nil
	})
}

// entry is the event as a message, and its size as SQS counts.
func (q *sqsQueue) entry(e event.Event) (types.SendMessageBatchRequestEntry, int, error) {
	body, err := envelope(e)
	size := len(body)
	entry := types.SendMessageBatchRequestEntry{
		MessageBody:       aws.String(string(body)),
		MessageAttributes: map[string]types.MessageAttributeValue{},
	}
	for name, value := range attributes(e) {
		entry.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
		size += len(name) + len("String") + len(value)
	}
	if header := xrayHeader(e.TraceParent); header != "" {
		entry.MessageSystemAttributes = map[string]types.MessageSystemAttributeValue{
			string(types.MessageSystemAttributeNameForSendsAWSTraceHeader): {DataType: aws.String("String"), StringValue: &header},
		}
	}
	if q.fifo {
		entry.MessageGroupId = aws.String(fifoID(group(e)))
		entry.MessageDeduplicationId = aws.String(fifoID(e.Key()))
	}
	return entry, size, err
}

// byID are the outcomes of a call whose answer names its entries, by 0 to n-1.
type byID []Outcome

// unnamed are the outcomes of n entries that no answer has named yet.
func unnamed(n int) byID {
	return outcomes(n, Outcome{Err: &Retryable{Err: errors.New("the answer does not name the entry")}})
}

func (all byID) set(id *string, err error) {
	if i, wrong := strconv.Atoi(aws.ToString(id)); wrong == nil && i >= 0 && i < len(all) {
		all[i].Err = err
	}
}

// queueRegion is that of a queue's host, which may be another than our own.
func queueRegion(host, own string) string {
	parts := strings.Split(host, ".")
	if len(parts) > 3 && parts[0] == "sqs" && parts[2] == "amazonaws" {
		return parts[1]
	}
	return own
}

func queueARN(queue string) string {
	u, err := url.Parse(queue)
	if err != nil {
		return "*"
	}
	account, name, ok := strings.Cut(strings.Trim(u.Path, "/"), "/")
	if !ok {
		account, name = "${AWS::AccountId}", account
	}
	return fmt.Sprintf("arn:${AWS::Partition}:sqs:%s:%s:%s", queueRegion(u.Hostname(), "${AWS::Region}"), account, name)
}
