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
		{"of many who acquire at once one holds the source", oneOfMany},
		{"nothing is never saved over a checkpoint", nothingIsNeverSaved},
		{"release records how the run ended", releaseRecords},
		{"a pause is kept", pauseIsKept},
		{"load all reads more than a batch", loadAll},
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

func load(t *testing.T, s *checkpoint.Store) checkpoint.Status {
	t.Helper()
	status, err := s.Load(t.Context(), "stripe")
	if err != nil {
		t.Fatal(err)
	}
	return status
}

func leaseIsHeldByOne(t *testing.T, s *checkpoint.Store, c *clock) {
	t.Helper()
	first := acquire(t, s)
	if _, err := s.Acquire(t.Context(), "stripe", time.Minute); !errors.Is(err, checkpoint.ErrHeld) {
		t.Fatalf("the error is %v", err)
	}
	c.at = c.at.Add(50 * time.Second)
	if err := s.Save(t.Context(), &first, pull.State{Watermark: "1"}); err != nil {
		t.Fatal(err)
	}
	c.at = c.at.Add(50 * time.Second) // the save extended it
	if _, err := s.Acquire(t.Context(), "stripe", time.Minute); !errors.Is(err, checkpoint.ErrHeld) {
		t.Fatalf("the error is %v", err)
	}
	if err := s.Renew(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	c.at = c.at.Add(50 * time.Second) // so did the renewal
	if _, err := s.Acquire(t.Context(), "stripe", time.Minute); !errors.Is(err, checkpoint.ErrHeld) {
		t.Fatalf("the error is %v", err)
	}
	c.at = c.at.Add(11 * time.Second)
	second := acquire(t, s)
	if diff := cmp.Diff(pull.State{Watermark: "1"}, second.Checkpoint); diff != "" {
		t.Error(diff)
	}
	if err := s.Save(t.Context(), &first, pull.State{Watermark: "2"}); !errors.Is(err, checkpoint.ErrLost) {
		t.Errorf("the late owner saved: %v", err)
	}
	if err := s.Renew(t.Context(), first); !errors.Is(err, checkpoint.ErrLost) {
		t.Errorf("the late owner renewed: %v", err)
	}
	if err := s.Release(t.Context(), first, checkpoint.Outcome{Error: "late"}); !errors.Is(err, checkpoint.ErrLost) {
		t.Errorf("the late owner released: %v", err)
	}
	if got := load(t, s); got.Checkpoint.Watermark != "1" || got.Error != "" {
		t.Errorf("the late owner wrote: %+v", got)
	}
}

func nothingIsNeverSaved(t *testing.T, s *checkpoint.Store, _ *clock) {
	t.Helper()
	l := acquire(t, s)
	for _, st := range []pull.State{{Watermark: "7", Ties: []string{"x"}}, {}} {
		if err := s.Save(t.Context(), &l, st); err != nil {
			t.Fatal(err)
		}
	}
	if got := load(t, s).Checkpoint.Watermark; got != "7" {
		t.Errorf("the watermark is %q", got)
	}
}

func releaseRecords(t *testing.T, s *checkpoint.Store, c *clock) {
	t.Helper()
	begin := c.at
	for range 2 {
		l := acquire(t, s)
		if err := s.Release(t.Context(), l, checkpoint.Outcome{Error: "status 502", Due: c.at.Add(time.Minute)}); err != nil {
			t.Fatal(err)
		}
		c.at = c.at.Add(time.Minute)
	}
	want := checkpoint.Status{Source: "stripe", Error: "status 502", ErrorSince: begin, Failures: 2, Due: begin.Add(2 * time.Minute)}
	if diff := cmp.Diff(want, load(t, s)); diff != "" {
		t.Error(diff)
	}
	last := checkpoint.Last{Started: c.at, Ended: c.at.Add(time.Second), Records: 9, New: 3, Missed: 1}
	if err := s.Release(t.Context(), acquire(t, s), checkpoint.Outcome{Last: &last, Checkpoint: &pull.State{Watermark: "9"}}); err != nil {
		t.Fatal(err)
	}
	want = checkpoint.Status{Source: "stripe", Due: want.Due, Last: last, Checkpoint: pull.State{Watermark: "9"}}
	if diff := cmp.Diff(want, load(t, s)); diff != "" {
		t.Error(diff)
	}
}

func pauseIsKept(t *testing.T, s *checkpoint.Store, _ *clock) {
	t.Helper()
	for _, paused := range []bool{true, true, false} {
		if err := s.Pause(t.Context(), "stripe", paused); err != nil {
			t.Fatal(err)
		}
		if load(t, s).Paused != paused {
			t.Errorf("paused is not %v", paused)
		}
	}
}

func loadAll(t *testing.T, s *checkpoint.Store, _ *clock) {
	t.Helper()
	var names []string
	for i := range 230 {
		names = append(names, fmt.Sprint("s", i))
	}
	if err := s.Pause(t.Context(), "s1", true); err != nil {
		t.Fatal(err)
	}
	if err := s.Pause(t.Context(), "s229", true); err != nil {
		t.Fatal(err)
	}
	all, err := s.LoadAll(t.Context(), names)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 230 || !all["s1"].Paused || !all["s229"].Paused || all["s2"].Source != "s2" {
		t.Errorf("%d sources, %+v, %+v", len(all), all["s1"], all["s2"])
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
