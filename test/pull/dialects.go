package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"pushpull/test/pull/standin"
)

const mostMemory = 64 << 10 // KiB of a poller

// dialects lets the poller read every stand-in at once, and judges each.
func dialects(ctx context.Context) error {
	records, err := number("RECORDS", 100_000)
	if err != nil {
		return err
	}
	seed, err := number("SEED", int(time.Now().UnixNano()%1e6))
	if err != nil {
		return err
	}
	growing, err := length("GROWING", 3*time.Minute)
	if err != nil {
		return err
	}
	var only []string
	if names := os.Getenv("ONLY"); names != "" {
		only = strings.Split(names, ",")
	}
	each := records / max(1, len(only))
	if len(only) == 0 {
		each = records / standin.Count()
	}
	p, err := standin.New(standin.Options{Seed: uint64(seed), Records: each, Growing: growing, Faults: 0.08, Slow: 3 * time.Second, Only: only})
	if err != nil {
		return err
	}
	defer p.Close()
	fmt.Printf("dialects: %d, %d records of each, seed %d\n", len(p.APIs), each, seed)
	return readAll(ctx, p, uint64(seed))
}

func readAll(ctx context.Context, p *standin.Provider, seed uint64) error {
	in := newInbox()
	defer in.server.Close()
	var sources strings.Builder
	secrets := map[string]string{}
	for _, a := range p.APIs {
		fmt.Fprintf(&sources, "  %s:\n%s", a.Name, a.Config())
		secrets["ssm:/standin/"+a.Name] = a.Token()
	}
	stack, done, err := startStack(ctx, sources.String(), in, secrets, map[string]string{
		"PollSchedule": "rate(5 seconds)", "PollerTimeout": "60", "PollVisibility": "60",
	})
	if err != nil {
		return err
	}
	defer done()
	started := time.Now()
	k := &killer{stack: stack, rand: rand.New(rand.NewPCG(seed, 2)), every: 6 * time.Second, until: func() bool { return grown(p) }}
	killing, cancel := context.WithCancel(ctx)
	killed := make(chan error, 1)
	go func() { killed <- k.run(killing) }()
	err = untilWhole(ctx, p, in)
	cancel()
	err = errors.Join(err, <-killed)
	fmt.Printf("dialects: ended after %s; killed %d pollers; the largest had %.1f MiB at most\n", time.Since(started).Round(time.Second), k.kills, float64(k.peak)/1024)
	if k.peak > mostMemory {
		err = errors.Join(err, fmt.Errorf("a poller had %d KiB, more than %d", k.peak, mostMemory))
	}
	return errors.Join(err, report(p, in, k.kills))
}

func grown(p *standin.Provider) bool {
	return !slices.ContainsFunc(p.APIs, func(a *standin.API) bool { return !a.Grown() })
}

// untilWhole waits until nothing is missing, or nothing more arrives.
func untilWhole(ctx context.Context, p *standin.Provider, in *inbox) error {
	last, since := -1, time.Now()
	for {
		if n := in.count(); n != last {
			last, since = n, time.Now()
		}
		if grown(p) {
			missing := 0
			for _, a := range p.APIs {
				in.look(a.Name, func(came *arrivals) { missing += judge(a, came).Lost })
			}
			if missing == 0 {
				pause(ctx, 12*time.Second) // what is too much would come now
				return ctx.Err()
			}
			if time.Since(since) > 4*time.Minute {
				return fmt.Errorf("%d records are missing, and nothing has come for %s", missing, time.Since(since).Round(time.Second))
			}
		}
		if pause(ctx, 2*time.Second); ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

func report(p *standin.Provider, in *inbox, kills int) error {
	fmt.Printf("  %-12s %8s %8s %5s %8s %9s %6s  %s\n", "dialect", "records", "arrived", "lost", "repeated", "requests", "early", "faults")
	var total verdict
	var wrong []error
	early := 0
	for _, a := range p.APIs {
		var v verdict
		in.look(a.Name, func(came *arrivals) { v = judge(a, came) })
		c := a.Counts()
		fmt.Printf("  %-12s %8d %8d %5d %8d %9d %6d  %s\n", a.Name, v.Must, v.Arrived, v.Lost, v.Repeated+v.Foreign, c.Requests, c.Early, faults(c))
		total.Must, total.Arrived, total.Lost, total.Repeated = total.Must+v.Must, total.Arrived+v.Arrived, total.Lost+v.Lost, total.Repeated+v.Repeated+v.Foreign
		early += c.Early
		wrong = append(wrong, v.wrong...)
	}
	fmt.Printf("  %-12s %8d %8d %5d %8d %9s %6d\n", "all", total.Must, total.Arrived, total.Lost, total.Repeated, "", early)
	if early > kills {
		wrong = append(wrong, fmt.Errorf("%d requests came before the time that an api had told, and %d pollers were killed", early, kills))
	}
	return errors.Join(wrong...)
}

func faults(c standin.Counts) string {
	var out []string
	for _, kind := range slices.Sorted(maps.Keys(c.Faults)) {
		out = append(out, fmt.Sprintf("%s %d", kind, c.Faults[kind]))
	}
	return strings.Join(out, ", ")
}
