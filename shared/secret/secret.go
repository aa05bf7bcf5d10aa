// Package secret resolves references to secrets (ssm:/name,
// secretsmanager:name, secretsmanager:name#field, env:NAME) and caches them.
// Its one invariant: a secret's value is never in an error or a log.
package secret

import (
	"context"
	"errors"
)

// A Store resolves and caches. It is safe for concurrent use.
type Store struct{}

// ErrUnresolved wraps every error of a reference that could not be resolved:
// a mistake of ours, not of the caller that presented a signature.
var ErrUnresolved = errors.New("secret not resolved")

// All resolves the references, in their order. Values are kept for five minutes;
// one that cannot be refreshed is used on, with a warning in the log.
func (s *Store) All(ctx context.Context, refs []string) ([]string, error) { return nil, ErrUnresolved }

// Fresh resolves the references anew, at most once every few seconds each: for
// the caller whose check failed, as the secret may just have been rotated.
func (s *Store) Fresh(ctx context.Context, refs []string) ([]string, error) {
	return nil, ErrUnresolved
}
