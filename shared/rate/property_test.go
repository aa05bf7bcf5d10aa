package rate

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// limits of which an event takes a whole number of nanoseconds, so that what a
// test adds up is exact.
var limits = []Limit{{100, 100}, {100, 500}, {1, 1}, {1000, 50}, {5, 5}, {0.1, 20}, {5000, 300}, {10, 1}}

// step draws a time to wait between two requests, from none to a quarter of
// what the bucket takes to refill.
func step(t *rapid.T, l Limit) time.Duration {
	longest := rapid.SampledFrom([]int64{0, 3 * l.flow(1), l.flow(l.Burst) / 4}).Draw(t, "longest")
	return time.Duration(rapid.Int64Range(0, longest).Draw(t, "step"))
}

func TestWhatIsTakenIsBoundedWhateverTheSchedule(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.SampledFrom(limits).Draw(t, "limit")
		n := rapid.IntRange(1, 6).Draw(t, "environments")
		most := rapid.SampledFrom([]int{1, 1, 3, 40}).Draw(t, "largest batch")
		state, c := &table{}, newClock()
		environments := fleet(n, state, c)
		start, all := c.now(), 0
		for range rapid.IntRange(1, 400).Draw(t, "requests") {
			c.add(step(t, limit))
			if c.now().Sub(start) > time.Duration(limit.forget()) {
				break // older debts are forgotten, and not bounded by this
			}
			for range rapid.SampledFrom([]int{1, 1, limit.Burst / 7}).Draw(t, "at once") {
				size := rapid.IntRange(1, most).Draw(t, "batch")
				e := rapid.SampledFrom(environments).Draw(t, "environment")
				if e.Take(t.Context(), "shop", limit, size).OK {
					all += size
				}
			}
			chunk := max(limit.chunk(), most) + most
			bound := limit.Rate*c.now().Sub(start).Seconds() + float64(limit.Burst+n*chunk*(1+state.periods))
			if n == 1 {
				bound = limit.Rate*c.now().Sub(start).Seconds() + float64(limit.Burst+most-1) + 1e-6
			}
			if float64(all) > bound {
				t.Fatalf("%d were taken, want %f at most, after %v and %d busy periods", all, bound, c.now().Sub(start), state.periods)
			}
		}
	})
}

func TestUnderAFloodTheRateIsKeptToForHours(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 7, 50} {
		for _, limit := range limits {
			state, c := &table{}, newClock()
			environments := fleet(n, state, c)
			all, spent := 0, time.Duration(0)
			for i := 0; spent < 40*time.Duration(limit.flow(limit.Burst)); i++ {
				wait := time.Duration(limit.flow(1)) / 4 // four times the rate
				c.add(wait)
				spent += wait
				if environments[(i*i+i/3)%n].Take(t.Context(), "shop", limit, 1).OK {
					all++
				}
				if bound := limit.Rate*spent.Seconds() + float64(limit.Burst+2*n*limit.chunk()); float64(all) > bound {
					t.Fatalf("%d environments, %+v: %d were taken in %v, want %f at most", n, limit, all, spent, bound)
				}
			}
			if least := 0.9 * limit.Rate * spent.Seconds(); float64(all) < least {
				t.Errorf("%d environments, %+v: %d were taken in %v, want %f at least", n, limit, all, spent, least)
			}
			if most := 2*all/limit.chunk() + n; state.calls > most {
				t.Errorf("%d environments, %+v: %d calls for %d events, want %d at most", n, limit, state.calls, all, most)
			}
		}
	}
}

func TestASourceThatKeepsToItsLimitIsNeverRefused(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.SampledFrom(limits).Draw(t, "limit")
		n := rapid.IntRange(1, 30).Draw(t, "environments")
		most := rapid.SampledFrom([]int{1, 1, 3, 40}).Draw(t, "largest batch")
		state, c := &table{}, newClock()
		environments := fleet(n, state, c)
		var full int64 // of the one true bucket, which sees every event at once
		for range rapid.IntRange(1, 600).Draw(t, "requests") {
			c.add(step(t, limit))
			now, size := c.now().UnixNano(), rapid.IntRange(1, most).Draw(t, "batch")
			after := max(full, now) + limit.flow(size)
			if after > now+limit.flow(limit.Burst) && full > now {
				continue // it would be refused
			}
			full = after
			e := rapid.SampledFrom(environments).Draw(t, "environment")
			if d := e.Take(t.Context(), "shop", limit, size); !d.OK {
				t.Fatalf("refused for %v, with a bucket that holds %v of %v", d.RetryAfter, time.Duration(full-now), time.Duration(limit.flow(limit.Burst)))
			}
		}
	})
}

func TestRetryAfterIsWhenItIsTaken(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.SampledFrom(limits).Draw(t, "limit")
		c := newClock()
		l := fleet(1, &table{}, c)[0]
		for range 200 {
			n := rapid.IntRange(1, 2*limit.Burst).Draw(t, "batch")
			d := l.Take(t.Context(), "shop", limit, n)
			if d.OK {
				continue
			}
			if d.RetryAfter <= 0 || d.RetryAfter > d.Reset {
				t.Fatalf("%+v", d)
			}
			c.add(d.RetryAfter - 1)
			if l.Take(t.Context(), "shop", limit, n).OK {
				t.Fatal("taken before it was to be tried again")
			}
			c.add(1)
			if d := l.Take(t.Context(), "shop", limit, n); !d.OK {
				t.Fatalf("refused after the time that it was told to wait: %+v", d)
			}
		}
	})
}
