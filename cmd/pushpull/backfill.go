package main

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pushpull/shared/checkpoint"
	"pushpull/shared/config"
	"pushpull/shared/job"
	"pushpull/shared/pull"
)

type backfillFlags struct {
	from, to, rate string
	force, wait    bool
	dry            dryFlags
}

func backfillCommand() *cobra.Command {
	var f backfillFlags
	c := &cobra.Command{
		Use:   "backfill SOURCE [POLL] --from TIME",
		Short: "read an older range beside the live poll",
		Long: `Reads [--from, --to) of a poll once more, beside the live poll and with a part of the
credential's limit. What the ledger has is left out; it remembers events for the
source's window only, so that what is older comes again.

It goes on by itself, and where it was if it is interrupted: --wait, and watch, only look on.
--dry-run reads from here and shows what would come, as ` + "`pushpull poll --dry-run`" + ` does.`,
		Example: `  pushpull backfill stripe --from 30d
  pushpull backfill github issues --from 2026-10-01 --to 2026-11-01 --rate 25% --wait
  pushpull backfill stripe --from 2026-11-01 --dry-run --limit 2
  pushpull backfill list
  pushpull backfill pause stripe/k3f9q2`,
		Args:              atLeast(1, "SOURCE", "POLL"),
		ValidArgsFunction: completePolls,
		RunE:              func(c *cobra.Command, args []string) error { return backfill(c, args, f) },
	}
	c.Flags().StringVar(&f.from, "from", "", "where it begins: a time such as 2026-10-01, or how long ago: 30d")
	c.Flags().StringVar(&f.to, "to", "", "where it ends, as --from; default now")
	c.Flags().StringVar(&f.rate, "rate", "", "its share of the credential's limit, such as 25%; default as configured")
	c.Flags().BoolVar(&f.force, "force", false, "ask for what the api should no longer have")
	c.Flags().BoolVar(&f.wait, "wait", false, "watch it to its end")
	c.Flags().BoolVar(&f.dry.on, "dry-run", false, "show requests and events, and change nothing")
	c.Flags().IntVar(&f.dry.limit, "limit", 0, "of a dry run: stop after this many pages; 0 is none")
	c.MarkFlagsMutuallyExclusive("wait", "dry-run")
	c.AddCommand(
		backfillListCommand(),
		backfillCommandOf("watch", "watch a backfill to its end", func(c *cobra.Command, conn *connection, s checkpoint.Status) error {
			return watchBackfill(c, conn, s.Key)
		}),
		backfillActionCommand("pause", "let a backfill rest", pauseBackfill),
		backfillActionCommand("resume", "let a paused or stopped backfill go on", resumeBackfill),
		backfillActionCommand("cancel", "end a backfill for good", cancelBackfill),
	)
	return c
}

func backfill(c *cobra.Command, args []string, f backfillFlags) error {
	if f.dry.limit < 0 {
		return usage(c, "--limit: %d is below 0", f.dry.limit)
	}
	if f.dry.limit > 0 && !f.dry.on {
		return usage(c, "--limit is for a dry run: add --dry-run")
	}
	now := time.Now()
	r, err := f.between(c, now)
	if err != nil {
		return err
	}
	conn, err := connect(c)
	if err != nil {
		return err
	}
	t, err := conn.target(c, args)
	if err != nil {
		return err
	}
	if t.poll.Incremental == nil {
		return usage(c, "%s cannot be asked for a range: it has no incremental in its configuration", t.key())
	}
	warning, refusal := t.reach(r, now)
	if refusal != "" && !f.force {
		return usage(c, "%s", refusal)
	}
	for _, text := range []string{refusal, warning} {
		if text != "" {
			fmt.Fprintln(c.ErrOrStderr(), "warning:", text)
		}
	}
	if f.dry.on {
		return conn.dry(c, t, pull.State{}, f.dry, r.From, r.To)
	}
	return startBackfill(c, conn, t, r, f.wait)
}

// between reads the range from the flags.
func (f backfillFlags) between(c *cobra.Command, now time.Time) (r checkpoint.Range, err error) {
	if f.from == "" {
		return r, usage(c, "--from is missing: say where it begins, such as 30d or 2026-10-01")
	}
	if r.From, err = parseSince(f.from, now); err != nil {
		return r, usage(c, "--from: %v", err)
	}
	r.To = now
	if f.to != "" {
		if r.To, err = parseSince(f.to, now); err != nil {
			return r, usage(c, "--to: %v", err)
		}
	}
	r.From, r.To = r.From.UTC().Truncate(time.Second), r.To.UTC().Truncate(time.Second)
	switch {
	case r.To.After(now):
		return r, usage(c, "--to is in the future: the live poll reads what is to come")
	case !r.From.Before(r.To):
		return r, usage(c, "the range is empty: --from, %s, must be before --to, %s", stamp(r.From), stamp(r.To))
	}
	if f.rate == "" {
		return r, nil
	}
	r.Share, err = config.ParseShare(f.rate)
	if err != nil || r.Share == 0 {
		return r, usage(c, "--rate: %q is not a share: write one from 1%% to 100%%", f.rate)
	}
	return r, nil
}

// reach says what of the range cannot be had, and what of it will come again.
func (t target) reach(r checkpoint.Range, now time.Time) (warning, refusal string) {
	if keeps := t.poll.Incremental.Retention.Std(); keeps > 0 && r.From.Before(now.Add(-keeps)) {
		refusal = fmt.Sprintf("the api of %s keeps %s, nothing from before %s: begin later, or ask all the same with --force", t.key(), config.Duration(keeps), stamp(now.Add(-keeps)))
	}
	if window := t.of.Window.Std(); window > 0 && r.From.Before(now.Add(-window)) {
		warning = fmt.Sprintf("the ledger remembers %s of %s: what is older and was delivered comes again", config.Duration(window), t.source)
	}
	return warning, refusal
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func startBackfill(c *cobra.Command, conn *connection, t target, r checkpoint.Range, wait bool) error {
	id := strings.ToLower(rand.Text()[:6])
	if err := conn.states.StartBackfill(c.Context(), t.key(), id, r); err != nil {
		return err
	}
	j := job.Job{Source: t.source, Poll: t.poll.Name, Backfill: id, Reason: job.Backfills}
	if err := conn.ask(c.Context(), j); err != nil {
		return fmt.Errorf("%w; `pushpull backfill resume %s` tries again", err, j.Key())
	}
	if wait {
		return watchBackfill(c, conn, j.Key())
	}
	if !asJSON(c) {
		fmt.Fprintf(c.OutOrStdout(), "backfill %s reads %s to %s: `pushpull backfill list` shows how far it is\n", j.Key(), stamp(r.From), stamp(r.To))
		return nil
	}
	status, err := conn.states.Load(c.Context(), j.Key())
	if err != nil {
		return err
	}
	return printJSON(c.OutOrStdout(), status)
}

// watchBackfill shows how far it is until it has ended.
func watchBackfill(c *cobra.Command, conn *connection, key string) error {
	bar := newProgress(c, "", 0)
	defer bar.close()
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for {
		s, err := conn.states.Load(c.Context(), key)
		if err != nil {
			return err
		}
		if end := backfillEnd(s); end != "" {
			bar.close()
			return reportBackfill(c, s, end)
		}
		bar.draw(func(took time.Duration) string { return backfillLine(s, took) })
		select {
		case <-c.Context().Done():
			return fmt.Errorf("no longer watched; backfill %s goes on by itself", key)
		case <-tick.C:
		}
	}
}

// backfillEnd is why nothing more comes of it by itself: "" while something does.
func backfillEnd(s checkpoint.Status) string {
	switch {
	case s.Cancelled:
		return "cancelled"
	case !s.Last.Ended.IsZero():
		return "done"
	case s.Stopped != "":
		return "stopped"
	case s.Paused:
		return "paused"
	default:
		return ""
	}
}

func reportBackfill(c *cobra.Command, s checkpoint.Status, end string) error {
	if asJSON(c) {
		if err := printJSON(c.OutOrStdout(), s); err != nil {
			return err
		}
		if end != "done" {
			return errSaid
		}
		return nil
	}
	switch end {
	case "done":
		fmt.Fprintf(c.OutOrStdout(), "backfill %s done in %s: %d records, %d new, %s\n", s.Key,
			s.Last.Ended.Sub(s.Last.Started).Round(time.Millisecond), s.Last.Records, s.Last.New, counted(s.Last.Requests, "request"))
		return nil
	case "stopped":
		return fmt.Errorf("backfill %s is stopped: %s; `pushpull backfill resume %s` once that is mended", s.Key, s.Stopped, s.Key)
	default:
		return fmt.Errorf("backfill %s is %s", s.Key, end)
	}
}

// tallyOf is that of the run that ended, or else of the one under way.
func tallyOf(s checkpoint.Status) checkpoint.Tally {
	if s.Last.Ended.IsZero() && s.Run != nil {
		return *s.Run
	}
	return s.Last
}

// share is how much of the range is read.
func share(s checkpoint.Status) float64 {
	if !s.Last.Ended.IsZero() {
		return 1
	}
	if total := s.Range.To.Sub(s.Range.From); total > 0 {
		return min(float64(s.Covered)/float64(total), 1)
	}
	return 0
}

// backfillLine is one under way, watched for that long.
func backfillLine(s checkpoint.Status, took time.Duration) string {
	t := tallyOf(s)
	line := fmt.Sprintf("%.0f %% of %s to %s, %d records", 100*share(s), stamp(s.Range.From), stamp(s.Range.To), t.Records)
	if !t.Started.IsZero() {
		took = time.Since(t.Started)
		line += fmt.Sprintf(", %.0f/s", float64(t.Records)/took.Seconds())
	}
	if left := timeLeft(s, took); left > 0 {
		line += ", " + left.String() + " left"
	}
	if s.Error != "" {
		line += ", tried again: " + printable(s.Error)
	}
	return line
}

// timeLeft is how long the rest of the range takes, at the pace so far.
func timeLeft(s checkpoint.Status, took time.Duration) time.Duration {
	done := share(s)
	if done <= 0 || done >= 1 {
		return 0
	}
	return time.Duration(float64(took) * (1 - done) / done).Round(time.Second)
}
