package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/webhook"
)

// A frontDoor is where a provider pushes to: it sends as the provider would.
type frontDoor struct {
	source   string
	url      string
	hook     config.Webhook
	secret   string
	identify *event.Identifier
	client   *http.Client
}

// sent is one request and what was answered.
type sent struct {
	Source string `json:"source"`
	ID     string `json:"id"`
	Type   string `json:"type"`
	Status int    `json:"status"`
	Answer string `json:"answer"`
}

func (conn *connection) frontDoor(ctx context.Context, source string, hook config.Webhook) (*frontDoor, error) {
	secrets, err := conn.secrets.All(ctx, hook.Secret)
	if err != nil {
		return nil, err
	}
	identify, err := event.Compile(*hook.Event)
	if err != nil {
		return nil, err
	}
	d := &frontDoor{
		source: source, url: conn.address.Gateway + "/webhooks/" + source, hook: hook,
		identify: identify, client: &http.Client{Timeout: time.Minute},
	}
	if len(secrets) > 0 { // scheme none has none
		d.secret = secrets[0]
	}
	return d, nil
}

// send signs a body and posts it.
func (d *frontDoor) send(ctx context.Context, header webhook.Header, body []byte, at time.Time) (sent, error) {
	if header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/json")
	}
	r := &webhook.Request{Method: http.MethodPost, Path: "/webhooks/" + d.source, URL: d.url, Header: header, Body: body}
	if err := webhook.Sign(*d.hook.Auth, d.secret, r, "msg_"+strings.ReplaceAll(uuid.NewString(), "-", ""), at); err != nil {
		return sent{}, fmt.Errorf("sign as %s would: %w", d.source, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url, bytes.NewReader(body))
	if err != nil {
		return sent{}, err
	}
	for _, f := range r.Header {
		req.Header.Add(f.Name, f.Value)
	}
	res, err := d.client.Do(req)
	if err != nil {
		return sent{}, err
	}
	defer res.Body.Close() //nolint:errcheck // it was only read
	answer, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return sent{}, err
	}
	fields := d.identify.Identify(event.Input{Body: body, Header: r.Header.Get, DefaultType: d.source})
	return sent{Source: d.source, ID: fields.ID, Type: fields.Type, Status: res.StatusCode, Answer: strings.TrimSpace(string(answer))}, nil
}
