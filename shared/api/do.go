package api

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"pushpull/shared/apiauth"
	"pushpull/shared/budget"
)

const (
	firstBackoff = time.Second // doubles
	mostBackoff  = 30 * time.Second
	maxRedirects = 5
)

// Do makes a request until it is answered. Errors: *Limited, *Permanent, *Expired,
// *TooLarge, the context's; any other may pass by itself.
func (c *Client) Do(ctx context.Context, r Request) (*Answer, error) {
	left := c.o.MaxWait
	for attempt := 1; ; attempt++ {
		a, err := c.attempt(ctx, r, &left)
		if err == nil {
			return a, nil
		}
		wait, again := c.again(r, err, attempt, &left)
		if deadline, bounded := ctx.Deadline(); bounded && time.Until(deadline) <= wait {
			again = false
		}
		if !again || ctx.Err() != nil {
			return nil, err
		}
		if err := c.o.Sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// again tells whether and when the request is made once more.
func (c *Client) again(r Request, err error, attempt int, left *time.Duration) (time.Duration, bool) {
	most := c.c.Retry.Attempts
	if most <= 0 {
		most = defaultAttempts
	}
	if attempt >= most || lasting(err) {
		return 0, false
	}
	if limited, ok := errors.AsType[*Limited](err); ok {
		wait := limited.Until.Sub(c.o.Now())
		if wait > *left || limited.Status == 0 {
			return 0, false
		}
		*left -= wait
		return wait + rand.N(firstBackoff), true //nolint:gosec // jitter is no secret
	}
	if _, answered := errors.AsType[*unwell](err); r.Once && !answered {
		return 0, false
	}
	return rand.N(min(firstBackoff<<(attempt-1), mostBackoff)), true //nolint:gosec // jitter is no secret
}

// attempt makes the request once, or once more with a renewed credential.
func (c *Client) attempt(ctx context.Context, r Request, left *time.Duration) (*Answer, error) {
	a, sent, err := c.follow(ctx, r, left)
	if err != nil {
		return nil, err
	}
	if a.Status == http.StatusUnauthorized && c.o.Auth != nil && !sent.public && !slices.Contains(r.OK, a.Status) {
		c.o.Auth.Clock(a.Server)
		if c.o.Auth.Refused(ctx, sent.req) {
			_ = a.Body.Close()
			if a, sent, err = c.follow(ctx, r, left); err != nil {
				return nil, err
			}
		}
	}
	return c.judge(ctx, r, a, sent.public)
}

// sent is the request that an answer is of.
type sent struct {
	req    *http.Request
	public bool
}

// follow makes the request, and those that its redirects lead to.
func (c *Client) follow(ctx context.Context, r Request, left *time.Duration) (*Answer, sent, error) {
	for range maxRedirects + 1 {
		req, err := c.prepare(ctx, r, left)
		if err != nil {
			return nil, sent{}, err
		}
		a, err := c.send(ctx, r, req)
		if err != nil {
			return nil, sent{}, err
		}
		next, redirected, err := c.redirect(r, a)
		if err != nil || !redirected {
			if err != nil {
				_ = a.Body.Close()
			}
			return a, sent{req: req, public: r.Public}, err
		}
		_ = a.Body.Close()
		r = next
	}
	return nil, sent{}, permanent(0, "the api redirects more than %d times: check base_url and request.path", maxRedirects)
}

// redirect is the request that an answer asks for instead. Its headers, which may
// hold what only the API should see, do not go elsewhere.
func (c *Client) redirect(r Request, a *Answer) (Request, bool, error) {
	location := a.Header.Get("Location")
	switch a.Status {
	case http.StatusMovedPermanently, http.StatusFound:
		if r.Method == http.MethodPost {
			r.Method, r.Body = http.MethodGet, nil
		}
	case http.StatusSeeOther:
		r.Method, r.Body = http.MethodGet, nil
	case http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return Request{}, false, nil
	}
	if location == "" || slices.Contains(r.OK, a.Status) {
		return Request{}, false, nil
	}
	next, err := r.URL.Parse(location)
	if err != nil {
		return Request{}, false, permanent(a.Status, "the api redirects to what is not an address: check base_url and request.path")
	}
	r.URL = next
	switch {
	case r.Public && r.Elsewhere != nil && !c.ours(next) && !r.Elsewhere(next):
		return Request{}, false, permanent(0, "a file leads on to %s, where none may be: check which hosts are allowed", short(next.Host))
	case r.Public, c.ours(next):
		return r, true, nil
	case r.Elsewhere != nil && r.Elsewhere(next):
		if r.Method != "" && r.Method != http.MethodGet {
			return Request{}, false, permanent(a.Status, "the api redirects a %s to another host: check request.path", r.Method)
		}
		r.Public, r.Header, r.ETag, r.LastModified = true, nil, "", ""
		return r, true, nil
	default:
		return Request{}, false, foreign(next)
	}
}

// take waits for the credential's budget.
func (c *Client) take(ctx context.Context, left *time.Duration) error {
	if c.o.Budget == nil {
		return nil
	}
	most := *left
	if deadline, bounded := ctx.Deadline(); bounded {
		most = min(most, time.Until(deadline)-time.Second)
	}
	began := c.o.Now()
	err := c.o.Budget.Take(ctx, c.key, c.limit, max(most, 0))
	*left = max(*left-c.o.Now().Sub(began), 0)
	if full, ok := errors.AsType[*budget.Wait](err); ok {
		return &Limited{Until: full.Until}
	}
	return err
}

// unauthenticated sorts what goes wrong before a request is made.
func unauthenticated(err error) error {
	e, ok := errors.AsType[*apiauth.Error](err)
	switch {
	case !ok:
		return err
	case e.Permanent():
		return &Permanent{Reason: e.Error(), Err: e}
	case !e.Until.IsZero():
		return &Limited{Until: e.Until}
	default:
		return err
	}
}
