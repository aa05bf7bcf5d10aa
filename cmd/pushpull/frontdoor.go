package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"pushpull/local/keyring"
	"pushpull/shared/body"
	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/secret"
	"pushpull/shared/webhook"
)

// A frontDoor is where a provider pushes to: it sends as the provider would.
type frontDoor struct {
	source   string
	url      string
	hook     config.Webhook
	secrets  webhook.Credentials
	keys     keyring.Ring
	reader   *body.Reader
	identify *event.Identifier
	client   *http.Client
}

// sent is one request and what was answered.
type sent struct {
	Source string `json:"source"`
	ID     string `json:"id"`
	Type   string `json:"type"`
	Events int    `json:"events"`
	Status int    `json:"status"`
	Answer string `json:"answer"`
}

func (conn *connection) frontDoor(ctx context.Context, source string, hook config.Webhook) (*frontDoor, error) {
	d := &frontDoor{
		source: source, url: conn.address.Gateway + "/webhooks/" + source, hook: hook,
		keys: keyring.New(conn.address.Data), client: &http.Client{Timeout: time.Minute},
	}
	var err error
	if webhook.UsesSecret(*hook.Auth) {
		d.secrets.Secrets, err = conn.secrets.All(ctx, hook.Secret)
		if errors.Is(err, secret.ErrAbsent) && keeps(hook) {
			d.secrets.Secrets, err = conn.handOver(ctx, hook)
		}
		if err != nil {
			return nil, err
		}
		if keeps(hook) { // one to a line, the newest first
			d.secrets.Secrets = strings.Fields(strings.Join(d.secrets.Secrets, "\n"))
		}
	}
	if own := webhook.References(*hook.Auth); len(own) > 0 {
		values, err := conn.secrets.All(ctx, own)
		if err != nil {
			return nil, err
		}
		d.secrets.Own = map[string]string{}
		for i, ref := range own {
			d.secrets.Own[ref] = values[i]
		}
	}
	if d.identify, err = event.Compile(*hook.Event); err != nil {
		return nil, err
	}
	var spec config.Body
	if hook.Body != nil {
		spec = *hook.Body
	}
	if d.reader, err = body.Compile(spec); err != nil {
		return nil, err
	}
	return d, nil
}

// keeps reports whether the provider hands the secret over in a handshake.
func keeps(hook config.Webhook) bool {
	return slices.ContainsFunc(hook.Handshakes, func(h config.Handshake) bool { return h.Keep != "" })
}

// handOver stores what the provider would hand over, where it has not yet: the
// stack makes none up at its start, as the first to come must be able to.
func (conn *connection) handOver(ctx context.Context, hook config.Webhook) ([]string, error) {
	made, _, err := webhook.NewSecret(*hook.Auth)
	if err != nil {
		return nil, err
	}
	if err := conn.secrets.Put(ctx, hook.Secret[0], made, false); err != nil && !errors.Is(err, secret.ErrTaken) {
		return nil, err
	}
	return conn.secrets.Fresh(ctx, hook.Secret[:1])
}

// address is what the receiver takes for its own: the source's, or what the
// gateway is called by, which it knows as https.
func (d *frontDoor) address() string {
	if d.hook.URL != "" {
		return d.hook.URL
	}
	return "https://" + strings.TrimPrefix(d.url, "http://")
}

// send signs a request and sends it.
func (d *frontDoor) send(ctx context.Context, r webhook.Request, at time.Time) (sent, error) {
	signed, err := d.sign(r, at)
	if err != nil {
		return sent{}, err
	}
	return d.post(ctx, signed)
}

// sign makes a request what the provider would send.
func (d *frontDoor) sign(r webhook.Request, at time.Time) (webhook.Request, error) {
	r.Path, r.URL = "/webhooks/"+d.source, d.address()
	if r.RawQuery != "" {
		r.URL += "?" + r.RawQuery
	}
	private, err := d.keys.Private(d.hook, r, at)
	if err != nil {
		return r, fmt.Errorf("sign as %s would: %w", d.source, err)
	}
	signing := d.secrets
	signing.Private = private
	if err := webhook.Sign(*d.hook.Auth, signing, &r, "msg_"+strings.ReplaceAll(uuid.NewString(), "-", ""), at); err != nil {
		return r, fmt.Errorf("sign as %s would: %w", d.source, err)
	}
	return r, nil
}

// post sends a signed request.
func (d *frontDoor) post(ctx context.Context, r webhook.Request) (sent, error) {
	to := d.url
	if r.RawQuery != "" {
		to += "?" + r.RawQuery
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, to, bytes.NewReader(r.Body))
	if err != nil {
		return sent{}, err
	}
	for _, f := range r.Header {
		req.Header.Add(f.Name, f.Value)
	}
	req.Host = r.Header.Get("Host") // a client takes it from here alone; "" is that of the address
	res, err := d.client.Do(req)
	if err != nil {
		return sent{}, err
	}
	defer res.Body.Close() //nolint:errcheck // it was only read
	answer, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return sent{}, err
	}
	out := d.identified(r)
	out.Status, out.Answer = res.StatusCode, strings.TrimSpace(string(answer))
	return out, nil
}

// identified is what the receiver makes of a request: its first event.
func (d *frontDoor) identified(r webhook.Request) sent {
	message := d.reader.Read(r.Body, r.Header.Get("Content-Type"))
	out := sent{Source: d.source, Events: len(message.Parts)}
	if len(message.Parts) > 0 {
		part := message.Parts[0]
		query, _ := url.ParseQuery(r.RawQuery) // what cannot be read is not there, as for the receiver
		fields := d.identify.Identify(event.Input{
			Body: part.View, Root: part.Root, Parent: part.Parent, Data: part.Data,
			Header: r.Header.Get, Query: query.Get, DefaultType: d.source,
		})
		out.ID, out.Type = fields.ID, fields.Type
	}
	return out
}
