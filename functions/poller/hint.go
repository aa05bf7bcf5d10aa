package main

import (
	"context"

	"pushpull/shared/checkpoint"
	"pushpull/shared/job"
)

// heed notes a hint, and tells whether to poll for it now. Else one of these
// will: the run that began after it did; the run that has the poll, which sees the
// note when it gives it back; or the schedule, once a poll is allowed again.
// However many hints come, none is lost, and one poll in `min` is made for them.
func (h *handler) heed(ctx context.Context, j job.Job, p poll) (bool, error) {
	s, err := h.states.Hint(ctx, j.Key(), j.Due)
	if err != nil {
		return false, err
	}
	now := h.now()
	failing := s.Failures > 0 && s.Due.After(now)
	return heeded(s) && !failing && !s.Held(now) && !began(s).Add(p.rhythm.Min).After(now), nil
}

// heeded tells whether a hint is waiting for a poll.
func heeded(s checkpoint.Status) bool { return s.Pending() && !s.Paused && s.Stopped == "" }
