package awslite

import (
	"context"
	"errors"
	"time"
)

// Retries are for passing trouble: few, soon, and never past the caller's time.
const (
	maxAttempts = 4 // the first and three more
	firstDelay  = 50 * time.Millisecond
	longestWait = time.Second
)

// do makes the call, again where that may help.
func (c *Client) do(ctx context.Context, call *call) ([]byte, error) {
	for n := 1; ; n++ {
		body, err := c.attempt(ctx, call)
		if err == nil || n >= c.attempts || ctx.Err() != nil || !passing(err) {
			return body, err
		}
		if !c.wait(ctx, c.delay(n, err)) {
			return nil, err
		}
	}
}

// passing reports whether the same call may succeed a moment later.
func passing(err error) bool {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Passing()
	}
	_, ok := errors.AsType[*brokenError](err)
	return ok
}

// delay returns how long to wait after the nth attempt: up to 50 ms, 100 ms,
// 200 ms …, with full jitter, so that callers that were throttled together do
// not come back together. A connection that broke is most often one that was
// kept alive too long: the first time, a new one is tried at once.
func (c *Client) delay(n int, err error) time.Duration {
	if _, broken := errors.AsType[*brokenError](err); broken && n == 1 {
		return 0
	}
	longest := min(firstDelay<<min(n-1, 16), c.longest)
	return time.Duration(c.jitter() * float64(longest))
}

// wait waits for d, and reports false where ctx ends before.
func (c *Client) wait(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return ctx.Err() == nil
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
