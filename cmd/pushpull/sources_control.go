package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"pushpull/shared/checkpoint"
	"pushpull/shared/config"
)

func sourceSwitchCommand(name, short string, paused bool) *cobra.Command {
	return &cobra.Command{
		Use:   name + " SOURCE [POLL]",
		Short: short,
		Long: `Of a SOURCE with several polls all are meant, where no POLL is named.
Its webhooks are not touched. A paused poll is made by ` + "`pushpull poll`" + ` alone.`,
		Example:           "  pushpull sources " + name + " stripe\n  pushpull sources " + name + " github issues",
		Args:              atLeast(1, "SOURCE", "POLL"),
		ValidArgsFunction: completePolls,
		RunE: func(c *cobra.Command, args []string) error {
			conn, polls, err := polledBy(c, args)
			if err != nil {
				return err
			}
			done := map[bool]string{true: "paused", false: "goes on: it is due now"}[paused]
			for _, t := range polls {
				if err := conn.states.Pause(c.Context(), t.key(), paused); err != nil {
					return err
				}
				if err := conn.reportAction(c, t.key(), done); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// polledBy are the polls that a person names, one at least.
func polledBy(c *cobra.Command, args []string) (*connection, []target, error) {
	conn, err := connect(c)
	if err != nil {
		return nil, nil, err
	}
	polls, err := conn.targets(c, args)
	if err == nil && len(polls) == 0 {
		err = usage(c, "%s has no poll: give it one in its configuration", args[0])
	}
	return conn, polls, err
}

func sourceResetCommand() *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "reset SOURCE [POLL]",
		Short: "forget how far a poll was read",
		Long: `Forgets the checkpoint: the next poll begins anew, as far back as incremental.initial
says. The ledger still knows what was delivered, so that it is not delivered again
while the source's window lasts. What lies between the old checkpoint and where the
next poll begins is not read: ` + "`pushpull backfill`" + ` reads it.`,
		Example:           "  pushpull sources reset stripe\n  pushpull sources reset github issues --yes",
		Args:              atLeast(1, "SOURCE", "POLL"),
		ValidArgsFunction: completePolls,
		RunE:              func(c *cobra.Command, args []string) error { return resetSource(c, args, yes) },
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}

func resetSource(c *cobra.Command, args []string, yes bool) error {
	conn, err := connect(c)
	if err != nil {
		return err
	}
	t, err := conn.target(c, args)
	if err != nil {
		return err
	}
	status, err := conn.states.Load(c.Context(), t.key())
	if err != nil {
		return err
	}
	if !yes {
		fmt.Fprint(c.ErrOrStderr(), resetText(t, status))
		if err := confirm(c, "reset "+t.key()+"?"); err != nil {
			return err
		}
	}
	if err := conn.states.Reset(c.Context(), t.key()); err != nil {
		return err
	}
	return conn.reportAction(c, t.key(), "reset: the next poll begins anew")
}

// resetText says what will happen.
func resetText(t target, s checkpoint.Status) string {
	at := checkpointText(s)
	if at == "" {
		at = "none: it was never read"
	}
	return fmt.Sprintf("checkpoint of %s: %s\nthe next poll begins anew: it reads %s\nthe ledger remembers %s: what it knows is not delivered again\n",
		t.key(), printable(at), t.beginning(), config.Duration(t.of.Window.Std()))
}

// beginning is what a first poll reads, in words.
func (t target) beginning() string {
	inc := t.poll.Incremental
	switch {
	case inc == nil || inc.Initial == nil:
		return "everything, as each poll does"
	case *inc.Initial == 0:
		return "from now on"
	default:
		return inc.Initial.String() + " back"
	}
}

// confirm asks, and takes only y or yes.
func confirm(c *cobra.Command, question string) error {
	fmt.Fprint(c.ErrOrStderr(), question+" [y/N] ")
	answer, err := bufio.NewReader(c.InOrStdin()).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	default:
		return errors.New("nothing was done: answer y, or say --yes")
	}
}
