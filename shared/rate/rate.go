// Package rate limits how many events of a source are taken: a token bucket for
// each source, shared by all receivers, which settle with it in arrears.
//
// Every environment has a bucket of its own in memory, decides by it, and makes
// no call for that. What it has taken it owes to the source's item in the table,
// and pays a chunk at a time: a tenth of the burst, two events at least. The
// answer tells how full the shared bucket is, so an environment refuses, without
// a call, until there is room as far as it knows.
//
// The item is a busy period: when it began, and the time at which the bucket will
// be full again, which each payment moves by as long as its events take to flow
// out (GCRA's theoretical arrival time). A payment names the time of its first
// event, not of the call. If the bucket was full by then, a new busy period
// begins there; else the events are added to the one that lasts, but for those
// that were taken before it began. So late payments charge nobody twice:
//
//   - A source that keeps to its rate and burst is never refused, however its
//     events are spread over environments, and however late they pay.
//   - Of N environments, with one request at a time each, each may owe up to a
//     chunk. In a busy period they take rate × time + burst + 2 × N chunks at most:
//     a chunk each that is not paid yet, and one that was taken before the period
//     began. One environment alone never takes more than rate × time + burst.
//   - A debt is forgotten when it is ten times as old as the bucket takes to
//     refill, so a trickle costs no call at all. Environments that each get less
//     than a hundredth of the rate are therefore not counted.
//   - A payment is one call, and two at most: the second where another
//     environment has moved the bucket meanwhile.
//
// A batch larger than the burst is taken when the bucket is full, and leaves it in
// debt: in the bounds above, a chunk is then as large as a batch.
//
// Two simpler ways were tried. To charge a debt at the time of the call refuses
// sources far below their rate, once many environments pay at the same time. To
// forget a debt as soon as the bucket could have refilled lets as many environments
// as there are each take a tenth of the rate for ever.
//
// Its one invariant: a table that does not answer refuses nobody. Each
// environment then keeps to the rate on its own.
package rate

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// patience bounds what a payment may cost the request that makes it.
	patience = 300 * time.Millisecond
	// pause is how long a table that did not answer is left alone.
	pause = 5 * time.Second
	// repeat is how often the log is told of a table that does not answer.
	repeat = time.Minute
)

// A Caller makes one call of the AWS JSON protocol; awslite.Client is one. Hand
// in one that does not retry: a payment made twice is charged twice.
type Caller interface {
	JSON(ctx context.Context, service, target, version string, in []byte, out any) error
}

// A Limiter is this environment's part of all limits. It is safe for concurrent use.
type Limiter struct {
	caller   Caller
	table    string
	log      *slog.Logger
	now      func() time.Time
	patience time.Duration

	mu      sync.Mutex
	buckets map[string]*bucket // by source
	told    time.Time          // when the log was told last
}

// New returns a limiter that settles in the table of state. It makes no call.
func New(caller Caller, table string, log *slog.Logger, now func() time.Time) *Limiter {
	return &Limiter{caller: caller, table: table, log: log, now: now, patience: patience, buckets: map[string]*bucket{}}
}

// A Decision is what came of asking.
type Decision struct {
	OK         bool
	Remaining  int           // events that there is room for now
	RetryAfter time.Duration // where refused: until there is room for as many events
	Reset      time.Duration // until the bucket is full
}

// Take asks for n events of a source, all or none. It never fails, and takes
// 300 ms at most. A limit without a rate takes all.
func (l *Limiter) Take(ctx context.Context, source string, limit Limit, n int) Decision {
	if limit.Rate <= 0 || n <= 0 {
		return Decision{OK: true, Remaining: limit.Burst}
	}
	b := l.bucket(source)
	now := l.now().UnixNano()
	decision, owed := b.take(now, limit, n)
	if owed == nil {
		return decision
	}
	paid, err := l.settle(ctx, source, limit, now, owed)
	if err != nil {
		b.forgive(now)
		l.tell(source, err)
		return decision
	}
	return b.learn(now, limit, paid)
}

func (l *Limiter) bucket(source string) *bucket {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[source]
	if b == nil {
		b = &bucket{}
		l.buckets[source] = b
	}
	return b
}

// tell logs a table that does not answer, once a minute.
func (l *Limiter) tell(source string, err error) {
	l.mu.Lock()
	now := l.now()
	due := l.told.IsZero() || now.Sub(l.told) >= repeat
	if due {
		l.told = now
	}
	l.mu.Unlock()
	if due {
		l.log.Warn("rate not shared: each environment keeps to it on its own", "source", source, "error", err)
	}
}
