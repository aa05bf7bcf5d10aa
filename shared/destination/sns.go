package destination

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"pushpull/shared/config"
	"pushpull/shared/event"
)

var snsKind = Kind{
	Name:   "sns",
	Doc:    "Publishes each event as CloudEvents JSON to an SNS topic, its attributes as message attributes that filter policies can use.",
	Fields: []string{"topic", "batch", "timeout", "retry"},
	Permissions: func(c config.Destination) []Permission {
		return []Permission{{Actions: []string{"sns:Publish"}, Resources: []string{c.Topic}}}
	},
	Idempotency: "A FIFO topic drops an event that is published again within 5 minutes; a standard topic sends it twice, under the same id.",
	Limits:      "A message of 256 KiB with its attributes, 1 MiB if the topic's MaximumMessageSize says so, and calls of 10 messages and as much.",
	open:        openSNS,
}

type topic struct {
	client  *sns.Client
	arn     string
	fifo    bool
	timeout time.Duration
}

func openSNS(c config.Destination, env *Env) (Destination, error) {
	if !strings.HasPrefix(c.Topic, "arn:") {
		return nil, errors.New("topic: is not the ARN of a topic: write arn:aws:sns:<region>:<account>:<name>")
	}
	settings, err := env.aws()
	if err != nil {
		return nil, err
	}
	client := sns.NewFromConfig(settings, func(o *sns.Options) { o.Region = regionOf(c.Topic, o.Region) })
	return &topic{client: client, arn: c.Topic, fifo: strings.HasSuffix(c.Topic, ".fifo"), timeout: timeoutOf(c)}, nil
}

// Batch is what PublishBatch takes of a topic with the usual limit. A single
// event may be as large as a topic can allow; SNS says where this one does not.
func (t *topic) Batch() BatchLimits { return BatchLimits{Count: 10, Bytes: 256 << 10, Each: 1 << 20} }

// Deliver publishes one message.
func (t *topic) Deliver(ctx context.Context, e event.Event) (Result, error) { return alone(ctx, t, e) }

// DeliverBatch publishes a message for each event.
func (t *topic) DeliverBatch(ctx context.Context, events []event.Event) []Outcome {
	return inCalls(events, t.Batch(), t.entry, func(entries []types.PublishBatchRequestEntry) ([]Outcome, error) {
		for i := range entries {
			entries[i].Id = aws.String(strconv.Itoa(i))
		}
		out, err := within(ctx, t.timeout, func(ctx context.Context) (*sns.PublishBatchOutput, error) {
			return t.client.PublishBatch(ctx, &sns.PublishBatchInput{TopicArn: &t.arn, PublishBatchRequestEntries: entries})
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

// entry is the event as a message, and its size as SNS counts.
func (t *topic) entry(e event.Event) (types.PublishBatchRequestEntry, int, error) {
	body, err := envelope(e)
	size := len(body)
	entry := types.PublishBatchRequestEntry{
		Message:           aws.String(string(body)),
		MessageAttributes: map[string]types.MessageAttributeValue{},
	}
	for name, value := range attributes(e) {
		entry.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
		size += len(name) + len("String") + len(value)
	}
	if t.fifo {
		entry.MessageGroupId = aws.String(fifoID(group(e)))
		entry.MessageDeduplicationId = aws.String(fifoID(e.Key()))
	}
	return entry, size, err
}
