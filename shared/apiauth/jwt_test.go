package apiauth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"pushpull/shared/apiauth"
	"pushpull/shared/config"
)

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func pemOf(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// parsed are the claims of a JWT, whose signature and times must be right.
func parsed(t *testing.T, text string, key any, now time.Time) *jwt.Token {
	t.Helper()
	token, err := jwt.Parse(text, func(*jwt.Token) (any, error) { return key, nil }, jwt.WithTimeFunc(func() time.Time { return now }), jwt.WithIssuedAt())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestAJWTIsSentAsItIs(t *testing.T) {
	t.Parallel()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		algorithm, secret string
		public            any
	}{
		{"RS256", pemOf(t, rsaKey()), rsaKey().Public()},
		{"PS256", pemOf(t, rsaKey()), rsaKey().Public()},
		{"ES256", pemOf(t, ec), ec.Public()},
		{"EdDSA", strings.ReplaceAll(pemOf(t, ed), "\n", `\n`), crypto.PublicKey(public)},
		{"HS256", "shared text", []byte("shared text")},
	} {
		t.Run(tt.algorithm, func(t *testing.T) {
			t.Parallel()
			w := newWorld(map[string]string{"/token": tt.secret})
			a := w.process(t, config.APIAuth{
				Type: "jwt_bearer", Algorithm: tt.algorithm, KeyID: "{kid}", Claims: map[string]string{"iss": "{issuer}", "aud": "api"}, Lifetime: config.Duration(10 * time.Minute),
			}, map[string]string{"issuer": "12", "kid": "k1"})
			first := bearer(t, a)
			token := parsed(t, strings.TrimPrefix(first, "Bearer "), tt.public, w.clock.now())
			claims, _ := token.Claims.(jwt.MapClaims)
			delete(claims, "jti")
			now := float64(w.clock.now().Unix())
			if diff := cmp.Diff(jwt.MapClaims{"iss": "12", "aud": "api", "iat": now - 60, "exp": now + 540}, claims); diff != "" {
				t.Error(diff)
			}
			if token.Header["kid"] != "k1" || token.Header["alg"] != tt.algorithm {
				t.Errorf("the header is %v", token.Header)
			}
			w.clock.advance(5 * time.Minute)
			if bearer(t, a) != first {
				t.Error("it is made anew while it is good")
			}
			w.clock.advance(4 * time.Minute)
			if bearer(t, a) == first {
				t.Error("it is not made anew in time")
			}
		})
	}
}

func TestAServiceAccountExchangesItsJWT(t *testing.T) {
	t.Parallel()
	p := newProvider(t, counted(3599))
	document, err := json.Marshal(map[string]string{"type": "service_account", "client_email": "robot@example.com", "private_key": pemOf(t, rsaKey()), "private_key_id": "k9"})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(map[string]string{"/token": string(document)})
	a := w.process(t, config.APIAuth{
		Type: "jwt_bearer", TokenURL: p.URL + "/token", Lifetime: config.Duration(time.Hour),
		Claims: map[string]string{"iss": "{key.client_email}", "scope": "calendar", "aud": "https://oauth2.example.com/token"},
	}, nil)
	if got := bearer(t, a); got != "Bearer t1" {
		t.Errorf("the header is %q", got)
	}
	asked := p.last()
	token := parsed(t, asked.Form.Get("assertion"), rsaKey().Public(), w.clock.now())
	if issuer, _ := token.Claims.GetIssuer(); issuer != "robot@example.com" || token.Header["kid"] != "k9" {
		t.Errorf("the claims are %v, the header %v", token.Claims, token.Header)
	}
	asked.Form.Del("assertion")
	if diff := cmp.Diff(url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}}, asked.Form); diff != "" {
		t.Error(diff)
	}
}

func TestAnAppShowsItsJWTToGetAToken(t *testing.T) {
	t.Parallel()
	p := newProvider(t, func(int, asked) (int, string) { return 201, `{"token":"ghs_1","expires_at":"2026-11-23T11:00:00Z"}` })
	w := newWorld(map[string]string{"/token": pemOf(t, rsaKey())})
	p.date, w.base = w.clock.now, p.URL
	a := w.process(t, config.APIAuth{
		Type: "jwt_bearer", TokenURL: "/app/installations/{installation}/access_tokens", ClientAuth: "header", TokenPath: "token", Claims: map[string]string{"iss": "{app}"},
	}, map[string]string{"installation": "77", "app": "5"})
	if got := bearer(t, a); got != "Bearer ghs_1" {
		t.Errorf("the header is %q", got)
	}
	shown := p.last()
	parsed(t, strings.TrimPrefix(shown.Authorization, "Bearer "), rsaKey().Public(), w.clock.now())
	if shown.Path != "/app/installations/77/access_tokens" || shown.Form != nil || shown.Body != "" {
		t.Errorf("it asked %+v", shown)
	}
}

func TestParamsSayWhereTheJWTGoes(t *testing.T) {
	t.Parallel()
	p := newProvider(t, counted(3600))
	w := newWorld(map[string]string{"/token": pemOf(t, rsaKey())})
	a := w.process(t, config.APIAuth{Type: "jwt_bearer", TokenURL: p.URL, Params: map[string]string{
		"grant_type": "client_credentials", "client_assertion": "{jwt}", "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
	}}, nil)
	bearer(t, a)
	form := p.last().Form
	parsed(t, form.Get("client_assertion"), rsaKey().Public(), w.clock.now())
	if form.Has("assertion") || form.Get("grant_type") != "client_credentials" {
		t.Errorf("the form is %v", form)
	}
}

// A provider that takes no JWT that is not valid by its own clock.
func TestAClockThatIsWrongIsToldByTheProvider(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{-time.Hour, -5 * time.Minute, 0, 5 * time.Minute, time.Hour} {
		t.Run(skew.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(map[string]string{"/token": pemOf(t, rsaKey())})
			there := func() time.Time { return w.clock.now().Add(skew) }
			p := newProvider(t, func(n int, r asked) (int, string) {
				_, err := jwt.Parse(r.Form.Get("assertion"), func(*jwt.Token) (any, error) { return rsaKey().Public(), nil }, jwt.WithTimeFunc(there), jwt.WithIssuedAt())
				if err != nil {
					return 400, `{"error":"invalid_grant"}`
				}
				return 200, fmt.Sprintf(`{"access_token":"t%d","expires_in":3600}`, n)
			})
			p.date = there
			a := w.process(t, config.APIAuth{Type: "jwt_bearer", TokenURL: p.URL, Lifetime: config.Duration(4 * time.Minute)}, nil)
			want := "Bearer t1"
			if skew != 0 {
				want = "Bearer t2"
			}
			if got := bearer(t, a); got != want {
				t.Errorf("the header is %q", got)
			}
		})
	}
}

func TestAKeyThatIsNoneIsNotQuoted(t *testing.T) {
	t.Parallel()
	w := newWorld(map[string]string{"/token": "not a key"})
	a := w.process(t, config.APIAuth{Type: "jwt_bearer"}, nil)
	err := a.Apply(t.Context(), get(t, "https://api.example.com/"), nil)
	if e, ok := errors.AsType[*apiauth.Error](err); !ok || !e.Permanent() || e.Key != "auth.key" || strings.Contains(e.Error(), "not a key") {
		t.Errorf("the error is %v", err)
	}
}
