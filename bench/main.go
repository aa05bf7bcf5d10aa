// Command bench measures the receiver next to a plain handler (bench/plain), and
// how many events a second pass through the whole local stack.
//
// The two are driven in the same way in the same run, by a Lambda Runtime API
// and a queue of its own: the machine that it runs on, and what else that does,
// is the same for both. It prints what was reached beside what is aimed at.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"pushpull/shared/config"
)

func main() {
	var o options
	flag.IntVar(&o.starts, "starts", 25, "cold starts of each function")
	flag.IntVar(&o.rounds, "rounds", 5, "warm processes of each function")
	flag.IntVar(&o.events, "events", 2000, "events of each warm process")
	flag.DurationVar(&o.stack, "stack", 10*time.Second, "how long to post events to the whole local stack; 0 leaves it out")
	asJSON := flag.Bool("json", false, "print JSON")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	report, err := measure(ctx, o)
	stop()
	if err == nil && *asJSON {
		err = json.NewEncoder(os.Stdout).Encode(report)
	} else if err == nil {
		err = report.write(os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// options say how much is measured.
type options struct {
	starts, rounds, events int
	stack                  time.Duration
}

// measure builds both functions and runs them in turn.
func measure(ctx context.Context, o options) (report, error) {
	folder, err := os.MkdirTemp("", "pushpull-bench-")
	if err != nil {
		return report{}, err
	}
	defer os.RemoveAll(folder)
	s, err := newStage(ctx, folder)
	if err != nil {
		return report{}, err
	}
	receiver, err := build(ctx, "receiver", "./functions/receiver", folder)
	if err != nil {
		return report{}, err
	}
	plain, err := build(ctx, "plain", "./bench/plain", folder)
	if err != nil {
		return report{}, err
	}
	ours, theirs, err := s.both(ctx, receiver, plain, o)
	if err != nil {
		return report{}, err
	}
	result := compare(ours, theirs)
	if o.stack > 0 {
		t, err := measureStack(ctx, folder, o.stack)
		if err != nil {
			return report{}, err
		}
		result.Stack = &t
	}
	return result, nil
}

// both runs the functions in turn, so that what else the machine does meets both alike.
func (s stage) both(ctx context.Context, receiver, plain function, o options) (ours, theirs measured, err error) {
	ours, theirs = measured{function: receiver}, measured{function: plain}
	turn := func(events int, keep func(m *measured, r run)) error {
		for _, m := range []*measured{&ours, &theirs} {
			r, err := s.run(ctx, m.function, events)
			if err != nil {
				return err
			}
			keep(m, r)
		}
		return nil
	}
	for range o.starts {
		if err := turn(0, func(m *measured, r run) { m.idle = append(m.idle, r) }); err != nil {
			return ours, theirs, err
		}
		if err := turn(1, func(m *measured, r run) { m.cold = append(m.cold, r) }); err != nil {
			return ours, theirs, err
		}
	}
	for range o.rounds {
		if err := turn(o.events, func(m *measured, r run) { m.warm = append(m.warm, r) }); err != nil {
			return ours, theirs, err
		}
	}
	return ours, theirs, nil
}

// newStage starts the queue and writes the configuration of the receiver.
func newStage(ctx context.Context, folder string) (stage, error) {
	payload, err := samplePayload()
	if err != nil {
		return stage{}, err
	}
	address, err := serve(ctx, http.HandlerFunc(queueService))
	if err != nil {
		return stage{}, err
	}
	text := config.Header + "bench\n" + config.KindSource + " " + sourceName + " " + sourceConfig + "\n"
	if err := os.WriteFile(filepath.Join(folder, config.CompiledFile), []byte(text), 0o600); err != nil {
		return stage{}, err
	}
	return stage{queue: address, folder: folder, payload: payload}, nil
}
