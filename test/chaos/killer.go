package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"pushpull/test/harness"
)

// A killer kills function processes while events are pushed, and the whole stack
// when a third and two thirds of them were begun.
type killer struct {
	stack *harness.Stack
	rand  *rand.Rand

	functions, stacks int
	at                []time.Time // of every kill
}

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
		time.Sleep(time.Duration(200+k.rand.IntN(600)) * time.Millisecond) //nolint:forbidigo // the pace of the kills
	}
	return ctx.Err()
}

func (k *killer) killStack(ctx context.Context) error {
	k.at = append(k.at, time.Now())
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
	k.at = append(k.at, time.Now())
	if err := harness.KillChild(children[k.rand.IntN(len(children))]); err == nil {
		k.functions++
	}
	return nil
}
