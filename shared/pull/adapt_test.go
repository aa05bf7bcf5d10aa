package pull

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/config"
)

func TestTheNextInterval(t *testing.T) {
	t.Parallel()
	misses := Rhythm{Kind: "misses", Every: 15 * time.Minute, Min: time.Minute, Max: 2 * time.Hour}
	activity := misses
	activity.Kind = "activity"
	type next struct {
		Every time.Duration
		Why   string
	}
	for _, tt := range []struct {
		name string
		r    Rhythm
		f    Findings
		want next
	}{
		{"push is sound: longer", misses, Findings{Interval: 20 * time.Minute, New: 99}, next{30 * time.Minute, "every 30m: push is sound"}},
		{"up to max", misses, Findings{Interval: 100 * time.Minute}, next{2 * time.Hour, "every 2h: push is sound"}},
		{"a miss: a quarter", misses, Findings{Interval: 20 * time.Minute, Missed: 1}, next{5 * time.Minute, "every 5m: push missed 1"}},
		{"a miss after a long time: no more than every", misses, Findings{Interval: 2 * time.Hour, Missed: 3}, next{15 * time.Minute, "every 15m: push missed 3"}},
		{"down to min", misses, Findings{Interval: 2 * time.Minute, Missed: 1}, next{time.Minute, "every 1m: push missed 1"}},
		{"more than one job reads: not longer", misses, Findings{Interval: time.Hour, Unread: true}, next{15 * time.Minute, "every 15m: there was more than one job reads"}},
		{"a miss lately: no longer than every", misses, Findings{Interval: 12 * time.Minute, Lately: 4}, next{15 * time.Minute, "every 15m: push missed 4 within a day"}},
		{"push was silent, and there was something", misses, Findings{Interval: time.Hour, New: 2, Silent: true}, next{15 * time.Minute, "every 15m: push was silent, and 2 were new"}},
		{"the first", misses, Findings{}, next{22*time.Minute + 30*time.Second, "every 22m30s: push is sound"}},
		{"much that is new: half", activity, Findings{Interval: 10 * time.Minute, New: 80, Missed: 80}, next{5 * time.Minute, "every 5m: 80 were new"}},
		{"some: the same", activity, Findings{Interval: 10 * time.Minute, New: 20}, next{10 * time.Minute, "every 10m: 20 were new"}},
		{"a few: towards every", activity, Findings{Interval: 5 * time.Minute, New: 2}, next{10 * time.Minute, "every 10m: 2 were new"}},
		{"nothing: longer", activity, Findings{Interval: 10 * time.Minute}, next{15 * time.Minute, "every 15m: nothing was new"}},
		{"without adapt", RhythmOf(config.Poll{Every: config.Duration(time.Hour)}), Findings{Missed: 9}, next{time.Hour, "every 1h"}},
		{"the api asks for longer", misses, Findings{Interval: 20 * time.Minute, Missed: 1, Asked: time.Hour}, next{time.Hour, "the api asked to wait 1h"}},
		{"the api asks for less", misses, Findings{Interval: 20 * time.Minute, Missed: 1, Asked: time.Minute}, next{5 * time.Minute, "every 5m: push missed 1"}},
		{"too often is brought to the least", RhythmOf(config.Poll{Every: 1}), Findings{}, next{5 * time.Second, "every 5s"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got next
			got.Every, got.Why = tt.r.Next(tt.f)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A pattern is three days of events, and which of them push brings.
type pattern struct {
	name string
	rate func(minute int) float64 // events to expect in a minute
	lost func(minute int, r *rand.Rand) bool
}

const days = 3

func patterns() []pattern {
	none := func(int, *rand.Rand) bool { return false }
	steady := func(int) float64 { return 1 }
	bursts := func(minute int) float64 { // busy for 20 minutes of every three hours
		if minute%180 < 20 {
			return 10
		}
		return 0.1
	}
	day := func(minute int) float64 { return 1 - math.Cos(2*math.Pi*float64(minute)/1440) }
	some := func(_ int, r *rand.Rand) bool { return r.Float64() < 0.03 }
	outage := func(minute int, _ *rand.Rand) bool { return minute >= 2500 && minute < 2620 }
	return []pattern{
		{"steady, sound", steady, none},
		{"bursts, sound", bursts, none},
		{"day and night, sound", day, none},
		{"nothing happens", func(int) float64 { return 0 }, none},
		{"steady, 3 % lost", steady, some},
		{"steady, push is off for 2 h", steady, outage},
		{"day and night, push is off for 2 h", day, outage},
		{"one in an hour, push is off for 2 h", func(int) float64 { return 1.0 / 60 }, outage},
		{"steady, push is off for good", steady, func(int, *rand.Rand) bool { return true }},
	}
}

// A toll is what a way of polling cost, and how long what push lost was missing.
type toll struct {
	polls      int
	lost       int
	mean, most float64 // minutes
}

// simulate polls a pattern by a rhythm, as the poller does, in minutes. An event that
// push brings is there at once; one that it loses is there after the next poll.
func simulate(p pattern, r Rhythm, seed uint64) toll {
	random := rand.New(rand.NewPCG(seed, 1))
	grace := 5
	var cost toll
	var waiting []int // lost events that no poll has brought yet, by their minute
	var pushed []int
	var misses []int // the minutes in which some were found
	var sum float64
	interval, due, last, records, seen := r.Every, 0, 0, 0, 0
	var span time.Duration
	for minute := range days * 1440 {
		for range poisson(random, p.rate(minute)) {
			seen++
			if p.lost(minute, random) {
				waiting = append(waiting, minute)
				cost.lost++
			} else {
				pushed = append(pushed, minute)
			}
		}
		silent := false
		if window := int(r.Silence(records, span) / time.Minute); window > 0 && interval > r.Every {
			silent = minute-window > last && (len(pushed) == 0 || pushed[len(pushed)-1] < minute-window)
		}
		if minute < due && !silent {
			continue
		}
		cost.polls++
		missed := 0
		for _, at := range waiting {
			late := float64(minute - at)
			sum += late
			cost.most = max(cost.most, late)
			if minute-at > grace {
				missed++
			}
		}
		found := len(waiting)
		waiting = nil
		lately := 0
		if len(misses) > 0 && minute-misses[len(misses)-1] < 1440 {
			lately = 1
		}
		if missed > 0 {
			misses = append(misses, minute)
		}
		next, _ := r.Next(Findings{Interval: interval, New: found, Missed: missed, Lately: lately, Silent: silent})
		if silent {
			next = min(next, interval)
		}
		records, span = seen, time.Duration(minute-last)*time.Minute
		last, seen = minute, 0
		interval, due = next, minute+int(math.Ceil(next.Minutes()))
	}
	for _, at := range waiting {
		sum += float64(days*1440 - at)
	}
	cost.mean = sum / max(1, float64(cost.lost))
	return cost
}

func poisson(r *rand.Rand, mean float64) (n int) {
	for at := r.ExpFloat64(); at < mean; at += r.ExpFloat64() {
		n++
	}
	return n
}

// The rule is worth it where it asks less while push is sound, and brings what
// push lost sooner when it is not.
func TestAdaptingAsksLessWhilePushIsSoundAndHealsSoonerWhenItIsNot(t *testing.T) {
	t.Parallel()
	adaptive := RhythmOf(config.Poll{Adapt: "misses", Every: config.Duration(15 * time.Minute), Max: config.Duration(2 * time.Hour)})
	fixed := adaptive
	fixed.Kind = "none"
	t.Logf("%-36s %14s %14s %24s %24s", "three days, every: 15m", "polls, fixed", "adaptive", "minutes missing, fixed", "adaptive (mean, most)")
	for _, p := range patterns() {
		a, f := average(p, adaptive), average(p, fixed)
		t.Logf("%-36s %14d %14d %24s %24s", p.name, f.polls, a.polls, fmt.Sprintf("%.1f %.0f", f.mean, f.most), fmt.Sprintf("%.1f %.0f", a.mean, a.most))
		if a.lost == 0 && 2*a.polls > f.polls {
			t.Errorf("%s: %d polls, where a fixed interval makes %d: want half at most", p.name, a.polls, f.polls)
		}
		if sound := p.lost(0, rand.New(rand.NewPCG(1, 1))); !sound && a.lost > 0 && slices.Contains([]string{"steady, push is off for 2 h", "day and night, push is off for 2 h"}, p.name) && a.polls >= f.polls {
			t.Errorf("%s: %d polls, where a fixed interval makes %d: want fewer", p.name, a.polls, f.polls)
		}
		if rare := p.rate(0) > 0 && p.rate(0) < 0.1 && p.rate(720) < 0.1; !rare && a.lost > 0 && a.mean >= f.mean {
			t.Errorf("%s: missing for %.1f minutes, with a fixed interval for %.1f: want less", p.name, a.mean, f.mean)
		}
	}
}

// average is over some seeds, so that no luck decides.
func average(p pattern, r Rhythm) toll {
	const seeds = 20
	var all toll
	for seed := range uint64(seeds) {
		one := simulate(p, r, seed)
		all.polls += one.polls
		all.lost += one.lost
		all.mean += one.mean / seeds
		all.most = max(all.most, one.most)
	}
	all.polls /= seeds
	return all
}
