package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"pushpull/shared/api"
	"pushpull/shared/api/replay"
	"pushpull/shared/apiauth"
	"pushpull/shared/event"
	"pushpull/shared/polled"
	"pushpull/shared/pull"
)

type dryFlags struct {
	on, anew bool
	limit    int    // pages
	record   string // a file
}

// wanted tells whether any of the flags makes it a dry run.
func (f dryFlags) wanted() bool { return f.on || f.record != "" }

// A dryRun reads a poll in this process and shows what it finds.
type dryRun struct {
	target
	maker    *polled.Maker
	first    bool // nothing can have been missed
	now      func() time.Time
	seen     func(ctx context.Context, keys []string) (map[string]bool, error) // of the ledger
	snapshot pull.Snapshot                                                     // nil: one that remembers nothing
	between  time.Time                                                         // with to, the range of a backfill; zero: what is new
	to       time.Time
	limit    int
	out      *dryOutput
}

// dryPoll is a dry run of a poll against its API.
func dryPoll(c *cobra.Command, conn *connection, t target, f dryFlags) error {
	status, err := conn.states.Load(c.Context(), t.key())
	if err != nil {
		return err
	}
	st := status.Checkpoint
	if f.anew {
		st = pull.State{}
	}
	return conn.dry(c, t, st, f, time.Time{}, time.Time{})
}

// dry reads on from a state, or a range, with the credential that the poll has.
func (conn *connection) dry(c *cobra.Command, t target, st pull.State, f dryFlags, from, to time.Time) (err error) {
	scrub := replay.NewScrubber()
	o, err := conn.apiOptions(c.Context(), t, scrub)
	if err != nil {
		return err
	}
	d := &dryRun{
		target: t, now: time.Now, seen: conn.ledger.Seen, limit: f.limit, out: newDryOutput(c, scrub), between: from, to: to,
	}
	if t.poll.Snapshot != nil {
		d.snapshot = unmoved{conn.states.Snapshot(t.key(), t.of.Window.Std())}
	}
	record := func(api.Exchange) {}
	if f.record != "" {
		began := time.Now().UTC().Truncate(time.Millisecond)
		d.now = func() time.Time { return began }
		recorder, done, err := newRecording(f.record, t, st, began, o.Auth.Key(), scrub)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, done()) }()
		record = recorder.Record
	}
	o.Now = d.now
	o.Record = func(x api.Exchange) {
		record(x)
		d.out.request(x)
	}
	return d.run(c, o, st)
}

// apiOptions are how requests are made from here. The scrubber learns the secrets.
func (conn *connection) apiOptions(ctx context.Context, t target, scrub *replay.Scrubber) (api.Options, error) {
	refs := slices.Clone(t.poll.Token)
	for _, more := range t.poll.Secrets {
		refs = append(refs, more...)
	}
	values, err := conn.secrets.All(ctx, refs)
	if err != nil {
		return api.Options{}, err
	}
	for _, value := range values {
		scrub.Learn(value)
	}
	base, err := pull.BaseURL(t.poll)
	if err != nil {
		return api.Options{}, fmt.Errorf("%s: %w", t.key(), err)
	}
	auth, err := apiauth.New(t.poll.Auth, apiauth.Options{
		Token: t.poll.Token, Secrets: t.poll.Secrets, With: t.poll.With, Base: base,
		Store: conn.secrets, Locker: conn.states, Getenv: os.Getenv,
	})
	if err != nil {
		return api.Options{}, fmt.Errorf("%s: %w", t.key(), err)
	}
	return api.Options{Auth: replay.Watch(auth, scrub), Budget: conn.budget, Source: t.source}, nil
}

// newRecording begins the file of a recording.
func newRecording(name string, t target, st pull.State, at time.Time, key string, scrub *replay.Scrubber) (*replay.Recorder, func() error, error) {
	head := replay.Head{Source: t.source, Poll: t.poll.Name, At: at, Key: key}
	var err error
	if !st.IsZero() {
		if head.State, err = json.Marshal(st); err != nil {
			return nil, nil, err
		}
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) //nolint:gosec // the person's choice
	if err != nil {
		return nil, nil, fmt.Errorf("keep the recording: %w", err)
	}
	recorder, err := replay.NewRecorder(file, head, scrub)
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return recorder, func() error { return errors.Join(recorder.Err(), file.Close()) }, nil
}

// run reads from a state to the end, or the limit of pages.
func (d *dryRun) run(c *cobra.Command, o api.Options, st pull.State) error {
	var err error
	if d.maker, err = polled.New(d.source, d.of, d.poll); err != nil {
		return fmt.Errorf("%s: %w", d.key(), err)
	}
	source, err := d.open(o)
	if err != nil {
		return fmt.Errorf("%s: %w", d.key(), err)
	}
	d.first, d.out.sum.Source = st.First(), d.key()
	ended, err := d.read(c.Context(), source, st, o.Sleep)
	if err := errors.Join(err, d.out.close(ended)); err != nil {
		// A link that the api gave may be in it, with the credential.
		return fmt.Errorf("the dry run of %s failed: %s", d.key(), d.out.scrub.Text(err.Error()))
	}
	if s := d.poll.Snapshot; s != nil && s.Deletes {
		d.out.note("what the snapshot would find deleted is not looked for in a dry run")
	}
	return nil
}

func (d *dryRun) open(o api.Options) (*pull.Source, error) {
	snapshot := d.snapshot
	if snapshot == nil {
		snapshot = unmoved{}
	}
	source, err := pull.New(d.poll, pull.Options{
		API: o, Snapshot: snapshot,
		Identity: func(record []byte) (string, error) { return d.maker.Fields(record).ID, nil },
		Entity:   func(record []byte) (string, error) { return d.maker.Fields(record).Entity, nil },
	})
	if err != nil || d.to.IsZero() {
		return source, err
	}
	return source.Range(d.between, d.to), nil
}

// read gives the pages to the output. Ended is where the next run would go on, if
// the run came to its end.
func (d *dryRun) read(ctx context.Context, source *pull.Source, st pull.State, sleep func(context.Context, time.Duration) error) (ended *pull.State, err error) {
	for more := true; more; {
		more = false
		var wait time.Duration
		for page, err := range source.Run(ctx, st) {
			if err != nil {
				return nil, err
			}
			if err := d.page(ctx, page); err != nil {
				return nil, err
			}
			st, more, wait = page.Next, page.More, page.Wait
			if d.out.sum.Pages == d.limit && d.limit > 0 && more {
				d.out.sum.Cut = true
				return nil, nil //nolint:nilnil // it did not come to its end
			}
		}
		if more && wait > 0 {
			d.out.note("the api makes a file: it is asked again in " + wait.String())
			if err := pause(ctx, sleep, wait); err != nil {
				return nil, err
			}
		}
	}
	if !d.to.IsZero() {
		return nil, nil //nolint:nilnil // nothing follows a range
	}
	return &st, nil
}

// pause waits as the requests do.
func pause(ctx context.Context, sleep func(context.Context, time.Duration) error, d time.Duration) error {
	if sleep != nil {
		return sleep(ctx, d)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// page makes events of a page's records, and asks the ledger for them.
func (d *dryRun) page(ctx context.Context, page pull.Page) error {
	events := make([]event.Event, len(page.Records))
	keys := make([]string, len(page.Records))
	for i, r := range page.Records {
		events[i] = d.maker.Event(r, d.now())
		keys[i] = events[i].Key()
	}
	seen := map[string]bool{}
	if d.seen != nil && len(keys) > 0 {
		var err error
		if seen, err = d.seen(ctx, keys); err != nil {
			return err
		}
	}
	d.out.page(page)
	for _, e := range events {
		known := seen[e.Key()]
		e.Missed = !known && !d.first && d.to.IsZero() && d.maker.Late(e, d.now())
		if err := d.out.event(e, known); err != nil {
			return err
		}
	}
	return nil
}

// unmoved is a snapshot that is only looked at; the zero one remembers nothing.
type unmoved struct{ pull.Snapshot }

// Lookup gives what is remembered.
func (u unmoved) Lookup(ctx context.Context, entities []string) (map[string]pull.Entry, error) {
	if u.Snapshot == nil {
		return nil, nil
	}
	return u.Snapshot.Lookup(ctx, entities)
}

// Commit remembers nothing.
func (unmoved) Commit(context.Context, string, []pull.Entry) error { return nil }

// Gone finds nothing: what this run saw is not written down.
func (unmoved) Gone(context.Context, []string, string) ([]pull.Entry, string, error) {
	return nil, "", nil
}

// replayPoll runs a poll against a recording.
func replayPoll(c *cobra.Command, args []string, f pollFlags) error {
	file, err := os.Open(f.replay)
	if err != nil {
		return fmt.Errorf("read the recording: %w", err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	player, err := replay.Open(file)
	if err != nil {
		return fmt.Errorf("%s: %w", f.replay, err)
	}
	cfg, err := loadConfig(c, f.config)
	if err != nil {
		return err
	}
	of, ok := cfg.Sources[args[0]]
	if !ok {
		return unknownSource(c, args[0], sortedNames(cfg.Sources))
	}
	t, err := targetOf(c, of, args)
	if err != nil {
		return err
	}
	var st pull.State
	if player.Head.State != nil {
		if err := json.Unmarshal(player.Head.State, &st); err != nil {
			return fmt.Errorf("the checkpoint in %s: %w", f.replay, err)
		}
	}
	d := &dryRun{target: t, limit: f.dry.limit, out: newDryOutput(c, replay.NewScrubber())}
	o := player.Options()
	d.now, o.Record = o.Now, d.out.request
	if err := d.run(c, o, st); err != nil {
		return err
	}
	if left := player.Left(); len(left) > 0 && !d.out.sum.Cut {
		return fmt.Errorf("%s of the recording %s not made again, the first: %s", counted(len(left), "request"), were(len(left)), left[0])
	}
	return nil
}

func were(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}
