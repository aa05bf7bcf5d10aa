package destination

import (
	"bytes"
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

	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/guard"
)

var httpKind = Kind{
	Name:   "http",
	Doc:    "Posts each event's exact bytes to a URL, signed as Standard Webhooks, its attributes in CloudEvents headers.",
	Fields: []string{"url", "sign", "headers", "timeout", "allow_private", "retry"},
	open:   openHTTP,
}

const (
	defaultTimeout = 15 * time.Second
	maxAnswer      = 64 << 10 // bytes that are read so that the connection can be used again
	userAgent      = "Pushpull/1"
)

type poster struct {
	url     string
	sign    []string
	headers map[string]string
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
		url: c.URL, sign: c.Sign, headers: c.Headers, timeout: c.Timeout.Std(),
		client: env.clients.pick(c.AllowPrivate), env: env,
	}
	if p.timeout <= 0 {
		p.timeout = defaultTimeout
	}
	return p, nil
}

// Deliver posts the event. The signature is made anew for each attempt, as the
// time it carries is the attempt's; the id it carries is the identity, which
// stays, so that the destination knows a repetition.
func (p *poster) Deliver(ctx context.Context, e event.Event) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(e.Data))
	if err != nil {
		return Result{}, &Permanent{Err: err}
	}
	if err := p.setHeaders(ctx, req, e); err != nil {
		return Result{}, err
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return Result{}, broken(err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer)
	return Result{Status: resp.StatusCode}, judge(resp, p.env.now())
}

// setHeaders sets the user's headers first, so that they replace none of ours.
func (p *poster) setHeaders(ctx context.Context, req *http.Request, e event.Event) error {
	req.Header.Set("User-Agent", userAgent)
	if err := p.setOwn(ctx, req); err != nil {
		return err
	}
	setCloudEvent(req.Header, e)
	keys, err := p.env.resolve(ctx, p.sign)
	if err != nil {
		return err
	}
	at, id := p.env.now(), headerSafe(e.ID)
	req.Header.Set(standardwebhooks.HeaderWebhookID, id)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	req.Header.Del(standardwebhooks.HeaderWebhookSignature)
	if len(keys) == 0 {
		return nil
	}
	signatures, err := signAll(keys, id, at, e.Data)
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
