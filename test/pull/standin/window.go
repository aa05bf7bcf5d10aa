package standin

import (
	"slices"
	"sync"
	"time"
)

// A Window counts what one credential asks for in every window of a length, and
// notes each request that was one too many.
type Window struct {
	requests int
	per      time.Duration

	mu         sync.Mutex
	at         []time.Time // of the requests, for all time
	violations int
}

// NewWindow allows so many requests in each window of that length.
func NewWindow(requests int, per time.Duration) *Window {
	return &Window{requests: requests, per: per}
}

// Take notes a request; false is one too many.
func (w *Window) Take(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = append(w.at, now)
	from, _ := slices.BinarySearchFunc(w.at, now.Add(-w.per), time.Time.Compare)
	if len(w.at)-from > w.requests {
		w.violations++
		return false
	}
	return true
}

// Seen is how many requests came, the most of any window, and how many were too many.
func (w *Window) Seen() (all, most, violations int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, at := range w.at {
		from, _ := slices.BinarySearchFunc(w.at[:i], at.Add(-w.per), time.Time.Compare)
		most = max(most, i+1-from)
	}
	return len(w.at), most, w.violations
}
