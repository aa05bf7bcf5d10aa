package main

import (
	"context"
	"sync"
	"time"

	"pushpull/shared/api"
	"pushpull/shared/budget"
	"pushpull/shared/checkpoint"
)

// A meter counts the requests of one job, each of which takes from the budget, and
// notes what the API tells of its limits.
type meter struct {
	api.Budget
	now func() time.Time

	mu       sync.Mutex
	requests int
	limits   *checkpoint.Limits
}

// Take is the budget's.
func (m *meter) Take(ctx context.Context, key string, l budget.Limit, most time.Duration) error {
	err := m.Budget.Take(ctx, key, l, most)
	if err == nil {
		m.mu.Lock()
		m.requests++
		m.mu.Unlock()
	}
	return err
}

// told notes what one answer says. Answers without a word on limits change nothing.
func (m *meter) told(v budget.Verdict) {
	if v.Remaining < 0 && v.Limit < 0 && v.Wait == 0 {
		return
	}
	at := m.now().UTC()
	limits := &checkpoint.Limits{Remaining: v.Remaining, Limit: v.Limit, At: at}
	if v.Wait > 0 {
		limits.Reset = at.Add(v.Wait)
	}
	m.mu.Lock()
	m.limits = limits
	m.mu.Unlock()
}

// read gives the requests since it was last read, and the limits as they stand.
func (m *meter) read() (requests int, limits *checkpoint.Limits) {
	m.mu.Lock()
	defer m.mu.Unlock()
	requests, m.requests = m.requests, 0
	return requests, m.limits
}
