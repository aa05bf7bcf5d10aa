package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// measured is every run of one function.
type measured struct {
	function function
	idle     []run // without an event
	cold     []run // with one
	warm     []run // with many
}

// A report is what was reached, a row for each thing measured. What was left out
// is not there.
type report struct {
	Rows    []row       `json:"rows"`
	Many    *manyReport `json:"many,omitempty"`
	Schemes []schemeRow `json:"schemes,omitempty"`
	Heavy   []heavyRow  `json:"heavy,omitempty"`
	Stack   *throughput `json:"stack,omitempty"`
}

type row struct {
	Name     string  `json:"name"`
	Unit     string  `json:"unit"`
	Receiver float64 `json:"receiver"`
	Plain    float64 `json:"plain"`
	Ratio    float64 `json:"ratio"`         // receiver/plain
	Aim      float64 `json:"aim,omitempty"` // of the ratio; 0 without one
}

// The aims: at most this much of what the plain handler takes.
const (
	aimInit = 0.75
	aimCPU  = 0.75
)

func compare(ours, theirs measured) report {
	var r report
	add := func(name, unit string, aim float64, value func(m measured) float64) {
		row := row{Name: name, Unit: unit, Receiver: value(ours), Plain: value(theirs), Aim: aim}
		if row.Plain > 0 {
			row.Ratio = row.Receiver / row.Plain
		}
		r.Rows = append(r.Rows, row)
	}
	add("init, process to first request for work", "ms", aimInit, measured.init)
	add("init and first event", "ms", 0, measured.first)
	add("CPU of init", "ms", 0, func(m measured) float64 { return milliseconds(m.initCPU()) })
	add("CPU per event", "µs", aimCPU, measured.cpuPerEvent)
	add("warm event, p50", "µs", 0, func(m measured) float64 { return m.percentile(0.50) })
	add("warm event, p99", "µs", 0, func(m measured) float64 { return m.percentile(0.99) })
	add("peak memory", "MB", 0, measured.memory)
	add("binary", "MB", 0, func(m measured) float64 { return float64(m.function.size) / 1e6 })
	return r
}

func (m measured) init() float64 {
	return milliseconds(median(slices.Concat(m.idle, m.cold), func(r run) time.Duration { return r.init }))
}

func (m measured) first() float64 {
	return milliseconds(median(m.cold, func(r run) time.Duration { return r.first }))
}

func (m measured) initCPU() time.Duration {
	return median(m.idle, func(r run) time.Duration { return r.cpu })
}

// cpuPerEvent is what an event costs a function that is there already: the CPU
// time of a process over its events, without that of its start.
func (m measured) cpuPerEvent() float64 {
	start := m.initCPU()
	return microseconds(median(m.warm, func(r run) time.Duration {
		return (r.cpu - start) / time.Duration(max(1, len(r.duration)))
	}))
}

func (m measured) percentile(p float64) float64 {
	var all []time.Duration
	for _, r := range m.warm {
		all = append(all, r.duration[1:]...) // the first is a cold one
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return microseconds(all[int(p*float64(len(all)-1))])
}

func (m measured) memory() float64 {
	most := int64(0)
	for _, r := range m.warm {
		most = max(most, r.peak)
	}
	return float64(most) / 1e6
}

func median[T any](all []T, value func(T) time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	values := make([]time.Duration, len(all))
	for i, one := range all {
		values[i] = value(one)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// verdict is an aim in words, and whether it was reached; nothing without one.
func verdict(format string, value, aim float64) (text, reached string) {
	switch {
	case aim == 0:
		return "", ""
	case value > aim:
		return fmt.Sprintf(format, aim), "missed"
	}
	return fmt.Sprintf(format, aim), "reached"
}

// write writes the report as tables.
func (r report) write(w io.Writer) error {
	errs := []error{r.writePlain(w)}
	if r.Many != nil {
		errs = append(errs, r.Many.write(w))
	}
	if len(r.Schemes) > 0 {
		errs = append(errs, writeSchemes(w, r.Schemes))
	}
	if len(r.Heavy) > 0 {
		errs = append(errs, writeHeavy(w, r.Heavy))
	}
	if r.Stack != nil {
		errs = append(errs, r.Stack.write(w))
	}
	return errors.Join(errs...)
}

func (r report) writePlain(w io.Writer) error {
	// What goes wrong in writing, Flush says.
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "\treceiver\tplain\tratio\taim\t\t")
	for _, row := range r.Rows {
		aim, reached := verdict("≤ %.2f", row.Ratio, row.Aim)
		_, _ = fmt.Fprintf(table, "%s (%s)\t%.1f\t%.1f\t%.2f\t%s\t%s\t\n", row.Name, row.Unit, row.Receiver, row.Plain, row.Ratio, aim, reached)
	}
	return table.Flush()
}
