package webhook

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"pushpull/shared/config"
)

// none is the scheme that takes everything.
type none struct{}

func newNone(config.Auth) (scheme, error) { return none{}, nil }

func (none) verify(context.Context, Credentials, *view, time.Time) error { return nil }
func (none) sign(Credentials, *Request, signing) error                   { return nil }
func (none) readsBody() bool                                             { return false }
func (none) covers(string) bool                                          { return false }

// list makes the schemes of an all or any ready.
func list(auth config.Auth) ([]scheme, error) {
	if len(auth.Of) == 0 {
		return nil, fmt.Errorf("scheme %s has none: list them in of", auth.Scheme)
	}
	var made []scheme
	var errs []error
	for i, one := range auth.Of {
		s, err := compile(one)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("of.%d: %w", i, err))
		case one.Scheme == "none":
			errs = append(errs, fmt.Errorf("of.%d: none beside others would take every request, or do nothing: leave it out", i))
		}
		made = append(made, s)
	}
	return made, errors.Join(errs...)
}

// all passes what each of its schemes passes.
type all []scheme

func newAll(auth config.Auth) (scheme, error) {
	made, err := list(auth)
	return all(made), err
}

func (s all) readsBody() bool { return slices.ContainsFunc(s, scheme.readsBody) }
func (s all) covers(field string) bool {
	return slices.ContainsFunc(s, func(one scheme) bool { return one.covers(field) })
}

func (s all) verify(ctx context.Context, c Credentials, v *view, at time.Time) error {
	for _, one := range s {
		if err := one.verify(ctx, c, v, at); err != nil {
			return err
		}
	}
	return nil
}

func (s all) sign(c Credentials, r *Request, o signing) error {
	for _, one := range s {
		if err := one.sign(c, r, o); err != nil {
			return err
		}
	}
	return nil
}

// either passes what one of its schemes passes.
type either []scheme

func newAny(auth config.Auth) (scheme, error) {
	made, err := list(auth)
	return either(made), err
}

func (s either) readsBody() bool { return slices.ContainsFunc(s, scheme.readsBody) }
func (s either) covers(field string) bool {
	return !slices.ContainsFunc(s, func(one scheme) bool { return !one.covers(field) })
}

// verify gives the verdict that says most: what is our fault may have passed
// otherwise, a stale one was signed, a wrong one carried a signature.
func (s either) verify(ctx context.Context, c Credentials, v *view, at time.Time) error {
	rank := func(err error) int {
		for i, verdict := range []error{ErrKey, ErrSecret, ErrStale, ErrSignature} {
			if errors.Is(err, verdict) {
				return i
			}
		}
		return 4
	}
	var worst error
	for _, one := range s {
		err := one.verify(ctx, c, v, at)
		if err == nil {
			return nil
		}
		if worst == nil || rank(err) < rank(worst) {
			worst = err
		}
	}
	return worst
}

// sign signs by the first scheme that the request can be signed by.
func (s either) sign(c Credentials, r *Request, o signing) error {
	var errs []error
	for _, one := range s {
		signed := *r
		signed.Header = slices.Clone(r.Header)
		err := one.sign(c, &signed, o)
		if err == nil {
			*r = signed
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// equals asks of a request that values in it equal templates, besides a scheme.
type equals struct {
	scheme
	pairs []pair
}

type pair struct {
	value piece
	want  template
}

func newEqual(of scheme, equal map[string]string) (scheme, error) {
	e := &equals{scheme: of}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(equal)) {
		value, err := parsePlaceholder(name)
		if err != nil {
			errs = append(errs, fmt.Errorf("equal: %w", err))
		}
		want, err := parseTemplate(equal[name], false)
		if err != nil {
			errs = append(errs, fmt.Errorf("equal %s: %w", name, err))
		}
		e.pairs = append(e.pairs, pair{value, want})
	}
	return e, errors.Join(errs...)
}

func (e *equals) covers(field string) bool {
	return e.scheme.covers(field) || slices.ContainsFunc(e.pairs, func(p pair) bool { return p.want.has(rawBody) })
}

func (e *equals) verify(ctx context.Context, c Credentials, v *view, at time.Time) error {
	for i := range e.pairs {
		p := &e.pairs[i]
		got, err := p.value.value(v)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrMissing, err)
		}
		want, err := p.want.text(v)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrMissing, err)
		}
		if !equal(got, want) {
			return fmt.Errorf("%w: %s is not what it must equal", ErrSignature, p.value.name)
		}
	}
	return e.scheme.verify(ctx, c, v, at)
}

// sign sets the headers and parameters that must equal something, then signs.
func (e *equals) sign(c Credentials, r *Request, o signing) error {
	for i := range e.pairs {
		p := &e.pairs[i]
		want, err := p.want.text(&view{r: r})
		if err != nil {
			return err
		}
		switch p.value.source {
		case header:
			r.Header.Set(p.value.arg, want)
		case queryParameter:
			setQuery(r, p.value.arg, want)
		default:
		}
	}
	return e.scheme.sign(c, r, o)
}
