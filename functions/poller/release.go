package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pushpull/shared/api"
	"pushpull/shared/checkpoint"
	"pushpull/shared/config"
	"pushpull/shared/job"
	"pushpull/shared/pull"
	"pushpull/shared/telemetry"
)

const (
	// A poll whose failure will not pass by itself is left alone for an hour, as some
	// do pass with an outage of the API, then for as long as it has failed, up to a day:
	// twice as long each time, however often somebody tries by hand.
	firstStop   = time.Hour
	longestStop = 24 * time.Hour
	// After one that may pass, the job itself comes back within firstPause; the pause
	// grows to longestPause, or to a quarter of a longer interval.
	firstPause   = 5 * time.Minute
	longestPause = 15 * time.Minute
	// longestDelay is SQS's.
	longestDelay = 15 * time.Minute
)

// release gives the lease back with how the run ended, and then queues what
// follows: the other way round it might find the poll still held.
func (r *reader) release(ctx context.Context, end ending, err error) error {
	o := r.outcome(end, err)
	status, unwritten := r.h.states.Release(ctx, *r.lease, o)
	lost := errors.Is(unwritten, checkpoint.ErrLost) // reset, cancelled, or taken over
	if unwritten != nil && !lost {
		return errors.Join(err, unwritten)
	}
	if err != nil {
		return &failure{error: err, final: o.Stopped != "", known: r.lease.Stopped != "" || r.lease.Failures >= maxReceives}
	}
	if next, delay, follows := r.following(end, status); follows && !lost {
		if err := r.h.jobs.Send(ctx, message(next, delay)); err != nil {
			return fmt.Errorf("queue the continuation: %w", err)
		}
	}
	return nil
}

// outcome is what is recorded of a job.
func (r *reader) outcome(end ending, err error) checkpoint.Outcome {
	now := r.h.now().UTC()
	o := checkpoint.Outcome{Limits: r.measure(), Gap: r.gap, Covered: r.covered}
	if r.tally.Pages > 0 {
		o.Run = &r.tally
	}
	switch {
	case err != nil:
		r.failed(&o, now, err)
	case end == limited:
		o.Due, o.Why = r.until, "the api asked to wait"
	case end == waiting:
		o.Due, o.Why = now.Add(r.wait+tick), "the api is making an export" // the continuation comes first
	case end == done:
		r.tally.Ended = now
		o.Checkpoint, o.Last, o.Run = r.last, &r.tally, nil
		o.Every, o.Why = r.adapt()
		o.Due = r.nextDue(now, o.Every)
	}
	if r.job.Backfill != "" { // which no schedule knows
		o.Due, o.Why, o.Every = time.Time{}, "", 0
	}
	return o
}

func (r *reader) failed(o *checkpoint.Outcome, now time.Time, err error) {
	o.Error = err.Error()
	if _, final := errors.AsType[*api.Permanent](err); final {
		o.Stopped, o.Config = err.Error(), r.poll.hash()
		pause := firstStop
		if since := r.lease.ErrorSince; !since.IsZero() {
			pause = min(max(now.Sub(since).Round(time.Minute), firstStop), longestStop)
		}
		o.Due, o.Why = now.Add(pause), fmt.Sprintf("stopped: tried again after %s, when its configuration changes, or by `pushpull sources resume`", config.Duration(pause))
		return
	}
	o.Due = now.Add(pauseAfter(r.lease.Failures, r.every()))
	o.Why = fmt.Sprintf("backoff after %d failures", r.lease.Failures+1)
	if r.lease.Failures == 0 {
		o.Why = "backoff after a failure"
	}
}

// following is the job that goes on with the run, or that a hint asked for
// while it was under way. Where it is lost the schedule finds the poll due.
func (r *reader) following(end ending, status checkpoint.Status) (next job.Job, delay time.Duration, follows bool) {
	next = r.job
	next.Continuation = true
	now := r.h.now()
	switch {
	case end == unready:
		return next, 0, true
	case end == waiting:
		return next, min(r.wait, longestDelay), true
	case end == limited && r.job.Backfill != "":
		return next, min(max(r.until.Sub(now), 0), longestDelay), true
	case end == done && status.Pending() && !status.Paused:
		hint := job.Job{Source: r.job.Source, Poll: r.job.Poll, Reason: job.Hinted, Due: status.Hinted}
		return hint, min(max(began(status).Add(r.poll.rhythm.Min).Sub(now), 0), longestDelay), true
	}
	return job.Job{}, 0, false
}

// every is the interval as it stands.
func (r *reader) every() time.Duration {
	if r.lease.Every > 0 {
		return r.lease.Every
	}
	return r.poll.rhythm.Every
}

// adapt sets the interval by what the run found. Only a run of the schedule may
// make it longer: others say nothing of how long it may be.
func (r *reader) adapt() (every time.Duration, why string) {
	f := pull.Findings{
		Interval: r.every(), New: r.tally.New, Missed: r.tally.Missed, Lately: r.lease.MissedSince(r.h.now().Add(-24 * time.Hour)),
		Silent: r.job.Reason == job.Silence, Unread: r.job.Continuation, Asked: r.interval,
	}
	every, why = r.poll.rhythm.Next(f)
	if r.job.Reason != job.Scheduled && every > r.every() && r.interval < r.every() {
		return r.every(), "every " + config.Duration(r.every()).String()
	}
	return every, why
}

// nextDue keeps to the poll's rhythm, and leaves out what went by meanwhile.
func (r *reader) nextDue(now time.Time, every time.Duration) time.Time {
	from := r.job.Due
	if r.job.Reason != job.Scheduled || from.IsZero() {
		from = now
	}
	next := from.Add(every)
	if late := now.Sub(next); late > 0 {
		next = next.Add((late + every - 1).Truncate(every))
	}
	if asked := now.Add(r.interval); asked.After(next) {
		return asked
	}
	return next
}

// pauseAfter is how long the schedule leaves a poll alone after a failure that
// may pass, where so many came before in a row.
func pauseAfter(failures int, every time.Duration) time.Duration {
	doublings := min(max(failures-maxReceives, 0), 16)
	return min(firstPause<<doublings, max(longestPause, every/4))
}

// began is when the last run began.
func began(s checkpoint.Status) time.Time {
	if s.Run != nil && s.Run.Started.After(s.Last.Started) {
		return s.Run.Started
	}
	return s.Last.Started
}

// finished says how a job ended that did not fail.
func (h *handler) finished(j job.Job, tally checkpoint.Tally, end ending, took time.Duration) {
	log := h.log.With(telemetry.KeySource, j.Key())
	switch end {
	case done:
		h.metrics.Count(telemetry.PollsDone, 1, j.Source)
		if tally.Records > 0 && j.Backfill == "" {
			h.metrics.Percent(telemetry.MissedShare, 100*float64(tally.Missed)/float64(tally.Records))
		}
		log.Info(telemetry.MsgPolled, "records", tally.Records, "new", tally.New, telemetry.KeyMissed, tally.Missed,
			"pages", tally.Pages, "requests", tally.Requests, "took", took.String(), telemetry.KeyReason, j.Reason)
	case unready:
		log.Info("poll goes on in its continuation", "records", tally.Records, "new", tally.New, "pages", tally.Pages)
	case waiting:
		log.Info("poll goes on when the api has made what is to be read")
	case limited:
		log.Info("poll put off: the api limits requests", "records", tally.Records, "pages", tally.Pages)
	case held:
		log.Info("poll left to the run that has it")
	case skipped:
		log.Debug("poll not needed: paused, or polled since it was due", "due", j.Due)
	}
}
