package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"pushpull/shared/config"
	"pushpull/shared/job"
	"pushpull/shared/queue"
	"pushpull/shared/telemetry"
)

const (
	maxReceives  = 5 // of one job; then it is a dead letter
	firstBackoff = 10 * time.Second
	maxBackoff   = 5 * time.Minute
)

// message does one job, and tells whether its message is finished with.
func (h *handler) message(ctx context.Context, m events.SQSMessage) bool {
	receives, err := strconv.Atoi(m.Attributes["ApproximateReceiveCount"])
	if err != nil {
		receives = 1
	}
	j, err := job.Parse(m.Body)
	if err != nil {
		return h.bury(ctx, m, j, err)
	}
	if _, redriven := m.MessageAttributes[queue.AttributeReason]; redriven {
		j.Reason = job.Manual // it is to be done, however long ago it was due
	}
	begin := h.now()
	tally, end, err := h.do(ctx, j, receives)
	h.metrics.Duration(telemetry.PollTime, h.now().Sub(begin), j.Source)
	if err == nil {
		h.finished(j, tally, end, h.now().Sub(begin))
		return true
	}
	return h.failed(ctx, m, j, receives, err)
}

// failed puts a failed job off, or where that does not help, with the dead letters.
func (h *handler) failed(ctx context.Context, m events.SQSMessage, j job.Job, receives int, err error) bool {
	if errors.Is(err, config.ErrUnknown) {
		// The source was taken out of the configuration after the job was queued.
		h.log.Info("poll job dropped: its poll is gone", telemetry.KeySource, j.Key())
		return true
	}
	h.metrics.Count(telemetry.PollsFailed, 1, j.Source)
	run, _ := errors.AsType[*failure](err)
	final := run != nil && run.final
	dead := final || receives >= maxReceives
	h.log.Error(telemetry.MsgPollFailed, telemetry.KeySource, j.Key(), telemetry.KeyReason, err.Error(),
		telemetry.KeyAttempt, receives, "dead", dead)
	if run != nil && run.known && j.Reason == job.Scheduled && receives <= 1 {
		return true // there is a dead letter already, and the schedule tries again
	}
	if dead {
		return h.bury(ctx, m, j, err)
	}
	wait := backoff(receives, rand.Float64()) //nolint:gosec // jitter needs no secrecy
	if err := h.visibility.Visibility(ctx, h.queueURL, m.ReceiptHandle, wait); err != nil {
		// It comes back all the same, when its visibility timeout is over.
		h.log.Warn("poll job not put off", telemetry.KeySource, j.Key(), "error", err)
	}
	return false
}

// backoff doubles with each receive; the jitter keeps sources that failed
// together from coming back together.
func backoff(receives int, jitter float64) time.Duration {
	d := min(firstBackoff<<min(max(receives-1, 0), 10), maxBackoff)
	return d/2 + time.Duration(jitter*float64(d/2))
}

// bury puts a job with the dead letters, with the reason and how far its source
// was read. The message is finished with only when they took it.
func (h *handler) bury(ctx context.Context, m events.SQSMessage, j job.Job, reason error) bool {
	body, key := m.Body, ""
	if j.Source != "" {
		j.Stopped = h.stoppedAt(ctx, j.Key())
		body, key = j.Encode(), j.Key()
	}
	if err := h.dead.Send(ctx, queue.DeadLetter(body, j.Source, key, reason.Error())); err != nil {
		h.log.Error("dead poll job not queued: it comes back", telemetry.KeySource, j.Key(), "error", err)
		return false
	}
	return true
}

// stoppedAt says in words where the poll was left.
func (h *handler) stoppedAt(ctx context.Context, key string) string {
	all, err := h.states.LoadAll(ctx, []string{key})
	if err != nil {
		return "unknown: " + err.Error()
	}
	st := all[key].Checkpoint
	var at []string
	if st.Watermark != "" {
		at = append(at, "watermark "+st.Watermark)
	}
	if st.Run != nil && st.Run.Position != "" {
		at = append(at, "page "+st.Run.Position)
	}
	if !st.Settled.IsZero() {
		at = append(at, "whole at "+st.Settled.UTC().Format(time.RFC3339))
	}
	if len(at) == 0 {
		return "never read"
	}
	return strings.Join(at, ", ")
}
