package pull

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	attempts     = 3                // of one request, before the run fails and its job is retried
	firstBackoff = time.Second      // doubles
	maxRedirects = 5                // within the API's own host
	maxDrain     = 64 << 10         // of an answer nobody reads, to keep its connection
	userAgent    = "pushpull/1"     // GitHub refuses requests without one
	defaultLimit = 32 << 20         // request.max_bytes
	defaultTime  = 30 * time.Second // request.timeout
)

// An answer is one response, read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
	server time.Time // the API's clock
}

// do makes one request, tries again what may pass within seconds, and turns
// what does not into the error that says what to do about it.
func (s *Source) do(ctx context.Context, u *url.URL, etag string) (answer, error) {
	fresh := false
	token, err := s.token(ctx, false)
	if err != nil {
		return answer{}, err
	}
	for attempt := 1; ; attempt++ {
		a, err := s.once(ctx, u, etag, token)
		if err == nil && a.status == http.StatusUnauthorized && !fresh && s.o.Token != nil {
			fresh = true // it may just have been rotated
			again, err := s.token(ctx, true)
			if err != nil {
				return answer{}, err
			}
			if again != token {
				token = again
				continue
			}
		}
		err = s.judge(a, err)
		if err == nil || !passing(err) || attempt >= attempts {
			return a, err
		}
		if err := s.o.Sleep(ctx, firstBackoff<<(attempt-1)); err != nil {
			return answer{}, err
		}
	}
}

func (s *Source) token(ctx context.Context, fresh bool) (string, error) {
	if s.o.Token == nil || authType(s.poll.Auth) == "none" {
		return "", nil
	}
	token, err := s.o.Token(ctx, fresh)
	if err != nil {
		return "", fmt.Errorf("resolve poll.token: %w", err)
	}
	return token, nil
}

// passing tells whether the same request may succeed in a moment.
func passing(err error) bool {
	_, limited := errors.AsType[*Limited](err)
	_, final := errors.AsType[*Permanent](err)
	return !limited && !final && !errors.Is(err, context.Canceled)
}

// judge sorts answers: nil for one to read, *Limited, *Permanent, or an error that may pass.
func (s *Source) judge(a answer, err error) error {
	if err != nil {
		return err
	}
	if wait, ok := limit(a.status, a.header, a.server); ok {
		return &Limited{Until: s.o.Now().Add(wait), Status: a.status}
	}
	switch {
	case a.status >= 200 && a.status < 300, a.status == http.StatusNotModified:
		return nil
	case a.status >= 500, a.status == http.StatusRequestTimeout, a.status == http.StatusTooEarly, a.status == http.StatusConflict:
		return fmt.Errorf("status %d from %s: the api is not well; it is tried again", a.status, s.base.Host)
	default:
		return refused(a.status)
	}
}

func (s *Source) once(ctx context.Context, u *url.URL, etag, token string) (answer, error) {
	timeout := defaultTime
	if t := s.poll.Request.Timeout.Std(); t > 0 {
		timeout = t
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := s.request(ctx, u, etag, token)
	if err != nil {
		return answer{}, err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return answer{}, withoutURL(err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	a := answer{status: resp.StatusCode, header: resp.Header, server: s.o.Now()}
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		a.server = at
	}
	if a.status/100 != 2 { // some say 206 of a page
		_, _ = io.CopyN(io.Discard, resp.Body, maxDrain)
		return a, nil
	}
	a.body, err = s.read(resp)
	return a, err
}

// withoutURL drops the query, which may hold an api key, from a client's error.
func withoutURL(err error) error {
	wrapped, ok := errors.AsType[*url.Error](err)
	if !ok {
		return err
	}
	where := "the API"
	if u, err := url.Parse(wrapped.URL); err == nil {
		where = u.Host + u.Path
	}
	return fmt.Errorf("%s %s: %w", strings.ToLower(wrapped.Op), where, wrapped.Err)
}

func (s *Source) request(ctx context.Context, u *url.URL, etag, token string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, permanent(0, "the page's address cannot be requested: check poll.base_url and poll.request")
	}
	req.Header = s.header.Clone()
	setDefault(req.Header, "Accept", "application/json")
	setDefault(req.Header, "User-Agent", userAgent)
	req.Header.Set("Accept-Encoding", "gzip")
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	return req, s.authenticate(req, token)
}

func setDefault(h http.Header, name, value string) {
	if h.Get(name) == "" {
		h.Set(name, value)
	}
}

// authenticate puts the credential into a request that was found to go to the API's own host.
func (s *Source) authenticate(req *http.Request, token string) error {
	if !sameOrigin(req.URL, s.base) {
		return foreign(req.URL)
	}
	if err := Authenticate(req, s.poll.Auth, token, s.poll.With); err != nil {
		return permanent(0, "poll.%v", err)
	}
	return nil
}

// read takes the body whole: bounded after decompression, without a byte order mark.
func (s *Source) read(resp *http.Response) ([]byte, error) {
	most := s.poll.Request.MaxBytes
	if most <= 0 {
		most = defaultLimit
	}
	var r io.Reader = resp.Body
	if strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		z, err := gzip.NewReader(resp.Body)
		if err != nil {
			return nil, fmt.Errorf("the answer says gzip and is not: %w", err)
		}
		r = z
	}
	body, err := io.ReadAll(io.LimitReader(r, int64(most)+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if len(body) > most {
		return nil, permanent(0, "a page is larger than %d bytes: ask for smaller pages in poll.request.params, or raise poll.request.max_bytes", most)
	}
	return bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), nil
}

// sameHostOnly is the client, following redirects within the API's own host:
// another host must not see the credential, and may be anyone's.
func (s *Source) sameHostOnly(c *http.Client) *http.Client {
	client := http.Client{}
	if c != nil {
		client = *c
	}
	client.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if !sameOrigin(req.URL, s.base) {
			return foreign(req.URL)
		}
		if len(via) > maxRedirects {
			return permanent(0, "the api redirects more than %d times: check poll.base_url", maxRedirects)
		}
		return nil
	}
	return &client
}

func foreign(u *url.URL) error {
	return permanent(0, "the api leads to another host, %s://%s, which must not get the credential: if it is right, make it poll.base_url", u.Scheme, u.Host)
}

// sameOrigin compares scheme, host and port.
func sameOrigin(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if strings.EqualFold(u.Scheme, "https") {
		return "443"
	}
	return "80"
}
