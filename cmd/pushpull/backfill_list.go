package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pushpull/shared/checkpoint"
	"pushpull/shared/job"
)

func backfillListCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "list [SOURCE [POLL]]",
		Short:             "list backfills: how far each is",
		Example:           "  pushpull backfill list\n  pushpull backfill list stripe --json",
		Args:              atLeast(0, "SOURCE", "POLL"),
		ValidArgsFunction: completePolls,
		RunE:              listBackfills,
	}
}

func listBackfills(c *cobra.Command, args []string) error {
	conn, err := connect(c)
	if err != nil {
		return err
	}
	all, err := conn.backfills(c, args)
	if err != nil {
		return err
	}
	if asJSON(c) {
		for _, s := range all {
			if err := printJSON(c.OutOrStdout(), s); err != nil {
				return err
			}
		}
		return nil
	}
	if len(all) == 0 {
		fmt.Fprintln(c.ErrOrStderr(), "no backfills")
		return nil
	}
	now := time.Now()
	t := newTable(c.OutOrStdout(), "BACKFILL", "STATE", "FROM", "TO", "READ", "RECORDS", "NEW", "LEFT", "ERROR")
	for _, s := range all {
		tally := tallyOf(s)
		t.row(s.Key, backfillState(s, now), stamp(s.Range.From), stamp(s.Range.To), fmt.Sprintf("%.0f %%", 100*share(s)),
			fmt.Sprint(tally.Records), fmt.Sprint(tally.New), leftText(s, now), s.Error)
	}
	return t.flush()
}

// backfills are those of the polls, the newest first.
func (conn *connection) backfills(c *cobra.Command, args []string) ([]checkpoint.Status, error) {
	polls, err := conn.targets(c, args)
	if err != nil {
		return nil, err
	}
	keys := make([]string, len(polls))
	for i, t := range polls {
		keys[i] = t.key()
	}
	statuses, err := conn.states.LoadAll(c.Context(), keys)
	if err != nil {
		return nil, err
	}
	var all []checkpoint.Status
	for _, key := range keys {
		of, err := conn.states.Backfills(c.Context(), statuses[key])
		if err != nil {
			return nil, err
		}
		all = append(all, of...)
	}
	slices.SortStableFunc(all, func(a, b checkpoint.Status) int { return b.Range.Created.Compare(a.Range.Created) })
	return all, nil
}

func backfillState(s checkpoint.Status, now time.Time) string {
	if end := backfillEnd(s); end != "" {
		return end
	}
	switch {
	case s.Error != "":
		return "failing since " + clock(s.ErrorSince, now)
	case s.Held(now):
		return "reading"
	default:
		return "waiting"
	}
}

func leftText(s checkpoint.Status, now time.Time) string {
	t := tallyOf(s)
	if backfillEnd(s) != "" || t.Started.IsZero() {
		return ""
	}
	if left := timeLeft(s, now.Sub(t.Started)); left > 0 {
		return left.String()
	}
	return ""
}

// A backfillAction is what is done with a backfill. It returns what was done.
type backfillAction func(ctx context.Context, conn *connection, s checkpoint.Status) (string, error)

func backfillActionCommand(name, short string, do backfillAction) *cobra.Command {
	return backfillCommandOf(name, short, func(c *cobra.Command, conn *connection, s checkpoint.Status) error {
		done, err := do(c.Context(), conn, s)
		if err != nil {
			return err
		}
		return conn.reportAction(c, s.Key, done)
	})
}

// backfillCommandOf is a command about one backfill.
func backfillCommandOf(name, short string, run func(*cobra.Command, *connection, checkpoint.Status) error) *cobra.Command {
	return &cobra.Command{
		Use:               name + " BACKFILL",
		Short:             short,
		Long:              "BACKFILL is a name as `pushpull backfill list` shows it.",
		Example:           "  pushpull backfill " + name + " stripe/k3f9q2",
		Args:              exactly("BACKFILL"),
		ValidArgsFunction: completeBackfills,
		RunE: func(c *cobra.Command, args []string) error {
			conn, err := connect(c)
			if err != nil {
				return err
			}
			all, err := conn.backfills(c, nil)
			if err != nil {
				return err
			}
			i := slices.IndexFunc(all, func(s checkpoint.Status) bool { return s.Key == args[0] })
			if i < 0 {
				return usage(c, "there is no backfill %s: `pushpull backfill list` shows those there are", args[0])
			}
			return run(c, conn, all[i])
		},
	}
}

// reportAction says what was done to a poll or a backfill.
func (conn *connection) reportAction(c *cobra.Command, key, done string) error {
	if !asJSON(c) {
		fmt.Fprintf(c.OutOrStdout(), "%s %s\n", key, done)
		return nil
	}
	s, err := conn.states.Load(c.Context(), key)
	if err != nil {
		return err
	}
	return printJSON(c.OutOrStdout(), s)
}

// over refuses what has ended.
func over(s checkpoint.Status) error {
	if end := backfillEnd(s); end == "done" || end == "cancelled" {
		return fmt.Errorf("backfill %s is %s: start another for the same range", s.Key, end)
	}
	return nil
}

func pauseBackfill(ctx context.Context, conn *connection, s checkpoint.Status) (string, error) {
	if err := over(s); err != nil {
		return "", err
	}
	return "paused: `pushpull backfill resume " + s.Key + "` lets it go on", conn.states.Pause(ctx, s.Key, true)
}

func resumeBackfill(ctx context.Context, conn *connection, s checkpoint.Status) (string, error) {
	if err := over(s); err != nil {
		return "", err
	}
	if err := conn.states.Pause(ctx, s.Key, false); err != nil {
		return "", err
	}
	poll, id, _ := strings.Cut(s.Key, "/")
	source, name, _ := strings.Cut(poll, ".")
	return "goes on", conn.ask(ctx, job.Job{Source: source, Poll: name, Backfill: id, Reason: job.Backfills})
}

func cancelBackfill(ctx context.Context, conn *connection, s checkpoint.Status) (string, error) {
	if err := over(s); err != nil {
		return "", err
	}
	return "cancelled: what it has read stays", conn.states.Cancel(ctx, s.Key)
}

// completeBackfills completes a backfill's name in a shell.
func completeBackfills(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	conn, err := connect(c)
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	all, err := conn.backfills(c, nil)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	keys := make([]string, len(all))
	for i, s := range all {
		keys[i] = s.Key
	}
	return keys, cobra.ShellCompDirectiveNoFileComp
}
