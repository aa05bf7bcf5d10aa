package provider_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pushpull/shared/body"
	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/provider"
	"pushpull/shared/webhook"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// tokenReference is where the candidates' verify_token would be.
const tokenReference = "env:TOKEN"

// A candidate is a preset as a source would use it, with secrets of its own.
type candidate struct {
	preset  provider.Preset
	hook    config.Webhook
	secret  webhook.Credentials
	other   webhook.Credentials // of somebody else
	with    map[string]string
	address string
	folder  string // of keys that would be fetched
}

func load(t *testing.T, name string) candidate {
	t.Helper()
	p, err := provider.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	c := candidate{preset: p, address: "https://hooks.example.com/webhooks/" + name, with: map[string]string{}}
	if p.Webhook == nil {
		return c
	}
	for parameter := range p.Parameters {
		c.with[parameter] = "sample-" + parameter
	}
	text, err := json.Marshal(p.Webhook.Webhook)
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]any
	if err := json.Unmarshal(text, &raw); err != nil {
		t.Fatal(err)
	}
	if missing := provider.FillIn(raw, c.with); len(missing) > 0 {
		t.Errorf("{with.…} without a line in parameters: %v", missing)
	}
	if auth, ok := raw["auth"].(map[string]any); ok {
		provider.FillInToken(auth, tokenReference)
	}
	if text, err = json.Marshal(raw); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &c.hook); err != nil {
		t.Fatal(err)
	}
	if c.hook.Auth == nil {
		t.Fatal("webhook.auth is absent")
	}
	c.folder = t.TempDir()
	for _, to := range []*webhook.Credentials{&c.secret, &c.other} {
		secret, private, err := webhook.NewSecret(*c.hook.Auth)
		if err != nil {
			t.Fatal(err)
		}
		*to = webhook.Credentials{Secrets: []string{secret}, Own: map[string]string{tokenReference: "a-token"}, Private: private, Keys: webhook.NewKeys(webhook.NewClient(), c.folder, func() time.Time { return noon })}
	}
	return c
}

// request is a sample, not signed yet.
func (c candidate) request(t *testing.T, s provider.Sample) webhook.Request {
	t.Helper()
	s = s.Fill(s.Type, c.with, noon)
	r := webhook.Request{Method: "POST", Path: "/webhooks/" + c.preset.Name, RawQuery: s.Query, URL: c.address, Body: []byte(s.Body), SourceIP: "192.0.2.1"}
	if s.Method != "" {
		r.Method = s.Method
	}
	if s.Query != "" {
		r.URL += "?" + s.Query
	}
	switch s.ContentType {
	case "":
		r.Header.Set("Content-Type", "application/json")
	case "none":
	default:
		r.Header.Set("Content-Type", s.ContentType)
	}
	for name, value := range s.Headers {
		r.Header.Set(name, value)
	}
	return r
}

func (c candidate) sign(t *testing.T, r *webhook.Request, at time.Time) {
	t.Helper()
	if err := webhook.Sign(*c.hook.Auth, c.secret, r, "", at); err != nil {
		t.Fatalf("sign: %v", err)
	}
}

func TestEveryPresetLoadsAndSaysAllItMust(t *testing.T) {
	t.Parallel()
	for _, name := range provider.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := load(t, name)
			p := c.preset
			if p.Name != name || p.Title == "" || len(p.Docs) == 0 || p.Verified.How == "" {
				t.Errorf("name (that of the file), title, docs and verified must be there: %+v", p)
			}
			if !slices.Contains([]string{provider.ByVector, provider.BySDK, provider.ByDocumentation}, p.Verified.By) {
				t.Errorf("verified.by is %q: there are vector, sdk and documentation", p.Verified.By)
			}
			if p.Webhook == nil && p.Poll == nil {
				t.Error("a preset has a webhook half, a poll half, or both")
			}
			if p.Webhook != nil {
				c.checkWebhook(t)
			}
			if p.Poll != nil {
				checkPoll(t, *p.Poll)
			}
		})
	}
}

func (c candidate) checkWebhook(t *testing.T) {
	t.Helper()
	setup := strings.Join(c.preset.Setup, "\n")
	if !strings.Contains(setup, "{url}") {
		t.Error("setup must say where {url} goes")
	}
	if webhook.UsesSecret(*c.hook.Auth) && !strings.Contains(setup, "{secret}") {
		t.Error("setup must say where {secret} goes")
	}
	if slices.Contains(webhook.References(*c.hook.Auth), tokenReference) && !strings.Contains(setup, "{verify_token}") {
		t.Error("auth shows verify_token, so setup must say where {verify_token} goes")
	}
	if c.preset.Answer.Expects == "" {
		t.Error("answer.expects must say what counts as taken")
	}
	if len(c.preset.Samples) == 0 {
		t.Error("a preset has at least one sample")
	}
	if c.hook.Provider != "" || len(c.hook.Secret) > 0 || len(c.hook.VerifyToken) > 0 || len(c.hook.With) > 0 || c.hook.URL != "" {
		t.Error("provider, secret, verify_token, with and url are a source's to say")
	}
	if c.hook.Event == nil {
		t.Fatal("webhook.event is absent")
	}
	for _, spec := range []event.Spec{c.preset.Webhook.EventFor(false), c.preset.Webhook.EventFor(true)} {
		if _, err := event.Compile(spec); err != nil {
			t.Error(err)
		}
	}
	for i, h := range c.hook.Handshakes {
		if _, err := webhook.CompileHandshake(h); err != nil {
			t.Errorf("handshakes.%d: %v", i, err)
		}
		if (h.By == webhook.ByToken || h.Answer.Sign != nil && strings.Contains(strings.Join(h.Answer.Sign.Signed, ""), "{verify_token}")) && !strings.Contains(setup, "{verify_token}") {
			t.Errorf("handshakes.%d shows verify_token, so setup must say where {verify_token} goes", i)
		}
	}
	if c.hook.Reply != nil {
		if _, err := webhook.CompileReply(*c.hook.Reply, 202); err != nil {
			t.Errorf("reply: %v", err)
		}
	}
	if _, err := webhook.CompileRequirement(c.hook.Require); err != nil {
		t.Errorf("require: %v", err)
	}
}

func checkPoll(t *testing.T, p provider.Poll) {
	t.Helper()
	for resource, r := range p.Resources {
		if r.BaseURL == "" || r.Request == nil || r.Auth == nil || r.Pagination == nil || r.Event == nil {
			t.Errorf("resource %s lacks its address, request, auth, pagination or event", resource)
			continue
		}
		if _, err := event.Compile(*r.Event); err != nil {
			t.Error(err)
		}
	}
}

// Every sample of every preset, signed as its provider signs: it is taken; one
// that was changed, one of another secret, and an old one are not.
func TestEverySampleIsAuthenticated(t *testing.T) {
	t.Parallel()
	for _, name := range provider.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := load(t, name)
			if c.preset.Webhook == nil {
				return
			}
			v, err := webhook.Compile(*c.hook.Auth)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range c.preset.Samples {
				c.prove(t, v, s)
			}
		})
	}
}

func (c candidate) prove(t *testing.T, v *webhook.Verifier, s provider.Sample) {
	t.Helper()
	if c.hook.Auth.Scheme == "none" || c.hook.Auth.Scheme == "mtls" {
		return
	}
	ctx := context.Background()
	r := c.request(t, s)
	c.publish(t, r)
	c.sign(t, &r, noon)
	if err := v.Verify(ctx, c.secret, r, noon); err != nil {
		t.Fatalf("%s: signed: %v", s.Type, err)
	}
	requirement, err := webhook.CompileRequirement(c.hook.Require)
	if err != nil {
		t.Fatal(err)
	}
	if err := requirement.Met(r, c.document(t, r)); err != nil {
		t.Errorf("%s: the sample does not say what is required: %v", s.Type, err)
	}
	rotated := c.secret
	rotated.Secrets = append(slices.Clone(c.other.Secrets), c.secret.Secrets...)
	if err := v.Verify(ctx, rotated, r, noon); err != nil {
		t.Errorf("%s: signed with the second of two secrets: %v", s.Type, err)
	}
	if webhook.UsesSecret(*c.hook.Auth) {
		if err := v.Verify(ctx, c.other, r, noon); err == nil {
			t.Errorf("%s: signed with another secret, and taken", s.Type)
		}
	}
	if v.Covers("") && len(r.Body) > 0 && signs(*c.hook.Auth) {
		changed := r
		changed.Body = slices.Clone(r.Body)
		changed.Body[len(changed.Body)/2] ^= 1
		if err := v.Verify(ctx, c.secret, changed, noon); err == nil {
			t.Errorf("%s: changed, and taken", s.Type)
		}
	}
	if stamped(*c.hook.Auth) {
		if err := v.Verify(ctx, c.secret, r, noon.AddDate(0, 0, 6)); !errors.Is(err, webhook.ErrStale) {
			t.Errorf("%s: six days old: %v, want ErrStale", s.Type, err)
		}
	}
	bare := c.request(t, s)
	if err := v.Verify(ctx, c.secret, bare, noon); err == nil {
		t.Errorf("%s: without a signature, and taken", s.Type)
	}
}

// document is the body as JSON, whatever it is.
func (c candidate) document(t *testing.T, r webhook.Request) []byte {
	t.Helper()
	var spec config.Body
	if c.hook.Body != nil {
		spec = *c.hook.Body
	}
	reader, err := body.Compile(spec)
	if err != nil {
		t.Fatalf("body: %v", err)
	}
	message := reader.Read(r.Body, r.Header.Get("Content-Type"))
	if message.Unreadable != nil {
		t.Errorf("body: %v", message.Unreadable)
	}
	if len(message.Parts) == 0 {
		return nil
	}
	if message.Parts[0].Root != nil {
		return message.Parts[0].Root
	}
	return message.Parts[0].View
}

// publish puts the key that signs where a fetched document would be.
func (c candidate) publish(t *testing.T, r webhook.Request) {
	t.Helper()
	if !webhook.FetchesKey(*c.hook.Auth) {
		return
	}
	address, document, err := webhook.KeyDocument(*c.hook.Auth, r, c.secret.Private, noon)
	if err != nil {
		t.Fatalf("the key's document: %v", err)
	}
	if err := os.WriteFile(filepath.Join(c.folder, webhook.KeyFile(address)), document, 0o600); err != nil {
		t.Fatal(err)
	}
}

// signs reports whether the scheme signs, rather than shows a secret.
func signs(a config.Auth) bool {
	switch a.Scheme {
	case "token", "basic", "ip":
		return false
	case "all":
		return slices.ContainsFunc(a.Of, signs)
	case "any":
		return signs(a.Of[0])
	}
	return true
}

func stamped(a config.Auth) bool {
	if a.Scheme == "any" {
		return stamped(a.Of[0])
	}
	return a.Timestamp != nil || slices.ContainsFunc(a.Of, stamped)
}

func TestAProviderWithoutAFileIsUnknown(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "nobody", "../config/load/schema", "stripe.yaml"} {
		if _, err := provider.Load(name); !errors.Is(err, provider.ErrUnknown) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
