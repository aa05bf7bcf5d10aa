package hydrate

import (
	"context"
	"sync"
	"time"
)

const (
	mostKept = 16 << 20 // bytes of answers that a source keeps
	// clocks is by how much those of two functions may differ.
	clocks = 100 * time.Millisecond
)

// answers has a burst of events for one thing fetched once. An answer serves an
// event only if it was asked for after the event had been received: an older one
// may lack what the event tells of.
type answers struct {
	keep time.Duration // after which an answer serves no more; 0 is as soon as it is there
	now  func() time.Time

	mu     sync.Mutex
	latest map[string]*answer // by request: under way, or kept
	kept   []*answer          // the oldest first
	size   int                // of those kept, in bytes
}

// An answer is one that is awaited, until done is closed.
type answer struct {
	key   string
	asked time.Time
	done  chan struct{}
	data  []byte // shared by all whom it serves: not to be changed
	err   error
}

// get returns the answer to a request for an event that was received then; ask
// asks the API.
func (a *answers) get(ctx context.Context, key string, received time.Time, ask func() ([]byte, error)) ([]byte, error) {
	one, first := a.find(key, received)
	if first {
		one.data, one.err = ask()
		a.settle(one)
		return one.data, one.err
	}
	select {
	case <-one.done:
		return one.data, one.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// find is an answer that serves, or a new one that is the caller's to ask for.
func (a *answers) find(key string, received time.Time) (one *answer, first bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	a.forget(now)
	one = a.latest[key]
	if one != nil && one.serves(received, now, a.keep) {
		return one, false
	}
	one = &answer{key: key, asked: now, done: make(chan struct{})}
	a.latest[key] = one
	return one, true
}

func (one *answer) serves(received, now time.Time, keep time.Duration) bool {
	select {
	case <-one.done:
		if now.Sub(one.asked) >= keep {
			return false
		}
	default: // under way, however long it takes
	}
	return !received.IsZero() && one.asked.Sub(received) > clocks
}

// settle gives an answer to those who wait for it, and keeps it for others, but
// for an error, which they may not meet.
func (a *answers) settle(one *answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	close(one.done)
	if a.latest[one.key] != one {
		return // a later one took its place
	}
	if one.err != nil || a.keep <= 0 {
		delete(a.latest, one.key)
		return
	}
	a.kept = append(a.kept, one)
	a.size += len(one.data)
	a.forget(a.now())
}

// forget drops the answers that are too old, and the oldest of too many.
func (a *answers) forget(now time.Time) {
	for len(a.kept) > 0 && (a.size > mostKept || now.Sub(a.kept[0].asked) >= a.keep) {
		one := a.kept[0]
		a.kept[0], a.kept = nil, a.kept[1:]
		a.size -= len(one.data)
		if a.latest[one.key] == one {
			delete(a.latest, one.key)
		}
	}
}
