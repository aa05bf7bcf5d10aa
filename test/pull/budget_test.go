package main

import (
	"testing"
	"time"
)

func TestEightPollersKeepToOneBudget(t *testing.T) {
	t.Parallel()
	p, err := press(t.Context(), budgetCase{40, time.Second, 8 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d requests, %d in a window at most, %.1f %% of the limit", p.requests, p.most, 100*p.used)
	if p.violations > 0 {
		t.Errorf("%d requests were more than the limit of their window", p.violations)
	}
}
