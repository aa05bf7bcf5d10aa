package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pushpull/shared/event"
	"pushpull/shared/ledger"
)

func showCommand() *cobra.Command {
	var payload bool
	var conflict string
	c := &cobra.Command{
		Use:   "show ID",
		Short: "show one event: its whole history",
		Long: `Shows all that the ledger knows of one event: how and when it came, the
duplicates seen, each attempt to deliver it, how it ended and why. A conflict is a
duplicate with other data than the first arrival had, which were not delivered.

ID is source/identity, or the identity alone.`,
		Example: `  pushpull show stripe/evt_1QbX
  pushpull show evt_1QbX --payload
  pushpull show evt_1QbX --conflict 9f86d081884c7d65`,
		Args: exactly("ID"),
		RunE: func(c *cobra.Command, args []string) error { return show(c, args[0], payload, conflict) },
	}
	c.Flags().BoolVar(&payload, "payload", false, "print the bytes as the provider sent them, and nothing else")
	c.Flags().StringVar(&conflict, "conflict", "", "print the bytes of the conflict with this `HASH`, and nothing else")
	return c
}

func show(c *cobra.Command, id string, payload bool, conflict string) error {
	if payload && conflict != "" {
		return usage(c, "--payload and --conflict each print other bytes: give one of them")
	}
	conn, err := connect(c)
	if err != nil {
		return err
	}
	r, err := find(c.Context(), conn, id)
	if err != nil {
		return err
	}
	if payload {
		return showPayload(c, conn, r)
	}
	if conflict != "" {
		return showConflict(c, conn, r, conflict)
	}
	if asJSON(c) {
		return printJSON(c.OutOrStdout(), r)
	}
	return printRecord(c.OutOrStdout(), r, time.Now())
}

// find looks an event up by source/identity, else by the identity in every source.
func find(ctx context.Context, conn *connection, id string) (ledger.Record, error) {
	candidates := []string{id}
	for source := range conn.config.Sources() {
		candidates = append(candidates, event.Event{Source: source, ID: id}.Key())
	}
	var found []ledger.Record
	for _, key := range candidates {
		switch r, err := conn.ledger.Get(ctx, key); {
		case errors.Is(err, ledger.ErrNotFound):
		case err != nil:
			return ledger.Record{}, err
		default:
			found = append(found, r)
		}
	}
	switch len(found) {
	case 0:
		return ledger.Record{}, fmt.Errorf("no event %s in the ledger: `pushpull events` lists them, and one that was just sent may still be on the queue", id)
	case 1:
		return found[0], nil
	default:
		keys := make([]string, len(found))
		for i, r := range found {
			keys[i] = r.Key
		}
		return ledger.Record{}, fmt.Errorf("%s is in %d sources: say which, %s", id, len(found), strings.Join(keys, " or "))
	}
}

func showPayload(c *cobra.Command, conn *connection, r ledger.Record) error {
	e, err := conn.ledger.Payload(c.Context(), r.Key)
	if errors.Is(err, ledger.ErrNotFound) {
		if !r.Erased.IsZero() {
			return fmt.Errorf("the payload of %s was erased on %s", r.Key, stamp(r.Erased))
		}
		return fmt.Errorf("the payload of %s is not kept: its source says keep_payload: false, or its window is over", r.Key)
	}
	if err != nil {
		return err
	}
	_, err = c.OutOrStdout().Write(e.Data)
	return err
}

func showConflict(c *cobra.Command, conn *connection, r ledger.Record, hash string) error {
	e, err := conn.ledger.ConflictPayload(c.Context(), r.Key, hash)
	if errors.Is(err, ledger.ErrNotFound) {
		return fmt.Errorf("no conflict of %s with the hash %s is kept: `pushpull show` names the last one, the processor's log each; its source may say keep_payload: false, or its window is over", r.Key, hash)
	}
	if err != nil {
		return err
	}
	_, err = c.OutOrStdout().Write(e.Data)
	return err
}

func printRecord(w io.Writer, r ledger.Record, now time.Time) error {
	line := func(name, format string, args ...any) {
		if text := fmt.Sprintf(format, args...); text != "" {
			fmt.Fprintf(w, "%-12s %s\n", name, printable(text))
		}
	}
	line("event", "%s", r.Key)
	line("type", "%s", r.Type)
	line("entity", "%s", r.Entity)
	line("version", "%s", r.Version)
	line("happened", "%s", clock(r.Time, now))
	missed := ""
	if r.Missed {
		missed = ", missed by push"
	}
	line("received", "%s by %s%s", clock(r.Received, now), r.Transport, missed)
	line("correlation", "%s", r.CorrelationID)
	for _, transport := range slices.Sorted(maps.Keys(r.Duplicates)) {
		line("duplicates", "%d by %s", r.Duplicates[transport], transport)
	}
	if r.Conflicts > 0 {
		line("conflicts", "%d, the last with the hash %s", r.Conflicts, r.Conflict)
	}
	for _, a := range r.Attempts {
		line("attempt", "%s", attemptLine(a, now))
	}
	line("delivered to", "%s", strings.Join(r.Done, ", "))
	line("status", "%s%s", r.Status, endedAt(r, now))
	line("reason", "%s", r.Reason)
	for _, again := range r.Replays {
		line("replay", "%s", replayLine(again, now))
		for _, a := range again.Attempts {
			line("  attempt", "%s", attemptLine(a, now))
		}
	}
	if !r.Erased.IsZero() {
		line("erased", "%s, %s", clock(r.Erased, now), r.Erasure)
	}
	return nil
}

func replayLine(r ledger.Replay, now time.Time) string {
	if r.Status == "" {
		return r.ID + "  on the queue"
	}
	parts := []string{r.ID, string(r.Status)}
	for _, more := range []string{clock(r.Ended, now), strings.Join(r.Done, ", "), r.Reason} {
		if more != "" {
			parts = append(parts, more)
		}
	}
	return strings.Join(parts, "  ")
}

func attemptLine(a ledger.Attempt, now time.Time) string {
	parts := []string{clock(a.At, now), a.Destination, "#" + strconv.Itoa(a.Number)}
	if a.Status != 0 {
		parts = append(parts, strconv.Itoa(a.Status))
	}
	parts = append(parts, a.Took.Round(time.Millisecond).String())
	if a.Error != "" {
		parts = append(parts, a.Error)
	}
	return strings.Join(parts, "  ")
}

func endedAt(r ledger.Record, now time.Time) string {
	if r.Ended.IsZero() {
		return ""
	}
	return fmt.Sprintf(" %s, %s after it was received", clock(r.Ended, now), r.Ended.Sub(r.Received).Round(time.Millisecond))
}
