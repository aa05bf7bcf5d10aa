package main

import (
	"errors"
	"fmt"
	"strings"

	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/webhook"
)

// defaultMaxBody is for a source whose configuration does not say: what Lambda takes.
const defaultMaxBody = 6 << 20

// A source is a webhook source made ready. It is not changed any more.
type source struct {
	name       string
	auth       config.Auth
	secrets    []string // references
	maxBody    int
	verifier   *webhook.Verifier
	identifier *event.Identifier
}

// source returns the source of that name, made ready at its first request. Only
// those that the configuration has are kept, so that made-up names cost nothing.
func (h *handler) source(name string) (*source, error) {
	if known, ok := h.sources.Load(name); ok {
		return known.(*source), nil
	}
	cfg, err := h.config.Source(name)
	if err != nil {
		return nil, err
	}
	src, err := newSource(name, cfg)
	if err != nil {
		return nil, err
	}
	known, _ := h.sources.LoadOrStore(name, src)
	return known.(*source), nil
}

func newSource(name string, cfg config.Source) (*source, error) {
	if cfg.Webhook == nil {
		return nil, fmt.Errorf("source %s has no webhook: %w", name, config.ErrUnknown)
	}
	if cfg.Webhook.Auth == nil {
		return nil, fmt.Errorf("source %s: webhook.auth is absent; compile the configuration anew with `pushpull check --write`", name)
	}
	var spec event.Spec
	if cfg.Webhook.Event != nil {
		spec = *cfg.Webhook.Event
	}
	verifier, err := webhook.Compile(*cfg.Webhook.Auth)
	if err != nil {
		return nil, fmt.Errorf("source %s: webhook.auth: %w", name, err)
	}
	identifier, err := event.Compile(spec)
	if err != nil {
		return nil, fmt.Errorf("source %s: webhook.event: %w", name, err)
	}
	src := &source{
		name: name, auth: *cfg.Webhook.Auth, secrets: cfg.Webhook.Secret, maxBody: cfg.Webhook.MaxBody,
		verifier: verifier, identifier: identifier,
	}
	if src.maxBody == 0 {
		src.maxBody = defaultMaxBody
	}
	return src, nil
}

// admit refuses what cannot be an event of this source whoever sent it, by its
// form alone, and decodes the body.
func (s *source) admit(req *request) *refusal {
	if req.method != "POST" {
		return refuse(405, "method", fmt.Errorf("method %s", cut(req.method, 32)))
	}
	if contentType := req.header.Get("Content-Type"); contentType != "" && !event.IsJSON(contentType) {
		return refuse(415, "content_type", fmt.Errorf("content type %q is not JSON", cut(contentType, 128)))
	}
	if err := req.decodeBody(s.maxBody); errors.Is(err, errTooLarge) {
		return refuse(413, "too_large", fmt.Errorf("%w of %d bytes", err, s.maxBody))
	} else if err != nil {
		return refuse(400, "malformed", err)
	}
	return nil
}

// sourceName finds the source in a path that ends in /webhooks/{source},
// whatever stage or base path stands before; "" where it does not.
func sourceName(path string) string {
	const root = "/webhooks/"
	i := strings.LastIndex(path, root)
	if i < 0 {
		return ""
	}
	name := strings.TrimSuffix(path[i+len(root):], "/")
	if strings.Contains(name, "/") {
		return ""
	}
	return name
}

// cut bounds what a stranger may write into the log.
func cut(s string, most int) string {
	if len(s) > most {
		return s[:most]
	}
	return s
}
