// Package scheduler calls functions as EventBridge Scheduler and Lambda's event
// source mappings do. Its one invariant: a message is deleted only after the
// function that was given it answered that it is done.
package scheduler

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Invoke calls a function.
type Invoke func(ctx context.Context, function string, payload []byte) ([]byte, error)

// A Schedule calls a function again and again.
type Schedule struct {
	Name       string
	Function   string
	Expression string // rate(5 minutes) or cron(0 12 * * ? *); here also rate(5 seconds)
	Input      string // "" is what EventBridge Scheduler sends by itself
	Region     string
}

// Run calls the function at once, so that nobody waits for the first time, and
// then on time, until ctx ends. A call that takes longer than the interval does
// not hold up the next. The error is of the expression.
func (s Schedule) Run(ctx context.Context, invoke Invoke, log *slog.Logger, now func() time.Time) error {
	next, err := Parse(s.Expression)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	var calls sync.WaitGroup
	defer calls.Wait()
	for at := now(); ; {
		due := at // the call outlives this value of at
		calls.Go(func() { s.call(ctx, invoke, log, due) })
		at = next(at)
		if at.IsZero() {
			<-ctx.Done() // there is no next time
			return nil
		}
		if late := now(); at.Before(late) {
			at = next(late.Add(-time.Nanosecond)) // the machine slept: what was missed is not made up for
		}
		timer := time.NewTimer(at.Sub(now()))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

func (s Schedule) call(ctx context.Context, invoke Invoke, log *slog.Logger, at time.Time) {
	if _, err := invoke(ctx, s.Function, s.payload(at)); err != nil && ctx.Err() == nil {
		log.Error("a scheduled call failed", "schedule", s.Name, "function", s.Function, "error", err)
	}
}

func (s Schedule) payload(at time.Time) []byte {
	if s.Input != "" {
		return []byte(s.Input)
	}
	region := s.Region
	if region == "" {
		region = "us-east-1"
	}
	out, _ := json.Marshal(map[string]any{ // texts only, which always encode
		"version": "0", "id": fmt.Sprintf("%s-%d", s.Name, at.UnixNano()), "detail-type": "Scheduled Event", "source": "aws.scheduler",
		"account": "000000000000", "time": at.UTC().Format(time.RFC3339), "region": region,
		"resources": []string{"arn:aws:scheduler:" + region + ":000000000000:schedule/default/" + s.Name}, "detail": "{}",
	})
	return out
}

// Parse reads a schedule expression and returns what gives the next time after
// another; zero where there is none.
func Parse(expression string) (func(time.Time) time.Time, error) {
	kind, rest, ok := strings.Cut(strings.TrimSpace(expression), "(")
	args, closed := strings.CutSuffix(rest, ")")
	if ok && closed {
		switch kind {
		case "rate":
			return parseRate(args)
		case "cron":
			return parseCron(args)
		}
	}
	return nil, fmt.Errorf("%q is no schedule: write rate(5 minutes) or cron(0 12 * * ? *)", expression)
}

func parseRate(args string) (func(time.Time) time.Time, error) {
	var n int
	var unit string
	if _, err := fmt.Sscanf(args, "%d %s", &n, &unit); err != nil || n < 1 || n > 1_000_000 {
		return nil, fmt.Errorf("rate(%s) is no rate: write rate(5 minutes)", args)
	}
	units := map[string]time.Duration{"second": time.Second, "minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}
	d, ok := units[strings.TrimSuffix(unit, "s")]
	if !ok {
		return nil, fmt.Errorf("rate(%s): the unit is minutes, hours or days (and, on one machine, seconds)", args)
	}
	return func(t time.Time) time.Time { return t.Add(time.Duration(n) * d) }, nil
}
