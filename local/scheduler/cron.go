package scheduler

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A cronField is one of the six fields of a cron expression of AWS.
type cronField struct {
	name     string
	min, max int
	names    string // the names of the values from min on, three letters each
}

var cronFields = [6]cronField{
	{"minutes", 0, 59, ""},
	{"hours", 0, 23, ""},
	{"day of month", 1, 31, ""},
	{"month", 1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"},
	{"day of week", 1, 7, "SUNMONTUEWEDTHUFRISAT"},
	{"year", 1970, 2199, ""},
}

// parseCron reads minutes hours day-of-month month day-of-week year, in UTC. The
// letters L, W and # are not understood.
func parseCron(args string) (func(time.Time) time.Time, error) {
	texts := strings.Fields(args)
	if len(texts) != len(cronFields) {
		return nil, fmt.Errorf("cron(%s) has %d fields: it needs six, minutes hours day-of-month month day-of-week year", args, len(texts))
	}
	var sets [6]map[int]bool
	for i, f := range cronFields {
		set, err := f.parse(texts[i])
		if err != nil {
			return nil, fmt.Errorf("cron(%s): %w", args, err)
		}
		sets[i] = set
	}
	return func(t time.Time) time.Time { return cronNext(sets, t.UTC()) }, nil
}

// cronNext finds the next time: day by day, then minute by minute.
func cronNext(sets [6]map[int]bool, t time.Time) time.Time {
	t = t.Truncate(time.Minute).Add(time.Minute)
	for t.Year() <= cronFields[5].max {
		day := sets[5][t.Year()] && sets[3][int(t.Month())] && sets[2][t.Day()] && sets[4][int(t.Weekday())+1]
		switch {
		case !day:
			t = time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, time.UTC)
		case !sets[1][t.Hour()]:
			t = time.Date(t.Year(), t.Month(), t.Day(), t.Hour()+1, 0, 0, 0, time.UTC)
		case !sets[0][t.Minute()]:
			t = t.Add(time.Minute)
		default:
			return t
		}
	}
	return time.Time{}
}

// parse reads one field: *, ?, values, ranges, steps and lists of them.
func (f cronField) parse(text string) (map[int]bool, error) {
	set := map[int]bool{}
	for part := range strings.SplitSeq(text, ",") {
		from, to, step, err := f.part(part)
		if err != nil {
			return nil, err
		}
		for v := from; v <= to; v += step {
			set[v] = true
		}
	}
	return set, nil
}

func (f cronField) part(part string) (from, to, step int, err error) {
	span, stepText, stepped := strings.Cut(part, "/")
	step = 1
	if stepped {
		if step, err = strconv.Atoi(stepText); err != nil || step < 1 {
			return 0, 0, 0, fmt.Errorf("%s: %q is no step", f.name, stepText)
		}
	}
	if span == "*" || span == "?" {
		return f.min, f.max, step, nil
	}
	low, high, ranged := strings.Cut(span, "-")
	if from, err = f.value(low); err != nil {
		return 0, 0, 0, err
	}
	switch {
	case ranged:
		to, err = f.value(high)
	case stepped:
		to = f.max
	default:
		to = from
	}
	return from, to, step, err
}

func (f cronField) value(text string) (int, error) {
	if i := strings.Index(f.names, strings.ToUpper(text)); len(text) == 3 && i >= 0 && i%3 == 0 {
		return f.min + i/3, nil
	}
	v, err := strconv.Atoi(text)
	if err != nil || v < f.min || v > f.max {
		return 0, fmt.Errorf("%s: %q is not understood here: write a value from %d to %d, a range, a list or a step", f.name, text, f.min, f.max)
	}
	return v, nil
}
