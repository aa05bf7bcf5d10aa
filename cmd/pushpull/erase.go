package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"pushpull/shared/ledger"
)

type eraseFlags struct {
	choiceFlags
	where, contains, by, reason, proof string
	dry, yes                           bool
}

func eraseCommand() *cobra.Command {
	var f eraseFlags
	c := &cobra.Command{
		Use:   "erase [ID...]",
		Short: "erase what is kept of events, such as those about a person",
		Long: `Erases what is kept of events: payloads, what conflicted with them, bodies in the claim
check, dead letters, and in the ledger entities, reasons and the texts of errors. The events
are named, or found in all data that are kept: by --where, in jq on the event as when of a
route has it, or by --contains, a text anywhere in it.

The ledger still knows that each came, under its identity, and when, by whom and why it was
erased. A proof is written, one line for each event with the SHA-256 of what was erased, in
which each line has the hash of the one before it; the last is printed. Nothing personal is
in it but identities. --verify FILE checks one, and that nothing is kept of its events.

An event that is still under way is left, and said: erase again once it has ended. What
destinations were given is theirs to erase.`,
		Example: `  pushpull erase --where '.data.customer.email == "a@example.com"' --dry-run
  pushpull erase --contains a@example.com --source shop --reason "request 17" --yes
  pushpull erase shop/evt_1QbX --reason "sent by mistake"
  pushpull erase --verify erasure-k3f9q2ab.ndjson`,
	}
	var verify string
	f.add(c, "as far back as payloads are kept")
	c.Flags().StringVar(&f.where, "where", "", "events of which this `JQ` expression holds")
	c.Flags().StringVar(&f.contains, "contains", "", "events that have this `TEXT` somewhere, as it is written, escaped in JSON or in a form")
	c.Flags().StringVar(&f.reason, "reason", "", "why; it is kept, so let it name no person")
	c.Flags().StringVar(&f.by, "by", "", "who asks for it; default the user's name on this machine")
	c.Flags().StringVar(&f.proof, "proof", "", "the `FILE` of the proof; default erasure-ID.ndjson")
	c.Flags().BoolVar(&f.dry, "dry-run", false, "only say what would be erased")
	c.Flags().BoolVar(&f.yes, "yes", false, "do not ask")
	c.Flags().StringVar(&verify, "verify", "", "check the proof in this `FILE`, and erase nothing")
	c.RunE = func(c *cobra.Command, args []string) error {
		if verify != "" {
			return verifyErasure(c, verify)
		}
		return erase(c, args, f)
	}
	return c
}

func erase(c *cobra.Command, ids []string, f eraseFlags) error {
	m, err := newMatcher(f.where, f.contains)
	switch {
	case err != nil:
		return usage(c, "--where: %v", err)
	case len(ids) == 0 && f.where+f.contains == "":
		return usage(c, "which? name events, or say --where or --contains; --source and the like only narrow that")
	case len(ids) > 0 && (f.named() || f.where+f.contains != ""):
		return usage(c, "events that are named are all that are erased: leave the rest out")
	case !f.dry && f.reason == "":
		return usage(c, "--reason is missing: the proof says why")
	}
	conn, err := connect(c)
	if err != nil {
		return err
	}
	filter, err := f.filter(c, conn.config, time.Now())
	if err != nil {
		return err
	}
	keys, err := conn.chosen(c, ids, filter)
	if err != nil {
		return err
	}
	e := eraser{conn: conn, match: m, named: len(ids) > 0, filter: filter, dry: f.dry, by: f.by, reason: f.reason, keys: map[string]bool{}}
	e.id = strings.ToLower(rand.Text()[:8])
	if u, err := user.Current(); e.by == "" && err == nil {
		e.by = u.Username
	}
	if f.dry {
		return e.run(c, keys)
	}
	if !f.yes {
		if err := confirm(c, "erase for good what is found in "+counted(len(keys), "event")+"? --dry-run shows it;"); err != nil {
			return err
		}
	}
	if f.proof == "" {
		f.proof = "erasure-" + e.id + ".ndjson"
	}
	file, err := os.OpenFile(f.proof, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("the proof: %w", err)
	}
	e.proof = &proof{to: file}
	err = errors.Join(e.proof.begin(e, f), e.run(c, keys), e.proof.end(e))
	if err = errors.Join(err, file.Close()); err == nil && !asJSON(c) {
		fmt.Fprintf(c.OutOrStdout(), "proof: %s, sealed %s\n", f.proof, e.proof.previous)
	}
	return err
}

// An eraser erases events, then their dead letters.
type eraser struct {
	conn   *connection
	match  *matcher
	named  bool // the events are: their data need not be looked into
	filter ledger.Filter
	dry    bool
	id     string
	by     string
	reason string
	proof  *proof

	keys map[string]bool // of what was erased
	left int             // what was found and is still there, or could not be looked into
}

func (e *eraser) run(c *cobra.Command, keys []string) error {
	bar := newProgress(c, "events", len(keys))
	for chunk := range slices.Chunk(keys, lookedAtOnce) {
		if err := e.some(c, chunk); err != nil {
			bar.close()
			return err
		}
		bar.add(len(chunk))
	}
	bar.close()
	if err := e.letters(c); err != nil {
		return err
	}
	if !asJSON(c) {
		fmt.Fprintf(c.OutOrStdout(), "%s %s\n", counted(len(e.keys), "event"), e.done())
	}
	if e.left > 0 {
		fmt.Fprintf(c.ErrOrStderr(), "%d left: see above\n", e.left)
		return errSaid
	}
	return nil
}

func (e *eraser) done() string {
	if e.dry {
		return "would be erased"
	}
	return "erased"
}

// lookedAtOnce are looked into at once: each may be large.
const lookedAtOnce = 16

// A look is what is kept of one event, and whether it is meant.
type look struct {
	record  ledger.Record
	kept    []ledger.Kept
	meant   bool
	unknown error // why that is not known
}

// some erases those of a few that are meant.
func (e *eraser) some(c *cobra.Command, keys []string) error {
	looks := make([]look, len(keys))
	g, ctx := errgroup.WithContext(c.Context())
	for i, key := range keys {
		g.Go(func() (err error) {
			looks[i], err = e.look(ctx, key)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i, of := range looks {
		if of.unknown != nil {
			e.leave(c, keys[i], of.unknown)
		}
		if !of.meant {
			continue
		}
		if err := e.erase(c, of.record, of.kept); err != nil {
			return err
		}
	}
	return nil
}

func (e *eraser) look(ctx context.Context, key string) (look, error) {
	r, err := e.conn.ledger.Get(ctx, key)
	if errors.Is(err, ledger.ErrNotFound) {
		return look{}, nil // its time was over meanwhile
	}
	if err != nil {
		return look{}, err
	}
	kept, err := e.conn.ledger.Kept(ctx, r)
	if err != nil {
		return look{}, err
	}
	of := look{record: r, kept: kept}
	// One whose erasure was cut off is made whole, whatever is left to find it by.
	if of.meant = e.named || !r.Erased.IsZero() && len(kept) > 0 || e.match.record(r); of.meant {
		return of, nil
	}
	for _, one := range kept {
		meant, err := e.match.event(ctx, one.Event)
		if meant {
			return look{record: r, kept: kept, meant: true}, nil
		}
		if err != nil {
			of.unknown = err
		}
	}
	return of, nil
}

func (e *eraser) erase(c *cobra.Command, r ledger.Record, kept []ledger.Kept) error {
	if !e.dry {
		note := fmt.Sprintf("%s by %s: %s", e.id, e.by, e.reason)
		err := e.conn.ledger.Erase(c.Context(), r, note, e.conn.bodies.Delete)
		if errors.Is(err, ledger.ErrInFlight) {
			e.leave(c, r.Key, err)
			return nil
		}
		if err != nil {
			return err
		}
	}
	e.keys[r.Key] = true
	return e.record(c, r.Key, erasedOf(kept))
}

// record tells of what was erased, in the proof first.
func (e *eraser) record(c *cobra.Command, key string, found []erased) error {
	line := proofLine{Key: key, At: time.Now().UTC(), Erased: found}
	if !e.dry {
		if err := e.proof.add(line); err != nil {
			return err
		}
	}
	if asJSON(c) {
		return printJSON(c.OutOrStdout(), line)
	}
	var what []string
	for _, one := range found {
		what = append(what, one.What)
	}
	if len(what) == 0 {
		what = []string{"no data"}
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), "%s %s: %s\n", e.done(), printable(key), strings.Join(what, ", "))
	return err
}

func (e *eraser) leave(c *cobra.Command, key string, why error) {
	e.left++
	fmt.Fprintf(c.ErrOrStderr(), "left: %s: %v\n", printable(key), why)
}
