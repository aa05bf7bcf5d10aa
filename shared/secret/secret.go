// Package secret resolves references to secrets (ssm:/name,
// secretsmanager:name, secretsmanager:name#field, env:NAME) and caches them.
// Its one invariant: a secret's value is never in an error or a log.
package secret

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// How long a value is used.
const (
	// keep is how long a value is used before it is read again.
	keep = 5 * time.Minute
	// pause is how long a reference is left alone after it was read, whatever
	// came of it: a wrong signature or a missing parameter must not become a
	// call for each request.
	pause = 5 * time.Second
	// stalePause is the same where an older value is used on meanwhile.
	stalePause = 30 * time.Second
	// patience bounds one reading of a reference: a store of secrets that hangs
	// must not eat the time in which a provider wants its answer.
	patience = 4 * time.Second
)

// ErrUnresolved wraps every error of a reference that could not be resolved:
// a mistake of ours, not of the caller that presented a signature.
var ErrUnresolved = errors.New("secret not resolved")

// A Caller makes one call of the AWS JSON protocol; awslite.Client is one.
type Caller interface {
	JSON(ctx context.Context, service, target, version string, in []byte, out any) error
}

// A Store resolves and caches. It is safe for concurrent use.
type Store struct {
	kinds      []kind
	parameters parameters
	log        *slog.Logger
	now        func() time.Time
	cache      cache
}

// New returns a store that reads ssm: and secretsmanager: references with the
// caller and env: references with getenv. The log is told of values that are
// used although they could not be refreshed.
func New(aws Caller, getenv func(string) string, log *slog.Logger) *Store {
	return &Store{
		kinds:      kinds(aws, getenv),
		parameters: parameters{aws},
		log:        log,
		now:        func() time.Time { return time.Now().Round(0) }, // a monotonic clock stands still while we are frozen
		cache:      cache{entries: map[string]*entry{}},
	}
}

// All resolves the references, in their order. Values are kept for five minutes;
// one that cannot be refreshed is used on, with a warning in the log.
func (s *Store) All(ctx context.Context, refs []string) ([]string, error) {
	return s.resolve(ctx, refs, keep)
}

// Fresh resolves the references anew, at most once every few seconds each: for
// the caller whose check failed, as the secret may just have been rotated.
func (s *Store) Fresh(ctx context.Context, refs []string) ([]string, error) {
	return s.resolve(ctx, refs, pause)
}

// resolve returns the values of the references, none of them read longer ago than age.
func (s *Store) resolve(ctx context.Context, refs []string, age time.Duration) ([]string, error) {
	values := make([]string, len(refs))
	missing := s.cache.lookup(refs, values, s.now(), age)
	if len(missing) == 0 {
		return values, nil
	}
	s.refresh(ctx, missing, age)
	var errs []error
	for i, ref := range refs {
		value, err := s.cache.value(ref)
		if err != nil {
			errs = append(errs, err)
		}
		values[i] = value
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return values, nil
}

// unresolved says which reference was not resolved, why, and how to mend it.
func unresolved(ref string, why error) error {
	return fmt.Errorf("%w: %s: %w", ErrUnresolved, ref, why)
}
