package apiauth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	tokenTime  = 20 * time.Second // for one token request
	mostAnswer = 1 << 20          // bytes of its answer
)

// An ask is a request for a token.
type ask struct {
	key    string // of the configuration, for errors
	method string
	url    *url.URL
	header http.Header
	body   []byte
}

// An answer is what a token endpoint or a login said.
type answer struct {
	header  http.Header
	cookies []*http.Cookie
	fields  map[string]any // of its JSON; nil of none
	server  time.Time      // its clock
}

// request asks for a token. The plain grants are in golang.org/x/oauth2 too, but
// not a refresh with further fields, a token elsewhere in the answer, or errors
// that do not quote it; so every kind of request goes this one way.
func (a *Authenticator) request(ctx context.Context, r ask) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, tokenTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.method, r.url.String(), bytes.NewReader(r.body))
	if err != nil {
		return nil, lasting(r.key, "it makes no request")
	}
	req.Header = r.header
	if req.Header.Get("Accept") == "" {
		req.Header.Set("Accept", "application/json")
	}
	req.Header.Set("User-Agent", "pushpull/1")
	res, err := a.client.Do(req)
	if err != nil {
		return nil, passing(r.key, "%s does not answer: %s", r.url.Host, network(err))
	}
	defer res.Body.Close() //nolint:errcheck // nothing was written
	body, err := io.ReadAll(io.LimitReader(res.Body, mostAnswer+1))
	if err != nil {
		return nil, passing(r.key, "the answer of %s was cut short", r.url.Host)
	}
	if len(body) > mostAnswer {
		return nil, lasting(r.key, "the answer of %s is over %d bytes: is it the address that gives out tokens?", r.url.Host, mostAnswer)
	}
	out := &answer{header: res.Header, cookies: res.Cookies()}
	out.server, _ = http.ParseTime(res.Header.Get("Date"))
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if d.Decode(&out.fields) != nil {
		out.fields = nil
	}
	if err := a.refusal(r, res.StatusCode, out); err != nil {
		return out, err
	}
	return out, nil
}

// network says what is wrong with a connection without the address, whose query
// may hold a credential.
func network(err error) string {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	return err.Error()
}

// refusal is why an answer has no token; nil where it may have one.
func (a *Authenticator) refusal(r ask, status int, out *answer) error {
	code := out.code()
	var e *Error
	switch {
	case status >= 200 && status < 300 && (code == "" || out.text("access_token") != ""):
		return nil
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status == http.StatusTooEarly, status >= 500,
		status == http.StatusForbidden && out.header.Get("Retry-After") != "",
		slices.Contains(passingCodes, code):
		e = passing(r.key, "%s answered %d", r.url.Host, status)
		e.Until = retryAfter(out.header.Get("Retry-After"), a.o.Now())
	case status >= 300 && status < 400:
		e = lasting(r.key, "%s answered %d: credentials follow no redirect; write the address that it leads to", r.url.Host, status)
	case code != "":
		e = lasting(r.key, "%s answered %d, %s: %s", r.url.Host, status, code, mend(code))
	default:
		e = lasting(r.key, "%s answered %d: %s", r.url.Host, status, mend(""))
	}
	e.code = code
	return e
}

// The errors that pass. Google, for one, says of a limit 403 and a word.
var passingCodes = []string{
	"temporarily_unavailable", "server_error", "slow_down",
	"rate_limit_exceeded", "rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "too_many_requests",
}

var plainCode = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,63}$`)

// code is the OAuth error of an answer, if it is a word: nothing else of an answer
// is ever shown.
func (a *answer) code() string {
	code, _ := a.fields["error"].(string)
	if !plainCode.MatchString(code) {
		return ""
	}
	return code
}

// mend says what to do about an OAuth error.
func mend(code string) string {
	switch code {
	case "invalid_client":
		return "check client_id, client_secret, and whether client_auth is header or body"
	case "invalid_grant":
		return "what was shown (refresh token, password or signed assertion) is wrong, revoked or ran out: authorise anew and store it"
	case "invalid_scope":
		return "check scopes"
	case "unauthorized_client", "unsupported_grant_type":
		return "the provider does not let this client use the grant: check grant, and the client's settings there"
	case "invalid_request":
		return "a field is missing or wrong: check params and grant"
	}
	return "check the credential, and that the address is the one that gives out tokens"
}

// retryAfter reads seconds or a date; zero of anything else.
func retryAfter(text string, now time.Time) time.Time {
	if seconds, err := strconv.ParseFloat(strings.TrimSpace(text), 64); err == nil && seconds >= 0 && seconds < 1e7 {
		return now.Add(time.Duration(seconds * float64(time.Second)))
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return time.Time{}
	}
	return at
}

// text is the text or number at a path: header.NAME, cookie.NAME, or members of
// the JSON with dots between them.
func (a *answer) text(path string) string {
	if name, ok := strings.CutPrefix(path, "header."); ok {
		return a.header.Get(name)
	}
	if name, ok := strings.CutPrefix(path, "cookie."); ok {
		for _, c := range a.cookies {
			if c.Name == name {
				return c.Value
			}
		}
		return ""
	}
	var at any = a.fields
	for name := range strings.SplitSeq(path, ".") {
		switch v := at.(type) {
		case map[string]any:
			at = v[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(v) {
				return ""
			}
			at = v[i]
		default:
			return ""
		}
	}
	switch v := at.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// token reads the token at a path, and how long it is good. Ends that are told as
// an instant are counted from the provider's own clock.
func (a *answer) token(key, path string, lifetime time.Duration, now time.Time) (token, error) {
	t := token{value: a.text(path), got: now}
	if t.value == "" {
		if a.fields == nil && a.header.Get("Content-Type") != "" && !strings.Contains(a.header.Get("Content-Type"), "json") {
			return token{}, passing(key, "the answer is not JSON")
		}
		return token{}, lasting("auth.token_path", "the answer has no text at %s: say where its token is", path)
	}
	if life := a.life(now); life > 0 {
		lifetime = life
	}
	if lifetime > 0 {
		t.expires = now.Add(lifetime)
	}
	return t, nil
}

func (a *answer) life(now time.Time) time.Duration {
	if seconds, err := strconv.ParseFloat(a.text("expires_in"), 64); err == nil && seconds > 0 && seconds < 1e9 {
		return time.Duration(seconds * float64(time.Second))
	}
	at, err := time.Parse(time.RFC3339, a.text("expires_at"))
	if err != nil {
		return 0
	}
	if !a.server.IsZero() {
		now = a.server
	}
	return at.Sub(now)
}

// tokenClient is the client for logins and token requests: it follows no
// redirect, and shows the client's certificate where there is one.
func (a *Authenticator) tokenClient() *http.Client {
	client := &http.Client{}
	if a.o.Client != nil {
		*client = *a.o.Client
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return a.Showing(client)
}
