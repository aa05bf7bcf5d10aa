package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pushpull/shared/checkpoint"
	"pushpull/shared/config"
	"pushpull/shared/pull"
	"pushpull/shared/queue"
)

const (
	tick         = time.Minute // between two calls of the schedule: the finest there is
	shortest     = 5 * time.Second
	defaultEvery = 15 * time.Minute
)

// schedule puts a job on the poll queue for each time a source is due before
// the next call; a job for later in the minute is a delayed message. A source
// that cannot be read is reported, and stops no other.
func (h *handler) schedule(ctx context.Context) error {
	every := map[string]time.Duration{}
	var names []string
	var errs []error
	for name := range h.config.Sources() {
		source, err := h.config.Source(name)
		if err != nil {
			errs = append(errs, fmt.Errorf("source %s: %w", name, err))
			continue
		}
		if source.Poll != nil {
			every[name] = interval(source)
			names = append(names, name)
		}
	}
	statuses, err := h.statuses(ctx, names)
	if err != nil {
		errs = append(errs, err)
	}
	now := h.now()
	var messages []queue.Message
	for _, name := range names {
		status, known := statuses[name]
		if !known {
			continue
		}
		for _, due := range dues(status, every[name], now) {
			messages = append(messages, message(pull.Job{Source: name, Reason: pull.Scheduled, Due: due}, due.Sub(now)))
		}
	}
	if err := h.jobs.Send(ctx, messages...); err != nil {
		errs = append(errs, fmt.Errorf("queue %d poll jobs: %w", len(messages), err))
	}
	if err := errors.Join(errs...); err != nil {
		h.log.Error("not every source could be scheduled", "sources", len(names), "jobs", len(messages), "error", err)
		return err
	}
	h.log.Info("sources scheduled", "sources", len(names), "jobs", len(messages))
	return nil
}

// statuses loads what is known of the sources; where that fails, of each on its
// own, as one damaged item fails them all.
func (h *handler) statuses(ctx context.Context, names []string) (map[string]checkpoint.Status, error) {
	statuses, err := h.states.LoadAll(ctx, names)
	if err == nil {
		return statuses, nil
	}
	statuses = map[string]checkpoint.Status{}
	var errs []error
	for _, name := range names {
		one, err := h.states.LoadAll(ctx, []string{name})
		if err != nil {
			errs = append(errs, err)
			continue
		}
		statuses[name] = one[name]
	}
	return statuses, errors.Join(errs...)
}

func interval(source config.Source) time.Duration {
	if source.Poll.Every == 0 {
		return defaultEvery
	}
	return max(source.Poll.Every.Std(), shortest)
}

// dues are the times within the coming minute at which a source is due.
func dues(s checkpoint.Status, every time.Duration, now time.Time) []time.Time {
	if s.Paused {
		return nil
	}
	var due []time.Time
	at := s.Due
	if at.Before(now) {
		at = now
	}
	for ; at.Before(now.Add(tick)); at = at.Add(every) {
		due = append(due, at)
	}
	return due
}

// message is a job as the poll queue takes it. The group keeps one source's
// jobs from starving the others'.
func message(j pull.Job, delay time.Duration) queue.Message {
	return queue.Message{Body: j.Encode(), Group: j.Source, Delay: max(0, delay)}
}
