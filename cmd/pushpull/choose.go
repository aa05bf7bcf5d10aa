package main

import (
	"slices"
	"time"

	"github.com/spf13/cobra"

	"pushpull/shared/config"
	"pushpull/shared/ledger"
)

// choiceFlags choose events by what the ledger knows of them.
type choiceFlags struct {
	eventsFlags
	to string
}

func (f *choiceFlags) add(c *cobra.Command, from string) {
	c.Flags().StringSliceVar(&f.sources, "source", nil, "only of these sources")
	c.Flags().StringVar(&f.kind, "type", "", "only of this type")
	c.Flags().StringVar(&f.status, "status", "", "only with this status")
	c.Flags().StringVar(&f.entity, "entity", "", "only about this entity")
	c.Flags().StringVar(&f.since, "from", "", "received since then: 90s, 1h, 7d ago, or a time such as 2026-11-23T08:00:00Z; default "+from)
	c.Flags().StringVar(&f.to, "to", "", "received before then, as --from; default now")
}

// named tells whether the person chose anything.
func (f choiceFlags) named() bool {
	return len(f.sources) > 0 || f.kind+f.status+f.entity+f.since+f.to != ""
}

// filter makes the ledger's filter: of all that it may remember where --from is not given.
func (f choiceFlags) filter(c *cobra.Command, cfg config.Compiled, now time.Time) (ledger.Filter, error) {
	from := f.since
	f.since = "0s" // events' own, whose default is not ours
	filter, err := f.eventsFlags.filter(c, cfg, now)
	if err != nil {
		return ledger.Filter{}, err
	}
	filter.Since, filter.Until = now.Add(-remembers(cfg, filter.Sources)), now
	if from != "" {
		if filter.Since, err = parseSince(from, now); err != nil {
			return ledger.Filter{}, usage(c, "--from: %v", err)
		}
	}
	if f.to != "" {
		if filter.Until, err = parseSince(f.to, now); err != nil {
			return ledger.Filter{}, usage(c, "--to: %v", err)
		}
	}
	if !filter.Since.Before(filter.Until) {
		return ledger.Filter{}, usage(c, "the range is empty: --from, %s, must be before --to, %s", stamp(filter.Since), stamp(filter.Until))
	}
	return filter, nil
}

// remembers is how far back the ledger may have events of the sources, and what is kept of them.
func remembers(cfg config.Compiled, sources []string) time.Duration {
	const (
		least = 30 * 24 * time.Hour // of a source that says nothing, and of what waits for its message
		slack = 3 * 24 * time.Hour  // items may be there a while after their time
	)
	longest := least
	for _, name := range sources {
		if s, err := cfg.Source(name); err == nil {
			longest = max(longest, s.Window.Std(), s.Retention.Std())
		}
	}
	return longest + slack
}

// chosen are the keys of the events that the person named or chose, the oldest first.
func (conn *connection) chosen(c *cobra.Command, ids []string, f ledger.Filter) ([]string, error) {
	var keys []string
	for _, id := range ids {
		r, err := find(c.Context(), conn, id)
		if err != nil {
			return nil, err
		}
		keys = append(keys, r.Key)
	}
	if len(ids) > 0 {
		return keys, nil
	}
	for r, err := range conn.ledger.Records(c.Context(), f) {
		if err != nil {
			return nil, err
		}
		keys = append(keys, r.Key)
	}
	slices.Reverse(keys)
	return keys, nil
}
