package main

import (
	"context"
	"os"
	"strings"
	"time"
)

// endWithGoRun ends the context it returns when the `go run` that started us is
// gone: killed by a SIGTERM, it does not pass the signal on, and would leave
// behind a stack that nobody sees. A command that was built is left alone, as it
// may be meant to outlive its shell.
func endWithGoRun(ctx context.Context) context.Context {
	exe, err := os.Executable()
	if err != nil || !strings.Contains(exe, "go-build") {
		return ctx
	}
	ctx, cancel := context.WithCancel(ctx)
	parent := os.Getppid()
	go func() {
		defer cancel()
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for os.Getppid() == parent {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return ctx
}
