package budget

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

var perMinute = Limit{Requests: 10, Per: time.Minute}

// fleet is n processes that share a table, in the time of a synctest bubble.
func fleet(api API, n int) []*Store {
	all := make([]*Store, n)
	for i := range all {
		all[i] = New(api, "state", slog.New(slog.DiscardHandler), time.Now)
	}
	return all
}

// wait is how long a Take took.
func wait(t *testing.T, s *Store, l Limit, most time.Duration) time.Duration {
	t.Helper()
	began := time.Now()
	if err := s.Take(t.Context(), "key", l, most); err != nil {
		t.Fatal(err)
	}
	return time.Since(began)
}

func TestTake(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		run  func(t *testing.T, state *table, a, b *Store)
	}{
		{"the first request is made at once, and costs one write", func(t *testing.T, state *table, a, _ *Store) {
			if got := wait(t, a, perMinute, 0); got != 0 {
				t.Errorf("waited %v", got)
			}
			if reads, writes := state.counts(); writes != 1 || reads != 0 {
				t.Errorf("%d reads and %d writes, want one write", reads, writes)
			}
		}},
		{"the next waits for its turn, whichever process makes it", func(t *testing.T, _ *table, a, b *Store) {
			wait(t, a, perMinute, 0)
			if got := wait(t, b, perMinute, time.Minute); got < 6*time.Second || got > 7*time.Second {
				t.Errorf("waited %v, want 6s to 7s", got)
			}
		}},
		{"a wait that would be too long is told, and takes no turn", func(t *testing.T, _ *table, a, b *Store) {
			wait(t, a, perMinute, 0)
			for range 3 {
				err := b.Take(t.Context(), "key", perMinute, 2*time.Second)
				if full, ok := errors.AsType[*Wait](err); !ok || time.Until(full.Until) < 6*time.Second {
					t.Fatalf("err = %v, want a Wait of 6s at least", err)
				}
			}
			if got := wait(t, a, perMinute, time.Minute); got > 7*time.Second {
				t.Errorf("waited %v, want 7s at most", got)
			}
		}},
		{"a key that ends as that of a share would has a budget of its own", func(t *testing.T, _ *table, a, _ *Store) {
			share := perMinute
			share.Share = 0.5
			wait(t, a, share, 0)
			if err := a.Take(t.Context(), "key/share", perMinute, 0); err != nil {
				t.Error(err)
			}
		}},
		{"after a pause some are made at once", func(t *testing.T, _ *table, a, _ *Store) {
			hourly, at := Limit{Requests: 5000, Per: time.Hour}, time.Duration(0)
			for range 100 {
				at += wait(t, a, hourly, time.Minute)
			}
			if at != 0 {
				t.Errorf("100 requests of 5000 an hour waited %v", at)
			}
		}},
		{"what an API asked for is kept to by all", func(t *testing.T, _ *table, a, b *Store) {
			wait(t, a, perMinute, 0)
			a.Told(t.Context(), "key", time.Now().Add(40*time.Second))
			for _, s := range []*Store{a, b} {
				err := s.Take(t.Context(), "key", perMinute, 30*time.Second)
				if full, ok := errors.AsType[*Wait](err); !ok || time.Until(full.Until) < 39*time.Second {
					t.Errorf("err = %v, want a Wait of 40s", err)
				}
			}
			if got := wait(t, b, perMinute, time.Minute); got < 40*time.Second || got > 41*time.Second {
				t.Errorf("waited %v, want 40s", got)
			}
		}},
		{"what an API asked for reaches who waits for a turn already", func(t *testing.T, _ *table, a, b *Store) {
			wait(t, a, perMinute, 0)
			time.AfterFunc(3*time.Second, func() { a.Told(context.WithoutCancel(t.Context()), "key", time.Now().Add(30*time.Second)) })
			if got := wait(t, b, perMinute, time.Minute); got < 33*time.Second {
				t.Errorf("waited %v, want 33s at least", got)
			}
		}},
		{"without a limit of requests, only what an API asked for is waited for", func(t *testing.T, state *table, a, b *Store) {
			for range 50 {
				if got := wait(t, b, Limit{}, 0); got != 0 {
					t.Fatalf("waited %v", got)
				}
			}
			if reads, writes := state.counts(); writes != 0 || reads != 1 {
				t.Errorf("%d reads and %d writes of 50 requests in a second, want one read", reads, writes)
			}
			a.Told(t.Context(), "key", time.Now().Add(5*time.Second))
			<-time.After(fresh)
			if got := wait(t, b, Limit{}, time.Minute); got < 4*time.Second || got > 5*time.Second {
				t.Errorf("waited %v, want 4s to 5s", got)
			}
		}},
		{"an earlier time that is told later changes nothing", func(t *testing.T, _ *table, a, b *Store) {
			a.Told(t.Context(), "key", time.Now().Add(20*time.Second))
			b.Told(t.Context(), "key", time.Now().Add(5*time.Second))
			if got := wait(t, b, Limit{Requests: 100, Per: time.Second}, time.Minute); got < 19*time.Second {
				t.Errorf("waited %v, want 20s", got)
			}
		}},
		{"a time a year away is cut to a day", func(t *testing.T, _ *table, a, b *Store) {
			a.Told(t.Context(), "key", time.Now().AddDate(1, 0, 0))
			if got := wait(t, b, perMinute, 25*time.Hour); got < 23*time.Hour || got > 24*time.Hour+2*time.Second {
				t.Errorf("waited %v, want a day", got)
			}
		}},
		{"a table that fails lets requests pass, and is left alone for a while", func(t *testing.T, state *table, a, _ *Store) {
			state.answer(errors.New("throttled"))
			for range 20 {
				if got := wait(t, a, perMinute, 0); got != 0 {
					t.Fatalf("waited %v", got)
				}
			}
			if reads, writes := state.counts(); reads+writes > 2 {
				t.Errorf("%d reads and %d writes of a table that fails", reads, writes)
			}
			state.answer(nil)
			<-time.After(pause)
			wait(t, a, perMinute, 0)
			if got := wait(t, a, perMinute, time.Minute); got < 6*time.Second {
				t.Errorf("waited %v, want 6s: the table answers again", got)
			}
		}},
		{"what an API asked for is kept to while the table fails", func(t *testing.T, state *table, a, _ *Store) {
			state.answer(errors.New("throttled"))
			a.Told(t.Context(), "key", time.Now().Add(10*time.Second))
			if got := wait(t, a, perMinute, time.Minute); got < 10*time.Second {
				t.Errorf("waited %v, want 10s", got)
			}
		}},
		{"a table that hangs holds a request up for seconds, once", func(t *testing.T, state *table, a, _ *Store) {
			state.hang = true
			if got := wait(t, a, perMinute, 0); got > 3*time.Second {
				t.Errorf("waited %v", got)
			}
			if got := wait(t, a, perMinute, 0); got != 0 {
				t.Errorf("the next waited %v, too", got)
			}
		}},
		{"a table that is slower than a slot lives still keeps to the limit", func(t *testing.T, state *table, a, b *Store) {
			state.latency = func() time.Duration { return 100 * time.Millisecond }
			limit, began := Limit{Requests: 5, Per: time.Second}, time.Now()
			for range 10 {
				wait(t, a, limit, time.Minute)
				wait(t, b, limit, time.Minute)
			}
			if got := time.Since(began); got < 3800*time.Millisecond {
				t.Errorf("20 requests in %v, want 4s", got)
			}
		}},
		{"a context that ends, ends the wait", func(t *testing.T, _ *table, a, _ *Store) {
			wait(t, a, perMinute, 0)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := a.Take(ctx, "key", perMinute, time.Minute); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("err = %v", err)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				state := &table{}
				stores := fleet(state, 2)
				test.run(t, state, stores[0], stores[1])
			})
		})
	}
}
