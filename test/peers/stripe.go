package main

import (
	"context"
	"fmt"
	"path/filepath"
)

// stripe is localstripe, read by the preset as it is, but for its address.
type stripe struct{ server }

const stripeKey = "sk_test_of_nobody"

func (s *stripe) name() string { return "localstripe" }

func (s *stripe) command(installed, _ string) ([]string, error) {
	return []string{filepath.Join(installed, "venv/bin/localstripe"), "--port", s.port(), "--from-scratch"}, nil
}

func (s *stripe) ready(ctx context.Context) bool {
	return s.call(ctx, "GET", "/v1/events", stripeKey, "", nil, nil) == nil
}

func (s *stripe) fill(ctx context.Context, later bool) error {
	n := 250
	if later {
		n = 60
	}
	for i := range n {
		if err := s.call(ctx, "POST", "/v1/customers", stripeKey, "application/x-www-form-urlencoded", fmt.Appendf(nil, "email=customer-%d@example.com", i), nil); err != nil {
			return err
		}
	}
	return nil
}

func (s *stripe) config() string {
	return fmt.Sprintf(`  localstripe:
    poll: { provider: stripe, resource: events, every: 5s, min: 5s, adapt: none, base_url: "http://%s", token: ssm:/peers/stripe }
`, s.host)
}

func (s *stripe) has(ctx context.Context) (ids []string, err error) {
	for after := ""; ; {
		var page struct {
			Data    []struct{ ID string }
			HasMore bool `json:"has_more"`
		}
		if err := s.call(ctx, "GET", "/v1/events?limit=50"+after, stripeKey, "", nil, &page); err != nil {
			return nil, err
		}
		for _, e := range page.Data {
			ids = append(ids, e.ID)
		}
		if !page.HasMore || len(page.Data) == 0 {
			return ids, nil
		}
		after = "&starting_after=" + page.Data[len(page.Data)-1].ID
	}
}
