package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/ledger"
)

func eventsCommand() *cobra.Command {
	var f eventsFlags
	c := &cobra.Command{
		Use:   "events",
		Short: "list events, newest first",
		Long: `Lists what the ledger knows, newest first.

With --json, one object a line: id, source, type, transport, status, time,
received, ended, entity, version, missed, duplicates, done, attempts, reason, replays, erased.
Statuses: claimed, waiting, delivered, filtered, superseded, dead.`,
		Example: `  pushpull events --source github --since 1h
  pushpull events --status dead --json | jq .reason
  pushpull events --follow`,
		Args: exactly(),
		RunE: func(c *cobra.Command, _ []string) error { return listEvents(c, f) },
	}
	c.Flags().StringSliceVar(&f.sources, "source", nil, "only of these sources")
	c.Flags().StringVar(&f.kind, "type", "", "only of this type")
	c.Flags().StringVar(&f.status, "status", "", "only with this status")
	c.Flags().StringVar(&f.transport, "transport", "", "only by this transport: webhook or poll")
	c.Flags().StringVar(&f.entity, "entity", "", "only about this entity")
	c.Flags().BoolVar(&f.missed, "missed", false, "only those that push missed and a poll found")
	c.Flags().StringVar(&f.since, "since", "24h", "how far back: 90s, 1h, 7d, or a time such as 2026-11-23T08:00:00Z")
	c.Flags().IntVar(&f.limit, "limit", 50, "at most this many; 0 is all")
	c.Flags().BoolVarP(&f.follow, "follow", "f", false, "go on with what comes, and with what changes")
	return c
}

type eventsFlags struct {
	sources                                []string
	kind, status, transport, entity, since string
	missed, follow                         bool
	limit                                  int
}

// statuses are those that --status takes.
var statuses = []ledger.Status{ledger.Claimed, ledger.Waiting, ledger.Delivered, ledger.Filtered, ledger.Superseded, ledger.Dead}

func joined(all []ledger.Status) string {
	texts := make([]string, len(all))
	for i, s := range all {
		texts[i] = string(s)
	}
	return strings.Join(texts, ", ")
}

// filter checks the flags and makes the ledger's filter of them.
func (f eventsFlags) filter(c *cobra.Command, cfg config.Compiled, now time.Time) (ledger.Filter, error) {
	sources, err := knownSources(c, cfg, f.sources)
	if err != nil {
		return ledger.Filter{}, err
	}
	if f.status != "" && !slices.Contains(statuses, ledger.Status(f.status)) {
		return ledger.Filter{}, usage(c, "%q is not a status: there are %s", f.status, joined(statuses))
	}
	if f.transport != "" && f.transport != string(event.Webhook) && f.transport != string(event.Poll) {
		return ledger.Filter{}, usage(c, "%q is not a transport: there are webhook and poll", f.transport)
	}
	since, err := parseSince(f.since, now)
	if err != nil {
		return ledger.Filter{}, usage(c, "--since: %v", err)
	}
	return ledger.Filter{
		Sources: sources, Since: since, Status: ledger.Status(f.status), Type: f.kind,
		Transport: event.Transport(f.transport), Entity: f.entity, Missed: f.missed,
	}, nil
}

// parseSince reads a duration back from now, or a time.
func parseSince(s string, now time.Time) (time.Time, error) {
	if d, err := config.ParseDuration(s); err == nil {
		return now.Add(-d.Std()), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04", time.DateTime, time.DateOnly} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is neither a duration (1h, 7d) nor a time (2026-11-23T08:00:00Z)", s)
}

func listEvents(c *cobra.Command, f eventsFlags) error {
	if f.limit < 0 {
		return usage(c, "--limit: %d is below 0", f.limit)
	}
	conn, err := connect(c)
	if err != nil {
		return err
	}
	filter, err := f.filter(c, conn.config, time.Now())
	if err != nil {
		return err
	}
	if f.follow {
		return follow(c.Context(), conn.ledger, filter, f.limit, newRecordPrinter(c))
	}
	return list(c.Context(), conn.ledger, filter, f.limit, newRecordPrinter(c))
}

func list(ctx context.Context, l *ledger.Ledger, f ledger.Filter, limit int, p recordPrinter) error {
	n := 0
	for r, err := range l.Records(ctx, f) {
		if err != nil {
			return err
		}
		if err := p.print(r); err != nil {
			return err
		}
		if n++; n == limit {
			break
		}
	}
	return p.flush()
}

// A recordPrinter writes records as a table's rows or as JSON lines.
type recordPrinter struct {
	json  bool
	out   io.Writer
	table *table
}

func newRecordPrinter(c *cobra.Command) recordPrinter {
	p := recordPrinter{json: asJSON(c), out: c.OutOrStdout()}
	if !p.json {
		p.table = newTable(p.out, "RECEIVED", "SOURCE", "TRANSPORT", "TYPE", "ENTITY", "STATUS", "ID")
	}
	return p
}

func (p recordPrinter) print(r ledger.Record) error {
	if p.json {
		return printJSON(p.out, r)
	}
	transport := string(r.Transport)
	if r.Missed {
		transport += " (missed)"
	}
	p.table.row(clock(r.Received, time.Now()), r.Source, transport, r.Type, r.Entity, string(r.Status), r.ID)
	return nil
}

func (p recordPrinter) flush() error {
	if p.json {
		return nil
	}
	return p.table.flush()
}
