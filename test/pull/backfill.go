package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"

	"pushpull/shared/checkpoint"
	"pushpull/shared/job"
	"pushpull/test/pull/standin"
)

// backfill reads a range of a million records, and prints what that took.
func backfill(ctx context.Context) error {
	records, err := number("RECORDS", 1_000_000)
	if err != nil {
		return err
	}
	page, err := number("PAGE", 1000)
	if err != nil {
		return err
	}
	latency, err := length("LATENCY", 100*time.Millisecond)
	if err != nil {
		return err
	}
	r, err := readRange(ctx, records, page, latency)
	if err != nil {
		return err
	}
	fmt.Printf(`backfill: %d records in pages of %d, each after %s
  records queued once  %10d   again: %d, missing: %d
  requests             %10d
  the API alone        %10s   its latency for each page
  the backfill         %10s   %.0f records a second
  peak of the poller   %10.1f MiB
`, records, page, latency, r.once, r.again, records-r.once, r.pages, r.api.Round(time.Second), r.took.Round(time.Second), float64(r.once)/r.took.Seconds(), float64(r.peak)/1024)
	return r.err(records)
}

type backfilled struct {
	once, again int
	pages       int
	api, took   time.Duration
	peak        int // KiB
}

func (r backfilled) err(records int) error {
	var errs []error
	if r.once != records || r.again > 0 {
		errs = append(errs, fmt.Errorf("%d of %d records were queued, %d again", r.once, records, r.again))
	}
	if r.peak > mostMemory {
		errs = append(errs, fmt.Errorf("the poller had %d KiB, more than %d", r.peak, mostMemory))
	}
	return errors.Join(errs...)
}

func readRange(ctx context.Context, records, page int, latency time.Duration) (r backfilled, err error) {
	to := time.Now().Add(-24 * time.Hour).Truncate(time.Hour)
	from := to.Add(-max(10*24*time.Hour, time.Duration(records/3)*time.Second))
	source := standin.NewRange(records, from, to, latency)
	defer source.Close()
	p, err := startPart(ctx, "  history:\n"+source.Config(page), 60*time.Second)
	if err != nil {
		return r, err
	}
	defer p.close()

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	seen := make([]bool, records)
	var mu sync.Mutex
	take := func(body string) error {
		n, err := recordOf(body)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if n < 0 || n >= records {
			return fmt.Errorf("record %d was never there", n)
		}
		if seen[n] {
			r.again++
		} else {
			r.once++
		}
		seen[n] = true
		return nil
	}
	drained := make(chan error, 2)
	for range cap(drained) {
		go func() { drained <- p.drain(ctx, take) }()
	}
	began := time.Now()
	if err := p.states.StartBackfill(ctx, "history", "all", checkpoint.Range{From: from, To: to}); err != nil {
		return r, err
	}
	j := job.Job{Source: "history", Reason: job.Backfills, Backfill: "all"}
	if _, err := p.queues.Send(ctx, pollQueue, j.Encode(), nil); err != nil {
		return r, err
	}
	for {
		pause(ctx, 250*time.Millisecond)
		r.peak = max(r.peak, p.peak())
		status, err := p.states.Load(ctx, j.Key())
		if err != nil {
			return r, err
		}
		mu.Lock()
		all, last := r.once, status.Last.Ended
		mu.Unlock()
		if os.Getenv("VERBOSE") != "" {
			fmt.Fprintln(os.Stderr, all, status.Covered, status.Error)
		}
		switch {
		case all == records && !last.IsZero():
			r.took = last.Sub(began)
			r.pages = int(source.Pages.Load())
			r.api = time.Duration(r.pages) * latency
			cancel()
			return r, errors.Join(<-drained, <-drained)
		case ctx.Err() != nil:
			return r, ctx.Err()
		case status.Failures > 0 || status.Stopped != "":
			return r, fmt.Errorf("the backfill failed after %d records: %s%s", all, status.Error, status.Stopped)
		}
	}
}

// recordOf reads which record an event is of.
func recordOf(body string) (int, error) {
	n := gjson.Get(body, "data.n")
	if !n.Exists() {
		return 0, fmt.Errorf("what was queued is no record: %.200q", body)
	}
	return int(n.Int()), nil
}

// peak is the most memory that any poller of this process ever had.
func (p *part) peak() (most int) {
	parent := strconv.Itoa(os.Getpid())
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, process := range processes {
		stat, err := os.ReadFile(filepath.Join(process, "stat"))
		if err != nil {
			continue // it has ended
		}
		name, rest, _ := strings.Cut(string(stat), ") ")
		if fields := strings.Fields(rest); strings.HasSuffix(name, "(poller") && len(fields) > 1 && fields[1] == parent {
			if pid, err := strconv.Atoi(filepath.Base(process)); err == nil {
				most = max(most, peakOf(pid))
			}
		}
	}
	return most
}
