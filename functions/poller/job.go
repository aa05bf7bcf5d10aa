package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"pushpull/shared/checkpoint"
	"pushpull/shared/pull"
	"pushpull/shared/telemetry"
)

const (
	// lease is how long a source waits for the next job when one was killed.
	lease = 45 * time.Second
	// renewal is how often a job extends its lease: a page may take longer than that.
	renewal = lease / 3
	// reserve is kept at the end of an invocation to save and to hand over.
	reserve = 5 * time.Second
	// pageTime is what a page may need: there must be so much left to begin one.
	pageTime = 15 * time.Second
	// finalPause is how long a source is left alone whose failure will not pass by itself.
	finalPause = time.Hour
	// failedPause is the longest pause after one that may.
	failedPause = 15 * time.Minute
)

// An ending is how a job came to its end, where it did.
type ending int

const (
	done    ending = iota // the run is at its end
	unready               // its time, or the pages of one job, are used up: a continuation follows
	held                  // another run has the source, or took it over
	skipped               // paused, or polled since it was due
	limited               // the API asks to wait
)

// do takes the source's lease and reads it. An error is one of the run; the
// lease is given back in every case.
func (h *handler) do(ctx context.Context, job pull.Job, receives int) (pull.Tally, ending, error) {
	tally := begun(job, h.now())
	r, err := h.prepare(job)
	if err != nil {
		return tally, done, err
	}
	l, err := h.states.Acquire(ctx, job.Source, lease)
	if errors.Is(err, checkpoint.ErrHeld) {
		return tally, held, nil
	}
	if err != nil {
		return tally, done, err
	}
	if needless(job, l.Status, receives) {
		return tally, skipped, h.states.Release(ctx, l, checkpoint.Outcome{})
	}
	if job.Reason == pull.Scheduled && !job.Continuation && !job.Due.IsZero() {
		h.metrics.Duration(telemetry.PollLag, max(0, tally.Started.Sub(job.Due)), job.Source)
	}
	r.lease, r.tally, r.first = &l, &tally, l.Checkpoint.First()
	stop := h.keep(ctx, l)
	end, err := r.read(ctx)
	stop()
	if errors.Is(err, checkpoint.ErrLost) {
		return tally, held, nil
	}
	return tally, end, r.release(ctx, end, err)
}

// keep renews the lease until stop, which waits for a renewal under way: nothing
// goes on after an invocation has ended. A renewal that fails is left to the next
// save, which is fenced, to find out.
func (h *handler) keep(ctx context.Context, l checkpoint.Lease) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(renewal)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if err := h.states.Renew(ctx, l); err != nil && ctx.Err() == nil {
				h.log.Warn("lease not renewed", telemetry.KeySource, l.Source, "error", err)
			}
		}
	})
	return func() {
		cancel()
		wg.Wait()
	}
}

func begun(job pull.Job, now time.Time) pull.Tally {
	if job.SoFar != nil {
		return *job.SoFar
	}
	return pull.Tally{Started: now}
}

// needless tells whether a scheduled job has nothing left to do. A job that was
// received before is a retry: the time its failure set as due is not a reason to drop it.
func needless(job pull.Job, s checkpoint.Status, receives int) bool {
	if job.Reason != pull.Scheduled {
		return false
	}
	if s.Paused {
		return true
	}
	if job.Continuation || job.Due.IsZero() {
		return false
	}
	due := job.Due.Truncate(time.Millisecond) // as the table keeps times
	return (receives <= 1 && s.Due.After(due)) || s.Last.Started.After(due)
}

// read gives out pages until the run is at its end or the time nearly up. In
// this order: the events of a page to the queue, then the checkpoint.
func (r *reader) read(ctx context.Context) (ending, error) {
	running, cancel := withReserve(ctx)
	defer cancel()
	for page, err := range r.source.Run(running, r.lease.Checkpoint) {
		if err != nil {
			return r.stopped(ctx, running, err)
		}
		r.tally.Pages++
		if page.Interval > r.interval {
			r.interval = page.Interval
		}
		if err := r.queue(ctx, page); err != nil {
			return done, err
		}
		if !page.More {
			r.last = &page.Next // saved with the release, in one write
			return done, nil
		}
		if err := r.h.states.Save(ctx, r.lease, page.Next); err != nil {
			return done, err
		}
		r.moved = true
		if timeLeft(ctx) < pageTime+reserve {
			return unready, nil
		}
	}
	return unready, nil // max_pages
}

// stopped sorts the errors of a run. Running out of our own time is not the
// source's failure, if this job moved at all.
func (r *reader) stopped(ctx, running context.Context, err error) (ending, error) {
	if limit, ok := errors.AsType[*pull.Limited](err); ok {
		r.until = limit.Until
		return limited, nil
	}
	if r.moved && running.Err() != nil && ctx.Err() == nil {
		return unready, nil
	}
	return done, err
}

// release gives the lease back with how the run ended, and then queues the
// continuation: the other way round it might find the source still held.
func (r *reader) release(ctx context.Context, end ending, failure error) error {
	now := r.h.now()
	var o checkpoint.Outcome
	switch {
	case failure != nil:
		o.Error, o.Due = failure.Error(), now.Add(pauseAfter(failure, r.lease.Failures, r.every))
	case end == limited:
		o.Due = r.until
	case end == done:
		o.Checkpoint = r.last
		o.Due = r.nextDue(now)
		o.Last = &checkpoint.Last{
			Started: r.tally.Started, Ended: now,
			Records: r.tally.Records, New: r.tally.New, Missed: r.tally.Missed,
		}
	}
	if err := r.h.states.Release(ctx, *r.lease, o); err != nil && !errors.Is(err, checkpoint.ErrLost) {
		return errors.Join(failure, err)
	}
	if failure != nil || end != unready {
		return failure
	}
	next := r.job
	next.Continuation, next.SoFar = true, r.tally
	if err := r.h.jobs.Send(ctx, message(next, 0)); err != nil {
		return fmt.Errorf("queue the continuation: %w", err)
	}
	return nil
}

// nextDue keeps to the source's rhythm, and leaves out what went by meanwhile.
func (r *reader) nextDue(now time.Time) time.Time {
	from := r.job.Due
	if r.job.Reason != pull.Scheduled || from.IsZero() {
		from = now
	}
	next := from.Add(r.every)
	if late := now.Sub(next); late > 0 {
		next = next.Add((late + r.every - 1).Truncate(r.every))
	}
	if asked := now.Add(r.interval); asked.After(next) {
		return asked
	}
	return next
}

// pauseAfter is how long the schedule leaves a source alone after a failure:
// the failed job comes back by itself meanwhile.
func pauseAfter(err error, failures int, every time.Duration) time.Duration {
	if _, final := errors.AsType[*pull.Permanent](err); final {
		return max(every, finalPause)
	}
	return max(every, min(time.Minute<<min(failures, 6), failedPause))
}

// withReserve ends a little before the invocation does.
func withReserve(ctx context.Context) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, deadline.Add(-reserve))
	}
	return context.WithCancel(ctx)
}

func timeLeft(ctx context.Context) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return time.Until(deadline)
	}
	return time.Hour
}
