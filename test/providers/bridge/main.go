// Command bridge lets a test in another language ask the engine of webhooks: it
// reads a question in JSON on each line of its input, and answers each with a line.
//
//	{"op":"verify","preset":"stripe","secret":["whsec_…"],"request":{…},"at":"…"} → {"ok":true}, or {"ok":false,"reason":"stale","error":"…"}
//	{"op":"sign", the same, "private":"a PEM, for a public key"}                  → {"request":{…}}
//	{"op":"presets"}                                                              → {"names":["adyen",…]}
//
// A question's "url" is the public address, with the query; "with" are the
// preset's parameters; "documents" are what addresses of public keys answer. What
// cannot be asked is answered with {"error":"…"}.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"pushpull/shared/config"
	"pushpull/shared/provider"
	"pushpull/shared/webhook"
)

type question struct {
	Op        string            `json:"op"`
	Preset    string            `json:"preset"`
	Secret    []string          `json:"secret"`
	Private   string            `json:"private"`
	With      map[string]string `json:"with"`
	URL       string            `json:"url"`
	Request   request           `json:"request"`
	ID        string            `json:"id"`
	At        time.Time         `json:"at"`
	Documents map[string]string `json:"documents"`
}

type request struct {
	Method  string  `json:"method"`
	URL     string  `json:"url,omitempty"`
	Headers headers `json:"headers"`
	Body    []byte  `json:"body_base64"`
}

type answer struct {
	OK      *bool    `json:"ok,omitempty"`
	Reason  string   `json:"reason,omitempty"`
	Error   string   `json:"error,omitempty"`
	Request *request `json:"request,omitempty"`
	Names   []string `json:"names,omitempty"`
}

// headers are a list of pairs, a name and a value.
type headers webhook.Header

func (h *headers) UnmarshalJSON(text []byte) error {
	var pairs [][2]string
	if err := json.Unmarshal(text, &pairs); err != nil {
		return fmt.Errorf("headers are no list of pairs: %w", err)
	}
	for _, p := range pairs {
		*h = append(*h, webhook.Field{Name: p[0], Value: p[1]})
	}
	return nil
}

func (h headers) MarshalJSON() ([]byte, error) {
	pairs := make([][2]string, 0, len(h))
	for _, f := range h {
		pairs = append(pairs, [2]string{f.Name, f.Value})
	}
	return json.Marshal(pairs)
}

func main() {
	in := bufio.NewReader(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for {
		line, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			if failed := out.Encode(reply(context.Background(), line)); failed != nil {
				fmt.Fprintln(os.Stderr, "bridge:", failed)
				os.Exit(1)
			}
		}
		if err != nil {
			return // the input ended
		}
	}
}

func reply(ctx context.Context, line []byte) answer {
	var q question
	if err := json.Unmarshal(line, &q); err != nil {
		return answer{Error: "not a question: " + err.Error()}
	}
	if q.Op == "presets" {
		return answer{Names: provider.Names()}
	}
	auth, err := authOf(q.Preset, q.With)
	if err != nil {
		return answer{Error: err.Error()}
	}
	switch q.Op {
	case "verify":
		return q.verify(ctx, auth)
	case "sign":
		return q.sign(auth)
	}
	return answer{Error: fmt.Sprintf("op %q: there are verify, sign and presets", q.Op)}
}

// authOf is how a preset authenticates, with its parameters filled in.
func authOf(name string, with map[string]string) (config.Auth, error) {
	p, err := provider.Load(name)
	if err != nil {
		return config.Auth{}, err
	}
	if p.Webhook == nil || p.Webhook.Auth == nil {
		return config.Auth{}, fmt.Errorf("preset %s has no webhook", name)
	}
	var raw map[string]any
	if err := convert(p.Webhook.Auth, &raw); err != nil {
		return config.Auth{}, err
	}
	if missing := provider.FillIn(raw, with); len(missing) > 0 {
		return config.Auth{}, fmt.Errorf("preset %s wants a value in with for %v", name, missing)
	}
	var auth config.Auth
	return auth, convert(raw, &auth)
}

func convert(from, to any) error {
	text, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, to)
}

func (q question) verify(ctx context.Context, auth config.Auth) answer {
	v, err := webhook.Compile(auth)
	if err != nil {
		return answer{Error: err.Error()}
	}
	err = v.Verify(ctx, q.credentials(), q.received(), q.At)
	ok := err == nil
	a := answer{OK: &ok}
	if err != nil {
		a.Error, a.Reason = err.Error(), reason(err)
	}
	return a
}

func (q question) sign(auth config.Auth) answer {
	r, id := q.received(), q.ID
	if id == "" {
		id = "id-1029"
	}
	if err := webhook.Sign(auth, q.credentials(), &r, id, q.At); err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Request: &request{Method: r.Method, URL: r.URL, Headers: headers(r.Header), Body: r.Body}}
}

func (q question) received() webhook.Request {
	r := webhook.Request{Method: q.Request.Method, URL: q.URL, Header: webhook.Header(q.Request.Headers), Body: q.Request.Body}
	if u, err := url.Parse(q.URL); err == nil {
		r.Path, r.RawQuery = u.EscapedPath(), u.RawQuery
	}
	return r
}

func (q question) credentials() webhook.Credentials {
	client := &http.Client{Transport: documents(q.Documents)}
	keys := webhook.NewKeys(client, "", func() time.Time { return q.At })
	return webhook.Credentials{Secrets: q.Secret, Private: q.Private, Keys: keys}
}

// reason is a word for a verdict. Without one, the fault is not the request's.
func reason(err error) string {
	switch {
	case errors.Is(err, webhook.ErrMissing):
		return "missing"
	case errors.Is(err, webhook.ErrSignature):
		return "signature"
	case errors.Is(err, webhook.ErrStale):
		return "stale"
	}
	return ""
}
