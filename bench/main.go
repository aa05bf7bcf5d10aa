// Command bench measures the receiver: next to a plain handler (bench/plain),
// with all presets next to one source, with each kind of scheme, and by the
// memory that heavy requests take. Then, how many events a second pass through
// the whole local stack.
//
// What is compared is driven in the same way in the same run, in turn, by a
// Lambda Runtime API, a queue and a claim check of its own: the machine that it
// runs on, and what else that does, is the same for both. It prints what was
// reached beside what is aimed at.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

func main() {
	var o options
	flag.IntVar(&o.starts, "starts", 60, "cold starts of each function")
	flag.IntVar(&o.rounds, "rounds", 5, "warm processes of each function")
	flag.IntVar(&o.events, "events", 2000, "events of each warm process")
	flag.IntVar(&o.pairs, "pairs", 40, "pairs of runs with one source and with all; 0 leaves them out")
	flag.IntVar(&o.requests, "requests", 300, "requests of each warm process with a scheme; 0 leaves the schemes out")
	flag.BoolVar(&o.heavy, "heavy", true, "send heavy requests")
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
	pairs, requests        int
	heavy                  bool
	stack                  time.Duration
}

// Of the pairs with one source and with all: the events of a warm process, and
// the warm processes of the schemes.
const (
	pairEvents   = 400
	schemeRounds = 3
)

// measure builds the functions and runs them.
func measure(ctx context.Context, o options) (report, error) {
	folder, err := os.MkdirTemp("", "pushpull-bench-")
	if err != nil {
		return report{}, err
	}
	defer os.RemoveAll(folder)
	b, err := newBench(ctx, folder)
	if err != nil {
		return report{}, err
	}
	ours, theirs, err := b.both(ctx, o)
	if err != nil {
		return report{}, err
	}
	result := compare(ours, theirs)
	if o.pairs > 0 {
		if result.Many, err = b.measureMany(ctx, o.pairs); err != nil {
			return report{}, err
		}
	}
	if o.requests > 0 {
		if result.Schemes, err = b.measureSchemes(ctx, b.large, b.many, schemeRounds, o.requests); err != nil {
			return report{}, err
		}
	}
	if o.heavy {
		if result.Heavy, err = b.measureHeavy(ctx, b.large, b.many); err != nil {
			return report{}, err
		}
	}
	if o.stack > 0 {
		t, err := measureStack(ctx, folder, o.stack)
		if err != nil {
			return report{}, err
		}
		result.Stack = &t
	}
	return result, nil
}

// A bench is all that is measured, on its stage.
type bench struct {
	stage
	few, many           setting
	small, large, plain function // the receiver with either configuration, and the plain handler
	push                job      // a GitHub push, for all three
}

func newBench(ctx context.Context, folder string) (b bench, err error) {
	b.kept = &kept{}
	if b.address, err = serve(ctx, b.kept); err != nil {
		return b, err
	}
	for _, part := range []struct {
		name     string
		yaml     func() (string, error)
		setting  *setting
		function *function
	}{
		{"receiver", fewYAML, &b.few, &b.small},
		{"receiver-many", manyYAML, &b.many, &b.large},
	} {
		text, err := part.yaml()
		if err != nil {
			return b, err
		}
		if *part.setting, err = newSetting(filepath.Join(folder, part.name+"-config"), text); err != nil {
			return b, err
		}
		if *part.function, err = buildReceiver(ctx, part.name, *part.setting); err != nil {
			return b, err
		}
	}
	if b.plain, err = build(ctx, "plain", "./bench/plain", folder); err != nil {
		return b, err
	}
	b.push = job{setting: b.few}
	b.push.payload, err = b.few.samplePayload()
	return b, err
}

// both runs the receiver and the plain handler in turn, so that what else the
// machine does meets both alike.
func (b bench) both(ctx context.Context, o options) (ours, theirs measured, err error) {
	ours, theirs = measured{function: b.small}, measured{function: b.plain}
	turn := func(events int, keep func(m *measured, r run)) error {
		for _, m := range []*measured{&ours, &theirs} {
			r, err := b.run(ctx, m.function, b.push.times(events))
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

// measureMany compares the receiver with one source and with all.
func (b bench) measureMany(ctx context.Context, n int) (*manyReport, error) {
	report := &manyReport{Sources: len(b.many.sources), Presets: len(presets()), Bytes: b.many.size, Pairs: n}
	few, many := b.push, b.push
	many.setting = b.many
	control, err := b.rowsOf(ctx, n, b.small, b.small, few, few)
	if err != nil {
		return nil, err
	}
	report.Control = withoutAim(control)
	if report.Deployed, err = b.rowsOf(ctx, n, b.small, b.large, few, many); err != nil {
		return nil, err
	}
	few.setting.fromFile, many.setting.fromFile = true, true
	report.FromFile, err = b.rowsOf(ctx, n, b.small, b.small, few, many)
	return report, err
}

func (b bench) rowsOf(ctx context.Context, n int, one, other function, few, many job) ([]manyRow, error) {
	idle, err := b.pairs(ctx, startsOfPair*n, one, other, few, many)
	if err != nil {
		return nil, err
	}
	cold, err := b.pairs(ctx, startsOfPair*n, one, other, few.times(1), many.times(1))
	if err != nil {
		return nil, err
	}
	warm, err := b.pairs(ctx, n, one, other, few.times(pairEvents), many.times(pairEvents))
	if err != nil {
		return nil, err
	}
	return compareMany(idle, cold, warm), nil
}

// times is the same job with that many invocations.
func (j job) times(n int) job {
	j.events = n
	return j
}
