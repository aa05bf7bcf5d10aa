// Command peers lets a running stack poll servers that others wrote: localstripe by
// the preset stripe, Isso's Atom feed by the preset feed, and Kinto and json-server
// by polls written for them. It puts records in, changes and removes some while
// they are polled, and compares what arrived with what the servers say they have.
//
//	go run ./test/peers FOLDER   with what run.sh installed in it
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"pushpull/test/harness"
)

// A peer is a server of others.
type peer interface {
	name() string
	// command starts it.
	command(installed, dir string) ([]string, error)
	// ready tells whether it answers.
	ready(ctx context.Context) bool
	// fill puts in the first records, and later some more while it is polled.
	fill(ctx context.Context, later bool) error
	// config is a source that polls it.
	config() string
	// has are the records that must have arrived, as the server itself, asked plainly,
	// says: their identities, or, of a snapshot, their entities.
	has(ctx context.Context) ([]string, error)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "peers: name the folder that run.sh made")
		os.Exit(2)
	}
	if err := run(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, installed string) error {
	ctx, cancel := context.WithTimeout(ctx, 6*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "peers")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	peers, err := newPeers()
	if err != nil {
		return err
	}
	for _, p := range peers {
		stop, err := start(ctx, p, installed, dir)
		if err != nil {
			return err
		}
		defer stop()
		if err := p.fill(ctx, false); err != nil {
			return fmt.Errorf("%s: put the first records in: %w", p.name(), err)
		}
	}
	in := newInbox()
	defer in.server.Close()
	stack, done, err := startStack(ctx, dir, peers, in)
	if err != nil {
		return err
	}
	defer done()
	if err := whole(ctx, peers, in, stack); err != nil {
		return err
	}
	for _, p := range peers {
		if err := p.fill(ctx, true); err != nil {
			return fmt.Errorf("%s: put more in: %w", p.name(), err)
		}
	}
	if err := whole(ctx, peers, in, stack); err != nil {
		return err
	}
	return report(ctx, peers, in)
}

// whole waits until all that the peers have arrived.
func whole(ctx context.Context, peers []peer, in *inbox, stack *harness.Stack) error {
	end := time.Now().Add(90 * time.Second)
	for {
		missing := 0
		for _, p := range peers {
			has, err := p.has(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name(), err)
			}
			for _, id := range has {
				if in.times(p.name(), id) == 0 {
					missing++
				}
			}
		}
		if missing == 0 {
			return nil
		}
		if time.Now().After(end) {
			sources, err := stack.Command(ctx, "sources")
			return errors.Join(fmt.Errorf("%d records did not arrive:\n%s", missing, sources), err, report(ctx, peers, in))
		}
		if pause(ctx, time.Second); ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

func report(ctx context.Context, peers []peer, in *inbox) error {
	pause(ctx, 7*time.Second) // one poll more: what is too much would come now
	var wrong []error
	fmt.Printf("peers: %-12s %8s %8s %6s %9s\n", "", "records", "arrived", "lost", "repeated")
	for _, p := range peers {
		has, err := p.has(ctx)
		if err != nil {
			return err
		}
		arrived, repeated := 0, in.repeated(p.name())
		for _, id := range has {
			if in.times(p.name(), id) > 0 {
				arrived++
			} else if len(wrong) < 5 {
				wrong = append(wrong, fmt.Errorf("%s: %s did not arrive", p.name(), id))
			}
		}
		fmt.Printf("       %-12s %8d %8d %6d %9d\n", p.name(), len(has), arrived, len(has)-arrived, repeated)
		if repeated > 0 {
			wrong = append(wrong, fmt.Errorf("%s: %d arrived again", p.name(), repeated))
		}
	}
	return errors.Join(wrong...)
}

func startStack(ctx context.Context, dir string, peers []peer, in *inbox) (*harness.Stack, func(), error) {
	root, err := harness.Root()
	if err != nil {
		return nil, nil, err
	}
	binary, err := harness.Build(ctx, root, dir)
	if err != nil {
		return nil, nil, err
	}
	var config strings.Builder
	config.WriteString("sources:\n")
	for _, p := range peers {
		config.WriteString(p.config())
	}
	fmt.Fprintf(&config, "destinations:\n  inbox: { kind: http, url: %q, allow_private: true }\nroutes:\n  - { from: \"*\", to: inbox }\n", in.server.URL)
	stack, err := harness.New(harness.Options{
		Binary: binary, Root: root, Dir: dir, Config: map[string]string{"peers.yaml": config.String()},
		Secrets:    map[string]string{"ssm:/peers/stripe": stripeKey, "ssm:/peers/kinto": kintoPassword},
		Parameters: map[string]string{"PollSchedule": "rate(5 seconds)"}, Flags: []string{"--sandbox=false"},
	})
	if err != nil {
		return nil, nil, err
	}
	done := func() {
		if err := stack.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "peers: stop the stack:", err)
		}
	}
	if err := stack.Start(ctx); err != nil {
		done()
		return nil, nil, err
	}
	return stack, done, nil
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
