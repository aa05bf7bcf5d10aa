package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"pushpull/shared/event"
	"pushpull/shared/job"
	"pushpull/shared/queue"
	"pushpull/shared/telemetry"
)

// jobSender takes poll jobs; queue.Queue is one.
type jobSender interface {
	Send(ctx context.Context, messages ...queue.Message) error
}

// hint asks for a poll of each poll of the source. What the request says besides
// is nothing: that it was authentic is the news.
func (h *handler) hint(ctx context.Context, src *source, received time.Time, correlation string) *refusal {
	if refused := h.limit(ctx, src, 1); refused != nil {
		return refused
	}
	if h.jobs == nil {
		return refuse(503, "queue", errors.New("POLL_QUEUE_URL is empty: set it to the address of the poll queue (template.yaml does)"))
	}
	messages := make([]queue.Message, len(src.polls))
	for i, poll := range src.polls {
		j := job.Job{Source: src.name, Poll: poll, Reason: job.Hinted, Due: received.UTC()}
		messages[i] = queue.Message{Body: j.Encode(), Group: src.name}
	}
	if err := h.jobs.Send(ctx, messages...); err != nil {
		return refuse(503, "queue", err)
	}
	h.metrics.Count(telemetry.HintsReceived, 1, src.name)
	h.log.LogAttrs(ctx, slog.LevelInfo, telemetry.MsgHinted,
		slog.String(telemetry.KeySource, src.name), slog.String(telemetry.KeyTransport, string(event.Webhook)),
		slog.Int("polls", len(messages)), slog.String(telemetry.KeyCorrelation, correlation))
	return nil
}
