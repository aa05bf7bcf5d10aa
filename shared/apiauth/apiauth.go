// Package apiauth puts a credential into the requests that are made to a
// provider's API: a key as it is stored, a token that it gets and renews, or a
// signature of the request.
//
// Its one invariant: a refresh token that took another's place is in the secret
// store before the access token that came with it is used.
package apiauth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"pushpull/shared/config"
)

// Secrets resolves references to secrets; secret.Store does.
type Secrets interface {
	// All resolves the references, in their order; what it gives may be minutes old.
	All(ctx context.Context, refs []string) ([]string, error)
	// Fresh resolves them anew, at most once every few seconds.
	Fresh(ctx context.Context, refs []string) ([]string, error)
	// Anew reads one now, whatever is known of it.
	Anew(ctx context.Context, ref string) (string, error)
	// Put stores a value; where one is there already, only if it may be replaced.
	Put(ctx context.Context, ref, value string, replace bool) error
}

// A Locker lets one of all processes at a time refresh a credential; checkpoint.Store does.
type Locker interface {
	// Lock waits for the lock while ctx lasts. It is free again when unlock was
	// called, or after the length.
	Lock(ctx context.Context, key string, length time.Duration) (unlock func(context.Context), err error)
}

// Options are what an Authenticator works with.
type Options struct {
	Token   config.Secrets            // {token}
	Secrets map[string]config.Secrets // {name}
	With    map[string]string         // {name}
	Base    *url.URL                  // the API's address: a login, or a token_url without a host, follows it
	Store   Secrets
	Locker  Locker                   // for a rotated refresh token only
	Client  *http.Client             // for logins and token requests; nil: one of its own
	Now     func() time.Time         // nil: the wall clock
	Getenv  func(name string) string // for the role's own keys of aws_sigv4
}

// An Authenticator authenticates requests with one credential. It keeps tokens as
// long as it lives, and is safe for concurrent use.
type Authenticator struct {
	auth   config.APIAuth
	o      Options
	client *http.Client

	put    func(ctx context.Context) ([]placed, error)                     // what is put into a request; nil where it is signed
	sign   func(ctx context.Context, req *http.Request, body []byte) error // signs a request; nil where something is put in
	tokens *tokens                                                         // where what is put in is a token that was got
	query  []string                                                        // the parameters that carry the credential

	certificate, privateKey template

	secrets map[string]config.Secrets // the references in use, by name
	hosts   []string
	turn    atomic.Int64 // which of several references of a secret is used
	skew    atomic.Int64 // the provider's clock less ours, in nanoseconds
	signed  atomic.Int64 // what skew was when a request was signed last
}

// New prepares an authenticator. The error joins every *Mistake in the
// configuration, of which each begins with its key, such as auth.token_url.
func New(a *config.APIAuth, o Options) (*Authenticator, error) {
	if a == nil {
		a = &config.APIAuth{Type: "none"}
	}
	if o.Now == nil {
		o.Now = func() time.Time { return time.Now().Round(0) } // a monotonic clock stands still while we are frozen
	}
	auth := &Authenticator{auth: *a, o: o, secrets: map[string]config.Secrets{}}
	b := &builder{Authenticator: auth}
	b.certificates()
	if kind, ok := kinds[a.Type]; ok {
		kind.build(b)
	} else {
		b.wrong("type", "%q is not known: it is one of %s", a.Type, strings.Join(Types(), ", "))
	}
	auth.client = auth.tokenClient()
	return auth, errors.Join(b.mistakes...)
}

// Apply puts the credential into a request, which must be found to go to the
// API's own host before; body is what the request sends. It may be called again
// for the same request. Errors: *Error; any other may pass by itself. None holds
// the credential.
func (a *Authenticator) Apply(ctx context.Context, req *http.Request, body []byte) error {
	if a.sign != nil {
		return a.sign(ctx, req, body)
	}
	all, err := a.put(ctx)
	if err != nil {
		return err
	}
	for _, p := range all {
		if err := p.into(req); err != nil {
			return err
		}
	}
	return nil
}

// Refused is told of a request, as Apply left it, that the API refused for its
// credential (401). It forgets what that request carried, and reports whether
// making it once more may help.
func (a *Authenticator) Refused(ctx context.Context, req *http.Request) bool {
	switch {
	case a.tokens != nil:
		// Where another has got a new token meanwhile, that one is not forgotten.
		a.tokens.drop(func(token string) bool { return a.tokenPlace(token).in(req) })
		return true
	case a.sign != nil:
		return a.skewed() || a.changed(ctx)
	case a.auth.Type == "none":
		return false
	}
	a.changed(ctx)
	all, err := a.put(ctx)
	if err != nil {
		return false
	}
	if slices.ContainsFunc(all, func(p placed) bool { return !p.in(req) }) {
		return true
	}
	return a.next()
}

// changed reads the secrets anew and reports whether one is another now.
func (a *Authenticator) changed(ctx context.Context) bool {
	refs := a.refs()
	if len(refs) == 0 {
		return false
	}
	before, err := a.o.Store.All(ctx, refs)
	if err != nil {
		return false
	}
	after, err := a.o.Store.Fresh(ctx, refs)
	return err == nil && !slices.Equal(before, after)
}

// next goes on to the next of several references of a secret, if there are several.
func (a *Authenticator) next() bool {
	for _, refs := range a.secrets {
		if len(refs) > 1 {
			a.turn.Add(1)
			return true
		}
	}
	return false
}

// refs are all references in use, sorted.
func (a *Authenticator) refs() []string {
	var all []string
	for _, refs := range a.secrets {
		all = append(all, refs...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Names are those of the secrets in use, sorted; the token's is token.
func (a *Authenticator) Names() []string { return slices.Sorted(maps.Keys(a.secrets)) }

// Key names the credential: all who share it share its budget. It is a hash of the
// references and the API's host, never of a value.
func (a *Authenticator) Key() string {
	parts := a.refs()
	if a.o.Base != nil {
		parts = append(parts, a.o.Base.Host)
	}
	return digest(parts...)
}

// Hosts are those that a credential is sent to besides the API's own, sorted.
func (a *Authenticator) Hosts() []string {
	hosts := slices.Sorted(slices.Values(a.hosts))
	return slices.Compact(hosts)
}

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	return hex.EncodeToString(sum[:16])
}
