package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"pushpull/shared/checkpoint"
	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/ledger"
)

func sourcesCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "sources [SOURCE]",
		Short: "show how each source does: its polls, what push missed, limits left",
		Long: `Shows each source, a line for each of its polls; of one SOURCE all that is known.

States: ok, polling (now), new (never polled), paused, stopped (an error that does
not heal by itself: it is tried after an hour, then twice as long each time, up to a
day), failing, behind (due, and not polled).
MISSED is what polls found that push should have brought: of the last 24 hours, and
of all time less what push brought later. LIMIT is what was left of the API's limit
when it last told.

With --json, one object a source: source, transports, last_webhook, last_poll, late, polls.`,
		Example: `  pushpull sources
  pushpull sources stripe
  pushpull sources --json | jq 'select(.polls[].state == "stopped").source'
  pushpull sources pause stripe
  pushpull sources reset github issues`,
		Args:              atLeast(0, "SOURCE"),
		ValidArgsFunction: completeSources,
		RunE:              showSources,
	}
	c.AddCommand(
		sourceSwitchCommand("pause", "let only a person poll", true),
		sourceSwitchCommand("resume", "let paused or stopped polls go on", false),
		sourceResetCommand(),
	)
	return c
}

// A sourceView is all that is known of a source.
type sourceView struct {
	Source      string     `json:"source"`
	Transports  []string   `json:"transports"`
	LastWebhook time.Time  `json:"last_webhook,omitzero"` // when the last event by webhook was received
	LastPoll    time.Time  `json:"last_poll,omitzero"`    // when the last event that a poll brought was
	Late        int        `json:"late,omitempty"`        // webhooks that came after a poll had counted their events as missed
	Polls       []pollView `json:"polls,omitempty"`
}

// A pollView is all that is known of a poll.
type pollView struct {
	State     string            `json:"state"`
	Every     time.Duration     `json:"every"`      // as configured, in nanoseconds
	MissedDay int               `json:"missed_24h"` // by push
	Status    checkpoint.Status `json:"status"`
	retention time.Duration
}

func showSources(c *cobra.Command, args []string) error {
	conn, err := connect(c)
	if err != nil {
		return err
	}
	views, err := conn.views(c, args, time.Now())
	if err != nil {
		return err
	}
	switch {
	case asJSON(c):
		for _, v := range views {
			if err := printJSON(c.OutOrStdout(), v); err != nil {
				return err
			}
		}
		return nil
	case len(args) == 1:
		return printSource(c.OutOrStdout(), views[0], time.Now())
	default:
		return printSources(c, views, time.Now())
	}
}

// views gathers what is known of all sources, or of the one that is named.
func (conn *connection) views(c *cobra.Command, args []string, now time.Time) ([]sourceView, error) {
	polls, err := conn.targets(c, args)
	if err != nil {
		return nil, err
	}
	names := args
	if len(args) == 0 {
		names = slices.Collect(conn.config.Sources())
	}
	keys := make([]string, len(polls))
	for i, t := range polls {
		keys[i] = t.key()
	}
	statuses, err := conn.states.LoadAll(c.Context(), keys)
	if err != nil {
		return nil, err
	}
	late, err := conn.states.Late(c.Context(), names)
	if err != nil {
		return nil, err
	}
	views := make([]sourceView, len(names))
	for i, name := range names {
		if views[i], err = conn.view(c.Context(), name, now); err != nil {
			return nil, err
		}
		views[i].Late = late[name]
		for _, t := range polls {
			if t.source == name {
				views[i].Polls = append(views[i].Polls, newPollView(t.poll, statuses[t.key()], now))
			}
		}
	}
	return views, nil
}

// mostLooked is how many of a source's events are looked at for the last of each transport.
const mostLooked = 200

// view is what the ledger and the configuration know of a source.
func (conn *connection) view(ctx context.Context, name string, now time.Time) (sourceView, error) {
	v := sourceView{Source: name}
	of, err := conn.config.Source(name)
	if err != nil {
		return v, fmt.Errorf("source %s: %w", name, err)
	}
	if of.Webhook != nil {
		v.Transports = append(v.Transports, string(event.Webhook))
	}
	if len(of.Poll) > 0 {
		v.Transports = append(v.Transports, string(event.Poll))
	}
	looked := 0
	for r, err := range conn.ledger.Records(ctx, ledger.Filter{Sources: []string{name}, Since: now.Add(-24 * time.Hour)}) {
		if err != nil {
			return v, err
		}
		last := &v.LastWebhook
		if r.Transport == event.Poll {
			last = &v.LastPoll
		}
		if last.IsZero() {
			*last = r.Received
		}
		found := (of.Webhook == nil || !v.LastWebhook.IsZero()) && (len(of.Poll) == 0 || !v.LastPoll.IsZero())
		if looked++; found || looked == mostLooked {
			break
		}
	}
	return v, nil
}

func newPollView(p config.Poll, s checkpoint.Status, now time.Time) pollView {
	v := pollView{Every: p.Every.Std(), Status: s, MissedDay: s.MissedSince(now.Add(-24 * time.Hour)), State: pollState(s, p.Every.Std(), now)}
	if p.Incremental != nil {
		v.retention = p.Incremental.Retention.Std()
	}
	return v
}

// patience is how late a poll may be before it is behind: the schedule comes each minute.
const patience = 3 * time.Minute

// pollState is one word for how a poll does.
func pollState(s checkpoint.Status, every time.Duration, now time.Time) string {
	switch {
	case s.Held(now):
		return "polling"
	case s.Paused:
		return "paused"
	case s.Stopped != "":
		return "stopped"
	case s.Error != "":
		return "failing"
	case s.Last.Ended.IsZero() && s.Run == nil:
		return "new"
	case !s.Due.IsZero() && now.Sub(s.Due) > max(patience, every):
		return "behind"
	default:
		return "ok"
	}
}

func printSources(c *cobra.Command, views []sourceView, now time.Time) error {
	t := newTable(c.OutOrStdout(), "SOURCE", "STATE", "LAST WEBHOOK", "LAST POLL", "CHECKPOINT", "NEXT POLL", "MISSED", "LIMIT", "ERROR")
	for _, v := range views {
		if len(v.Polls) == 0 {
			t.row(v.Source, "ok", clock(v.LastWebhook, now), "", "", "", "", "", "")
		}
		for _, p := range v.Polls {
			t.row(p.Status.Key, p.State, clock(v.LastWebhook, now), clock(p.Status.Last.Ended, now), clipped(checkpointText(p.Status)),
				nextText(p.Status, now), v.missedText(p), limitText(p.Status.Limits), clipped(p.Status.Error))
		}
	}
	return t.flush()
}

// missedText is of the last day, and of all time. Which poll counted what push
// brought later is not known: of several each has its own count.
func (v sourceView) missedText(p pollView) string {
	if !slices.Contains(v.Transports, string(event.Webhook)) {
		return ""
	}
	total := p.Status.Missed
	if len(v.Polls) == 1 {
		total = max(total-v.Late, 0)
	}
	return fmt.Sprintf("%d / %d", min(p.MissedDay, total), total)
}

// clipped fits a table; all of it is in `pushpull sources SOURCE`.
func clipped(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

func checkpointText(s checkpoint.Status) string {
	st := s.Checkpoint
	switch {
	case st.Watermark != "":
		return st.Watermark
	case st.Token != "":
		return "token " + st.Token
	case !st.Settled.IsZero():
		return "all until " + stamp(st.Settled)
	case st.Run != nil:
		return "first run under way"
	default:
		return ""
	}
}

func nextText(s checkpoint.Status, now time.Time) string {
	if s.Paused {
		return "none: paused"
	}
	next := "now"
	if s.Due.After(now) {
		next = "in " + config.Duration(s.Due.Sub(now).Round(time.Second)).String()
	}
	if s.Why != "" {
		next += " (" + s.Why + ")"
	}
	return next
}

func limitText(l *checkpoint.Limits) string {
	switch {
	case l == nil:
		return ""
	case l.Remaining < 0 && !l.Reset.IsZero():
		return "until " + stamp(l.Reset)
	case l.Remaining < 0:
		return ""
	case l.Limit < 0:
		return fmt.Sprintf("%d left", l.Remaining)
	default:
		return fmt.Sprintf("%d of %d left", l.Remaining, l.Limit)
	}
}
