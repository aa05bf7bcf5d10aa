// Package hydrate completes an event whose body is thin, or was not signed, with
// what the provider's API says of it.
//
// Its one invariant: the credential goes only to the host that the configuration
// names, whatever the event says and whatever a server answers.
package hydrate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"time"

	"github.com/tidwall/gjson"

	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/guard"
	"pushpull/shared/pull"
)

const (
	defaultTimeout = 10 * time.Second
	mostBytes      = 16 << 20 // of an answer, decompressed
	mostDrained    = 64 << 10 // of an answer nobody reads, to keep its connection
	userAgent      = "pushpull/1"
	contentType    = "application/json"
)

// A Source fetches the data of one source's events. It is safe for concurrent use.
type Source struct {
	rule    *Rule
	auth    *config.PollAuth
	token   []string
	timeout time.Duration
	keep    bool
	env     *Env
}

// Open prepares a source. The error is a mistake in its configuration.
func Open(c config.Hydrate, env *Env) (*Source, error) {
	rule, err := Compile(c)
	if err != nil {
		return nil, err
	}
	s := &Source{rule: rule, auth: c.Auth, token: c.Token, timeout: c.Timeout.Std(), keep: c.Missing == "keep", env: env}
	if !s.anonymous() && len(c.Token) == 0 {
		return nil, fmt.Errorf("auth is %s, which needs a token", c.Auth.Type)
	}
	if s.timeout <= 0 {
		s.timeout = defaultTimeout
	}
	return s, nil
}

func (s *Source) anonymous() bool { return s.auth == nil || s.auth.Type == "" || s.auth.Type == "none" }

// Fetch returns the event with its data as the API has them, as JSON. All else of
// it stays. One of a type that is excepted comes back as it is. Errors: *Missing,
// *Permanent, *Retryable; any other may pass by itself. None quotes the event, the
// answer or the address, which may hold a credential.
func (s *Source) Fetch(ctx context.Context, e event.Event) (event.Event, error) {
	if s.rule.Exempt(e) {
		return e, nil
	}
	data, err := s.fetch(ctx, e)
	if missing, ok := errors.AsType[*Missing](err); ok {
		missing.Keep = s.keep
	}
	if err != nil {
		return event.Event{}, err
	}
	e.Data, e.DataRef, e.ContentType = data, "", contentType
	return e, nil
}

func (s *Source) fetch(ctx context.Context, e event.Event) ([]byte, error) {
	u, header, err := s.rule.Request(e)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	token, err := s.credential(ctx, false)
	if err != nil {
		return nil, err
	}
	a, err := s.once(ctx, u, header, token)
	if err == nil && a.status == http.StatusUnauthorized && !s.anonymous() {
		again, err := s.credential(ctx, true) // it may just have been rotated
		if err != nil {
			return nil, err
		}
		if again != token {
			if a, err = s.once(ctx, u, header, again); err != nil {
				return nil, err
			}
		}
	}
	if err != nil {
		return nil, err
	}
	return s.read(a)
}

// credential resolves the token. A failure is ours, and may be mended.
func (s *Source) credential(ctx context.Context, fresh bool) (string, error) {
	if s.anonymous() {
		return "", nil
	}
	if s.env.secrets == nil {
		return "", &Retryable{Err: errors.New("there is nothing to resolve the token with")}
	}
	resolve := s.env.secrets.All
	if fresh {
		resolve = s.env.secrets.Fresh
	}
	values, err := resolve(ctx, s.token[:1])
	if err != nil {
		return "", &Retryable{Err: fmt.Errorf("resolve the token: %w", err)}
	}
	return values[0], nil
}

// An answer is one response; its body is read where it is a success.
type answer struct {
	status int
	header http.Header
	body   []byte
	at     time.Time // by the API's clock
}

func (s *Source) once(ctx context.Context, u *url.URL, header http.Header, token string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return answer{}, &Permanent{Reason: "the event makes no address that could be asked for"}
	}
	req.Header.Set("Accept", contentType)
	req.Header.Set("User-Agent", userAgent)
	maps.Copy(req.Header, header)
	if err := pull.Authenticate(req, s.auth, token, nil); err != nil {
		return answer{}, &Permanent{Reason: "hydrate." + err.Error()}
	}
	resp, err := s.client(u).Do(req)
	if err != nil {
		return answer{}, broken(err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	a := answer{status: resp.StatusCode, header: resp.Header, at: s.env.now()}
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		a.at = at
	}
	if a.status/100 != 2 {
		_, _ = io.CopyN(io.Discard, resp.Body, mostDrained)
		return a, nil
	}
	if a.body, err = io.ReadAll(io.LimitReader(resp.Body, mostBytes+1)); err != nil {
		return answer{}, broken(err)
	}
	return a, nil
}

// client is guarded, but for a loopback address that the configuration writes out:
// one that an event carries is never http, and its host is of the provider.
func (s *Source) client(u *url.URL) *http.Client {
	if loopback(u.Hostname()) && s.rule.writes(u) {
		return s.env.local
	}
	return s.env.guarded
}

// broken is of a request that had no answer. The address is left out of it.
func broken(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if errors.Is(err, guard.ErrPrivate) {
		return &Permanent{Reason: "the api's address is not on the public internet"}
	}
	return &Retryable{Err: fmt.Errorf("no answer from the api: %w", err)}
}

// read is what an answer means, and the data where it is a good one.
func (s *Source) read(a answer) ([]byte, error) {
	if err := judge(a); err != nil {
		return nil, err
	}
	if len(a.body) > mostBytes {
		return nil, &Permanent{Reason: fmt.Sprintf("the api's answer is larger than %d bytes: write a url that asks for less", mostBytes)}
	}
	if len(a.body) == 0 {
		return nil, &Missing{Reason: fmt.Sprintf("the api answered %d with nothing", a.status)}
	}
	if !event.ValidJSON(a.body) {
		return nil, &Retryable{Err: errors.New("the api's answer is not JSON: check hydrate.url, and hydrate.headers for an Accept")}
	}
	if s.rule.path == "" {
		return a.body, nil
	}
	found := gjson.GetBytes(a.body, s.rule.path)
	switch {
	case !found.Exists():
		return nil, &Permanent{Reason: "the api's answer has nothing at hydrate.path"}
	case found.Type == gjson.Null:
		return nil, &Missing{Reason: "the api's answer has null at hydrate.path"}
	}
	return []byte(found.Raw), nil
}

// judge is nil for an answer to read.
//
//	2xx                 read
//	404, 410            the API does not have it
//	401, 403            may pass: a credential is mended without a new event
//	408, 409, 425, 429  may pass; what it asks to wait is heeded
//	5xx                 may pass; what it asks to wait is heeded
//	3xx, other 4xx      for good: the same request would be answered the same
func judge(a answer) error {
	after, _ := pull.Asked(a.status, a.header, a.at)
	mend := ""
	switch a.status {
	case http.StatusNotFound, http.StatusGone:
		return &Missing{Reason: fmt.Sprintf("the api does not have it (answered %d)", a.status)}
	case http.StatusUnauthorized, http.StatusForbidden:
		mend = ": check hydrate.token and hydrate.auth, that the token did not expire, and that it may read this"
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests:
	default:
		switch a.status / 100 {
		case 2:
			return nil
		case 3:
			return &Permanent{Reason: fmt.Sprintf("the api answered %d: redirects are not followed, so write the address it leads to in hydrate.url", a.status)}
		case 5:
		default:
			return &Permanent{Reason: fmt.Sprintf("the api answered %d: check hydrate.url and hydrate.headers", a.status)}
		}
	}
	return &Retryable{Err: fmt.Errorf("the api answered %d%s", a.status, mend), After: after}
}
