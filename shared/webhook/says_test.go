package webhook_test

import (
	"errors"
	"strings"
	"testing"

	"pushpull/shared/config"
	"pushpull/shared/webhook"
)

// A token that somebody signed rightly, and that says something else.
func TestWhatATokenSaysMustHold(t *testing.T) {
	t.Parallel()
	known := webhook.Credentials{Secrets: []string{"the secret"}}
	wanted := config.Auth{
		Scheme: "jwt", Algorithm: config.Names{"HS256"}, Signature: config.Signature{Header: config.Names{"S"}},
		Issuer: config.Names{"us"}, Audience: config.Names{"{url}"}, Claims: map[string]string{"hash": "{body|sha256|hex}"},
	}
	v := compile(t, wanted)
	for _, tt := range []struct {
		name   string
		change func(*config.Auth)
		want   error
	}{
		{"what it must", func(*config.Auth) {}, nil},
		{"another issuer", func(a *config.Auth) { a.Issuer = config.Names{"them"} }, webhook.ErrSignature},
		{"no issuer", func(a *config.Auth) { a.Issuer = nil }, webhook.ErrSignature},
		{"another audience", func(a *config.Auth) { a.Audience = config.Names{"https://example.com"} }, webhook.ErrSignature},
		{"no audience", func(a *config.Auth) { a.Audience = nil }, webhook.ErrSignature},
		{"another hash", func(a *config.Auth) { a.Claims = map[string]string{"hash": "00"} }, webhook.ErrSignature},
		{"no hash, though there is a body", func(a *config.Auth) { a.Claims = nil }, webhook.ErrSignature},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			signed := wanted
			tt.change(&signed)
			r := webhook.Request{Method: "POST", URL: "https://hooks.example.com/webhooks/s", Body: []byte("{}")}
			if err := webhook.Sign(signed, known, &r, "", noon); err != nil {
				t.Fatal(err)
			}
			if err := v.Verify(t.Context(), known, r, noon); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestASecretAndAPublicKeyAreNeverTakenTogether(t *testing.T) {
	t.Parallel()
	_, err := webhook.Compile(config.Auth{
		Scheme: "jwt", Algorithm: config.Names{"RS256", "HS256"}, Signature: config.Signature{Header: config.Names{"S"}},
	})
	if err == nil || !strings.Contains(err.Error(), "used as a secret") {
		t.Errorf("got %v", err)
	}
}

func TestWhatMustBeEqualIsCompared(t *testing.T) {
	t.Parallel()
	auth := config.Auth{
		Scheme: "hmac", Signature: config.Signature{Header: config.Names{"S"}}, Signed: config.Names{"{url}"},
		Equal: map[string]string{"query.hash": "{body|sha256|hex}"},
	}
	known := webhook.Credentials{Secrets: []string{secret}}
	r := webhook.Request{Method: "POST", URL: "https://hooks.example.com/webhooks/s", Body: []byte("{}")}
	if err := webhook.Sign(auth, known, &r, "", noon); err != nil {
		t.Fatal(err)
	}
	v := compile(t, auth)
	if err := v.Verify(t.Context(), known, r, noon); err != nil {
		t.Fatalf("as it was signed: %v", err)
	}
	if !v.Covers("") {
		t.Error("the body's hash is signed with the address, so the body is")
	}
	r.Body = []byte("[]")
	if err := v.Verify(t.Context(), known, r, noon); !errors.Is(err, webhook.ErrSignature) {
		t.Errorf("with another body: %v", err)
	}
}

func TestAnAddressIsTheSameHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	v := compile(t, config.Auth{Scheme: "ip", CIDRs: config.Names{"192.0.2.0/24", "2001:db8::/32", "198.51.100.7"}})
	for address, want := range map[string]error{
		"192.0.2.1": nil, "::ffff:192.0.2.1": nil, "2001:db8::1": nil, "2001:db8::1%eth0": nil, "198.51.100.7": nil,
		"198.51.100.8": webhook.ErrSignature, "::ffff:198.51.100.8": webhook.ErrSignature, "": webhook.ErrMissing, "nobody": webhook.ErrMissing,
	} {
		if err := v.Verify(t.Context(), webhook.Credentials{}, webhook.Request{SourceIP: address}, noon); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", address, err, want)
		}
	}
}

func TestAnAnswerHoldsNothingButText(t *testing.T) {
	t.Parallel()
	reply, err := webhook.CompileReply(config.Reply{Body: "{query.x}", Headers: map[string]string{"X-Echo": "{query.x}"}}, 200)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		query string
		good  bool
	}{
		"plain":             {"x=abc", true},
		"a line break":      {"x=a%0D%0ASet-Cookie:b", false},
		"no ASCII":          {"x=%C3%A9", false},
		"nothing":           {"", false},
		"more than is good": {"x=" + strings.Repeat("a", 5<<10), false},
	} {
		if _, err := reply.Answer(webhook.Credentials{}, webhook.Request{RawQuery: tt.query}); (err == nil) != tt.good {
			t.Errorf("%s: %v", name, err)
		}
	}
	long, err := webhook.CompileReply(config.Reply{Body: "{query.x}"}, 200)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := long.Answer(webhook.Credentials{}, webhook.Request{RawQuery: "x=" + strings.Repeat("a", 17<<10)}); err == nil {
		t.Error("an answer of 17 KiB")
	}
}

// Any body can be filled up until it has a given CRC-32.
func TestAChecksumIsNoSignatureOfTheBody(t *testing.T) {
	t.Parallel()
	auth := config.Auth{Scheme: "rsa", Signature: config.Signature{Header: config.Names{"S"}}}
	for text, want := range map[string]bool{"{body}": true, "{body|sha256|hex}": true, "{body|crc32}": false, "{header.X}|{body|crc32}": false} {
		auth.Signed = config.Names{text}
		if got := compile(t, auth).Covers(""); got != want {
			t.Errorf("%s covers the body: %t, want %t", text, got, want)
		}
	}
}
