package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"pushpull/shared/body"
	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/privacy"
	"pushpull/shared/rate"
	"pushpull/shared/webhook"
)

// defaultMaxBody is for a source whose configuration does not say: what Lambda takes.
const defaultMaxBody = 6 << 20

// defaultMaxDecoded is the same after decompression.
const defaultMaxDecoded = 16 << 20

// A source is a webhook source made ready. It is not changed any more.
type source struct {
	name        string
	auth        config.Auth
	secrets     []string // references
	references  []string // those, and those of the schemes
	verifyToken []string // references
	keeps       bool     // a handshake hands the secret over
	refuse      int
	url         string // the public address; "" is the gateway's
	methods     []string
	maxBody     int
	maxDecoded  int
	headers     []string
	query       []string
	rate        string
	limit       *rate.Limit

	verifier    *webhook.Verifier
	requirement webhook.Requirement
	looks       bool // into the body, before it is authenticated
	wary        bool // of texts that a stranger may have had signed
	handshakes  []*webhook.Handshake
	reader      *body.Reader
	identifier  *event.Identifier
	answer      *webhook.Reply
	privacy     *privacy.Rules

	strict bool // its events go to the queue that keeps their order

	hint  bool     // a request makes no event: it polls
	polls []string // the names of the polls
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
	if src.privacy, err = h.hides.Open(cfg.Privacy); err != nil {
		return nil, fmt.Errorf("source %s: privacy: %w", name, err)
	}
	known, _ := h.sources.LoadOrStore(name, src)
	return known.(*source), nil
}

func newSource(name string, cfg config.Source) (*source, error) {
	if cfg.Webhook == nil {
		return nil, fmt.Errorf("source %s has no webhook: %w", name, config.ErrUnknown)
	}
	w := *cfg.Webhook
	if w.Auth == nil {
		return nil, fmt.Errorf("source %s: webhook.auth is absent; compile the configuration anew with `pushpull check --write`", name)
	}
	s := &source{
		name: name, strict: cfg.Order == "strict", auth: *w.Auth, secrets: w.Secret, verifyToken: w.VerifyToken, refuse: w.Refuse, url: w.URL,
		methods: w.Methods, maxBody: w.MaxBody, maxDecoded: defaultMaxDecoded, headers: w.Headers, query: w.Query, rate: w.Rate,
	}
	if s.hint = w.Hint; s.hint {
		for _, p := range cfg.Poll {
			s.polls = append(s.polls, p.Name)
		}
	}
	s.defaults()
	if err := s.compile(w); err != nil {
		return nil, fmt.Errorf("source %s: webhook: %w", name, err)
	}
	s.references = slices.Concat(s.secrets, webhook.References(s.auth))
	s.wary = s.wary || canBeLengthened(s.auth)
	s.looks = s.verifier.ReadsBody() || s.requirement.ReadsBody() || len(s.handshakes) > 0
	return s, nil
}

// canBeLengthened reports whether a scheme within is a plain hash that does not
// end with the secret. Who saw one can make that of a longer text, though not
// without bytes in it that no JSON has.
func canBeLengthened(auth config.Auth) bool {
	signed := strings.Join(auth.Signed, "")
	return auth.Scheme == "digest" && !strings.HasSuffix(signed, "{secret}") || slices.ContainsFunc(auth.Of, canBeLengthened)
}

func (s *source) defaults() {
	if s.refuse == 0 {
		s.refuse = 401
	}
	if s.maxBody == 0 {
		s.maxBody = defaultMaxBody
	}
	if len(s.methods) == 0 {
		s.methods = []string{"POST"}
	}
}

// compile makes ready what is looked up or matched for each request.
func (s *source) compile(w config.Webhook) (err error) {
	if s.verifier, err = webhook.Compile(s.auth); err != nil {
		return fmt.Errorf("auth: %w", err)
	}
	if s.requirement, err = webhook.CompileRequirement(w.Require); err != nil {
		return fmt.Errorf("require: %w", err)
	}
	for i, one := range w.Handshakes {
		made, err := webhook.CompileHandshake(one)
		if err != nil {
			return fmt.Errorf("handshakes.%d: %w", i, err)
		}
		s.handshakes = append(s.handshakes, made)
		s.keeps = s.keeps || made.Keeps()
		s.wary = s.wary || made.Signs() && made.By != webhook.ByEvent
	}
	var b config.Body
	if w.Body != nil {
		b = *w.Body
		if b.MaxDecoded > 0 {
			s.maxDecoded = b.MaxDecoded
		}
	}
	if s.reader, err = body.Compile(b); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	var spec event.Spec
	if w.Event != nil {
		spec = *w.Event
	}
	if s.identifier, err = event.Compile(spec); err != nil {
		return fmt.Errorf("event: %w", err)
	}
	if w.Reply != nil {
		if s.answer, err = webhook.CompileReply(*w.Reply, 202); err != nil {
			return fmt.Errorf("reply: %w", err)
		}
	}
	if w.Rate != "" {
		limit, err := rate.Parse(w.Rate)
		if err != nil {
			return fmt.Errorf("rate: %w", err)
		}
		s.limit = &limit
	}
	return nil
}

// read takes the request as the schemes want it. The body is decoded from what
// the gateway made of it, and bounded; it is decompressed only where something
// is to be found in it before it is authenticated.
func (s *source) read(req *request) (webhook.Request, *refusal) {
	if err := req.decodeBody(s.maxBody); errors.Is(err, errTooLarge) {
		return webhook.Request{}, refuse(413, "too_large", fmt.Errorf("%w of %d bytes", err, s.maxBody))
	} else if err != nil {
		return webhook.Request{}, refuse(400, "malformed", err)
	}
	r := webhook.Request{
		Method: req.method, Path: req.path, RawQuery: req.query, URL: req.url(s.url), Header: req.header, Body: req.body,
		SourceIP: req.sourceIP, Subject: req.subject,
	}
	if s.looks && len(req.body) > 0 && req.header.Get("Content-Encoding") != "" {
		plain, refused := s.plain(r)
		if refused != nil {
			return webhook.Request{}, refused
		}
		r.Plain = plain
	}
	return r, nil
}

// admit refuses a method by which no event arrives. A handshake has its own.
func (s *source) admit(r webhook.Request, greeting *webhook.Handshake) *refusal {
	if greeting != nil || slices.Contains(s.methods, r.Method) {
		return nil
	}
	refused := refuse(405, "method", fmt.Errorf("method %s", cut(r.Method, 32)))
	refused.allow = strings.Join(s.methods, ", ")
	return refused
}

// reply is what the provider is told when its events are queued. What it wants
// may need values that this request lacks: then it is the usual one, since the
// events are taken.
func (s *source) reply(r webhook.Request, known webhook.Credentials) reply {
	if s.answer == nil {
		return accepted
	}
	answer, err := s.answer.Answer(known, r)
	if err != nil {
		return accepted
	}
	return said(answer, r)
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
