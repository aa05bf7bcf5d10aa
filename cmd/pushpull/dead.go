package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func deadCommand() *cobra.Command {
	var poll bool
	c := &cobra.Command{
		Use:   "dead",
		Short: "list, redrive or discard dead letters",
		Long: `Lists the dead letters: events that could not be delivered, with the reason.
Redrive them once the reason is mended: only destinations that do not have the
event get it, and its earlier attempts stay in its history. With --only NAME just one of
them does: the others keep their dead letter. --poll is about poll jobs that kept failing.`,
		Example: `  pushpull dead
  pushpull dead redrive stripe/evt_1QbX
  pushpull dead redrive --source stripe
  pushpull dead redrive --destination crm --only crm --reason "status 503" --from 2d
  pushpull dead discard --all --poll`,
		Args: exactly(),
		RunE: func(c *cobra.Command, _ []string) error { return listDead(c, poll) },
	}
	c.PersistentFlags().BoolVar(&poll, "poll", false, "the dead letters of the poll queue")
	c.AddCommand(
		deadActionCommand(&poll, "redrive", "send dead letters back to their queue", "redriven"),
		deadActionCommand(&poll, "discard", "delete dead letters for good", "discarded"),
	)
	return c
}

func listDead(c *cobra.Command, poll bool) error {
	conn, err := connect(c)
	if err != nil {
		return err
	}
	from, _ := conn.deadQueues(poll)
	letters, give, err := deadLetters(c.Context(), conn.sqs, from)
	if err = errors.Join(err, give(c.Context(), letters)); err != nil {
		return err
	}
	slices.SortFunc(letters, func(a, b deadLetter) int { return b.Since.Compare(a.Since) })
	letters = newestOfEach(letters)
	if asJSON(c) {
		for _, d := range letters {
			if err := printJSON(c.OutOrStdout(), d); err != nil {
				return err
			}
		}
		return nil
	}
	if len(letters) == 0 {
		none := "no dead letters of events; `pushpull dead --poll` lists those of polls"
		if poll {
			none = "no dead letters of polls"
		}
		fmt.Fprintln(c.ErrOrStderr(), none)
		return nil
	}
	t := newTable(c.OutOrStdout(), "SINCE", "EVENT", "TYPE", "DESTINATION", "REASON")
	for _, d := range letters {
		t.row(clock(d.Since, time.Now()), d.Key, d.Type, d.Destination, d.Reason)
	}
	return t.flush()
}

// newestOfEach keeps one letter an event and replay: a crash may have left two.
func newestOfEach(letters []deadLetter) []deadLetter {
	seen := map[string]bool{}
	return slices.DeleteFunc(letters, func(d deadLetter) bool {
		again := d.Key != "" && seen[d.Replay+"/"+d.Key]
		seen[d.Replay+"/"+d.Key] = true
		return again
	})
}

// deadQueues are the dead-letter queue and the queue it belongs to.
func (conn *connection) deadQueues(poll bool) (dead, origin string) {
	if poll {
		return conn.address.Queues["PollDeadLetterQueue"], conn.address.Queues["PollQueue"]
	}
	return conn.address.Queues["DeadLetterQueue"], conn.address.Queues["EventQueue"]
}

type deadChoice struct {
	all                         bool
	source, destination, reason string
	from, to                    string
	only                        string // the one destination that is to get it
	ids                         []string
	dryRun                      bool

	since, before time.Time // of from and to
}

// named tells whether the person chose anything.
func (ch deadChoice) named() bool {
	return ch.all || len(ch.ids) > 0 || ch.source+ch.destination+ch.reason+ch.from+ch.to != ""
}

// times reads from and to.
func (ch *deadChoice) times(c *cobra.Command, now time.Time) (err error) {
	if ch.from != "" {
		if ch.since, err = parseSince(ch.from, now); err != nil {
			return usage(c, "--from: %v", err)
		}
	}
	if ch.to != "" {
		if ch.before, err = parseSince(ch.to, now); err != nil {
			return usage(c, "--to: %v", err)
		}
	}
	return nil
}

func deadActionCommand(poll *bool, name, short, done string) *cobra.Command {
	var choice deadChoice
	c := &cobra.Command{
		Use:     name + " [ID...]",
		Short:   short,
		Example: "  pushpull dead " + name + " stripe/evt_1QbX\n  pushpull dead " + name + " --all --dry-run",
		RunE: func(c *cobra.Command, args []string) error {
			choice.ids = args
			if !choice.named() {
				return usage(c, "which? name events, or choose by --source, --destination, --reason, --from and --to, or --all")
			}
			if choice.only != "" && *poll {
				return usage(c, "--only is about destinations, and poll jobs have none")
			}
			if err := choice.times(c, time.Now()); err != nil {
				return err
			}
			return deadAction(c, *poll, choice, name, done)
		},
	}
	c.Flags().BoolVar(&choice.all, "all", false, "every dead letter")
	c.Flags().StringVar(&choice.source, "source", "", "those of this source")
	c.Flags().StringVar(&choice.destination, "destination", "", "those that this destination did not get")
	c.Flags().StringVar(&choice.reason, "reason", "", "those whose reason has this `TEXT`")
	c.Flags().StringVar(&choice.from, "from", "", "dead since then: 1h, 7d ago, or a time such as 2026-11-23T08:00:00Z")
	c.Flags().StringVar(&choice.to, "to", "", "dead before then, as --from")
	if name == "redrive" {
		c.Flags().StringVar(&choice.only, "only", "", "to this destination alone, or delivery of a route (paid/crm)")
	}
	c.Flags().BoolVar(&choice.dryRun, "dry-run", false, "only say what would be done")
	return c
}

// takes says whether the person meant this letter.
func (ch deadChoice) takes(d deadLetter) bool {
	if ch.source != "" && d.Source != ch.source {
		return false
	}
	if ch.destination != "" && !d.lacks(ch.destination) || !strings.Contains(d.Reason, ch.reason) {
		return false
	}
	if d.Since.Before(ch.since) || !ch.before.IsZero() && !d.Since.Before(ch.before) {
		return false
	}
	if len(ch.ids) == 0 {
		return true
	}
	_, identity, _ := strings.Cut(d.Key, "/")
	return slices.Contains(ch.ids, d.Key) || slices.Contains(ch.ids, identity)
}

func deadAction(c *cobra.Command, poll bool, choice deadChoice, name, done string) error {
	conn, err := connect(c)
	if err != nil {
		return err
	}
	if choice.only != "" {
		if err := knownDestination(c, conn.config, choice.only); err != nil {
			return err
		}
	}
	from, origin := conn.deadQueues(poll)
	letters, give, err := deadLetters(c.Context(), conn.sqs, from)
	if err != nil {
		return errors.Join(err, give(c.Context(), letters))
	}
	var chosen, others []deadLetter
	for _, d := range letters {
		if choice.takes(d) {
			chosen = append(chosen, d)
		} else {
			others = append(others, d)
		}
	}
	if choice.dryRun {
		others, done = letters, "would be "+done
	} else if name == "redrive" {
		err = redrive(c.Context(), conn.sqs, from, origin, choice.only, chosen)
	} else {
		err = discard(c.Context(), conn.sqs, from, chosen)
	}
	if err = errors.Join(err, give(c.Context(), others)); err != nil {
		return err
	}
	return reportDead(c, chosen, done, choice)
}

func reportDead(c *cobra.Command, chosen []deadLetter, done string, choice deadChoice) error {
	for _, d := range chosen {
		if asJSON(c) {
			if err := printJSON(c.OutOrStdout(), d); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(c.OutOrStdout(), "%s %s\n", done, printable(d.Key))
	}
	if len(chosen) == 0 && len(choice.ids) > 0 {
		return fmt.Errorf("no dead letter %s: `pushpull dead` lists them", strings.Join(choice.ids, ", "))
	}
	if !asJSON(c) {
		fmt.Fprintf(c.ErrOrStderr(), "%s %s\n", counted(len(chosen), "dead letter"), done)
	}
	return nil
}
