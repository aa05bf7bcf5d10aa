package rate

import (
	"sync"
	"time"
)

// A bucket is what one environment knows of one source's. Times are Unix
// nanoseconds by the wall clock: the monotonic one stands still while Lambda
// freezes the environment.
type bucket struct {
	mu     sync.Mutex
	full   int64   // when the bucket is full again, as far as is known here
	last   period  // what the table said last
	owed   []taken // not paid yet, the oldest first
	paying bool    // a payment is under way
	quiet  int64   // no payment before this time
}

// taken are events that were taken at about the same time.
type taken struct {
	at int64
	n  int
}

// A payment is a debt on its way, and what was known of the table before.
type payment struct {
	owed []taken
	last period
}

// take decides, and returns the payment that is due by it, if one is.
func (b *bucket) take(now int64, limit Limit, n int) (Decision, *payment) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.owed = since(b.owed, now-limit.forget())
	after, size := max(b.full, now)+limit.flow(n), limit.flow(limit.Burst)
	if after > now+size && b.full > now { // a full bucket gives any batch
		d := b.decision(now, limit)
		d.OK = false
		d.RetryAfter = time.Duration(min(after-size, b.full) - now)
		return d, nil
	}
	b.full = after
	b.owe(now, limit, n)
	if count(b.owed) < limit.chunk() || b.paying || now < b.quiet {
		return b.decision(now, limit), nil
	}
	due := &payment{owed: b.owed, last: b.last}
	b.owed, b.paying = nil, true
	return b.decision(now, limit), due
}

// owe notes a debt. Events of nearly the same time are one entry, with the time
// of the first, so that the list stays short at any rate.
func (b *bucket) owe(now int64, limit Limit, n int) {
	if i := len(b.owed) - 1; i >= 0 && now-b.owed[i].at <= limit.flow(limit.Burst)/64 {
		b.owed[i].n += n
		return
	}
	b.owed = append(b.owed, taken{now, n})
}

// learn ends a payment with what the table said. What could not be paid is owed on.
func (b *bucket) learn(now int64, limit Limit, p payment) Decision {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.paying, b.last = false, p.last
	b.owed = append(p.owed, b.owed...)
	b.full = max(b.full, p.last.full+limit.flow(count(since(b.owed, p.last.began))))
	return b.decision(now, limit)
}

// forgive ends a payment that failed. Whether it was taken is not known, so it
// is not made again.
func (b *bucket) forgive(now int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.paying, b.quiet = false, now+int64(pause)
}

func (b *bucket) decision(now int64, limit Limit) Decision {
	level := max(b.full-now, 0)
	room := max(limit.flow(limit.Burst)-level, 0)
	return Decision{OK: true, Remaining: int(float64(room) * limit.Rate / 1e9), Reset: time.Duration(level)}
}

// since is what was taken at that time or later.
func since(all []taken, at int64) []taken {
	for len(all) > 0 && all[0].at < at {
		all = all[1:]
	}
	return all
}

func count(all []taken) int {
	sum := 0
	for _, t := range all {
		sum += t.n
	}
	return sum
}
