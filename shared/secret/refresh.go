package secret

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// A kind is one store of secrets that a reference names by its prefix.
type kind struct {
	prefix string // with its colon
	// read returns a value or an error for each name, which is a reference
	// without its prefix. An error says what is wrong and how to mend it, never a value.
	read func(ctx context.Context, names []string) []result
}

// A result is what reading one name gave.
type result struct {
	value string
	err   error
}

// refresh has the references read, each only once however many callers want it.
// It returns when they have been, or when the caller's time is up.
func (s *Store) refresh(ctx context.Context, refs []string, age time.Duration) {
	mine, readings := s.cache.claim(refs, s.now(), age)
	if len(mine) > 0 {
		// Others may wait for it too, so it does not end with this caller's time.
		go s.read(context.WithoutCancel(ctx), mine)
	}
	for _, reading := range readings {
		select {
		case <-reading:
		case <-ctx.Done():
			return
		}
	}
}

// read reads the references, the kinds at the same time and each kind in as few
// calls as it can, and ends the reading of every one.
func (s *Store) read(ctx context.Context, refs []string) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()

	var wait sync.WaitGroup
	for _, k := range s.kinds {
		var of, names []string
		for _, ref := range refs {
			if name, ok := strings.CutPrefix(ref, k.prefix); ok {
				of, names = append(of, ref), append(names, name)
			}
		}
		if len(of) == 0 {
			continue
		}
		wait.Go(func() {
			for i, r := range k.read(ctx, names) {
				s.end(of[i], r)
			}
		})
	}
	for _, ref := range refs {
		if !s.known(ref) {
			s.end(ref, result{err: errors.New("begins with none of " + s.prefixes())})
		}
	}
	wait.Wait()
}

// end keeps what reading one reference gave.
func (s *Store) end(ref string, r result) {
	if r.err == nil && r.value == "" {
		r.err = errors.New("is empty: store a value in it")
	}
	if r.err != nil {
		r.err = unresolved(ref, r.err)
	}
	if stale := s.cache.store(ref, r.value, r.err, s.now()); stale {
		s.log.Warn("secret not refreshed", slog.String("reference", ref), slog.Any("error", r.err))
	}
}

func (s *Store) known(ref string) bool {
	for _, k := range s.kinds {
		if strings.HasPrefix(ref, k.prefix) {
			return true
		}
	}
	return false
}

func (s *Store) prefixes() string {
	prefixes := make([]string, len(s.kinds))
	for i, k := range s.kinds {
		prefixes[i] = k.prefix
	}
	return strings.Join(prefixes, ", ")
}
