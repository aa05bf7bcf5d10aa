package apiauth

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	margin   = time.Minute      // before a token runs out it is renewed
	patience = 90 * time.Second // for getting one, with the wait for another who gets it
	pause    = 30 * time.Second // after a refusal that will not heal
)

// A token is what is sent in the place of the credential.
type token struct {
	value   string
	got     time.Time
	expires time.Time // zero: not known
}

// lives reports whether the token is good for some time yet.
func (t token) lives(now time.Time) bool {
	return t.value != "" && (t.expires.IsZero() || now.Before(t.expires.Add(-min(margin, t.expires.Sub(t.got)/4))))
}

// tokens keeps the one token of a credential, and renews it in time. However many
// want it, one gets it.
type tokens struct {
	get func(ctx context.Context, refused string) (token, error)
	now func() time.Time

	flight  singleflight.Group
	mu      sync.Mutex
	current token
	refused string // the last token that the API would not take
	err     error  // a refusal that will not heal by itself
	again   time.Time
}

// value is the token now.
func (s *tokens) value(ctx context.Context) (string, error) {
	if t, err := s.known(); err != nil || t.value != "" {
		return t.value, err
	}
	// Others wait for it too, and a refresh that was begun must be kept: it does
	// not end with this caller's time.
	got := s.flight.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		return s.renew(ctx)
	})
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case r := <-got:
		if r.Err != nil {
			return "", r.Err
		}
		return r.Val.(string), nil //nolint:forcetypeassert // renew gives a string
	}
}

// known is the token that may be used on, or why there is none.
func (s *tokens) known() (token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	switch {
	case s.current.lives(now):
		return s.current, nil
	case now.Before(s.again):
		return token{}, s.err
	}
	return token{}, nil
}

func (s *tokens) renew(ctx context.Context) (string, error) {
	if t, err := s.known(); err != nil || t.value != "" {
		return t.value, err
	}
	s.mu.Lock()
	refused := s.refused
	s.mu.Unlock()
	t, err := s.get(ctx, refused)

	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.current, s.err, s.again = t, nil, time.Time{}
		return t.value, nil
	}
	now := s.now()
	if e, ok := errors.AsType[*Error](err); ok && e.Lasting {
		s.err, s.again = e.remembered(), now.Add(pause)
	} else if s.current.value != "" && now.Before(s.current.expires) {
		return s.current.value, nil // it was to be renewed early; it still is good
	}
	return "", err
}

// drop forgets the token, if it is the one that was refused.
func (s *tokens) drop(is func(token string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current.value != "" && is(s.current.value) {
		s.refused, s.current = s.current.value, token{}
	}
}

func permanent(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Lasting
}

// tokenPlace is how a token is sent.
func (a *Authenticator) tokenPlace(value string) placed {
	name := or(a.auth.Name, "Authorization")
	prefix := a.auth.Prefix
	if prefix == "" && a.auth.Name == "" {
		prefix = "Bearer"
	}
	return placed{or(a.auth.In, "header"), name, strings.TrimSpace(prefix + " " + value)}
}

// gets has the authenticator send the tokens that get gives.
func (b *builder) gets(get func(ctx context.Context, refused string) (token, error)) {
	where := b.where()
	if where != "header" {
		b.need("name", b.auth.Name, "the parameter or cookie that takes the token")
	}
	b.carried(where, b.auth.Name)
	b.tokens = &tokens{get: get, now: b.o.Now}
	b.put = func(ctx context.Context) ([]placed, error) {
		value, err := b.tokens.value(ctx)
		if err != nil {
			return nil, err
		}
		return []placed{b.tokenPlace(value)}, nil
	}
}
