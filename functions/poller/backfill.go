package main

import (
	"time"

	"pushpull/shared/config"
	"pushpull/shared/pull"
)

// usualShare is how much of a limit a backfill uses where nothing says it.
const usualShare = 0.5

// share is what of the credential's limit the job may use: all of it, but for a backfill.
func (r *reader) share() float64 {
	if r.lease.Range == nil {
		return 0
	}
	if r.lease.Range.Share > 0 {
		return r.lease.Range.Share
	}
	if b := r.poll.config.Backfill; b != nil {
		if share, err := config.ParseShare(b.Share); err == nil && share > 0 {
			return share
		}
	}
	return usualShare
}

// coverage is how much of a backfill's range is read.
func (r *reader) coverage(st pull.State) time.Duration {
	if r.lease.Range == nil {
		return 0
	}
	read, _ := r.source.Covered(st)
	return read
}
