package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"time"

	"pushpull/shared/checkpoint"
	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/pull"
	"pushpull/shared/telemetry"
)

// A reader is one job at work.
type reader struct {
	h        *handler
	job      pull.Job
	config   config.Source
	source   *pull.Source
	identify *event.Identifier
	every    time.Duration
	run      string // begins the correlation ids of the run's events

	lease    *checkpoint.Lease
	tally    *pull.Tally
	first    bool          // the source was never read: nothing can have been missed
	last     *pull.State   // of the last page, not saved yet
	moved    bool          // a checkpoint was saved
	until    time.Time     // the API's limit
	interval time.Duration // that the API asks for
}

// prepare makes a reader of the job's source. Its errors are mistakes in the configuration.
func (h *handler) prepare(job pull.Job) (*reader, error) {
	source, err := h.config.Source(job.Source)
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", job.Source, err)
	}
	if source.Poll == nil {
		return nil, &pull.Permanent{Reason: fmt.Sprintf("source %s has no poll: give it one, or drop the job", job.Source)}
	}
	var spec event.Spec
	if source.Poll.Event != nil {
		spec = *source.Poll.Event
	}
	identify, err := event.Compile(spec)
	if err != nil {
		return nil, &pull.Permanent{Reason: fmt.Sprintf("source %s: poll.event: %v", job.Source, err)}
	}
	r := &reader{h: h, job: job, config: source, identify: identify, every: interval(source), run: rand.Text()}
	r.source, err = pull.New(*source.Poll, pull.Options{
		Token: h.token(*source.Poll), Client: h.client, Now: h.now, Sleep: h.sleep,
		Identity: func(record []byte) (string, error) { return r.fields(record).ID, nil },
	})
	if err != nil {
		return nil, &pull.Permanent{Reason: fmt.Sprintf("source %s: %v", job.Source, err)}
	}
	return r, nil
}

func (h *handler) token(poll config.Poll) func(context.Context, bool) (string, error) {
	if len(poll.Token) == 0 {
		return nil
	}
	return func(ctx context.Context, fresh bool) (string, error) {
		resolve := h.secrets.All
		if fresh {
			resolve = h.secrets.Fresh
		}
		values, err := resolve(ctx, poll.Token[:1])
		if err != nil {
			return "", err
		}
		return values[0], nil
	}
}

func (r *reader) fields(record []byte) event.Fields {
	return r.identify.Identify(event.Input{Body: record, DefaultType: r.job.Source})
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
	r.count(telemetry.EventsMissed, missed)
	r.count(telemetry.PollRecords, page.Read)
	return nil
}

func (r *reader) send(ctx context.Context, fresh []event.Event) error {
	if len(fresh) == 0 {
		return nil
	}
	if err := r.h.events.SendEvents(ctx, fresh...); err != nil {
		r.count(telemetry.QueueRefused, len(fresh), string(event.Poll))
		return fmt.Errorf("queue %d events: %w", len(fresh), err)
	}
	r.count(telemetry.EventsReceived, len(fresh), string(event.Poll))
	return nil
}

func (r *reader) count(m telemetry.Metric, n int, more ...string) {
	if n > 0 {
		r.h.metrics.Count(m, int64(n), append([]string{r.job.Source}, more...)...)
	}
}

// envelopes makes events of records, each identity once.
func (r *reader) envelopes(records []pull.Record) []event.Event {
	now := r.h.now().UTC()
	events := make([]event.Event, 0, len(records))
	have := make(map[string]bool, len(records))
	for _, record := range records {
		f := r.fields(record.Data)
		if have[f.ID] {
			continue
		}
		have[f.ID] = true
		at := f.Time
		if y := record.Time.Year(); at.IsZero() && y >= 1 && y <= 9999 { // one that an event can have: else the queue refuses the page, each time
			at = record.Time
		}
		events = append(events, event.Event{
			ID: f.ID, Source: r.job.Source, Type: f.Type, Time: at, Subject: f.Entity, Version: f.Version,
			ContentType: "application/json", Data: record.Data, Transport: event.Poll,
			ReceivedTime: now, VerifiedTime: now,
			CorrelationID: r.run + "-" + strconv.Itoa(r.tally.Records+len(events)),
		})
	}
	return events
}

// missed tells whether the source's webhook should have brought the event by now.
// Of a source that was never read nothing is missed: its past is simply read.
func (r *reader) missed(e event.Event) bool {
	return r.config.Webhook != nil && !r.first && !e.Time.IsZero() && r.h.now().Sub(e.Time) > r.config.Grace.Std()
}
