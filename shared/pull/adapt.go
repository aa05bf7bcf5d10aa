package pull

import (
	"fmt"
	"time"

	"pushpull/shared/config"
)

// A Rhythm is how often a poll is made, and within what bounds. Min is also the
// least time between two polls that hints ask for.
type Rhythm struct {
	Kind            string // misses, activity or none
	Every, Min, Max time.Duration
}

// leastEvery is the shortest interval: a job's delay has whole seconds.
const leastEvery = 5 * time.Second

// RhythmOf reads what a poll says of its interval.
func RhythmOf(poll config.Poll) Rhythm {
	r := Rhythm{Kind: poll.Adapt, Every: poll.Every.Std(), Min: poll.Min.Std(), Max: poll.Max.Std()}
	if r.Every == 0 {
		r.Every = 15 * time.Minute
	}
	r.Every = max(r.Every, leastEvery)
	if r.Min == 0 {
		r.Min = max(r.Every/15, time.Minute)
	}
	r.Min = max(min(r.Min, r.Every), leastEvery)
	r.Max = max(r.Max, r.Every)
	return r
}

// Findings are what one run found that says how soon to look again.
type Findings struct {
	Interval time.Duration // since which the run was due; 0: every
	New      int
	Missed   int
	Lately   int           // missed in the last day, before this run
	Silent   bool          // the run was made because nothing came by push
	Unread   bool          // there is more than one job was to read
	Asked    time.Duration // what the API asks for
}

const (
	many = 50 // new records of a run that are many
	few  = 10 // that are few
)

// Next is the interval after a run, and why. It is at once shorter when there is a
// reason, and longer by and by.
func (r Rhythm) Next(f Findings) (next time.Duration, why string) {
	before := f.Interval
	if before == 0 {
		before = r.Every
	}
	before = min(max(before, r.Min), r.Max)
	next, why = r.Every, ""
	switch r.Kind {
	case "misses":
		next, why = r.byMisses(before, f)
	case "activity":
		next, why = r.byActivity(before, f)
	}
	next = min(max(next, r.Min), r.Max).Round(time.Second)
	if f.Asked > next {
		return f.Asked, fmt.Sprintf("the api asked to wait %s", brief(f.Asked))
	}
	if why == "" {
		return next, "every " + brief(next)
	}
	return next, fmt.Sprintf("every %s: %s", brief(next), why)
}

// byMisses goes to a quarter, and to no more than every, while push misses
// events; and half as long again while it does not: beyond every only where it
// missed nothing for a day, as what was lost once is likely to be again.
func (r Rhythm) byMisses(before time.Duration, f Findings) (time.Duration, string) {
	switch {
	case f.Missed > 0:
		return min(before/4, r.Every), fmt.Sprintf("push missed %d", f.Missed)
	case f.Silent && f.New > 0: // too young to be called missed
		return min(before/4, r.Every), fmt.Sprintf("push was silent, and %d were new", f.New)
	case f.Unread:
		return min(before, r.Every), "there was more than one job reads"
	case f.Lately > 0:
		return min(before+before/2, r.Every), fmt.Sprintf("push missed %d within a day", f.Lately)
	default:
		return before + before/2, "push is sound"
	}
}

// byActivity halves where there is much that is new, and grows where there is nothing.
func (r Rhythm) byActivity(before time.Duration, f Findings) (time.Duration, string) {
	switch {
	case f.New >= many || f.Unread:
		return min(before/2, r.Every), fmt.Sprintf("%d were new", f.New)
	case f.New > few:
		return before, fmt.Sprintf("%d were new", f.New)
	case f.New > 0: // towards what was asked for
		return (before + r.Every) / 2, fmt.Sprintf("%d were new", f.New)
	default:
		return before + before/2, "nothing was new"
	}
}

// brief writes a duration as a person does: 2h, 1m30s.
func brief(d time.Duration) string { return config.Duration(d.Round(time.Second)).String() }

// enough is how many events must be missing before their absence says something:
// chance leaves out so many in a row once in three thousand times.
const enough = 8

// Silence is for how long nothing may come by push before that is a reason to
// look, where the last run read so many records of a span. Zero: it is never one.
func (r Rhythm) Silence(records int, span time.Duration) time.Duration {
	if r.Kind != "misses" || records == 0 || span <= 0 {
		return 0
	}
	window := max(time.Duration(enough*float64(span)/float64(records)), r.Min)
	if window >= r.Max {
		return 0
	}
	return window
}
