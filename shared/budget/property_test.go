package budget

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// A load is what workers of several processes ask of one credential.
type load struct {
	limit              Limit
	processes, workers int           // workers in each
	requests           int           // of each worker
	latency            time.Duration // of the table, at most, each way
	way                time.Duration // from Take to the API, at most
	pause              time.Duration // between two requests of a worker, at most
}

// arrivals is when the requests of a load arrive at the API, by its clock.
func (l load) arrivals(t *testing.T) []time.Time {
	t.Helper()
	var all []time.Time
	synctest.Test(t, func(t *testing.T) {
		state := &table{latency: func() time.Duration { return random(l.latency) }}
		var mu sync.Mutex
		var group sync.WaitGroup
		for range l.processes {
			s := New(state, "state", slog.New(slog.DiscardHandler), time.Now)
			for range l.workers {
				group.Go(func() {
					for range l.requests {
						<-time.After(random(l.pause))
						if !taken(t, s, l.limit) {
							continue
						}
						<-time.After(random(l.way))
						mu.Lock()
						all = append(all, time.Now())
						mu.Unlock()
					}
				})
			}
		}
		group.Wait()
	})
	slices.SortFunc(all, time.Time.Compare)
	return all
}

func random(most time.Duration) time.Duration { return rand.N(most + 1) }

// taken waits as a poller does that comes back when it is told to.
func taken(t *testing.T, s *Store, l Limit) bool {
	for {
		err := s.Take(t.Context(), "key", l, 20*time.Second)
		full, ok := errors.AsType[*Wait](err)
		if !ok {
			if err != nil {
				t.Error(err)
			}
			return err == nil
		}
		if !full.Until.After(time.Now()) {
			t.Errorf("Wait until %v, which is over", full.Until)
			return false
		}
		<-time.After(time.Until(full.Until))
	}
}

// most is the largest number of arrivals in any window of a length.
func most(all []time.Time, per time.Duration) int {
	largest, begin := 0, 0
	for end, at := range all {
		for at.Sub(all[begin]) > per {
			begin++
		}
		largest = max(largest, end-begin+1)
	}
	return largest
}

func TestNoWindowHasMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		l := load{
			limit: Limit{
				Requests: rapid.SampledFrom([]int{1, 2, 5, 10, 24, 25, 100, 600}).Draw(r, "requests"),
				Per:      rapid.SampledFrom([]time.Duration{time.Second, 10 * time.Second, time.Minute, time.Hour}).Draw(r, "per"),
			},
			processes: rapid.IntRange(1, 8).Draw(r, "processes"),
			workers:   rapid.IntRange(1, 3).Draw(r, "workers"),
			requests:  rapid.IntRange(1, 60).Draw(r, "each"),
			latency:   rapid.SampledFrom([]time.Duration{0, time.Millisecond, 20 * time.Millisecond, 300 * time.Millisecond}).Draw(r, "latency"),
		}
		l.way = rapid.SampledFrom([]time.Duration{0, l.limit.pace().late()}).Draw(r, "way")
		l.pause = rapid.SampledFrom([]time.Duration{0, time.Second, l.limit.Per}).Draw(r, "pause")
		all := l.arrivals(t)
		if got := most(all, l.limit.Per); got > l.limit.Requests {
			r.Fatalf("%d requests in %v, want %d at most", got, l.limit.Per, l.limit.Requests)
		}
	})
}

func TestEightPollersUseNineTenthsOfTheLimit(t *testing.T) {
	t.Parallel()
	for _, limit := range []Limit{
		{Requests: 20, Per: time.Second},
		{Requests: 100, Per: 10 * time.Second},
		{Requests: 10, Per: time.Minute},
		{Requests: 600, Per: time.Minute},
		{Requests: 5000, Per: time.Hour},
	} {
		l := load{limit: limit, processes: 8, workers: 1, requests: 4 * limit.Requests, latency: 5 * time.Millisecond, way: 20 * time.Millisecond}
		all := l.arrivals(t)
		took := all[len(all)-1].Sub(all[0])
		share := float64(len(all)) / (float64(limit.Requests) * float64(took) / float64(limit.Per))
		if share < 0.9 {
			t.Errorf("%+v: %.1f %% of the limit were used, want 90 %% at least", limit, 100*share)
		}
		if got := most(all, limit.Per); got > limit.Requests {
			t.Errorf("%+v: %d in a window", limit, got)
		}
		t.Logf("%d in %v: %.1f %% used", limit.Requests, limit.Per, 100*share)
	}
}

func TestAShareIsKeptToBesideTheRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		state := &table{}
		all := Limit{Requests: 100, Per: time.Minute, Reserve: 0.2}
		part := all
		part.Share = 0.25
		counts := map[float64]int{}
		var mu sync.Mutex
		var group sync.WaitGroup
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		for _, limit := range []Limit{all, all, part, part} {
			s := New(state, "state", slog.New(slog.DiscardHandler), time.Now)
			group.Go(func() {
				for s.Take(ctx, "key", limit, time.Hour) == nil {
					mu.Lock()
					counts[limit.Share]++
					mu.Unlock()
				}
			})
		}
		group.Wait()
		if n := counts[0] + counts[0.25]; n > 800 || n < 720 {
			t.Errorf("%d requests in 10m, want nearly 800", n)
		}
		if n := counts[0.25]; n > 200 || n < 150 {
			t.Errorf("%d requests of the share, want nearly 200", n)
		}
	})
}
