package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"pushpull/shared/config"
	"pushpull/shared/pull"
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
	job, err := pull.ParseJob(m.Body)
	if err != nil {
		return h.bury(ctx, m, job, &pull.Permanent{Reason: err.Error()})
	}
	if _, redriven := m.MessageAttributes[queue.AttributeReason]; redriven {
		job.Reason = pull.Manual // it is to be done, however long ago it was due
	}
	begin := h.now()
	tally, end, err := h.do(ctx, job, receives)
	h.metrics.Duration(telemetry.PollTime, h.now().Sub(begin), job.Source)
	if err == nil {
		h.finished(job, tally, end, h.now().Sub(begin))
		return true
	}
	return h.failed(ctx, m, job, receives, err)
}

// finished says how a job ended that did not fail.
func (h *handler) finished(job pull.Job, tally pull.Tally, end ending, took time.Duration) {
	log := h.log.With(telemetry.KeySource, job.Source)
	switch end {
	case done:
		h.metrics.Count(telemetry.PollsDone, 1, job.Source)
		log.Info(telemetry.MsgPolled, "records", tally.Records, "new", tally.New, telemetry.KeyMissed, tally.Missed,
			"pages", tally.Pages, "took", took.String(), telemetry.KeyReason, job.Reason)
	case unready:
		log.Info("poll goes on in its continuation", "records", tally.Records, "new", tally.New, "pages", tally.Pages)
	case limited:
		log.Info("poll put off: the api limits requests", "records", tally.Records, "pages", tally.Pages)
	case held:
		log.Info("poll left to the run that has the source")
	case skipped:
		log.Debug("poll not needed: paused, or polled since it was due", "due", job.Due)
	}
}

// failed puts a failed job off, or where that does not help, with the dead letters.
func (h *handler) failed(ctx context.Context, m events.SQSMessage, job pull.Job, receives int, err error) bool {
	if errors.Is(err, config.ErrUnknown) {
		// The source was taken out of the configuration after the job was queued.
		h.log.Info("poll job dropped: its source is gone", telemetry.KeySource, job.Source)
		return true
	}
	h.metrics.Count(telemetry.PollsFailed, 1, job.Source)
	_, final := errors.AsType[*pull.Permanent](err)
	dead := final || receives >= maxReceives
	h.log.Error(telemetry.MsgPollFailed, telemetry.KeySource, job.Source, telemetry.KeyReason, err.Error(),
		telemetry.KeyAttempt, receives, "dead", dead)
	if dead {
		return h.bury(ctx, m, job, err)
	}
	wait := backoff(receives, rand.Float64()) //nolint:gosec // jitter needs no secrecy
	if err := h.visibility.Visibility(ctx, h.queueURL, m.ReceiptHandle, wait); err != nil {
		// It comes back all the same, when its visibility timeout is over.
		h.log.Warn("poll job not put off", telemetry.KeySource, job.Source, "error", err)
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
func (h *handler) bury(ctx context.Context, m events.SQSMessage, job pull.Job, reason error) bool {
	body, key := m.Body, ""
	if job.Source != "" {
		job.Stopped = h.stoppedAt(ctx, job.Source)
		body, key = job.Encode(), job.Source
	}
	if err := h.dead.Send(ctx, queue.DeadLetter(body, job.Source, key, reason.Error())); err != nil {
		h.log.Error("dead poll job not queued: it comes back", telemetry.KeySource, job.Source, "error", err)
		return false
	}
	return true
}

// stoppedAt says in words where the source was left.
func (h *handler) stoppedAt(ctx context.Context, source string) string {
	all, err := h.states.LoadAll(ctx, []string{source})
	if err != nil {
		return "unknown: " + err.Error()
	}
	st := all[source].Checkpoint
	switch {
	case st.Run != nil && st.Run.Position != "":
		return "watermark " + st.Watermark + ", page " + st.Run.Position
	case st.Watermark != "":
		return "watermark " + st.Watermark
	default:
		return "never read"
	}
}
