package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"time"

	"pushpull/test/harness"
)

// A killer kills function processes while events are pushed, and the whole stack
// when a third and two thirds of them were begun.
type killer struct {
	stack *harness.Stack
	rand  *rand.Rand

	functions, stacks int
	kills             []kill
}

// A kill is one process that was killed, or all of them.
type kill struct {
	at    time.Time
	stack bool
	what  string // the function's name
}

// explains says whether a delivery may repeat because of this kill: it was made
// by a processor that was killed before it could record it.
func (k kill) explains(delivery time.Time) bool {
	since := k.at.Sub(delivery)
	return (k.stack || k.what == "processor") && since > -atOnce && since < inFlight
}

// bound is how many deliveries the kill may repeat: those of one batch, or of
// all batches at once.
func (k kill) bound() int {
	if k.stack {
		return batch * maximumConcurrency
	}
	return batch
}

const (
	// inFlight is how long it may take from a delivery to its record.
	inFlight = 2 * time.Second
	// atOnce is how much later than its kill a process may be gone.
	atOnce = 100 * time.Millisecond

	batch              = 10 // events a processor is given at once
	maximumConcurrency = 20 // batches at once, of template.yaml
)

func newKiller(s *harness.Stack, p *plan) *killer {
	return &killer{stack: s, rand: rand.New(rand.NewPCG(p.rand.Uint64(), 1))}
}

func (k *killer) run(ctx context.Context, progress func() float64) error {
	for ctx.Err() == nil {
		done := progress()
		if done >= 1 {
			return nil
		}
		if done > float64(k.stacks+1)/3 && k.stacks < 2 {
			if err := k.killStack(ctx); err != nil {
				return err
			}
			continue
		}
		if err := k.killFunction(ctx); err != nil {
			return err
		}
		time.Sleep(time.Duration(200+k.rand.IntN(600)) * time.Millisecond)
	}
	return ctx.Err()
}

func (k *killer) killStack(ctx context.Context) error {
	k.kills = append(k.kills, kill{at: time.Now(), stack: true})
	if err := k.stack.Kill(); err != nil {
		return fmt.Errorf("kill the stack: %w", err)
	}
	k.stacks++
	if err := k.stack.Start(ctx); err != nil {
		return fmt.Errorf("start the stack again: %w", err)
	}
	return nil
}

func (k *killer) killFunction(ctx context.Context) error {
	children, err := k.stack.Children(ctx)
	if err != nil || len(children) == 0 {
		return err
	}
	child := children[k.rand.IntN(len(children))]
	k.kills = append(k.kills, kill{at: time.Now(), what: filepath.Base(child.Command)})
	if err := harness.KillChild(child); err == nil {
		k.functions++
	}
	return nil
}
