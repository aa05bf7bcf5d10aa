package webhook

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"pushpull/shared/config"
)

// A token is a shared text that the request shows.
type token struct {
	references []string
	place      place
}

func newToken(auth config.Auth) (scheme, error) {
	p, err := newPlace(auth.Signature)
	if err != nil {
		return nil, err
	}
	return &token{references: auth.Secret, place: p}, nil
}

func (t *token) readsBody() bool    { return t.place.Body != "" || t.place.Form != "" }
func (t *token) covers(string) bool { return true } // nothing is signed; who has the token is the sender

func (t *token) verify(_ context.Context, c Credentials, v *view, _ time.Time) error {
	keep := func(s string) ([]byte, error) { return []byte(s), nil }
	groups, err := t.place.claims(v, keep, nil)
	if err != nil {
		return err
	}
	return shown(groups[0].signatures, c.of(t.references))
}

// shown compares what the request shows with every secret, by hashes, so that
// not even their lengths are told by time.
func shown(texts [][]byte, secrets []string) error {
	if len(secrets) == 0 {
		return fmt.Errorf("%w: there is none", ErrSecret)
	}
	matches, empty := 0, false
	for _, secret := range secrets {
		if secret == "" {
			empty = true
			continue
		}
		want := sha256.Sum256([]byte(secret))
		for _, text := range texts {
			got := sha256.Sum256(text)
			matches |= subtle.ConstantTimeCompare(got[:], want[:])
		}
	}
	switch {
	case matches == 1:
		return nil
	case empty:
		return fmt.Errorf("%w: it is empty", ErrSecret)
	}
	return ErrSignature
}

func (t *token) sign(c Credentials, r *Request, o signing) error {
	secrets := c.of(t.references)
	if len(secrets) == 0 {
		return fmt.Errorf("%w: there is none to show", ErrSecret)
	}
	return o.put(t.place, r, t.place.write(secrets[0], "", nil))
}

// A basic is HTTP Basic; the secret is user:password.
type basic struct{ references []string }

func newBasic(auth config.Auth) (scheme, error) { return &basic{auth.Secret}, nil }

func (b *basic) readsBody() bool    { return false }
func (b *basic) covers(string) bool { return true } // as with a token

func (b *basic) verify(_ context.Context, c Credentials, v *view, _ time.Time) error {
	value := v.r.Header.Get("Authorization")
	if value == "" {
		return fmt.Errorf("%w: header Authorization is absent", ErrMissing)
	}
	encoded, ok := cutPrefixFold(value, "Basic ")
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if !ok || err != nil || len(value) > maxSignature {
		return fmt.Errorf("%w: header Authorization is not HTTP Basic", ErrSignature)
	}
	return shown([][]byte{text}, c.of(b.references))
}

func (b *basic) sign(c Credentials, r *Request, _ signing) error {
	secrets := c.of(b.references)
	if len(secrets) == 0 {
		return fmt.Errorf("%w: there is none to show", ErrSecret)
	}
	r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(secrets[0])))
	return nil
}
