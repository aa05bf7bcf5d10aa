package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// aimMany is how much more may be taken with all sources than with one.
const aimMany = 1.05

// A pair is the same run of the receiver with one source and with all.
type pair struct{ few, many run }

// A manyRow is one thing measured of the pairs.
type manyRow struct {
	Name  string  `json:"name"`
	Unit  string  `json:"unit"`
	Few   float64 `json:"few"`
	Many  float64 `json:"many"`
	Ratio float64 `json:"ratio"` // the median of the pairs'
	Low   float64 `json:"low"`   // a quarter of the pairs are below
	High  float64 `json:"high"`  // a quarter of the pairs are above
	Aim   float64 `json:"aim,omitempty"`
}

// A manyReport compares the receiver with one source and with all.
type manyReport struct {
	Sources  int       `json:"sources"`
	Presets  int       `json:"presets"`
	Bytes    int64     `json:"bytes"`     // of the large configuration, compiled
	Pairs    int       `json:"pairs"`     // of warm runs; there are startsOfPair as many of the others
	Control  []manyRow `json:"control"`   // the same function twice: what differs here is chance
	Deployed []manyRow `json:"deployed"`  // each configuration in a binary, as it is deployed
	FromFile []manyRow `json:"from_file"` // one binary that reads the one or the other, as on one machine
}

// startsOfPair is how many more starts there are than warm runs: they are short,
// and what else the machine does counts for more.
const startsOfPair = 5

// pairs runs the two in turn, the first of one pair the second of the next, so
// that neither gains by its place.
func (s stage) pairs(ctx context.Context, n int, one, other function, first, second job) ([]pair, error) {
	all := make([]pair, n)
	for i := range all {
		for half := range 2 {
			var err error
			if half == i%2 {
				all[i].few, err = s.run(ctx, one, first)
			} else {
				all[i].many, err = s.run(ctx, other, second)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

func compareMany(idle, cold, warm []pair) []manyRow {
	start := pair{
		few:  run{cpu: median(idle, func(p pair) time.Duration { return p.few.cpu })},
		many: run{cpu: median(idle, func(p pair) time.Duration { return p.many.cpu })},
	}
	perEvent := func(r, start run) float64 {
		return microseconds(r.cpu-start.cpu) / float64(max(1, len(r.duration)))
	}
	return []manyRow{
		manyRowOf("init, process to first request for work", "ms", aimMany, idle, func(p pair) (float64, float64) {
			return milliseconds(p.few.init), milliseconds(p.many.init)
		}),
		manyRowOf("CPU of init", "ms", aimMany, idle, func(p pair) (float64, float64) {
			return milliseconds(p.few.cpu), milliseconds(p.many.cpu)
		}),
		manyRowOf("init and first event", "ms", aimMany, cold, func(p pair) (float64, float64) {
			return milliseconds(p.few.first), milliseconds(p.many.first)
		}),
		manyRowOf("CPU per event", "µs", aimMany, warm, func(p pair) (float64, float64) {
			return perEvent(p.few, start.few), perEvent(p.many, start.many)
		}),
		manyRowOf("peak memory", "MB", 0, warm, func(p pair) (float64, float64) {
			return float64(p.few.peak) / 1e6, float64(p.many.peak) / 1e6
		}),
	}
}

// withoutAim are the rows with nothing to reach.
func withoutAim(rows []manyRow) []manyRow {
	for i := range rows {
		rows[i].Aim = 0
	}
	return rows
}

func manyRowOf(name, unit string, aim float64, pairs []pair, value func(pair) (few, many float64)) manyRow {
	row := manyRow{Name: name, Unit: unit, Aim: aim}
	var few, many, ratios []float64
	for _, p := range pairs {
		f, m := value(p)
		few, many = append(few, f), append(many, m)
		if f > 0 {
			ratios = append(ratios, m/f)
		}
	}
	row.Few, row.Many = quantile(few, 0.5), quantile(many, 0.5)
	row.Ratio, row.Low, row.High = quantile(ratios, 0.5), quantile(ratios, 0.25), quantile(ratios, 0.75)
	return row
}

// quantile is the value below which a share of the values are; 0 without any.
func quantile(values []float64, share float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	at := share * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}

func (m manyReport) write(w io.Writer) error {
	_, _ = fmt.Fprintf(w, "\nthe receiver with %d sources, with all %d presets and %.1f MB of configuration, next to one with 1 source;\n%d pairs of warm runs, %d of starts\n",
		m.Sources, m.Presets, float64(m.Bytes)/1e6, m.Pairs, startsOfPair*m.Pairs)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintf(table, "\t1 source\t%d sources\tratio\tquartiles\taim\t\t\n", m.Sources)
	for _, part := range []struct {
		how  string
		rows []manyRow
	}{{"1 source twice, for comparison", m.Control}, {"in the binary, as deployed", m.Deployed}, {"read from PUSHPULL_CONFIG", m.FromFile}} {
		_, _ = fmt.Fprintf(table, "%s:\t\t\t\t\t\t\t\n", part.how)
		for _, row := range part.rows {
			aim, reached := verdict("≤ %.2f", row.Ratio, row.Aim)
			_, _ = fmt.Fprintf(table, "%s (%s)\t%.2f\t%.2f\t%.3f\t%.2f to %.2f\t%s\t%s\t\n",
				row.Name, row.Unit, row.Few, row.Many, row.Ratio, row.Low, row.High, aim, reached)
		}
	}
	return table.Flush()
}
