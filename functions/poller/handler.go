package main

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"pushpull/shared/api"
	"pushpull/shared/apiauth"
	"pushpull/shared/checkpoint"
	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/privacy"
	"pushpull/shared/queue"
	"pushpull/shared/telemetry"
)

// configuration looks sources up by name; config.Compiled does.
type configuration interface {
	Sources() iter.Seq[string]
	Source(name string) (config.Source, error)
}

// stateStore keeps what is known of the polls; checkpoint.Store does.
type stateStore interface {
	Acquire(ctx context.Context, key string, length time.Duration) (checkpoint.Lease, error)
	Save(ctx context.Context, l *checkpoint.Lease, p checkpoint.Progress) error
	Renew(ctx context.Context, l checkpoint.Lease) error
	Release(ctx context.Context, l checkpoint.Lease, o checkpoint.Outcome) (checkpoint.Status, error)
	Hint(ctx context.Context, key string, at time.Time) (checkpoint.Status, error)
	LoadAll(ctx context.Context, keys []string) (map[string]checkpoint.Status, error)
	Snapshot(poll string, keep time.Duration) *checkpoint.Snapshot
	apiauth.Locker
}

// seenStore knows which events were received, and whether any were; ledger.Ledger does.
type seenStore interface {
	Seen(ctx context.Context, keys []string) (map[string]bool, error)
	Arrived(ctx context.Context, source string, since time.Time) (bool, error)
}

// eventSender takes events, all of them or an error; queue.Queue does.
type eventSender interface {
	SendEvents(ctx context.Context, events ...event.Event) error
}

// sender takes messages; queue.Queue does.
type sender interface {
	Send(ctx context.Context, messages ...queue.Message) error
}

// visibilityChanger hides a received message for a while; queue.SQS does.
type visibilityChanger interface {
	Visibility(ctx context.Context, queueURL, receiptHandle string, d time.Duration) error
}

// handler holds what outlives an invocation, and nothing of one.
type handler struct {
	config      configuration
	states      stateStore
	ledger      seenStore
	events      eventSender
	strict      eventSender // for sources whose order is strict; nil where it is not deployed
	jobs, dead  sender
	visibility  visibilityChanger
	queueURL    string // of the poll queue
	credentials *credentials
	hides       *privacy.Env
	budget      api.Budget
	client      *http.Client
	log         *slog.Logger
	metrics     *telemetry.Metrics
	now         func() time.Time
	sleep       func(ctx context.Context, d time.Duration) error // between the attempts of one request; nil is real
}

// handle tells the two kinds of invocation apart: a batch of the poll queue has
// Records; anything else is the schedule's call.
func (h *handler) handle(ctx context.Context, payload json.RawMessage) (any, error) {
	defer func() {
		if err := h.metrics.Flush(); err != nil {
			h.log.Warn("metrics not written", "error", err)
		}
	}()
	var batch struct{ Records json.RawMessage }
	if err := json.Unmarshal(payload, &batch); err == nil && len(batch.Records) > 0 {
		var in events.SQSEvent
		if err := json.Unmarshal(payload, &in); err != nil {
			return nil, fmt.Errorf("read the batch of poll jobs: %w", err)
		}
		return h.batch(ctx, in), nil
	}
	return nil, h.schedule(ctx)
}

// batch does the jobs of a batch side by side, and gives back those that failed.
func (h *handler) batch(ctx context.Context, in events.SQSEvent) events.SQSEventResponse {
	failed := make([]bool, len(in.Records))
	var wg sync.WaitGroup
	for i, m := range in.Records {
		wg.Go(func() { failed[i] = !h.message(ctx, m) })
	}
	wg.Wait()
	out := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for i, m := range in.Records {
		if failed[i] {
			out.BatchItemFailures = append(out.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
		}
	}
	return out
}
