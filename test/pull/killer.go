package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"pushpull/test/harness"
)

// A killer kills pollers with -9, and notes how much memory any of them ever had.
type killer struct {
	stack *harness.Stack
	rand  *rand.Rand
	every time.Duration // between two kills; 0 kills none
	until func() bool   // no more kills

	kills int
	peak  int // KiB
}

// run ends with ctx.
func (k *killer) run(ctx context.Context) error {
	next := time.Now().Add(k.pause())
	for {
		pollers, err := k.pollers(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // there is nothing more to kill
		}
		if err != nil {
			return err
		}
		for _, p := range pollers {
			k.peak = max(k.peak, peakOf(p.PID))
		}
		if k.every > 0 && time.Now().After(next) && len(pollers) > 0 && !k.until() {
			if harness.KillChild(pollers[k.rand.IntN(len(pollers))]) == nil { // else it has ended by itself
				k.kills++
			}
			next = time.Now().Add(k.pause())
		}
		pause(ctx, 200*time.Millisecond)
	}
}

func (k *killer) pause() time.Duration {
	return k.every/2 + time.Duration(k.rand.Float64()*float64(k.every))
}

func (k *killer) pollers(ctx context.Context) ([]harness.Child, error) {
	children, err := k.stack.Children(ctx)
	if err != nil {
		return nil, fmt.Errorf("find the pollers: %w", err)
	}
	var pollers []harness.Child
	for _, c := range children {
		if strings.TrimSuffix(filepath.Base(c.Command), ".exe") == "poller" {
			pollers = append(pollers, c)
		}
	}
	return pollers, nil
}

// peakOf is the most memory that a process ever had, in KiB; 0 where the system does not say.
func peakOf(pid int) int {
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	n, err := strconv.Atoi(string(fields[0]))
	if err != nil {
		return 0
	}
	return n
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
