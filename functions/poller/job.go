package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"pushpull/shared/api"
	"pushpull/shared/checkpoint"
	"pushpull/shared/job"
	"pushpull/shared/telemetry"
)

const (
	// lease is how long a poll waits for the next job when one was killed.
	lease = 45 * time.Second
	// renewal is how often a job extends its lease: a page may take longer than that.
	renewal = lease / 3
	// reserve is kept at the end of an invocation to save and to hand over.
	reserve = 5 * time.Second
	// pageTime is what a page may need: there must be so much left to begin one.
	pageTime = 15 * time.Second
)

// An ending is how a job came to its end, where it did.
type ending int

const (
	done    ending = iota // the run is at its end
	unready               // its time, or the pages of one job, are used up: a continuation follows
	waiting               // the API is making what is to be read: a continuation follows later
	held                  // another run has the poll, or took it over
	skipped               // paused, or polled since it was due
	limited               // the API asks to wait
)

// A failure is an error of a run.
type failure struct {
	error
	final bool // it does not pass by itself
	known bool // the poll fails for long: who is to mend it was told
}

// Unwrap gives the error.
func (f *failure) Unwrap() error { return f.error }

// do takes the poll's lease and reads it. An error is one of the run; the lease
// is given back in every case.
func (h *handler) do(ctx context.Context, j job.Job, receives int) (checkpoint.Tally, ending, error) {
	p, err := h.find(j)
	if err != nil {
		return checkpoint.Tally{}, done, err
	}
	if j.Reason == job.Hinted && !j.Continuation && receives <= 1 {
		if heed, err := h.heed(ctx, j, p); err != nil || !heed {
			return checkpoint.Tally{}, skipped, err
		}
	}
	l, err := h.states.Acquire(ctx, j.Key(), lease)
	if errors.Is(err, checkpoint.ErrHeld) {
		return checkpoint.Tally{}, held, nil
	}
	if err != nil {
		return checkpoint.Tally{}, done, err
	}
	if needless(j, l.Status, receives, p) {
		_, err := h.states.Release(ctx, l, checkpoint.Outcome{})
		return checkpoint.Tally{}, skipped, err
	}
	r := &reader{h: h, job: j, poll: p, lease: &l, tally: h.begun(l.Status), meter: &meter{Budget: h.budget, now: h.now}}
	if j.Reason == job.Scheduled && !j.Continuation && !j.Due.IsZero() {
		h.metrics.Duration(telemetry.PollLag, max(0, r.tally.Started.Sub(j.Due)), j.Source)
	}
	stop := h.keep(ctx, l)
	end, err := r.read(ctx)
	stop()
	if errors.Is(err, checkpoint.ErrLost) {
		return r.tally, held, nil
	}
	return r.tally, end, r.release(ctx, end, err)
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
				h.log.Warn("lease not renewed", telemetry.KeySource, l.Key, "error", err)
			}
		}
	})
	return func() {
		cancel()
		wg.Wait()
	}
}

// begun is the count of the run that was cut short, or a new one.
func (h *handler) begun(s checkpoint.Status) checkpoint.Tally {
	if s.Run != nil && s.Checkpoint.Run != nil {
		return *s.Run
	}
	t := checkpoint.Tally{Started: h.now().UTC()}
	if !s.Last.Started.IsZero() {
		t.Span = t.Started.Sub(s.Last.Started)
	}
	return t
}

// needless tells whether a job has nothing left to do. A job that was received
// before is a retry: the time its failure set as due is not a reason to drop it.
func needless(j job.Job, s checkpoint.Status, receives int, p poll) bool {
	if s.Cancelled || j.Backfill != "" && !s.Last.Ended.IsZero() {
		return true
	}
	if j.Reason == job.Manual {
		return false
	}
	if s.Paused {
		return true
	}
	if j.Continuation || j.Due.IsZero() {
		return false
	}
	due := j.Due.Truncate(time.Millisecond) // as the table keeps times
	if s.Last.Started.After(due) {
		return true
	}
	mended := s.Stopped != "" && s.Config != p.hash()
	return j.Reason == job.Scheduled && receives <= 1 && s.Due.After(due) && !mended
}

// read gives out pages until the run is at its end or the time nearly up. In this
// order: the events of a page to the queue, what a snapshot is to remember, the
// checkpoint.
func (r *reader) read(ctx context.Context) (ending, error) {
	if err := r.prepare(); err != nil {
		return done, err
	}
	running, cancel := withReserve(ctx)
	defer cancel()
	for page, err := range r.source.Run(running, r.lease.Checkpoint) {
		r.measure()
		if err != nil {
			return r.stopped(ctx, running, err)
		}
		r.note(page)
		if err := r.queue(ctx, page); err != nil {
			return done, err
		}
		if err := page.Commit(ctx); err != nil {
			return done, err
		}
		r.covered = r.coverage(page.Next)
		if !page.More {
			r.last = &page.Next // saved with the release, in one write
			return done, nil
		}
		if err := r.h.states.Save(ctx, r.lease, checkpoint.Progress{Checkpoint: page.Next, Run: r.tally, Covered: r.covered}); err != nil {
			return done, err
		}
		r.moved = true
		switch {
		case page.Wait > 0:
			r.wait = page.Wait
			return waiting, nil
		case r.lease.Paused && r.job.Reason != job.Manual:
			return skipped, nil
		case timeLeft(ctx) < pageTime+reserve:
			return unready, nil
		}
	}
	return unready, nil // max_pages
}

// stopped sorts the errors of a run. Running out of our own time is not the
// source's failure, if this job moved at all.
func (r *reader) stopped(ctx, running context.Context, err error) (ending, error) {
	if limit, ok := errors.AsType[*api.Limited](err); ok {
		r.until = limit.Until
		return limited, nil
	}
	if r.moved && running.Err() != nil && ctx.Err() == nil {
		return unready, nil
	}
	return done, err
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
