package destination

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"pushpull/shared/config"
	"pushpull/shared/event"
)

var kinesisKind = Kind{
	Name:   "kinesis",
	Doc:    "Puts each event as CloudEvents JSON on a Kinesis stream; the events of an entity share a shard.",
	Fields: []string{"stream", "batch", "timeout", "retry"},
	Permissions: func(c config.Destination) []Permission {
		return []Permission{{Actions: []string{"kinesis:PutRecords"}, Resources: []string{resource(c.Stream, "kinesis", "stream/")}}}
	},
	Idempotency: "An event that is put twice is two records, under the same id; what reads the stream tells them by it.",
	Limits:      "A record of 1 MiB, or of 10 MiB if the stream allows it, and calls of 500 records and 10 MiB.",
	open:        openKinesis,
}

type stream struct {
	client    *kinesis.Client
	name, arn *string // one of them
	timeout   time.Duration
}

func openKinesis(c config.Destination, env *Env) (Destination, error) {
	if c.Stream == "" {
		return nil, errors.New("stream: is empty: write the name or the ARN of the stream")
	}
	settings, err := env.aws()
	if err != nil {
		return nil, err
	}
	s := &stream{timeout: timeoutOf(c)}
	s.client = kinesis.NewFromConfig(settings, func(o *kinesis.Options) { o.Region = regionOf(c.Stream, o.Region) })
	if strings.HasPrefix(c.Stream, "arn:") {
		s.arn = &c.Stream
	} else {
		s.name = &c.Stream
	}
	return s, nil
}

// Batch is what PutRecords takes.
func (s *stream) Batch() BatchLimits { return BatchLimits{Count: 500, Bytes: 10 << 20, Each: 10 << 20} }

// Deliver puts one record.
func (s *stream) Deliver(ctx context.Context, e event.Event) (Result, error) { return alone(ctx, s, e) }

// DeliverBatch puts a record for each event.
func (s *stream) DeliverBatch(ctx context.Context, events []event.Event) []Outcome {
	return inCalls(events, s.Batch(), s.entry, func(entries []types.PutRecordsRequestEntry) ([]Outcome, error) {
		out, err := within(ctx, s.timeout, func(ctx context.Context) (*kinesis.PutRecordsOutput, error) {
			return s.client.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: s.name, StreamARN: s.arn, Records: entries})
		})
		if err != nil {
			return nil, err
		}
		all := make([]Outcome, len(out.Records))
		for i, r := range out.Records {
			if r.ErrorCode != nil {
				all[i].Err = judgeCode(*r.ErrorCode, aws.ToString(r.ErrorMessage), 0)
			}
		}
		return all, nil
	})
}

// entry is the event as a record, and its size as Kinesis counts.
func (s *stream) entry(e event.Event) (types.PutRecordsRequestEntry, int, error) {
	data, err := envelope(e)
	key := group(e)
	if len(key) > 256 {
		key = digest(key)
	}
	return types.PutRecordsRequestEntry{Data: data, PartitionKey: &key}, len(data) + len(key), err
}
