// Package checkpointtest is what every table that poll state is kept in must do,
// whoever serves it, and such a table for the tests of those who keep it.
package checkpointtest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/checkpoint"
	"pushpull/shared/pull"
)

// A clock that the test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// Open returns a fresh, empty table with the partition key `key` (S).
type Open func(t *testing.T) (api checkpoint.API, table string)

// Run proves that package checkpoint keeps its promises on the table.
func Run(t *testing.T, open Open) {
	for _, tt := range []struct {
		name string
		test func(t *testing.T, s *checkpoint.Store, c *clock)
	}{
		{"a lease is held by one until it runs out", leaseIsHeldByOne},
		{"of many who acquire at once one holds the poll", oneOfMany},
		{"nothing is never saved over a checkpoint", nothingIsNeverSaved},
		{"release records how the run ended", releaseRecords},
		{"misses add up, and those of a day are told apart", missesAddUp},
		{"a pause is kept, and told to who saves", pauseIsKept},
		{"a reset forgets the checkpoint and takes the lease", resetForgets},
		{"the latest hint is kept", latestHint},
		{"a backfill has a state of its own", backfillIsApart},
		{"load all reads more than a batch", loadAll},
		{"a snapshot finds what is gone", snapshotFindsGone},
		{"a snapshot remembers the number of a deleted entity", snapshotRemembers},
		{"a snapshot goes on after a kill", snapshotAfterKill},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := &clock{at: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)}
			api, table := open(t)
			tt.test(t, checkpoint.New(api, table, c.now), c)
		})
	}
}

func acquire(t *testing.T, s *checkpoint.Store) checkpoint.Lease {
	t.Helper()
	l, err := s.Acquire(t.Context(), "stripe", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func release(t *testing.T, s *checkpoint.Store, l checkpoint.Lease, o checkpoint.Outcome) checkpoint.Status {
	t.Helper()
	status, err := s.Release(t.Context(), l, o)
	if err != nil {
		t.Fatal(err)
	}
	return status
}

func load(t *testing.T, s *checkpoint.Store, key string) checkpoint.Status {
	t.Helper()
	status, err := s.Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return status
}

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func at(watermark string) checkpoint.Progress {
	return checkpoint.Progress{Checkpoint: pull.State{Watermark: watermark}}
}

func leaseIsHeldByOne(t *testing.T, s *checkpoint.Store, c *clock) {
	t.Helper()
	first := acquire(t, s)
	if _, err := s.Acquire(t.Context(), "stripe", time.Minute); !errors.Is(err, checkpoint.ErrHeld) {
		t.Fatalf("the error is %v", err)
	}
	c.at = c.at.Add(50 * time.Second)
	do(t, s.Save(t.Context(), &first, at("1")))
	c.at = c.at.Add(50 * time.Second) // the save extended it
	if _, err := s.Acquire(t.Context(), "stripe", time.Minute); !errors.Is(err, checkpoint.ErrHeld) {
		t.Fatalf("the error is %v", err)
	}
	do(t, s.Renew(t.Context(), first))
	c.at = c.at.Add(50 * time.Second) // so did the renewal
	if _, err := s.Acquire(t.Context(), "stripe", time.Minute); !errors.Is(err, checkpoint.ErrHeld) {
		t.Fatalf("the error is %v", err)
	}
	c.at = c.at.Add(11 * time.Second)
	second := acquire(t, s)
	if diff := cmp.Diff(pull.State{Watermark: "1"}, second.Checkpoint); diff != "" {
		t.Error(diff)
	}
	if err := s.Save(t.Context(), &first, at("2")); !errors.Is(err, checkpoint.ErrLost) {
		t.Errorf("the late owner saved: %v", err)
	}
	if err := s.Renew(t.Context(), first); !errors.Is(err, checkpoint.ErrLost) {
		t.Errorf("the late owner renewed: %v", err)
	}
	if _, err := s.Release(t.Context(), first, checkpoint.Outcome{Error: "late"}); !errors.Is(err, checkpoint.ErrLost) {
		t.Errorf("the late owner released: %v", err)
	}
	if got := load(t, s, "stripe"); got.Checkpoint.Watermark != "1" || got.Error != "" {
		t.Errorf("the late owner wrote: %+v", got)
	}
}

func oneOfMany(t *testing.T, s *checkpoint.Store, _ *clock) {
	t.Helper()
	var wg sync.WaitGroup
	var got atomic.Int32
	for range 8 {
		wg.Go(func() {
			_, err := s.Acquire(t.Context(), "stripe", time.Minute)
			switch {
			case err == nil:
				got.Add(1)
			case !errors.Is(err, checkpoint.ErrHeld):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got.Load() != 1 {
		t.Errorf("%d hold it", got.Load())
	}
}

func nothingIsNeverSaved(t *testing.T, s *checkpoint.Store, _ *clock) {
	t.Helper()
	l := acquire(t, s)
	for _, st := range []pull.State{{Watermark: "7", Ties: []string{"x"}}, {}} {
		do(t, s.Save(t.Context(), &l, checkpoint.Progress{Checkpoint: st}))
	}
	if got := load(t, s, "stripe").Checkpoint.Watermark; got != "7" {
		t.Errorf("the watermark is %q", got)
	}
}

func releaseRecords(t *testing.T, s *checkpoint.Store, c *clock) {
	t.Helper()
	begin := c.at
	run := checkpoint.Tally{Started: begin, Pages: 1, Records: 4}
	for range 2 {
		release(t, s, acquire(t, s), checkpoint.Outcome{
			Error: "status 502", Due: c.at.Add(time.Minute), Why: "backoff", Stopped: "status 502", Config: "c1", Run: &run,
			Limits: &checkpoint.Limits{Remaining: 3, Limit: 10, At: begin},
		})
		c.at = c.at.Add(time.Minute)
	}
	want := checkpoint.Status{
		Key: "stripe", Error: "status 502", ErrorSince: begin, Failures: 2, Due: begin.Add(2 * time.Minute), Why: "backoff",
		Stopped: "status 502", Config: "c1", Run: &run, Limits: &checkpoint.Limits{Remaining: 3, Limit: 10, At: begin},
	}
	if diff := cmp.Diff(want, load(t, s, "stripe")); diff != "" {
		t.Error(diff)
	}
	last := checkpoint.Tally{Started: c.at, Ended: c.at.Add(time.Second), Records: 9, New: 3, Requests: 2, Bytes: 700}
	got := release(t, s, acquire(t, s), checkpoint.Outcome{Last: &last, Checkpoint: &pull.State{Watermark: "9"}, Every: time.Hour, Gap: true})
	want = checkpoint.Status{
		Key: "stripe", Due: want.Due, Why: "backoff", Last: last, Checkpoint: pull.State{Watermark: "9"}, Every: time.Hour,
		Limits: want.Limits, Gap: c.at,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, load(t, s, "stripe")); diff != "" {
		t.Error(diff)
	}
}

func missesAddUp(t *testing.T, s *checkpoint.Store, c *clock) {
	t.Helper()
	for _, missed := range []int{2, 0, 3} {
		release(t, s, acquire(t, s), checkpoint.Outcome{Last: &checkpoint.Tally{Started: c.at, Missed: missed}})
		c.at = c.at.Add(20 * time.Hour)
	}
	got := load(t, s, "stripe")
	if got.Missed != 5 || got.MissedSince(c.at.Add(-24*time.Hour)) != 3 || got.MissedSince(c.at) != 0 {
		t.Errorf("%d in all, of the last day %v", got.Missed, got.Recent)
	}
}

func pauseIsKept(t *testing.T, s *checkpoint.Store, c *clock) {
	t.Helper()
	release(t, s, acquire(t, s), checkpoint.Outcome{Error: "gone", Stopped: "gone", Config: "c", Due: c.at.Add(time.Hour)})
	l := acquire(t, s)
	for _, paused := range []bool{true, true, false} {
		do(t, s.Pause(t.Context(), "stripe", paused))
		if load(t, s, "stripe").Paused != paused {
			t.Errorf("paused is not %v", paused)
		}
		do(t, s.Save(t.Context(), &l, at("1")))
		if l.Paused != paused {
			t.Errorf("who has the lease is told %v, not %v", l.Paused, paused)
		}
	}
	if got := load(t, s, "stripe"); got.Stopped != "" || !got.Due.IsZero() {
		t.Errorf("what was stopped does not go on: %+v", got)
	}
}

func resetForgets(t *testing.T, s *checkpoint.Store, c *clock) {
	t.Helper()
	release(t, s, acquire(t, s), checkpoint.Outcome{Last: &checkpoint.Tally{Missed: 2}, Checkpoint: &pull.State{Watermark: "9"}, Due: c.at.Add(time.Hour)})
	l := acquire(t, s)
	do(t, s.Reset(t.Context(), "stripe"))
	if err := s.Save(t.Context(), &l, at("10")); !errors.Is(err, checkpoint.ErrLost) {
		t.Errorf("the run under way saved: %v", err)
	}
	got := load(t, s, "stripe")
	if !got.Checkpoint.IsZero() || !got.Due.IsZero() || got.Missed != 2 {
		t.Errorf("after the reset there is %+v", got)
	}
}

func latestHint(t *testing.T, s *checkpoint.Store, c *clock) {
	t.Helper()
	for _, tt := range []struct{ hint, want time.Duration }{{2, 2}, {1, 2}, {2, 2}, {3, 3}} {
		got, err := s.Hint(t.Context(), "stripe", c.at.Add(tt.hint*time.Second))
		do(t, err)
		if !got.Hinted.Equal(c.at.Add(tt.want*time.Second)) || !got.Pending() {
			t.Errorf("after the hint of %d the last is %v", tt.hint, got.Hinted)
		}
	}
	got := release(t, s, acquire(t, s), checkpoint.Outcome{Last: &checkpoint.Tally{Started: c.at.Add(4 * time.Second)}})
	if got.Pending() {
		t.Errorf("a run that began after the hint did not follow it: %+v", got)
	}
}

func backfillIsApart(t *testing.T, s *checkpoint.Store, c *clock) {
	t.Helper()
	if _, err := s.Acquire(t.Context(), "stripe/b1", time.Minute); !errors.Is(err, checkpoint.ErrHeld) {
		t.Errorf("a backfill that is not there was acquired: %v", err)
	}
	if err := s.Pause(t.Context(), "stripe/b1", true); !errors.Is(err, checkpoint.ErrNoBackfill) {
		t.Errorf("a backfill that is not there was paused: %v", err)
	}
	r := checkpoint.Range{From: c.at.Add(-time.Hour), To: c.at, Share: 0.25}
	do(t, s.StartBackfill(t.Context(), "stripe", "b1", r))
	live := acquire(t, s)
	l, err := s.Acquire(t.Context(), "stripe/b1", time.Minute)
	do(t, err)
	do(t, s.Save(t.Context(), &l, checkpoint.Progress{Checkpoint: pull.State{Watermark: "1"}, Covered: time.Minute}))
	do(t, s.Save(t.Context(), &live, at("2")))
	r.Created = c.at
	all, err := s.Backfills(t.Context(), load(t, s, "stripe"))
	do(t, err)
	if len(all) != 1 || all[0].Key != "stripe/b1" || all[0].Covered != time.Minute || all[0].Checkpoint.Watermark != "1" {
		t.Fatalf("there is %+v", all)
	}
	if diff := cmp.Diff(&r, all[0].Range); diff != "" {
		t.Error(diff)
	}
	do(t, s.Cancel(t.Context(), "stripe/b1"))
	if _, err := s.Release(t.Context(), l, checkpoint.Outcome{}); !errors.Is(err, checkpoint.ErrLost) {
		t.Errorf("a cancelled backfill goes on: %v", err)
	}
	if !load(t, s, "stripe/b1").Cancelled {
		t.Error("it is not cancelled")
	}
	if got := load(t, s, "stripe"); got.Checkpoint.Watermark != "2" {
		t.Errorf("the live poll's checkpoint is %+v", got.Checkpoint)
	}
}

func loadAll(t *testing.T, s *checkpoint.Store, _ *clock) {
	t.Helper()
	var keys []string
	for i := range 230 {
		keys = append(keys, fmt.Sprint("s", i))
	}
	do(t, s.Pause(t.Context(), "s1", true))
	do(t, s.Pause(t.Context(), "s229", true))
	all, err := s.LoadAll(t.Context(), keys)
	do(t, err)
	if len(all) != 230 || !all["s1"].Paused || !all["s229"].Paused || all["s2"].Key != "s2" {
		t.Errorf("%d polls, %+v, %+v", len(all), all["s1"], all["s2"])
	}
}
