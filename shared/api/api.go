// Package api makes one request to a provider's API: authenticated, within the
// credential's budget, tried again where that helps, and judged.
//
// Its one invariant: the credential goes to the API's own scheme, host and port,
// and to the hosts that the configuration lists, and nowhere else.
//
// What an answer becomes, the first that fits:
//
//	a status of Request.OK                         the answer
//	429; 503 that says when to come back; 403
//	that says so, or that nothing is left; what
//	rate_limit.limited_when finds, whatever status *Limited; waited for where MaxWait allows
//	2xx, 304                                       the answer
//	a status of on_expired, if its when holds      *Expired
//	a status of retry.shrink_page_on               *TooLarge
//	408, 425, 5xx, a status of retry.statuses      tried again, then an error that may pass
//	any other                                      *Permanent, with what to check
//
// A 401 is asked again once, where the credential may have been renewed. A redirect
// is followed within the API's hosts.
package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"pushpull/shared/budget"
	"pushpull/shared/config"
	"pushpull/shared/guard"
	"pushpull/shared/jq"
)

const (
	defaultAttempts = 3
	defaultTimeout  = 30 * time.Second
	defaultBytes    = 32 << 20
	defaultWait     = 30 * time.Second
	connect         = 10 * time.Second
)

// Auth is a credential; apiauth.Authenticator is one.
type Auth interface {
	Apply(ctx context.Context, req *http.Request, body []byte) error
	Refused(ctx context.Context, req *http.Request) bool
	Clock(server time.Time)
	ClientCertificate(ctx context.Context) (*tls.Certificate, error)
	Key() string
}

// Budget is what all requests of a credential share; budget.Store is one.
type Budget interface {
	Take(ctx context.Context, key string, l budget.Limit, most time.Duration) error
	Told(ctx context.Context, key string, until time.Time)
}

// Options are what a Client needs besides its configuration.
type Options struct {
	// Auth puts the credential in; nil where there is none.
	Auth Auth
	// Budget is kept to; nil keeps to none.
	Budget Budget
	// Source is whose the limit is, where rate_limit.scope is source.
	Source string
	// Share is the part of the limit that this work may use, such as a backfill; 0 means all of it.
	Share float64
	// Client makes the requests; nil makes one. Its redirects are followed by our own rule.
	Client *http.Client
	// Public fetches what lies elsewhere; nil makes one that reaches public addresses only.
	Public *http.Client
	// Now is the local clock; nil is the real one.
	Now func() time.Time
	// Sleep waits between attempts; nil waits for real.
	Sleep func(ctx context.Context, d time.Duration) error
	// Told is given what each answer says of the limits; nil is told nothing.
	Told func(budget.Verdict)
	// Record is given each exchange as its body is closed.
	Record func(Exchange)
	// MaxWait is how long one Do may wait for limits. Default 30 s. It must be well
	// below the age that the API allows a signature.
	MaxWait time.Duration
}

// Config is what the configuration says of the API.
type Config struct {
	Base        *url.URL
	Hosts       []string // that get the credential besides Base's
	RateLimit   *config.RateLimit
	Retry       *config.RequestRetry
	Conditional string
	Expired     *config.OnExpired
	Timeout     time.Duration // for an answer to begin, and for each MiB of its body; default 30 s
	MaxBytes    int           // of a body that is read whole; default 32 MiB
}

// A Client makes requests to one API. It is safe for concurrent use.
type Client struct {
	c       Config
	o       Options
	key     string // of the budget
	limit   budget.Limit
	dialect *budget.Dialect
	expired *jq.Program

	mu        sync.Mutex
	own       *http.Client // once it is known whether there is a client's certificate
	elsewhere *http.Client
}

// New prepares a client. The error is a mistake in the configuration.
func New(c Config, o Options) (*Client, error) {
	if c.Base == nil || c.Base.Host == "" {
		return nil, errors.New("base_url is missing: say the api's address, such as https://api.example.com")
	}
	client := &Client{c: withDefaults(c), o: completed(o)}
	var err error
	if client.dialect, err = budget.NewDialect(c.RateLimit); err != nil {
		return nil, err
	}
	if c.Expired != nil && c.Expired.When != "" {
		if client.expired, err = jq.Compile(c.Expired.When); err != nil {
			return nil, fmt.Errorf("incremental.on_expired.when: %w", err)
		}
	}
	client.key = budgetKey(c, o)
	client.limit = budget.Limit{Reserve: client.dialect.Reserve(), Share: o.Share}
	if r := c.RateLimit; r != nil && r.Requests > 0 {
		client.limit.Requests, client.limit.Per = r.Requests, r.Per.Std()
		if client.limit.Per <= 0 {
			client.limit.Per = time.Minute
		}
	}
	return client, nil
}

// budgetKey is the same for all who share the limit.
func budgetKey(c Config, o Options) string {
	key := authority(c.Base)
	if o.Auth != nil {
		key += "/" + o.Auth.Key()
	}
	if c.RateLimit != nil && c.RateLimit.Scope == "source" {
		key += "/" + o.Source
	}
	return key
}

func withDefaults(c Config) Config {
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	if c.MaxBytes <= 0 {
		c.MaxBytes = defaultBytes
	}
	if c.Retry == nil {
		c.Retry = &config.RequestRetry{}
	}
	return c
}

func completed(o Options) Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.MaxWait <= 0 {
		o.MaxWait = defaultWait
	}
	if o.Client == nil {
		o.Client = guard.NewClient(connect, true)
	}
	return o
}

// A Request is one request to the API.
type Request struct {
	Method string // default GET
	URL    *url.URL
	Header http.Header
	Body   []byte
	// ETag and LastModified are the validators of the last answer, as it had them.
	ETag, LastModified string
	// OK are further statuses whose answer is wanted.
	OK []int
	// Once is a request that changes something: it is not made again where it is not
	// known whether the API had it.
	Once bool
	// Public is a file elsewhere: it gets no credential, spends no budget, and must be
	// at a public address.
	Public bool
	// Elsewhere tells whether a redirect may lead to that address outside of the API's
	// hosts; it is then fetched as Public is. Nil says no.
	Elsewhere func(*url.URL) bool
}

// An Answer is one to be read. Close its body.
type Answer struct {
	Status int
	Header http.Header
	Server time.Time // the API's clock, ours where it does not tell
	// Body is as it was sent, perhaps packed. It is bounded in time, not in size.
	Body io.ReadCloser
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
