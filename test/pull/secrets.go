package main

import (
	"context"
	"errors"
	"fmt"
)

// Secrets are values by reference.
type secrets map[string]string

func (s secrets) All(_ context.Context, refs []string) ([]string, error) {
	var out []string
	for _, ref := range refs {
		v, ok := s[ref]
		if !ok {
			return nil, fmt.Errorf("no secret %s", ref)
		}
		out = append(out, v)
	}
	return out, nil
}

func (s secrets) Fresh(ctx context.Context, refs []string) ([]string, error) { return s.All(ctx, refs) }

func (s secrets) Anew(_ context.Context, ref string) (string, error) { return s[ref], nil }

func (s secrets) Put(context.Context, string, string, bool) error {
	return errors.New("nothing is to be put")
}
