package webhook

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tidwall/gjson"

	"pushpull/shared/config"
	"pushpull/shared/event"
)

// The verdicts on a request that is not taken. ErrSecret and ErrKey are not the
// request's fault but ours or the network's: a secret that the scheme cannot
// use, a public key that could not be fetched.
var (
	ErrMissing   = errors.New("no signature")
	ErrSignature = errors.New("signature does not match")
	ErrStale     = errors.New("timestamp outside the tolerance")
	ErrSecret    = errors.New("secret unusable")
	ErrKey       = errors.New("public key not available")
)

// Credentials are what a request is checked with.
type Credentials struct {
	// Secrets are the values of the source's secret: any of them verifies.
	Secrets []string
	// Own are the values of the references that schemes have of their own.
	Own map[string]string
	// VerifyToken is the value of verify_token, for answers.
	VerifyToken string
	// Keys fetches public keys; nil where no scheme has an address of keys.
	Keys *Keys
	// Private is the PEM of a private key, to sign with.
	Private string
}

// of are the secrets for a scheme with these references of its own.
func (c Credentials) of(references []string) []string {
	if len(references) == 0 {
		return c.Secrets
	}
	var values []string
	for _, ref := range references {
		if value, ok := c.Own[ref]; ok {
			values = append(values, value)
		}
	}
	return values
}

// A Verifier is a scheme with its parameters, made ready. It is safe for
// concurrent use.
type Verifier struct {
	auth   config.Auth
	scheme scheme
}

// A scheme is one way to authenticate. To add one: a file with its type, and its
// line in schemes.
type scheme interface {
	// verify returns nil or an error that wraps one of the verdicts.
	verify(ctx context.Context, c Credentials, v *view, at time.Time) error
	// sign makes r what its provider would send.
	sign(c Credentials, r *Request, o signing) error
	// readsBody reports whether it looks into the body, so that Request.Plain is needed.
	readsBody() bool
	// covers reports whether a change of any byte of the body would be seen, or of
	// that field of a form, where it is all that is read.
	covers(field string) bool
}

// schemes makes each scheme ready; the error says everything that is wrong.
func schemes() map[string]func(config.Auth) (scheme, error) {
	return map[string]func(config.Auth) (scheme, error){
		"hmac":    newHash,
		"digest":  newHash,
		"ed25519": newPublicKey,
		"ecdsa":   newPublicKey,
		"rsa":     newPublicKey,
		"rsa-pss": newPublicKey,
		"jwt":     newJWT,
		"token":   newToken,
		"basic":   newBasic,
		"ip":      newNetworks,
		"mtls":    newCertificate,
		"all":     newAll,
		"any":     newAny,
		"none":    newNone,
	}
}

// Compile makes a scheme ready. The error says everything that is wrong with it.
func Compile(auth config.Auth) (*Verifier, error) {
	made, err := compile(auth)
	if err != nil {
		return nil, err
	}
	if err := signsARequest(auth); err != nil {
		return nil, err
	}
	return &Verifier{auth: auth, scheme: made}, nil
}

func compile(auth config.Auth) (scheme, error) {
	ready, ok := schemes()[auth.Scheme]
	if !ok {
		return nil, fmt.Errorf("scheme %q: there are %v", auth.Scheme, slices.Sorted(maps.Keys(schemes())))
	}
	made, err := ready(auth)
	if err != nil {
		return nil, err
	}
	if len(auth.Equal) > 0 {
		if made, err = newEqual(made, auth.Equal); err != nil {
			return nil, err
		}
	}
	if auth.Field != "" && auth.Each != "" {
		return nil, errors.New("field and each are both there, and only one would be checked: keep one")
	}
	if auth.Field != "" {
		return &inField{made, auth.Field}, nil
	}
	if auth.Each != "" {
		path, err := event.ParsePath(auth.Each)
		if err != nil {
			return nil, fmt.Errorf("each: %w", err)
		}
		return &each{of: made, path: path, written: auth.Each}, nil
	}
	return made, nil
}

// Verify says whether r is authentic, at a time within the tolerance of at. It
// returns nil, or an error that wraps ErrMissing (the request carries no
// signature, or lacks something that would be signed), ErrSignature, ErrStale
// (signed, but too long ago or too far in the future), ErrSecret or ErrKey.
// Nothing of a secret, a signature or the body is in the error.
func (v *Verifier) Verify(ctx context.Context, c Credentials, r Request, at time.Time) error {
	return v.scheme.verify(ctx, c, &view{r: &r}, at)
}

// ReadsBody reports whether the scheme looks into the body, so that a
// compressed one must be decoded first.
func (v *Verifier) ReadsBody() bool { return v.scheme.readsBody() }

// Covers reports whether a change of what is read would be seen: of any byte of
// the body, or of that field of a form where it is all that is read ("" is none).
// Who captured one request of a scheme that does not can send others.
func (v *Verifier) Covers(field string) bool { return v.scheme.covers(field) }

// References are the secrets that schemes have of their own, sorted.
func References(auth config.Auth) []string {
	refs := slices.Clone([]string(auth.Secret))
	for _, one := range auth.Of {
		refs = append(refs, References(one)...)
	}
	slices.Sort(refs)
	return slices.Compact(refs)
}

// UsesSecret reports whether a scheme within needs the source's own secret.
func UsesSecret(auth config.Auth) bool {
	switch auth.Scheme {
	case "none", "ip", "mtls":
		return false
	case "all", "any":
		return slices.ContainsFunc(auth.Of, UsesSecret)
	}
	return len(auth.Secret) == 0 && auth.Key.URL == ""
}

// equal is constant-time, whatever the lengths.
func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// each applies a scheme to every element of an array of the body.
type each struct {
	of            scheme
	path, written string
}

func (e *each) readsBody() bool    { return true }
func (e *each) covers(string) bool { return false }

func (e *each) verify(ctx context.Context, c Credentials, v *view, at time.Time) error {
	items := gjson.GetBytes(v.json(), e.path)
	if !items.IsArray() {
		return fmt.Errorf("%w: body.%s is no array", ErrMissing, e.written)
	}
	if duplicateKey(v.json()) {
		return fmt.Errorf("%w: the body has a member twice, or is too deep to tell", ErrSignature)
	}
	var failed error
	n := 0
	items.ForEach(func(_, item gjson.Result) bool {
		n++
		failed = e.of.verify(ctx, c, &view{r: v.r, item: []byte(item.Raw)}, at)
		return failed == nil
	})
	if n == 0 {
		return fmt.Errorf("%w: body.%s is empty", ErrMissing, e.written)
	}
	return failed
}
