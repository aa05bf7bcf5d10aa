package secret

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// ErrAbsent is wrapped by the error of a reference to which nothing is stored yet.
var ErrAbsent = errors.New("nothing is stored there")

// ErrTaken is returned by Put for a reference to which something is stored already.
var ErrTaken = errors.New("something is stored there already")

// Put stores a value that a provider handed over, at an ssm: reference; where
// something is there already, only if it may be replaced (ErrTaken otherwise).
// The new value is used from then on.
func (s *Store) Put(ctx context.Context, ref, value string, replace bool) error {
	name, ok := strings.CutPrefix(ref, "ssm:")
	if !ok {
		return fmt.Errorf("%s cannot be written: a secret that the provider hands over needs an ssm: reference", ref)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.parameters.write(ctx, name, value, replace); err != nil {
		return fmt.Errorf("store %s: %w", ref, err)
	}
	s.cache.forget(ref)
	return nil
}

// Anew reads a reference now, whatever is known of it: for who is about to
// replace what is there.
func (s *Store) Anew(ctx context.Context, ref string) (string, error) {
	if reading := s.cache.forget(ref); reading != nil {
		// It may have begun before what the caller knows of.
		select {
		case <-reading:
			s.cache.forget(ref)
		case <-ctx.Done():
		}
	}
	values, err := s.resolve(ctx, []string{ref}, keep)
	if err != nil {
		return "", err
	}
	return values[0], nil
}
