package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"pushpull/shared/checkpoint"
	"pushpull/shared/job"
	"pushpull/shared/queue"
)

type pollFlags struct {
	noWait bool
	dry    dryFlags
	replay string
	config string
}

func pollCommand() *cobra.Command {
	var f pollFlags
	c := &cobra.Command{
		Use:   "poll SOURCE [POLL]",
		Short: "poll a source now, or look at what a poll would do",
		Long: `Polls a source now, waits for the poll to end and says what it found.

--dry-run makes the requests from here, beginning at a copy of the checkpoint, and
shows them and the events that they bring. It queues nothing and moves no checkpoint;
it keeps to the credential's budget, and stores a refresh token that is renewed.

--record is a dry run that keeps the requests and answers in a file, without
credentials; the data stay as they are. --replay runs the poll as it is configured
now against such a file, with neither network nor stack.

With --json: what is known of the poll afterwards; of the others, objects with
"request", "event" or, the last one, "summary".`,
		Example: `  pushpull poll stripe
  pushpull poll github issues --no-wait
  pushpull poll stripe --dry-run --limit 3
  pushpull poll stripe --record stripe.ndjson --anew
  pushpull poll stripe --replay stripe.ndjson`,
		Args:              atLeast(1, "SOURCE", "POLL"),
		ValidArgsFunction: completePolls,
		RunE:              func(c *cobra.Command, args []string) error { return poll(c, args, f) },
	}
	c.Flags().BoolVar(&f.noWait, "no-wait", false, "only ask for the poll")
	c.Flags().BoolVar(&f.dry.on, "dry-run", false, "show requests and events, and change nothing")
	c.Flags().IntVar(&f.dry.limit, "limit", 0, "of a dry run: stop after this many pages, each of 1,000 records at most; 0 is none")
	c.Flags().BoolVar(&f.dry.anew, "anew", false, "of a dry run: begin as if it was never polled")
	c.Flags().StringVar(&f.dry.record, "record", "", "keep requests and answers in this `FILE`: a dry run")
	c.Flags().StringVar(&f.replay, "replay", "", "take the answers from this `FILE`")
	c.Flags().StringVar(&f.config, "config", "config", "of --replay: the folder of the configuration")
	c.MarkFlagsMutuallyExclusive("replay", "record")
	c.MarkFlagsMutuallyExclusive("replay", "anew")
	return c
}

func poll(c *cobra.Command, args []string, f pollFlags) error {
	if f.dry.limit < 0 {
		return usage(c, "--limit: %d is below 0", f.dry.limit)
	}
	if f.replay != "" {
		return replayPoll(c, args, f)
	}
	if (f.dry.limit > 0 || f.dry.anew) && !f.dry.wanted() {
		return usage(c, "--limit and --anew are for a dry run: add --dry-run, --record or --replay")
	}
	conn, err := connect(c)
	if err != nil {
		return err
	}
	t, err := conn.target(c, args)
	if err != nil {
		return err
	}
	if f.dry.wanted() {
		return dryPoll(c, conn, t, f.dry)
	}
	return pollNow(c, conn, t, f.noWait)
}

// pollNow has the poller poll.
func pollNow(c *cobra.Command, conn *connection, t target, noWait bool) error {
	before, err := conn.states.Load(c.Context(), t.key())
	if err != nil {
		return err
	}
	if err := conn.ask(c.Context(), job.Job{Source: t.source, Poll: t.poll.Name, Reason: job.Manual}); err != nil {
		return err
	}
	if noWait {
		fmt.Fprintf(c.ErrOrStderr(), "asked for a poll of %s\n", t.key())
		return nil
	}
	after, err := conn.polled(c, t.key(), before)
	if err != nil {
		return err
	}
	return reportPoll(c, before, after)
}

// ask puts a job on the poll queue.
func (conn *connection) ask(ctx context.Context, j job.Job) error {
	q := queue.New(conn.queues, conn.address.Queues["PollQueue"], nil)
	return q.Send(ctx, queue.Message{Body: j.Encode(), Group: j.Source})
}

// polled waits until a run that began after `before` was seen has ended.
func (conn *connection) polled(c *cobra.Command, key string, before checkpoint.Status) (checkpoint.Status, error) {
	ctx, cancel := context.WithTimeout(c.Context(), 15*time.Minute)
	defer cancel()
	bar := newProgress(c, "seconds waited for the poll", 0)
	defer bar.close()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); ; {
		now, err := conn.states.Load(ctx, key)
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
			return now, fmt.Errorf("the poll of %s has not ended yet: `pushpull sources %s` shows how it goes, `pushpull dead --poll` jobs that failed for good", key, key)
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
		return fmt.Errorf("the poll of %s failed: %s", after.Key, after.Error)
	}
	if !asJSON(c) {
		fmt.Fprintf(c.OutOrStdout(), "%s polled in %s: %d records, %d new, %d missed by push, %s\n", after.Key,
			after.Last.Ended.Sub(after.Last.Started).Round(time.Millisecond), after.Last.Records, after.Last.New, after.Last.Missed,
			counted(after.Last.Requests, "request"))
	}
	return nil
}
