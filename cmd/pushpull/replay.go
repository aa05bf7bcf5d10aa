package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"pushpull/shared/event"
	"pushpull/shared/ledger"
	"pushpull/shared/queue"
	limits "pushpull/shared/rate"
)

type replayFlags struct {
	choiceFlags
	destination, rate, id string
	dry, yes              bool
}

func replayCommand() *cobra.Command {
	var f replayFlags
	c := &cobra.Command{
		Use:   "replay [ID...]",
		Short: "send kept events again",
		Long: `Sends events whose payloads are kept through the queue again, the oldest first, to
all destinations to which routes lead them now, or to one.

Each is marked with the replay's id (ce-replay) and keeps its identity: a destination
that knows identities takes no second effect. It is delivered once for each replay, and
what comes of it is in the event's history (` + "`pushpull show`" + `). Of an entity whose newer version
was delivered, an older one is superseded, as ever: say order: none for its source if
each is to come. A replay that was interrupted goes on with --id.`,
		Example: `  pushpull replay stripe/evt_1QbX
  pushpull replay --source shop --from 2d --only warehouse --dry-run
  pushpull replay --source shop --from 2026-11-20 --to 2026-11-21 --rate 200/s --yes`,
		RunE: func(c *cobra.Command, args []string) error { return sendAgain(c, args, f) },
	}
	f.add(c, "as far back as payloads are kept")
	c.Flags().StringVar(&f.destination, "only", "", "to this destination alone, or delivery of a route (paid/crm)")
	c.Flags().StringVar(&f.rate, "rate", "50/s", "at most so many; units are s, m and h")
	c.Flags().StringVar(&f.id, "id", "", "go on with the replay of this id: what it has delivered is not delivered again")
	c.Flags().BoolVar(&f.dry, "dry-run", false, "only say what would be sent")
	c.Flags().BoolVar(&f.yes, "yes", false, "do not ask")
	return c
}

func sendAgain(c *cobra.Command, ids []string, f replayFlags) error {
	if len(ids) == 0 && !f.named() {
		return usage(c, "which? name events, or choose them by --source, --type, --entity, --status, --from and --to")
	}
	if len(ids) > 0 && f.named() {
		return usage(c, "events that are named are all that are sent: leave the filters out")
	}
	pace, err := limits.Parse(f.rate)
	if err != nil {
		return usage(c, "--rate: %v", err)
	}
	if len(f.id) > 32 || strings.ContainsAny(f.id, "/ ") {
		return usage(c, "--id: %q is no id of a replay", f.id)
	}
	conn, err := connect(c)
	if err != nil {
		return err
	}
	if f.destination != "" {
		if err := knownDestination(c, conn.config, f.destination); err != nil {
			return err
		}
	}
	filter, err := f.filter(c, conn.config, time.Now())
	if err != nil {
		return err
	}
	keys, err := conn.chosen(c, ids, filter)
	if err != nil {
		return err
	}
	if len(ids) == 0 && !f.dry && !f.yes && len(keys) > 0 {
		if err := confirm(c, "send "+counted(len(keys), "event")+" again?"); err != nil {
			return err
		}
	}
	r := replayer{conn: conn, id: f.id, only: f.destination, dry: f.dry, pace: rate.NewLimiter(rate.Limit(pace.Rate), pace.Burst)}
	if r.id == "" {
		r.id = strings.ToLower(rand.Text()[:8])
	}
	return r.run(c, keys)
}

// A replayer sends events again under one id.
type replayer struct {
	conn *connection
	id   string
	only string // destination
	dry  bool
	pace *rate.Limiter

	sent, refused int
}

// A resent is what became of one event, as --json prints it.
type resent struct {
	Key     string `json:"key"`
	Replay  string `json:"replay,omitempty"` // "" in a dry run
	Refused string `json:"refused,omitempty"`
}

func (r *replayer) run(c *cobra.Command, keys []string) error {
	bar := newProgress(c, "events", len(keys))
	defer bar.close()
	for chunk := range slices.Chunk(keys, replayedAtOnce) {
		refused, err := r.some(c.Context(), chunk)
		if err != nil {
			bar.close()
			if r.sent > 0 {
				err = fmt.Errorf("%w; %d of %d were sent: the same command with --id %s goes on", err, r.sent, len(keys), r.id)
			}
			return err
		}
		for i, key := range chunk {
			if err := r.report(c, bar, key, refused[i]); err != nil {
				return err
			}
		}
		bar.add(len(chunk))
	}
	bar.close()
	return r.end(c)
}

// replayedAtOnce are read at once, and sent in one call.
const replayedAtOnce = 10

// some sends a few events in their order, and says of each why it was not sent.
func (r *replayer) some(ctx context.Context, keys []string) (refused []string, err error) {
	refused = make([]string, len(keys))
	found := make([]event.Event, len(keys))
	g, reading := errgroup.WithContext(ctx)
	for i, key := range keys {
		g.Go(func() (err error) {
			found[i], refused[i], err = r.ready(reading, key)
			return err
		})
	}
	if err := g.Wait(); err != nil || r.dry {
		return refused, err
	}
	byQueue := map[string][]event.Event{}
	for i, e := range found {
		if refused[i] != "" {
			continue
		}
		if err := r.pace.Wait(ctx); err != nil {
			return nil, err
		}
		url, err := r.conn.eventQueue(e.Source)
		if err != nil {
			return nil, err
		}
		byQueue[url] = append(byQueue[url], e)
	}
	for url, events := range byQueue {
		if err := queue.New(r.conn.queues, url, r.conn.bodies).Only(r.only).SendEvents(ctx, events...); err != nil {
			return nil, err
		}
	}
	return refused, nil
}

// ready is the event as it is to be sent, or why it is not.
func (r *replayer) ready(ctx context.Context, key string) (e event.Event, refused string, err error) {
	e, refused, err = r.kept(ctx, key)
	if err != nil || refused != "" || r.dry {
		return e, refused, err
	}
	e.Replay = r.id
	// Before it is sent: what nothing leads to would be delivered all the same.
	err = r.conn.ledger.NoteReplay(ctx, key, r.id)
	for _, why := range []error{ledger.ErrErased, ledger.ErrReplays} {
		if errors.Is(err, why) {
			return e, why.Error(), nil
		}
	}
	return e, "", err
}

// kept is the event as the ledger has it, or why it cannot be sent again.
func (r *replayer) kept(ctx context.Context, key string) (e event.Event, refused string, err error) {
	record, err := r.conn.ledger.Get(ctx, key)
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return e, "the ledger has forgotten it", nil
	case err != nil:
		return e, "", err
	case !record.Erased.IsZero():
		return e, "its data were erased on " + stamp(record.Erased), nil
	case !record.Status.Ended():
		return e, "it is still under way", nil
	}
	e, err = r.conn.ledger.Payload(ctx, key)
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return e, "its payload is not kept: its source says keep_payload: false, or the time is over for which it is kept", nil
	case errors.Is(err, fs.ErrNotExist):
		return e, "its payload was in the claim check, and is there no more", nil
	}
	return e, "", err
}

// eventQueue is the URL of where a source's events go.
func (conn *connection) eventQueue(source string) (string, error) {
	url := conn.address.Queues["EventQueue"]
	if s, err := conn.config.Source(source); err == nil && s.Order == "strict" {
		if url = conn.address.Queues["StrictQueue"]; url == "" {
			return "", fmt.Errorf("the order of %s is strict, and there is no queue for that", source)
		}
	}
	return url, nil
}

func (r *replayer) report(c *cobra.Command, bar *progress, key, refused string) error {
	if refused != "" {
		r.refused++
	} else {
		r.sent++
	}
	if asJSON(c) {
		line := resent{Key: key, Refused: refused}
		if refused == "" && !r.dry {
			line.Replay = r.id
		}
		return printJSON(c.OutOrStdout(), line)
	}
	switch {
	case refused != "":
		bar.close()
		fmt.Fprintf(c.ErrOrStderr(), "not sent: %s: %s\n", printable(key), refused)
	case r.dry:
		fmt.Fprintf(c.OutOrStdout(), "would be sent %s\n", printable(key))
	}
	return nil
}

func (r *replayer) end(c *cobra.Command) error {
	if !asJSON(c) {
		done := "replay " + r.id + ": " + counted(r.sent, "event") + " sent"
		if r.dry {
			done = counted(r.sent, "event") + " would be sent"
		}
		if r.refused > 0 {
			done += fmt.Sprintf(", %d not", r.refused)
		}
		fmt.Fprintln(c.OutOrStdout(), done)
	}
	if r.refused > 0 {
		return errSaid
	}
	return nil
}
