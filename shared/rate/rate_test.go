package rate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

var hundred = Limit{Rate: 100, Burst: 100}

// take asks for n events one by one, and tells how many were taken.
func take(t *testing.T, l *Limiter, limit Limit, n int) int {
	t.Helper()
	taken := 0
	for range n {
		if l.Take(t.Context(), "shop", limit, 1).OK {
			taken++
		}
	}
	return taken
}

func TestATrickleMakesNoCall(t *testing.T) {
	t.Parallel()
	for _, limit := range limits {
		state, c := &table{}, newClock()
		l := fleet(1, state, c)[0]
		for range 1000 {
			if !l.Take(t.Context(), "shop", limit, 1).OK {
				t.Fatal("refused")
			}
			c.add(time.Duration(limit.forget()) + 1)
		}
		if state.calls != 0 {
			t.Errorf("%+v: %d calls", limit, state.calls)
		}
	}
}

func TestAChunkIsOneCall(t *testing.T) {
	t.Parallel()
	state, c := &table{}, newClock()
	l := fleet(1, state, c)[0]
	for range 1000 { // 50/s, half of the rate
		c.add(20 * time.Millisecond)
		if take(t, l, hundred, 1) != 1 {
			t.Fatal("refused")
		}
	}
	if state.calls != 100 {
		t.Errorf("%d calls for 1000 events, want 100", state.calls)
	}
}

func TestARefusalMakesNoCall(t *testing.T) {
	t.Parallel()
	state, c := &table{}, newClock()
	l := fleet(1, state, c)[0]
	take(t, l, hundred, 100)
	before := state.calls
	if n := take(t, l, hundred, 1000); n != 0 {
		t.Errorf("%d were taken of an empty bucket", n)
	}
	if state.calls != before {
		t.Errorf("%d calls for refusals", state.calls-before)
	}
	d := l.Take(t.Context(), "shop", hundred, 10)
	want := Decision{RetryAfter: 100 * time.Millisecond, Reset: time.Second}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
}

func TestOneEnvironmentLearnsWhatAnotherTook(t *testing.T) {
	t.Parallel()
	both := fleet(2, &table{}, newClock())
	if n := take(t, both[0], hundred, 200); n != 100 {
		t.Fatalf("%d were taken at once, want the burst", n)
	}
	if n := take(t, both[1], hundred, 200); n != hundred.chunk() {
		t.Errorf("the other took %d, want one chunk of %d, and then it knows", n, hundred.chunk())
	}
}

func TestABatchLargerThanTheBurstNeedsAFullBucketAndLeavesADebt(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := fleet(1, &table{}, c)[0]
	if !l.Take(t.Context(), "shop", hundred, 1000).OK {
		t.Fatal("refused by a full bucket")
	}
	d := l.Take(t.Context(), "shop", hundred, 1)
	if want := (Decision{RetryAfter: 9010 * time.Millisecond, Reset: 10 * time.Second}); d != want {
		t.Errorf("%+v, want %+v", d, want)
	}
	c.add(10*time.Second - 1)
	if d := l.Take(t.Context(), "shop", hundred, 1000); d.OK || d.RetryAfter != 1 {
		t.Errorf("a bucket that is not quite full: %+v", d)
	}
	c.add(1)
	if !l.Take(t.Context(), "shop", hundred, 1000).OK {
		t.Error("refused by a bucket that is full again")
	}
}

func TestABurstFitsWhateverItsRate(t *testing.T) {
	t.Parallel()
	for _, limit := range []Limit{{7, 7}, {3, 3}, {1.0 / 7, 13}, {333.33, 333}, {1e6, 1e6}} {
		if n := take(t, fleet(1, &table{}, newClock())[0], limit, limit.Burst); n != limit.Burst {
			t.Errorf("%+v: %d were taken", limit, n)
		}
	}
}

func TestSourcesHaveBucketsOfTheirOwn(t *testing.T) {
	t.Parallel()
	l := fleet(1, &table{}, newClock())[0]
	take(t, l, hundred, 200)
	if !l.Take(t.Context(), "mail", hundred, 100).OK {
		t.Error("one source was refused for what another took")
	}
}

func TestWithoutALimitAllIsTaken(t *testing.T) {
	t.Parallel()
	state := &table{}
	if n := take(t, fleet(1, state, newClock())[0], Limit{}, 10_000); n != 10_000 || state.calls != 0 {
		t.Errorf("%d were taken, with %d calls", n, state.calls)
	}
}

func TestManyEnvironmentsThatPayLateRefuseNobody(t *testing.T) {
	t.Parallel()
	// Fifty environments each get an event a second, half of the rate together,
	// so that each owes nearly a chunk when one of them gets many at once.
	c := newClock()
	environments := fleet(50, &table{}, c)
	for range 9 {
		for _, e := range environments {
			c.add(20 * time.Millisecond)
			if take(t, e, hundred, 1) != 1 {
				t.Fatal("refused")
			}
		}
	}
	if take(t, environments[0], hundred, 20) != 20 {
		t.Fatal("refused")
	}
	for range 9 {
		for _, e := range environments {
			c.add(20 * time.Millisecond)
			if take(t, e, hundred, 1) != 1 {
				t.Fatal("refused, at half of the rate")
			}
		}
	}
}

func TestManyEnvironmentsThatEachTakeLittleAreLimitedTogether(t *testing.T) {
	t.Parallel()
	// A hundred environments get two events a second each: twice the rate.
	c := newClock()
	environments := fleet(100, &table{}, c)
	taken := 0
	const seconds = 300
	for range 2 * seconds {
		for _, e := range environments {
			c.add(5 * time.Millisecond)
			taken += take(t, e, hundred, 1)
		}
	}
	if bound := 100*seconds + 100 + 2*100*hundred.chunk(); taken > bound {
		t.Errorf("%d of %d were taken, want %d at most", taken, 200*seconds, bound)
	}
}

// moves changes the item before a call is made, as another environment would.
func moves(state *table, full, began time.Time) func(int, update) error {
	return func(call int, u update) error {
		state.mu.Lock()
		defer state.mu.Unlock()
		state.items = map[string]map[string]value{u.Key["key"].S: {"full": number(full.UnixNano()), "began": number(began.UnixNano())}}
		return nil
	}
}

func TestAPaymentTakesTwoCallsAtMost(t *testing.T) {
	t.Parallel()
	start := newClock().now()
	for _, test := range []struct {
		name   string
		before func(state *table) func(int, update) error
		calls  int
		owed   int // afterwards
	}{
		{"one where nobody was there before", func(*table) func(int, update) error { return nil }, 1, 0},
		{"two where another environment has begun a period", func(state *table) func(int, update) error {
			return moves(state, start.Add(time.Second/2), start.Add(-time.Second))
		}, 2, 0},
		{"one where what is owed was taken before the period began, and is charged no more", func(state *table) func(int, update) error {
			return moves(state, start.Add(time.Second/2), start.Add(time.Second/4))
		}, 1, 0},
		{"two where the bucket moves in between, and the debt stays", func(state *table) func(int, update) error {
			return func(call int, u update) error {
				full := start.Add(time.Second / 2) // now in a period, now not
				if call == 2 {
					full = start.Add(-time.Second / 2)
				}
				return moves(state, full, start.Add(-time.Second))(call, u)
			}
		}, 2, 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			state := &table{}
			state.before = test.before(state)
			l := fleet(1, state, newClock())[0]
			if n := take(t, l, hundred, 10); n != 10 {
				t.Fatalf("%d were taken", n)
			}
			if owed := count(l.bucket("shop").owed); state.calls != test.calls || owed != test.owed {
				t.Errorf("%d calls, %d owed; want %d and %d", state.calls, owed, test.calls, test.owed)
			}
		})
	}
}

func TestAnItemThatExpiredIsBegunAnew(t *testing.T) {
	t.Parallel()
	state, c := &table{}, newClock()
	l := fleet(1, state, c)[0]
	take(t, l, hundred, 50)
	state.items = nil
	if n := take(t, l, hundred, 50); n != 50 || len(state.items) != 1 {
		t.Errorf("%d were taken, %d items", n, len(state.items))
	}
}

func TestAnItemGoesWhenNothingDependsOnIt(t *testing.T) {
	t.Parallel()
	for _, limit := range limits {
		state, c := &table{}, newClock()
		take(t, fleet(1, state, c)[0], limit, max(limit.Burst, 2)) // more than a chunk
		if limit.Burst < 2 {
			continue
		}
		it := state.items["rate/shop"]
		ttl, err := strconv.ParseInt(it["ttl"].N, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		full := c.now().Add(time.Duration(limit.flow(limit.Burst)))
		if at := time.Unix(ttl, 0); at.Before(full.Add(time.Hour)) || at.After(full.Add(48*time.Hour)) {
			t.Errorf("%+v: it goes at %v, and the bucket is full at %v", limit, at, full)
		}
	}
}

func TestATableThatDoesNotAnswerRefusesNobody(t *testing.T) {
	t.Parallel()
	down := errors.New("dynamodb: ProvisionedThroughputExceededException")
	state, c := &table{fail: down}, newClock()
	var lines bytes.Buffer
	environments := fleet(2, state, c)
	for i := range environments {
		environments[i].log = slog.New(slog.NewJSONHandler(&lines, nil))
	}
	for range 100 {
		c.add(time.Second)
		for _, e := range environments {
			if n := take(t, e, hundred, 100); n != 100 {
				t.Fatalf("%d of 100 were taken: a burst a second is within each one's own limit", n)
			}
		}
	}
	// A hundred seconds: told twice by each, and asked every five seconds by each.
	if n := strings.Count(lines.String(), "\n"); n != 4 || !strings.Contains(lines.String(), down.Error()) {
		t.Errorf("%d lines in the log, want 4: %s", n, &lines)
	}
	if state.calls != 40 {
		t.Errorf("%d calls, want 40", state.calls)
	}
	state.fail = nil
	c.add(pause)
	take(t, environments[0], hundred, 100)
	if len(state.items) != 1 {
		t.Error("it does not share again")
	}
}

func TestATableThatHangsCostsLittleTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := fleet(1, &table{hang: true}, newClock())[0]
		start := time.Now()
		if n := take(t, l, hundred, 100); n != 100 {
			t.Errorf("%d were taken", n)
		}
		if took := time.Since(start); took != patience {
			t.Errorf("it took %v, want %v, once", took, patience)
		}
	})
}

func TestADamagedItemRefusesNobody(t *testing.T) {
	t.Parallel()
	state := &table{items: map[string]map[string]value{"rate/shop": {"full": {S: "x"}, "began": number(1)}}}
	state.before = func(int, update) error {
		state.mu.Lock()
		defer state.mu.Unlock()
		state.items["rate/shop"] = map[string]value{"full": {N: "99999999999999999999999"}, "began": number(1)}
		return nil
	}
	if n := take(t, fleet(1, state, newClock())[0], hundred, 100); n != 100 {
		t.Errorf("%d were taken", n)
	}
}

func TestManyAtOnceInOneEnvironment(t *testing.T) {
	t.Parallel()
	l := fleet(1, &table{}, newClock())[0]
	var taken atomic.Int32
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 100 {
				if l.Take(context.WithoutCancel(t.Context()), "shop", hundred, 1).OK {
					taken.Add(1)
				}
			}
		})
	}
	wait.Wait()
	if n := taken.Load(); n != 100 {
		t.Errorf("%d were taken, want the burst", n)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text string
		want Limit
		err  string // contained in the error
	}{
		{"100/s", Limit{100, 100}, ""},
		{"100/s burst 500", Limit{100, 500}, ""},
		{"6000/m", Limit{100, 100}, ""},
		{"36/h burst 20", Limit{0.01, 20}, ""},
		{"36/h", Limit{0.01, 1}, ""},
		{"0.5/s", Limit{0.5, 1}, ""},
		{"  5/s   burst  1 ", Limit{5, 1}, ""},
		{"", Limit{}, "write 100/s"},
		{"100", Limit{}, "a unit stands behind a slash"},
		{"100/d", Limit{}, "s, m or h"},
		{"100 / s", Limit{}, "write 100/s"},
		{"many/s", Limit{}, "is not a number of events"},
		{"1e3/s", Limit{}, "write it in digits"},
		{"-1/s", Limit{}, "write it in digits"},
		{"1.2.3/s", Limit{}, "it must be over 0"},
		{"0/s", Limit{}, "leave it out for no limit"},
		{"1000001/s", Limit{}, "at most 1000000/s"},
		{"100/s burst", Limit{}, "burst 500"},
		{"100/s bursts 5", Limit{}, "burst 500"},
		{"100/s burst 0", Limit{}, "from 1 to 1000000000"},
		{"100/s burst 1.5", Limit{}, "whole number"},
		{"1/h burst 10000", Limit{}, "write a smaller burst"},
	} {
		t.Run(test.text, func(t *testing.T) {
			t.Parallel()
			got, err := Parse(test.text)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if fmt.Sprint(err) == "<nil>" != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("the error is %v, want %q in it", err, test.err)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		limit Limit
		d     Decision
		want  Header
	}{
		{
			"of events that were taken",
			Limit{100, 500},
			Decision{OK: true, Remaining: 498, Reset: 20 * time.Millisecond},
			Header{Policy: `"source";q=500;w=5`, Limit: `"source";r=498;t=1`},
		},
		{
			"of a full bucket",
			Limit{100, 100},
			Decision{OK: true, Remaining: 100},
			Header{Policy: `"source";q=100;w=1`, Limit: `"source";r=100;t=0`},
		},
		{
			"of a refusal, whose window ends when it may be tried again",
			Limit{0.1, 20},
			Decision{Remaining: 3, RetryAfter: 2001 * time.Millisecond, Reset: time.Minute},
			Header{Policy: `"source";q=20;w=200`, Limit: `"source";r=3;t=3`, RetryAfter: "3"},
		},
		{
			"of a refusal for less than a second",
			Limit{1000, 5},
			Decision{RetryAfter: 1, Reset: 1},
			Header{Policy: `"source";q=5;w=1`, Limit: `"source";r=0;t=1`, RetryAfter: "1"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, Headers(test.limit, test.d)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
