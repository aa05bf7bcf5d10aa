package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"pushpull/shared/checkpoint"
	"pushpull/shared/config"
	"pushpull/shared/pull"
	"pushpull/shared/queue"
)

func pollCommand() *cobra.Command {
	var noWait bool
	c := &cobra.Command{
		Use:               "poll SOURCE",
		Short:             "poll a source now",
		Example:           "  pushpull poll stripe\n  pushpull poll stripe --no-wait",
		Args:              exactly("SOURCE"),
		ValidArgsFunction: completeSources,
		RunE:              func(c *cobra.Command, args []string) error { return poll(c, args[0], noWait) },
	}
	c.Flags().BoolVar(&noWait, "no-wait", false, "only ask for the poll")
	return c
}

func poll(c *cobra.Command, source string, noWait bool) error {
	conn, err := connect(c)
	if err != nil {
		return err
	}
	s, err := conn.config.Source(source)
	if errors.Is(err, config.ErrUnknown) {
		return unknownSource(c, source, slices.Collect(conn.config.Sources()))
	}
	if err != nil {
		return err
	}
	if s.Poll == nil {
		return usage(c, "%s has no poll: give it one in its configuration", source)
	}
	before, err := conn.states.Load(c.Context(), source)
	if err != nil {
		return err
	}
	job := pull.Job{Source: source, Reason: pull.Manual}
	q := queue.New(conn.queues, conn.address.Queues["PollQueue"], nil)
	if err := q.Send(c.Context(), queue.Message{Body: job.Encode(), Group: source}); err != nil {
		return err
	}
	if noWait {
		fmt.Fprintf(c.ErrOrStderr(), "asked for a poll of %s\n", source)
		return nil
	}
	after, err := conn.polled(c, source, before)
	if err != nil {
		return err
	}
	return reportPoll(c, before, after)
}

// polled waits until a run that began after `before` was seen has ended.
func (conn *connection) polled(c *cobra.Command, source string, before checkpoint.Status) (checkpoint.Status, error) {
	ctx, cancel := context.WithTimeout(c.Context(), 15*time.Minute)
	defer cancel()
	bar := newProgress(c, "seconds waited for the poll", 0)
	defer bar.close()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); ; {
		now, err := conn.states.Load(ctx, source)
		if err != nil {
			return now, err
		}
		ended := now.Last.Ended.After(before.Last.Ended)
		failed := now.Error != "" && now.Failures > before.Failures
		if ended || failed {
			return now, nil
		}
		bar.add(int(time.Since(began).Seconds()) - bar.done)
		select {
		case <-ctx.Done():
			return now, fmt.Errorf("the poll of %s has not ended yet: `pushpull dead --poll` shows jobs that failed for good", source)
		case <-tick.C:
		}
	}
}

func reportPoll(c *cobra.Command, before, after checkpoint.Status) error {
	if asJSON(c) {
		if err := printJSON(c.OutOrStdout(), after); err != nil {
			return err
		}
	}
	if after.Error != "" && after.Failures > before.Failures {
		if asJSON(c) {
			return errSaid
		}
		return fmt.Errorf("the poll of %s failed: %s", after.Source, after.Error)
	}
	if !asJSON(c) {
		fmt.Fprintf(c.OutOrStdout(), "%s polled in %s: %d records, %d new, %d missed by push\n", after.Source,
			after.Last.Ended.Sub(after.Last.Started).Round(time.Millisecond), after.Last.Records, after.Last.New, after.Last.Missed)
	}
	return nil
}
