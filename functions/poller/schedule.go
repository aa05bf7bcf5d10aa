package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pushpull/shared/checkpoint"
	"pushpull/shared/job"
	"pushpull/shared/queue"
	"pushpull/shared/telemetry"
)

const tick = time.Minute // between two calls of the schedule: the finest there is

// schedule puts a job on the poll queue for each time a poll is due before the
// next call; a job for later in the minute is a delayed message. A poll that
// cannot be read is reported, and stops no other.
func (h *handler) schedule(ctx context.Context) error {
	polls, keys, err := h.polls()
	errs := []error{err}
	statuses, err := h.statuses(ctx, keys)
	errs = append(errs, err)
	now := h.now()
	var messages []queue.Message
	for _, p := range polls {
		status, known := statuses[p.key()]
		if !known {
			continue
		}
		h.tell(p, status, now)
		due := p.due(status, now)
		if len(due) == 0 && h.silent(ctx, p, status, now) {
			due = []queue.Message{message(p.job(job.Silence, now), 0)}
		}
		messages = append(messages, due...)
	}
	if err := h.jobs.Send(ctx, messages...); err != nil {
		errs = append(errs, fmt.Errorf("queue %d poll jobs: %w", len(messages), err))
	}
	if err := errors.Join(errs...); err != nil {
		h.log.Error("not every poll could be scheduled", "polls", len(polls), "jobs", len(messages), "error", err)
		return err
	}
	h.log.Info("polls scheduled", "polls", len(polls), "jobs", len(messages))
	return nil
}

// polls are those of the configuration, and their keys.
func (h *handler) polls() (polls []poll, keys []string, err error) {
	var errs []error
	for name := range h.config.Sources() {
		source, err := h.config.Source(name)
		if err != nil {
			errs = append(errs, fmt.Errorf("source %s: %w", name, err))
			continue
		}
		for _, one := range source.Poll {
			p := newPoll(name, source, one)
			polls, keys = append(polls, p), append(keys, p.key())
		}
	}
	return polls, keys, errors.Join(errs...)
}

// statuses loads what is known of the polls; where that fails, of each on its
// own, as one damaged item fails them all.
func (h *handler) statuses(ctx context.Context, keys []string) (map[string]checkpoint.Status, error) {
	statuses, err := h.states.LoadAll(ctx, keys)
	if err == nil {
		return statuses, nil
	}
	statuses = map[string]checkpoint.Status{}
	var errs []error
	for _, key := range keys {
		one, err := h.states.LoadAll(ctx, []string{key})
		if err != nil {
			errs = append(errs, err)
			continue
		}
		statuses[key] = one[key]
	}
	return statuses, errors.Join(errs...)
}

// tell measures what an alarm is for: a poll that is stopped, and one that will
// lose history, because the API keeps it no longer than this.
func (h *handler) tell(p poll, s checkpoint.Status, now time.Time) {
	if s.Paused {
		return
	}
	if s.Stopped != "" {
		h.metrics.Count(telemetry.PollsStopped, 1)
	}
	inc := p.config.Incremental
	if inc == nil || inc.Retention == 0 || s.Checkpoint.Settled.IsZero() {
		return
	}
	used := 100 * float64(now.Sub(s.Checkpoint.Settled)) / float64(inc.Retention)
	if used >= 50 {
		h.metrics.Percent(telemetry.PollHistoryUsed, used)
	}
}

// due are the jobs for the coming minute.
func (p poll) due(s checkpoint.Status, now time.Time) []queue.Message {
	if s.Paused {
		return nil
	}
	every := p.rhythm.Every
	if s.Every > 0 {
		every = s.Every
	}
	at := s.Due
	if s.Stopped != "" && s.Config != p.hash() { // it may be mended
		at = now
	}
	if at.Before(now) {
		at = now
	}
	var messages []queue.Message
	for ; at.Before(now.Add(tick)); at = at.Add(every) {
		messages = append(messages, message(p.job(job.Scheduled, at), at.Sub(now)))
	}
	if len(messages) == 0 && heeded(s) && !s.Held(now) && (s.Failures == 0 || s.Due.Before(now)) {
		if at := began(s).Add(p.rhythm.Min); at.Before(now.Add(tick)) {
			messages = append(messages, message(p.job(job.Hinted, s.Hinted), at.Sub(now)))
		}
	}
	return messages
}

func (p poll) job(reason string, due time.Time) job.Job {
	return job.Job{Source: p.source, Poll: p.config.Name, Reason: reason, Due: due}
}

// message is a job as the poll queue takes it. The group keeps one source's
// jobs from starving the others'.
func message(j job.Job, delay time.Duration) queue.Message {
	return queue.Message{Body: j.Encode(), Group: j.Source, Delay: max(0, delay)}
}
