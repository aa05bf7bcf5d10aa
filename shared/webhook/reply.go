package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"pushpull/shared/config"
)

// maxAnswer bounds what is answered: values come from the request.
const maxAnswer = 16 << 10

// An Answer is what a provider is told.
type Answer struct {
	Status  int
	Type    string // the content type; "" without a body
	Body    string
	Headers []Field
}

// A Reply is an answer made ready; its templates are filled in from the request.
type Reply struct {
	status  int
	typ     string
	body    template
	headers []headerTemplate
	sign    *hashed
}

type headerTemplate struct {
	name  string
	value template
}

// CompileReply makes a reply ready. The status is for one that says none.
func CompileReply(c config.Reply, status int) (*Reply, error) {
	r := &Reply{status: c.Status, typ: c.Type}
	if r.status == 0 {
		r.status = status
	}
	var errs []error
	if c.Body != "" {
		if r.typ == "" {
			r.typ = "text/plain; charset=utf-8"
		}
		body, err := parseTemplate(c.Body, true)
		if err != nil {
			errs = append(errs, fmt.Errorf("body: %w", err))
		}
		r.body = body
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		value, err := parseTemplate(c.Headers[name], false)
		if err != nil {
			errs = append(errs, fmt.Errorf("headers.%s: %w", name, err))
		}
		r.headers = append(r.headers, headerTemplate{strings.ToLower(name), value})
	}
	if c.Sign != nil {
		made, err := newSigner(*c.Sign)
		if err != nil {
			errs = append(errs, fmt.Errorf("sign: %w", err))
		}
		r.sign = made
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return r, nil
}

// newSigner makes an hmac or a digest that signs an answer: it has no place of
// its own, since {signature} says where it goes.
func newSigner(auth config.Auth) (*hashed, error) {
	if auth.Scheme != "hmac" && auth.Scheme != "digest" {
		return nil, fmt.Errorf("scheme %q cannot sign an answer: there are hmac and digest", auth.Scheme)
	}
	auth.Signature = config.Signature{Header: config.Names{"signature"}}
	made, err := compile(auth)
	if err != nil {
		return nil, err
	}
	return made.(*hashed), nil
}

// Signs reports whether the answer needs the source's secret.
func (r *Reply) Signs() bool { return r.needsSecret() }

// Answer fills the reply in.
func (r *Reply) Answer(c Credentials, req Request) (Answer, error) {
	v := &view{r: &req, verifyToken: c.VerifyToken}
	if r.sign != nil {
		if err := r.signInto(v, c); err != nil {
			return Answer{}, err
		}
	}
	a := Answer{Status: r.status, Type: r.typ}
	for _, h := range r.headers {
		value, err := h.value.text(v)
		if err != nil {
			return Answer{}, fmt.Errorf("%w: the answer's header %s: %w", ErrMissing, h.name, err)
		}
		if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c > '~' }) || len(value) > 4<<10 {
			return Answer{}, fmt.Errorf("%w: the answer's header %s would not be plain text", ErrSignature, h.name)
		}
		a.Headers = append(a.Headers, Field{h.name, value})
	}
	if r.body == nil {
		return a, nil
	}
	body, err := r.body.escaped(v, escapeFor(r.typ))
	if err != nil {
		return Answer{}, fmt.Errorf("%w: the answer: %w", ErrMissing, err)
	}
	if len(body) > maxAnswer {
		return Answer{}, fmt.Errorf("%w: the answer would be over %d bytes", ErrSignature, maxAnswer)
	}
	a.Body = body
	return a, nil
}

// signInto makes {signature}, with the first secret that can be used.
func (r *Reply) signInto(v *view, c Credentials) error {
	var key []byte
	if r.needsSecret() {
		secrets := c.of(r.sign.references)
		if len(secrets) == 0 {
			return fmt.Errorf("%w: there is none to answer with", ErrSecret)
		}
		var err error
		if key, err = r.sign.keyOf(secrets[0]); err != nil {
			return err
		}
	}
	sum, err := r.sign.sum(key, v)
	if err != nil {
		return err
	}
	v.signature = r.sign.encode(sum)
	return nil
}

// needsSecret: a digest may be of verify_token alone.
func (r *Reply) needsSecret() bool {
	return r.sign != nil && (!r.sign.plain || slices.ContainsFunc(r.sign.signed, func(t template) bool { return t.has(secretText) }))
}

// escapeFor is how values stand in an answer of a type: what a stranger sent is
// text in it, and nothing else.
func escapeFor(contentType string) func(string) string {
	media, _, _ := strings.Cut(contentType, ";")
	switch media = strings.TrimSpace(media); {
	case strings.HasSuffix(media, "json"):
		return func(s string) string {
			text, err := json.Marshal(s)
			if err != nil {
				return ""
			}
			return string(text[1 : len(text)-1])
		}
	case strings.HasSuffix(media, "html"), strings.HasSuffix(media, "xml"):
		return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;").Replace
	}
	return func(s string) string { return s }
}

// escaped is the template with its values, each made text by escape.
func (t template) escaped(v *view, escape func(string) string) (string, error) {
	var b strings.Builder
	for i := range t {
		value, err := t[i].value(v)
		if err != nil {
			return "", err
		}
		if t[i].source != literal {
			value = escape(value)
		}
		b.WriteString(value)
	}
	return b.String(), nil
}
