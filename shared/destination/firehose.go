package destination

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"

	"pushpull/shared/config"
	"pushpull/shared/event"
)

var firehoseKind = Kind{
	Name:   "firehose",
	Doc:    "Puts each event on a Firehose stream as one line of CloudEvents JSON (NDJSON).",
	Fields: []string{"stream", "batch", "timeout", "retry"},
	Permissions: func(c config.Destination) []Permission {
		return []Permission{{Actions: []string{"firehose:PutRecordBatch"}, Resources: []string{resource(c.Stream, "firehose", "deliverystream/")}}}
	},
	Idempotency: "An event that is put twice is two records, under the same id; Firehose itself may repeat records, too.",
	Limits:      "A record of 1,000 KiB, and calls of 500 records and 4 MiB.",
	open:        openFirehose,
}

type hose struct {
	client  *firehose.Client
	name    string
	timeout time.Duration
}

func openFirehose(c config.Destination, env *Env) (Destination, error) {
	if c.Stream == "" || strings.HasPrefix(c.Stream, "arn:") {
		return nil, errors.New("stream: is not the name of a stream: write it without its ARN")
	}
	settings, err := env.aws()
	if err != nil {
		return nil, err
	}
	return &hose{client: firehose.NewFromConfig(settings), name: c.Stream, timeout: timeoutOf(c)}, nil
}

// Batch is what PutRecordBatch takes.
func (h *hose) Batch() BatchLimits { return BatchLimits{Count: 500, Bytes: 4 << 20, Each: 1000 << 10} }

// Deliver puts one record.
func (h *hose) Deliver(ctx context.Context, e event.Event) (Result, error) { return alone(ctx, h, e) }

// DeliverBatch puts a record for each event.
func (h *hose) DeliverBatch(ctx context.Context, events []event.Event) []Outcome {
	entry := func(e event.Event) (types.Record, int, error) {
		line, err := encodeLine(e)
		return types.Record{Data: line}, len(line), err
	}
	return inCalls(events, h.Batch(), entry, func(records []types.Record) ([]Outcome, error) {
		out, err := within(ctx, h.timeout, func(ctx context.Context) (*firehose.PutRecordBatchOutput, error) {
			return h.client.PutRecordBatch(ctx, &firehose.PutRecordBatchInput{DeliveryStreamName: &h.name, Records: records})
		})
		if err != nil {
			return nil, err
		}
		all := make([]Outcome, len(out.RequestResponses))
		for i, r := range out.RequestResponses {
			if r.ErrorCode != nil {
				all[i].Err = judgeCode(*r.ErrorCode, aws.ToString(r.ErrorMessage), 0)
			}
		}
		return all, nil
	})
}
