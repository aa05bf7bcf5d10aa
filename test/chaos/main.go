// Command chaos pushes and polls events through a running stack while its
// function processes, and twice the whole stack, are killed with -9. It trusts
// nothing but what it sent and what arrived: it is the provider, the destination
// and the judge, and knows of the system only its front door and `pushpull events`.
//
//	EVENTS=10000 SEED=1 go run ./test/chaos
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"time"

	"pushpull/test/harness"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	events, err := number("EVENTS", 10000)
	if err != nil {
		return err
	}
	seed, err := number("SEED", int(time.Now().UnixNano()%1e6))
	if err != nil {
		return err
	}
	fmt.Printf("chaos: %d events in %d sources, seed %d\n", events, sources, seed)

	plan := newPlan(events, uint64(seed))
	inbox := newInbox()
	defer inbox.close()
	provider := newProvider(plan)
	defer provider.close()

	stack, done, err := startStack(ctx, provider, inbox)
	if err != nil {
		return err
	}
	defer done()

	started := time.Now()
	killer := newKiller(stack, plan)
	pushed := make(chan error, 1)
	go func() { pushed <- provider.push(ctx, stack.URL) }()
	if err := killer.run(ctx, provider.progress); err != nil {
		return err
	}
	if err := <-pushed; err != nil {
		return err
	}
	fmt.Printf("chaos: pushed in %s; killed %d function processes and the stack %d times\n",
		time.Since(started).Round(time.Millisecond), killer.functions, killer.stacks)
	return judge(ctx, plan, provider, inbox, stack, killer, started)
}

func number(name string, otherwise int) (int, error) {
	text := os.Getenv(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s=%q is not a number of 1 or more", name, text)
	}
	return n, nil
}

// startStack builds and starts dev with the plan's sources; done stops it.
func startStack(ctx context.Context, p *provider, in *inbox) (*harness.Stack, func(), error) {
	root, err := harness.Root()
	if err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp("", "chaos")
	if err != nil {
		return nil, nil, err
	}
	binary, err := harness.Build(ctx, root, dir)
	if err != nil {
		return nil, nil, err
	}
	stack, err := harness.New(harness.Options{
		Binary: binary, Root: root, Dir: dir,
		Config:     map[string]string{"chaos.yaml": configOf(p.url(), in.url())},
		Secrets:    secretsOf(),
		Parameters: parameters,
		Flags:      []string{"--sandbox=false"},
	})
	if err != nil {
		return nil, nil, err
	}
	done := func() {
		if err := stack.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "chaos: stop the stack:", err)
		}
		if os.Getenv("KEEP") == "" {
			os.RemoveAll(dir)
			return
		}
		fmt.Println("chaos: kept", dir)
	}
	if err := stack.Start(ctx); err != nil {
		done()
		return nil, nil, err
	}
	return stack, done, nil
}
