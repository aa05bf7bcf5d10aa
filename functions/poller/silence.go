package main

import (
	"context"
	"time"

	"pushpull/shared/checkpoint"
	"pushpull/shared/telemetry"
)

// silent tells whether push has brought nothing for longer than is usual, while the
// poll trusts it: then it is asked at once, and not when the long interval is over.
// The ledger is asked for that, not the API.
func (h *handler) silent(ctx context.Context, p poll, s checkpoint.Status, now time.Time) bool {
	hook := p.of.Webhook
	if hook == nil || hook.Hint || s.Every <= p.rhythm.Every || s.Paused || s.Stopped != "" || s.Failures > 0 || s.Held(now) {
		return false
	}
	window := p.rhythm.Silence(s.Last.Records, s.Last.Span)
	since := now.Add(-window)
	if window == 0 || since.Before(s.Last.Ended.Add(tick)) { // what the poll itself brought is no sign of push
		return false
	}
	arrived, err := h.ledger.Arrived(ctx, p.source, since)
	if err != nil {
		h.log.Warn("not known whether push is silent", telemetry.KeySource, p.key(), "error", err)
		return false
	}
	return !arrived
}
