package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"golang.org/x/sync/errgroup"

	"pushpull/shared/event"
	"pushpull/shared/ledger"
	"pushpull/shared/queue"
	"pushpull/shared/telemetry"
)

// claims is what the processor asks of the ledger.
type claims interface {
	Claim(ctx context.Context, e event.Event, o ledger.Options) (ledger.Claim, error)
	Complete(ctx context.Context, c ledger.Claim, end ledger.Status, reason string, done []string, attempts []ledger.Attempt) error
	Release(ctx context.Context, c ledger.Claim, done []string, attempts []ledger.Attempt) error
	KeepPayloads(ctx context.Context, events []event.Event, window time.Duration) error
	Payload(ctx context.Context, key string) (event.Event, error)
	KeepConflict(ctx context.Context, e event.Event, hash string, window time.Duration) error
}

// hider hides a message for a while.
type hider interface {
	Visibility(ctx context.Context, queueURL, receiptHandle string, d time.Duration) error
}

// letters is the dead-letter queue.
type letters interface {
	Send(ctx context.Context, messages ...queue.Message) error
}

// latecomers counts webhooks that came after a poll had counted their events as
// missed; checkpoint.Store does.
type latecomers interface {
	AddLate(ctx context.Context, source string, n int) error
}

// A handler processes batches. It holds nothing of one batch.
type handler struct {
	queueURL  string
	strictURL string // of the queue that keeps order; "" where it is not deployed
	hider     hider
	letters   letters
	bodies    queue.Bodies // nil where there is no claim check
	ledger    claims
	catalog   *catalog
	late      latecomers
	gates     gates
	log       *slog.Logger
	metrics   *telemetry.Metrics
	now       func() time.Time
	jitter    func(time.Duration) time.Duration // a random time up to that
}

const (
	eventsAtOnce     = 16               // of a batch
	deliveriesAtOnce = 8                // of an event
	noDeadline       = time.Minute      // where the caller set none
	leaseMargin      = 10 * time.Second // a claim outlives its worker, never the other way round
	stopMargin       = 5 * time.Second  // before the end of the function, to write down what was done
)

// handle processes a batch, its events in parallel but for those of one entity, and
// reports those that must come back.
func (h *handler) handle(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	defer h.flush()
	t := h.times(ctx)
	works := make([]*work, len(batch.Records))
	for i, m := range batch.Records {
		works[i] = h.read(ctx, m)
	}
	for i, round := range rounds(works) {
		if i > 0 && time.Now().After(t.stop) {
			h.postpone(ctx, round)
			continue
		}
		h.round(ctx, h.afterDone(ctx, round, works), t)
	}
	h.countLate(ctx, works)

	var out events.SQSEventResponse
	for _, w := range works {
		if !w.acknowledge {
			out.BatchItemFailures = append(out.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: w.message.MessageId})
		}
	}
	return out, nil
}

// round claims all events, then keeps their payloads in one write while it delivers.
func (h *handler) round(ctx context.Context, works []*work, t times) {
	each(len(works), eventsAtOnce, func(i int) { h.begin(ctx, works[i], t) })
	kept := h.keep(ctx, works, t.stop)
	each(len(works), eventsAtOnce, func(i int) { h.process(ctx, works[i], kept, t) })
}

// postpone has events come back for which there is no time left.
func (h *handler) postpone(ctx context.Context, works []*work) {
	for _, w := range works {
		h.hide(ctx, w, leastHidden)
	}
}

// times are what is left for a batch.
type times struct {
	lease time.Duration // of a claim
	stop  time.Time     // when deliveries are cut, on the clock of contexts
}

func (h *handler) times(ctx context.Context) times {
	end, ok := ctx.Deadline()
	left := time.Until(end)
	if !ok {
		left = noDeadline
	}
	margin := min(stopMargin, left/5)
	return times{lease: left + leaseMargin, stop: time.Now().Add(left - margin)}
}

// each calls f for 0 to n-1, that many at once, and waits for all. The last is
// called here: for a single one no goroutine has to grow a stack of its own.
func each(n, atOnce int, f func(i int)) {
	if n == 0 {
		return
	}
	var g errgroup.Group
	g.SetLimit(max(1, atOnce-1))
	for i := range n - 1 {
		g.Go(func() error { f(i); return nil })
	}
	f(n - 1)
	_ = g.Wait() // f has no error
}

// countLate corrects what polls counted as missed, with one write a source.
func (h *handler) countLate(ctx context.Context, works []*work) {
	late := map[string]int{}
	for _, w := range works {
		if w.claim.Late {
			late[w.event.Source]++
		}
	}
	for source, n := range late {
		if err := h.late.AddLate(ctx, source, n); err != nil {
			h.log.Warn("late webhooks not counted", telemetry.KeySource, source, "error", err)
		}
	}
}

func (h *handler) flush() {
	if err := h.metrics.Flush(); err != nil {
		h.log.Warn("metrics not written", "error", err)
	}
}
