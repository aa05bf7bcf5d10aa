package apiauth

import (
	"context"
	"encoding/json"
	"strings"
	"time"
)

const (
	lease      = time.Minute      // of the lock
	leaseUse   = 40 * time.Second // of it, for all but writing back
	storeTime  = 15 * time.Second // for writing a new refresh token back, whatever else
	mostStored = 4096             // bytes of a standard parameter
)

// A rotation refreshes a token whose refresh token is another each time. All
// processes share what is stored: only one of them refreshes, and what it got is
// the others', too.
type rotation struct {
	a     *Authenticator
	grant *grant
	ref   string

	unsaved *pair  // what could not be written back yet
	used    string // the refresh token that it takes the place of
}

// A pair is the value of the secret after the first refresh. Before it, it is the
// refresh token alone, as a person put it in.
type pair struct {
	RefreshToken string    `json:"refresh_token"`
	AccessToken  string    `json:"access_token,omitempty"`
	ExpiresAt    time.Time `json:"expires_at,omitzero"`
	GotAt        time.Time `json:"got_at,omitzero"`
}

func (p pair) token() token { return token{value: p.AccessToken, got: p.GotAt, expires: p.ExpiresAt} }

// good reports whether the access token may be used: not the one that the API refused.
func (p pair) good(now time.Time, refused string) bool {
	return p.AccessToken != refused && p.token().lives(now)
}

// get is called for one at a time in this process.
func (r *rotation) get(ctx context.Context, refused string) (token, error) {
	if r.unsaved == nil {
		stored, err := r.read(ctx)
		if err != nil {
			return token{}, err
		}
		if stored.good(r.a.o.Now(), refused) {
			return stored.token(), nil
		}
	}
	if r.a.o.Locker == nil {
		return token{}, lasting("auth.rotate", "there is no table to lock the refresh token with")
	}
	unlock, err := r.a.o.Locker.Lock(ctx, "auth/"+digest(r.ref), lease)
	if err != nil {
		return token{}, passing("auth.refresh_token", "another process refreshes it, or its lock cannot be had: %v", err)
	}
	defer unlock(context.WithoutCancel(ctx))
	ctx, cancel := context.WithTimeout(ctx, leaseUse)
	defer cancel()
	return r.locked(ctx, refused)
}

// locked does what only the holder of the lock may do.
func (r *rotation) locked(ctx context.Context, refused string) (token, error) {
	stored, err := r.read(ctx)
	if err != nil {
		return token{}, err
	}
	if r.unsaved != nil {
		p := *r.unsaved
		if stored.RefreshToken != r.used {
			r.unsaved = nil // somebody stored another: it counts
		} else if err := r.save(ctx, p); err != nil {
			return token{}, err
		} else {
			stored = p
		}
	}
	if stored.good(r.a.o.Now(), refused) {
		return stored.token(), nil
	}
	out, err := r.grant.refresh(ctx, stored.RefreshToken)
	if invalidGrant(err) {
		// It may have been replaced by one who did not hold the lock: a person.
		again, readErr := r.read(ctx)
		if readErr != nil {
			return token{}, readErr
		}
		if again.RefreshToken == stored.RefreshToken {
			return token{}, lasting("auth.refresh_token", "the provider does not take it any more (invalid_grant): authorise anew, and store the new refresh token at %s", r.ref)
		}
		stored = again
		out, err = r.grant.refresh(ctx, stored.RefreshToken)
	}
	if err != nil {
		return token{}, err
	}
	return r.keep(ctx, stored, out)
}

// keep writes back what a refresh gave, and only then gives out its access token.
func (r *rotation) keep(ctx context.Context, stored pair, out *answer) (token, error) {
	t, tokenErr := out.token("auth.token_url", r.grant.path, r.grant.lifetime, r.a.o.Now())
	next := pair{RefreshToken: stored.RefreshToken, AccessToken: t.value, ExpiresAt: t.expires, GotAt: t.got}
	if given := out.text("refresh_token"); given != "" {
		next.RefreshToken = given
	}
	if tokenErr != nil && next.RefreshToken == stored.RefreshToken {
		return token{}, tokenErr
	}
	r.used = stored.RefreshToken
	if err := r.save(ctx, next); err != nil {
		return token{}, err
	}
	return t, tokenErr
}

// save stores the pair. What cannot be stored is kept, to be stored before
// anything else is done.
func (r *rotation) save(ctx context.Context, p pair) error {
	text := string(jsonOf(p))
	if len(text) > mostStored {
		// Without it others refresh again, which is better than to lose the refresh token.
		text = string(jsonOf(pair{RefreshToken: p.RefreshToken}))
	}
	// The provider gave the old one up: whoever waits for it, this is to be done.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	var err error
	for try := range 3 {
		if try > 0 && !wait(ctx, time.Second<<try/4) {
			break
		}
		if err = r.a.o.Store.Put(ctx, r.ref, text, true); err == nil {
			r.unsaved = nil
			return nil
		}
	}
	r.unsaved = &p
	why := err.Error()
	if strings.Contains(why, p.RefreshToken) || p.AccessToken != "" && strings.Contains(why, p.AccessToken) {
		why = "the store's words quote it"
	}
	return passing("auth.rotate", "the new refresh token cannot be written to %s: %s", r.ref, why)
}

// wait reports whether it waited that long.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func (r *rotation) read(ctx context.Context) (pair, error) {
	text, err := r.a.o.Store.Anew(ctx, r.ref)
	if err != nil {
		return pair{}, err
	}
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "{") {
		return pair{RefreshToken: text}, nil
	}
	var p pair
	if json.Unmarshal([]byte(text), &p) != nil || p.RefreshToken == "" {
		return pair{}, lasting("auth.refresh_token", "what is stored at %s is neither a refresh token nor a document that has one: store the refresh token alone", r.ref)
	}
	return p, nil
}
