package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"time"

	"pushpull/shared/api"
	"pushpull/shared/checkpoint"
	"pushpull/shared/event"
	"pushpull/shared/job"
	"pushpull/shared/polled"
	"pushpull/shared/privacy"
	"pushpull/shared/pull"
	"pushpull/shared/telemetry"
)

// A reader is one job at work.
type reader struct {
	h     *handler
	job   job.Job
	poll  poll
	lease *checkpoint.Lease
	tally checkpoint.Tally
	meter *meter

	source  *pull.Source
	maker   *polled.Maker
	privacy *privacy.Rules
	run     string // begins the correlation ids of the run's events
	first   bool   // the poll was never read: nothing can have been missed

	last     *pull.State // of the last page, not saved yet
	moved    bool        // a checkpoint was saved
	covered  time.Duration
	gap      bool
	until    time.Time     // the API's limit
	interval time.Duration // that the API asks for
	wait     time.Duration // for an export
}

// prepare makes ready what the job reads. Its errors are mistakes in the configuration.
func (r *reader) prepare() (err error) {
	r.run, r.first = rand.Text(), r.lease.Checkpoint.First()
	if r.maker, err = polled.New(r.job.Source, r.poll.of, r.poll.config); err == nil {
		r.source, err = r.open()
	}
	if err == nil {
		r.privacy, err = r.h.hides.Open(r.poll.of.Privacy)
	}
	if err != nil {
		return &api.Permanent{Reason: err.Error()}
	}
	return nil
}

// open makes the source of the pages: the poll's, or of a backfill's range.
func (r *reader) open() (*pull.Source, error) {
	auth, err := r.h.credentials.of(r.poll.config)
	if err != nil {
		return nil, err
	}
	o := pull.Options{
		API: api.Options{
			Auth: auth, Budget: r.meter, Source: r.job.Source, Share: r.share(), Client: r.h.client,
			Now: r.h.now, Sleep: r.h.sleep, Told: r.meter.told,
		},
		Identity: func(record []byte) (string, error) { return r.maker.Fields(record).ID, nil },
		Entity:   func(record []byte) (string, error) { return r.maker.Fields(record).Entity, nil },
		Known:    r.known,
	}
	if r.poll.config.Snapshot != nil {
		o.Snapshot = r.h.states.Snapshot(r.poll.key(), r.poll.of.Window.Std())
	}
	source, err := pull.New(r.poll.config, o)
	if err != nil || r.lease.Range == nil {
		return source, err
	}
	return source.Range(r.lease.Range.From, r.lease.Range.To), nil
}

// known tells which identities the ledger has.
func (r *reader) known(ctx context.Context, ids []string) (map[string]bool, error) {
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = event.Event{Source: r.job.Source, ID: id}.Key()
	}
	seen, err := r.h.ledger.Seen(ctx, keys)
	known := make(map[string]bool, len(seen))
	for i, id := range ids {
		known[id] = seen[keys[i]]
	}
	return known, err
}

// queue puts the page's events that the ledger does not have on the event queue.
func (r *reader) queue(ctx context.Context, page pull.Page) error {
	events := r.envelopes(page.Records)
	keys := make([]string, len(events))
	for i, e := range events {
		keys[i] = e.Key()
	}
	seen := map[string]bool{}
	if len(keys) > 0 {
		var err error
		if seen, err = r.h.ledger.Seen(ctx, keys); err != nil {
			return fmt.Errorf("ask the ledger for %d events: %w", len(keys), err)
		}
	}
	missed, fresh := 0, events[:0]
	for _, e := range events {
		if seen[e.Key()] {
			continue
		}
		if e.Missed = r.missed(e); e.Missed {
			missed++
		}
		fresh = append(fresh, e)
	}
	if err := r.send(ctx, fresh); err != nil {
		return err
	}
	r.tally.Records += page.Read
	r.tally.New += len(fresh)
	r.tally.Missed += missed
	r.metric(telemetry.EventsMissed, missed)
	r.metric(telemetry.PollRecords, page.Read)
	return nil
}

var errNoStrictQueue = errors.New("the source's order is strict, and there is no queue for that: deploy with StrictOrder=true")

func (r *reader) send(ctx context.Context, fresh []event.Event) error {
	if len(fresh) == 0 {
		return nil
	}
	if err := r.hide(ctx, fresh); err != nil {
		return err
	}
	to := r.h.events
	if r.poll.of.Order == "strict" {
		if to = r.h.strict; to == nil {
			return errNoStrictQueue
		}
	}
	if err := to.SendEvents(ctx, fresh...); err != nil {
		r.metric(telemetry.QueueRefused, len(fresh), string(event.Poll))
		return fmt.Errorf("queue %d events: %w", len(fresh), err)
	}
	r.metric(telemetry.EventsReceived, len(fresh), string(event.Poll))
	return nil
}

// hide takes out of the events what the source's privacy names: nothing behind the
// poller sees it, stores it or logs it.
func (r *reader) hide(ctx context.Context, events []event.Event) error {
	for i, e := range events {
		hidden, whole, err := r.privacy.Apply(ctx, e)
		if err != nil {
			return err
		}
		if whole {
			r.h.log.Warn(telemetry.MsgHidden, telemetry.KeySource, r.job.Key(), telemetry.KeyIdentity, e.ID)
		}
		events[i] = hidden
	}
	return nil
}

func (r *reader) metric(m telemetry.Metric, n int, more ...string) {
	if n > 0 {
		r.h.metrics.Count(m, int64(n), append([]string{r.job.Source}, more...)...)
	}
}

// note counts a page and what it says besides its records.
func (r *reader) note(page pull.Page) {
	r.tally.Pages++
	for _, record := range page.Records {
		r.tally.Bytes += int64(len(record.Data))
	}
	if page.Unchanged {
		r.tally.NotModified++
	}
	r.interval = max(r.interval, page.Interval)
	if page.Gap && !r.gap {
		r.gap = true
		r.metric(telemetry.PollGaps, 1)
		r.h.log.Warn("history may be lost: the api no longer has what followed the checkpoint", telemetry.KeySource, r.job.Key())
	}
	if page.Total >= 0 || page.Token != "" {
		r.h.log.Debug("page read", telemetry.KeySource, r.job.Key(), "records", page.Read, "total", page.Total)
	}
}

// measure adds the requests since it was last called, and gives the limits as they stand.
func (r *reader) measure() *checkpoint.Limits {
	requests, limits := r.meter.read()
	r.tally.Requests += requests
	return limits
}

// envelopes makes events of records, each identity once.
func (r *reader) envelopes(records []pull.Record) []event.Event {
	now := r.h.now()
	events := make([]event.Event, 0, len(records))
	have := make(map[string]bool, len(records))
	for _, record := range records {
		e := r.maker.Event(record, now)
		if have[e.ID] {
			continue
		}
		have[e.ID] = true
		e.Backfill = r.job.Backfill != ""
		e.CorrelationID = r.run + "-" + strconv.Itoa(r.tally.Records+len(events))
		events = append(events, e)
	}
	return events
}

// missed tells whether push should have brought the event. Of a poll that was
// never read nothing is missed, nor of a backfill: the past is simply read. Where
// webhooks are hints, what a hint had polled is not missed.
func (r *reader) missed(e event.Event) bool {
	hook := r.poll.of.Webhook
	if r.first || e.Backfill || hook != nil && hook.Hint && r.job.Reason != job.Scheduled {
		return false
	}
	return r.maker.Late(e, r.h.now())
}
