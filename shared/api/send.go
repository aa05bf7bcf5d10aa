package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"time"

	"pushpull/shared/guard"
)

const userAgent = "pushpull/1" // some refuse requests without one

// mostSkew is how far an API's clock may be from ours and be believed: a date of the
// year 9999 would hide all records until then.
const mostSkew = 24 * time.Hour

// errSlow is the cause of a context that ended because the API took too long.
var errSlow = errors.New("the api is too slow: raise request.timeout if that is its way")

// prepare makes the request ready to be sent at once.
func (c *Client) prepare(ctx context.Context, r Request, left *time.Duration) (*http.Request, error) {
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, r.URL.String(), bytes.NewReader(r.Body))
	if err != nil {
		return nil, permanent(0, "the address cannot be requested: check base_url and request")
	}
	if r.Header != nil {
		req.Header = r.Header.Clone()
	}
	setDefault(req.Header, "Accept", "application/json, */*;q=0.5")
	setDefault(req.Header, "User-Agent", userAgent)
	req.Header.Set("Accept-Encoding", "gzip")
	c.validators(req.Header, r)
	if r.Public {
		if !c.public(r.URL) {
			return nil, permanent(0, "a file lies at %s://%s, which is not https: it is not fetched", short(r.URL.Scheme), short(r.URL.Host))
		}
		return req, nil
	}
	if !c.ours(r.URL) {
		return nil, foreign(r.URL)
	}
	if c.o.Auth != nil { // before the budget, as a new token may take its time
		if err := c.o.Auth.Apply(ctx, req, r.Body); err != nil {
			return nil, unauthenticated(err)
		}
	}
	return req, c.take(ctx, left)
}

// validators ask whether anything changed: by date only where there is no tag.
func (c *Client) validators(h http.Header, r Request) {
	by := c.c.Conditional
	tag := r.ETag != "" && (by == "etag" || by == "both")
	if tag {
		h.Set("If-None-Match", r.ETag)
	}
	if r.LastModified != "" && (by == "last_modified" || by == "both" && !tag) {
		h.Set("If-Modified-Since", r.LastModified)
	}
}

func setDefault(h http.Header, name, value string) {
	if h.Get(name) == "" {
		h.Set(name, value)
	}
}

// send makes one request. The answer's body ends the request's context when closed.
func (c *Client) send(ctx context.Context, r Request, req *http.Request) (*Answer, error) {
	client, err := c.clientFor(ctx, r.Public)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	began := time.Now()
	timer := time.AfterFunc(c.c.Timeout, func() { cancel(errSlow) })
	resp, err := client.Do(req.WithContext(ctx))
	if !timer.Stop() && err == nil {
		_ = resp.Body.Close()
		err = errSlow
	}
	if err != nil {
		if context.Cause(ctx) == errSlow { //nolint:errorlint // it is itself
			err = errSlow
		}
		cancel(nil)
		if errors.Is(err, guard.ErrPrivate) {
			return nil, &Permanent{Reason: short(r.URL.Host) + ", which is not a public address, is not connected to", Err: err}
		}
		return nil, withoutURL(err, r.URL)
	}
	a := &Answer{Status: resp.StatusCode, Header: resp.Header, Server: c.o.Now()}
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil && at.Sub(a.Server).Abs() < mostSkew {
		a.Server = at
	}
	a.Body = &timed{body: resp.Body, cancel: cancel, cause: func() error { return context.Cause(ctx) }, most: c.c.Timeout, left: c.c.Timeout}
	if c.o.Record != nil {
		a.Body = c.record(r, a, time.Since(began))
	}
	return a, nil
}

// clientFor is the client of the API, with its certificate if it has one, or that
// for files elsewhere. Neither follows redirects.
func (c *Client) clientFor(ctx context.Context, public bool) (*http.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if public {
		if c.elsewhere == nil {
			c.elsewhere = c.o.Public
		}
		if c.elsewhere == nil {
			c.elsewhere = guard.NewClient(connect, guard.Loopback(c.c.Base.Hostname()))
		}
		return c.elsewhere, nil
	}
	if c.own != nil {
		return c.own, nil
	}
	client := *c.o.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if c.o.Auth != nil {
		certificate, err := c.o.Auth.ClientCertificate(ctx)
		if err != nil {
			return nil, unauthenticated(err)
		}
		if certificate != nil {
			if client.Transport, err = c.certified(client.Transport); err != nil {
				return nil, err
			}
		}
	}
	c.own = &client
	return c.own, nil
}

// certified is a transport that shows the client's certificate, as it is at the time.
func (c *Client) certified(t http.RoundTripper) (http.RoundTripper, error) {
	plain, ok := t.(*http.Transport)
	if !ok {
		return nil, permanent(0, "auth has a client certificate, which this client cannot show: leave it out")
	}
	plain = plain.Clone()
	if plain.TLSClientConfig == nil {
		plain.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	plain.TLSClientConfig.GetClientCertificate = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		certificate, err := c.o.Auth.ClientCertificate(info.Context())
		if err == nil && certificate == nil {
			err = errors.New("the client certificate is gone: check auth.certificate and auth.private_key")
		}
		return certificate, err
	}
	return plain, nil
}
