// Command pull proves the poller from outside: the real one, in a running stack,
// reads stand-ins of providers that fail as providers do, while it is killed with
// -9; and what arrived is compared with what the stand-ins had.
//
//	go run ./test/pull dialects   every way of listing, under faults
//	go run ./test/pull budget     several pollers on one credential
//	go run ./test/pull together   webhooks that are lost, and a poll that heals
//	go run ./test/pull backfill   a range of a million records
//
// RECORDS, SEED, GROWING and the like make a run larger or smaller.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"time"
)

var experiments = map[string]func(context.Context) error{
	"dialects": dialects,
	"budget":   budget,
	"backfill": backfill,
	"together": together,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	name := ""
	if len(os.Args) == 2 {
		name = os.Args[1]
	}
	run, ok := experiments[name]
	if !ok {
		fmt.Fprintln(os.Stderr, "pull: say what to prove: dialects, budget, together or backfill")
		os.Exit(2)
	}
	if err := run(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "pull: %s: %v\n", name, err)
		os.Exit(1)
	}
}

// number is what the environment says, or a number that is right for most.
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

func length(name string, otherwise time.Duration) (time.Duration, error) {
	text := os.Getenv(name)
	if text == "" {
		return otherwise, nil
	}
	return time.ParseDuration(text)
}
