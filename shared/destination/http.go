package destination

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"pushpull/shared/apiauth"
	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/guard"
)

var httpKind = Kind{
	Name:        "http",
	Doc:         "Posts each event's exact bytes to a URL, signed as Standard Webhooks, its attributes in CloudEvents headers.",
	Fields:      []string{"url", "method", "sign", "headers", "auth", "token", "secrets", "with", "responses", "format", "compression", "batch", "timeout", "allow_private", "retry"},
	Idempotency: "A repetition has the same webhook-id, the event's identity; in a batch each event has its id, and the batch's webhook-id is made of them.",
	Limits:      "A batch has at most 1,000 events and 4 MiB before compression; the time for one request is timeout.",
	open:        openHTTP,
}

const (
	defaultTimeout = 15 * time.Second
	maxAnswer      = 64 << 10 // bytes that are read so that the connection can be used again
	userAgent      = "Pushpull/1"
)

type poster struct {
	url     string
	method  string
	sign    []string
	headers map[string]string
	auth    *apiauth.Authenticator // nil where there is none
	means   []answer
	gzip    bool
	timeout time.Duration
	client  *http.Client
	env     *Env
}

func openHTTP(c config.Destination, env *Env) (Destination, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil, errors.New("url: is not an http or https URL with a host: write https://example.com/in")
	}
	p := &poster{
		url: c.URL, method: cmp.Or(c.Method, http.MethodPost), sign: c.Sign, headers: c.Headers, gzip: c.Compression == "gzip",
		timeout: cmp.Or(c.Timeout.Std(), defaultTimeout), client: env.clients.pick(c.AllowPrivate), env: env,
	}
	if p.means, err = own(c.Responses); err != nil {
		return nil, err
	}
	if c.Auth != nil {
		p.auth, err = apiauth.New(c.Auth, apiauth.Options{
			Token: c.Token, Secrets: c.Secrets, With: c.With, Base: &url.URL{Scheme: u.Scheme, Host: u.Host},
			Store: env.secrets, Locker: env.locker, Getenv: env.getenv,
			Now: func() time.Time { return env.now().Round(0) }, // a monotonic clock stands still while the function is frozen
		})
		if err != nil {
			return nil, err
		}
		p.client = p.auth.Showing(p.client)
	}
	if c.Batch == nil {
		return p, nil
	}
	return &batchPoster{p, c.Format == "ndjson"}, nil
}

// Deliver posts the event. The signature is made anew for each attempt, as the
// time it carries is the attempt's; the id it carries is the identity, which
// stays, so that the destination knows a repetition.
func (p *poster) Deliver(ctx context.Context, e event.Event) (Result, error) {
	return p.post(ctx, headerSafe(e.ID), e.Data, func(h http.Header) { setCloudEvent(h, e) })
}

// post makes one attempt with a body. Where the credential was refused and a
// fresh one may help, it is made once more.
func (p *poster) post(ctx context.Context, id string, body []byte, describe func(http.Header)) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	for again := p.auth != nil; ; again = false {
		req, err := p.request(ctx, id, body, describe)
		if err != nil {
			return Result{}, err
		}
		resp, err := p.client.Do(req)
		if err != nil {
			return Result{}, broken(err)
		}
		_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer)
		_ = resp.Body.Close() // it was only read
		if resp.StatusCode != http.StatusUnauthorized || !again || !p.auth.Refused(ctx, req) {
			return Result{Status: resp.StatusCode}, judge(p.means, resp, p.env.now())
		}
	}
}

// request signs the body before it is compressed, as servers undo that first; the
// credential is put in last, for it may be a signature of what is sent.
func (p *poster) request(ctx context.Context, id string, body []byte, describe func(http.Header)) (*http.Request, error) {
	sent, err := p.compressed(body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, p.method, p.url, bytes.NewReader(sent))
	if err != nil {
		return nil, &Permanent{Err: errors.New("url: no request can be made to it: write https://example.com/in")}
	}
	req.Header.Set("User-Agent", userAgent)
	if err := p.setOwn(ctx, req); err != nil {
		return nil, err
	}
	describe(req.Header)
	if p.gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	if err := p.setSignature(ctx, req, id, body); err != nil {
		return nil, err
	}
	if p.auth == nil {
		return req, nil
	}
	if err := p.auth.Apply(ctx, req, sent); err != nil {
		return nil, unauthenticated(err, p.env.now())
	}
	return req, nil
}

func (p *poster) compressed(body []byte) ([]byte, error) {
	if !p.gzip {
		return body, nil
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(body)
	err = errors.Join(err, w.Close())
	return b.Bytes(), err
}

// unauthenticated is the error of a credential that is not to be had. It is not
// the event's, and may be mended: the event is tried again.
func unauthenticated(err error, at time.Time) error {
	r := &Retryable{Err: fmt.Errorf("no credential: %w", err)}
	if e, ok := errors.AsType[*apiauth.Error](err); ok && e.Until.After(at) {
		r.After = e.Until.Sub(at)
	}
	return r
}

// setSignature signs as Standard Webhooks, after the user's headers, so that they
// replace none of these.
func (p *poster) setSignature(ctx context.Context, req *http.Request, id string, body []byte) error {
	keys, err := p.env.resolve(ctx, p.sign)
	if err != nil {
		return err
	}
	at := p.env.now()
	req.Header.Set(standardwebhooks.HeaderWebhookID, id)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	req.Header.Del(standardwebhooks.HeaderWebhookSignature)
	if len(keys) == 0 {
		return nil
	}
	signatures, err := signAll(keys, id, at, body)
	if err != nil {
		return err
	}
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, signatures)
	return nil
}

// setOwn sets the user's headers, with secrets where they refer to them.
func (p *poster) setOwn(ctx context.Context, req *http.Request) error {
	for _, name := range slices.Sorted(maps.Keys(p.headers)) {
		value := p.headers[name]
		if isReference(value) {
			values, err := p.env.resolve(ctx, []string{value})
			if err != nil {
				return err
			}
			value = values[0]
		}
		if strings.ContainsAny(value, "\r\n\x00") {
			return &Retryable{Err: fmt.Errorf("the value of the header %s has a line break: store it without", name)}
		}
		if http.CanonicalHeaderKey(name) == "Host" {
			req.Host = value
		}
		req.Header.Set(name, value)
	}
	return nil
}

// isReference tells a reference to a secret from a value.
func isReference(value string) bool {
	for _, kind := range []string{"ssm:", "secretsmanager:", "env:"} {
		if strings.HasPrefix(value, kind) {
			return true
		}
	}
	return false
}

// signAll signs with each secret, so that during a rotation either verifies. A
// secret is base64, with or without whsec_ before it; one that is not is taken as
// it is. A secret that cannot be used is our mistake, and mended without a new event.
func signAll(keys []string, id string, at time.Time, data []byte) (string, error) {
	signatures := make([]string, len(keys))
	for i, key := range keys {
		if key == "" || key == "whsec_" {
			return "", &Retryable{Err: errors.New("sign: the secret has nothing in it, so anybody could sign: store one")}
		}
		wh, err := standardwebhooks.NewWebhook(key)
		if err != nil && !strings.HasPrefix(key, "whsec_") {
			wh, err = standardwebhooks.NewWebhookRaw([]byte(key))
		}
		if err != nil {
			return "", &Retryable{Err: errors.New("sign: what follows whsec_ in the secret is not base64: store one that is")}
		}
		if signatures[i], err = wh.Sign(id, at, data); err != nil {
			return "", &Permanent{Err: fmt.Errorf("sign: %w", err)}
		}
	}
	return strings.Join(signatures, " "), nil
}

// broken is the error of a request that had no answer. The URL is left out of
// it: it may carry a secret.
func broken(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if errors.Is(err, guard.ErrPrivate) {
		return &Permanent{Err: fmt.Errorf("%w: set allow_private if this destination is your own", err)}
	}
	return &Retryable{Err: fmt.Errorf("no answer: %w", err)}
}
