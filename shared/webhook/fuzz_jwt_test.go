package webhook_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"strings"
	"testing"
	"unicode/utf8"

	"pushpull/shared/config"
	"pushpull/shared/webhook"

	"github.com/golang-jwt/jwt/v5"
)

// pemOf is the public half of a key as a secret has it.
func pemOf(tb testing.TB, key crypto.Signer) string {
	tb.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		tb.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// fixedECDSA is a key that is the same in each process of a fuzzer.
func fixedECDSA(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), append(make([]byte, 31), 7))
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func fixedEd25519() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(make([]byte, 32)) }

const jwtSecret = "a secret of thirty-two bytes, all"

// FuzzJWT sends any token: only one whose header and payload were signed is taken.
func FuzzJWT(f *testing.F) {
	bearer := config.Signature{Header: config.Names{"Authorization"}, Prefix: config.Names{"Bearer ", ""}}
	schemes := []struct {
		auth   config.Auth
		secret string
		key    any
	}{
		{config.Auth{Scheme: "jwt", Algorithm: config.Names{"HS256", "HS512"}, Signature: bearer}, jwtSecret, []byte(jwtSecret)},
		{config.Auth{Scheme: "jwt", Algorithm: config.Names{"ES256"}, Signature: bearer}, pemOf(f, fixedECDSA(f)), fixedECDSA(f)},
		{config.Auth{Scheme: "jwt", Algorithm: config.Names{"EdDSA"}, Signature: bearer, Claims: map[string]string{"sha": "{body|sha256|hex}"}}, pemOf(f, fixedEd25519()), fixedEd25519()},
		{config.Auth{Scheme: "jwt", Algorithm: config.Names{"HS256"}, Signature: config.Signature{Header: config.Names{"Authorization"}, Detached: true}}, jwtSecret, []byte(jwtSecret)},
	}
	const claims = `{"sub":"x","exp":1795440000,"sha":"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}`
	heads := []string{`{"alg":"HS256","typ":"JWT"}`, `{"alg":"ES256","kid":"a"}`, `{"alg":"EdDSA"}`, `{"alg":"HS256","b64":false,"crit":["b64"]}`}
	url64 := base64.RawURLEncoding.EncodeToString
	signed := map[int]string{}
	for i, s := range schemes {
		method := jwt.GetSigningMethod(s.auth.Algorithm[0])
		text := url64([]byte(heads[i])) + "." + url64([]byte(claims))
		if s.auth.Signature.Detached {
			text = url64([]byte(heads[i])) + ".{}"
		}
		sum, err := method.Sign(text, s.key)
		if err != nil {
			f.Fatal(err)
		}
		signed[i] = text
		for _, head := range append(heads, `{"alg":"none"}`, `{"alg":"HS256","jwk":{"kty":"oct","k":"AA"}}`, `{}`, `[]`, `{"alg":1}`) {
			f.Add(uint8(i), head, claims, sum, []byte("{}"), uint8(0))
		}
		f.Add(uint8(i), heads[i], claims+" ", sum, []byte("{}"), uint8(1))
		f.Add(uint8(i), heads[i], claims, []byte(nil), []byte(claims), uint8(2))
	}
	f.Fuzz(func(t *testing.T, which uint8, head, payload string, sum, body []byte, form uint8) {
		i := int(which) % len(schemes)
		s := schemes[i]
		token := url64([]byte(head)) + "." + url64([]byte(payload)) + "." + url64(sum)
		switch form % 4 {
		case 1:
			token = url64([]byte(head)) + ".." + url64(sum)
		case 2:
			token = head + "." + payload + "." + string(sum)
		case 3:
			token = "Bearer " + token
		}
		r := webhook.Request{Header: header("Authorization", token), Body: body}
		err := compile(t, s.auth).Verify(t.Context(), webhook.Credentials{Secrets: []string{s.secret}}, r, noon)
		if err != nil {
			if !errors.Is(err, webhook.ErrMissing) && !errors.Is(err, webhook.ErrSignature) && !errors.Is(err, webhook.ErrStale) {
				t.Fatalf("an error that is no verdict on the request: %v", err)
			}
			return
		}
		text := strings.TrimPrefix(token, "Bearer ")
		text = text[:strings.LastIndex(text, ".")]
		if s.auth.Signature.Detached {
			raw := url64([]byte(head)) + "." + string(body)
			text = raw
		}
		// The last digit of base64 has bits that say nothing.
		if text != signed[i] || s.auth.Claims != nil && string(body) != "{}" {
			t.Fatalf("taken: %q with the body %q", token, body)
		}
	})
}

func TestATokenIsTakenOnlyByItsOwnAlgorithmAndKey(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, other, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	bearer := config.Signature{Header: config.Names{"Authorization"}, Prefix: config.Names{"Bearer "}}
	rs, es, ed, hs := config.Auth{Scheme: "jwt", Algorithm: config.Names{"RS256"}, Signature: bearer}, config.Auth{Scheme: "jwt", Algorithm: config.Names{"ES256"}, Signature: bearer},
		config.Auth{Scheme: "jwt", Algorithm: config.Names{"EdDSA"}, Signature: bearer}, config.Auth{Scheme: "jwt", Algorithm: config.Names{"HS256"}, Signature: bearer}
	detached := hs
	detached.Signature.Detached = true
	claims := jwt.MapClaims{"sub": "x", "exp": noon.Unix() + 60}
	signed := func(method jwt.SigningMethod, key any, head map[string]any) string {
		token := jwt.NewWithClaims(method, claims)
		maps.Copy(token.Header, head)
		text, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + text
	}
	rsaPEM, ecPEM := pemOf(t, rsaKey), pemOf(t, fixedECDSA(t))
	none := signed(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil)
	hs256 := strings.TrimPrefix(signed(jwt.SigningMethodHS256, []byte(jwtSecret), nil), "Bearer ")
	parts := strings.Split(hs256, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		auth   config.Auth
		secret string
		token  string
		body   []byte
		want   error
	}{
		{"its own", rs, rsaPEM, signed(jwt.SigningMethodRS256, rsaKey, nil), nil, nil},
		{"signed with the public key as a secret", rs, rsaPEM, signed(jwt.SigningMethodHS256, []byte(rsaPEM), nil), nil, webhook.ErrSignature},
		{"signed with the public key as a secret, without the line break at its end", rs, rsaPEM, signed(jwt.SigningMethodHS256, []byte(strings.TrimSpace(rsaPEM)), nil), nil, webhook.ErrSignature},
		{"signed by nobody", rs, rsaPEM, none, nil, webhook.ErrSignature},
		{"signed by nobody, for a secret", hs, jwtSecret, none, nil, webhook.ErrSignature},
		{"signed by nobody, who writes it so", hs, jwtSecret, strings.Replace(none, "Bearer ", "Bearer "+base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"nOnE"}`))+".", 1), nil, webhook.ErrSignature},
		{"an RSA key under ES256", es, rsaPEM, signed(jwt.SigningMethodRS256, rsaKey, nil), nil, webhook.ErrSignature},
		{"RS512 where RS256 is said", rs, rsaPEM, signed(jwt.SigningMethodRS512, rsaKey, nil), nil, webhook.ErrSignature},
		{"PS256 where RS256 is said", rs, rsaPEM, signed(jwt.SigningMethodPS256, rsaKey, nil), nil, webhook.ErrSignature},
		{"an ECDSA token where an RSA key is the secret", es, rsaPEM, signed(jwt.SigningMethodES256, fixedECDSA(t), nil), nil, webhook.ErrSignature},
		{"an ECDSA token", es, ecPEM, signed(jwt.SigningMethodES256, fixedECDSA(t), nil), nil, nil},
		{"one with its own key in its header", ed, pemOf(t, fixedEd25519()), signed(jwt.SigningMethodEdDSA, other, map[string]any{"jwk": map[string]string{"kty": "OKP", "crv": "Ed25519", "x": base64.RawURLEncoding.EncodeToString(other.Public().(ed25519.PublicKey))}}), nil, webhook.ErrSignature},
		{"one with an address of its key", ed, pemOf(t, fixedEd25519()), signed(jwt.SigningMethodEdDSA, other, map[string]any{"jku": "https://example.com/keys", "x5u": "https://example.com/key"}), nil, webhook.ErrSignature},
		{"a token without its payload, which is sent as the body", hs, jwtSecret, "Bearer " + parts[0] + ".." + parts[2], payload, webhook.ErrSignature},
		{"a whole token where one without its payload is said", detached, jwtSecret, "Bearer " + hs256, payload, webhook.ErrSignature},
		{"a token of three dots", hs, jwtSecret, "Bearer " + hs256 + ".", nil, webhook.ErrSignature},
		{"an empty secret, and a token made with it", hs, "", signed(jwt.SigningMethodHS256, []byte{}, nil), nil, webhook.ErrSecret},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := webhook.Request{Header: header("Authorization", tt.token), Body: tt.body}
			if err := compile(t, tt.auth).Verify(t.Context(), webhook.Credentials{Secrets: []string{tt.secret}}, r, noon); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// FuzzHandshake has every preset's handshakes meet any request: the answer is
// bounded, its headers are one line each, and values of the request are text in it.
func FuzzHandshake(f *testing.F) {
	greetings := handshakes(f)
	for i := range greetings {
		for _, value := range []string{"abc", "0123456789abcdef0123", "00000000-0000-0000-0000-000000000000", `<script>"\`, "a\r\nb", "\xff\x00", "https://example.com/"} {
			f.Add(uint16(i), value, value, []byte(nil))
		}
	}
	f.Add(uint16(0), "x", "y", []byte(`{"challenge":"x","challenge":{"a":[]}}`))
	f.Fuzz(func(t *testing.T, which uint16, value, token string, body []byte) {
		g := greetings[int(which)%len(greetings)]
		r := g.request(value, body)
		before := string(r.Body)
		h := g.handshake
		is, shows, kept := h.Is(r, false), h.Shows(r, []string{"the token"}), h.Keep(r)
		if len(kept) > 1024 {
			t.Fatalf("a secret of %d bytes is kept", len(kept))
		}
		if shows && !strings.Contains(value+token+string(body), "the token") {
			t.Fatal("the token was shown by who does not know it")
		}
		if !is {
			return
		}
		if address, err := h.Confirm(r); err == nil && address != "" && !strings.HasPrefix(strings.ToLower(address), "https://") {
			t.Fatalf("%s: confirms at %q", g.name, address)
		}
		answer, err := h.Answer(webhook.Credentials{Secrets: []string{jwtSecret}, VerifyToken: "the token"}, r)
		if err != nil {
			if !errors.Is(err, webhook.ErrMissing) && !errors.Is(err, webhook.ErrSignature) {
				t.Fatalf("%s: an error that blames us: %v", g.name, err)
			}
			return
		}
		if answer.Status < 200 || answer.Status > 299 || len(answer.Body) > 16<<10 || string(r.Body) != before {
			t.Fatalf("%s: %+v", g.name, answer)
		}
		for _, field := range answer.Headers {
			if strings.ContainsFunc(field.Name+field.Value, func(c rune) bool { return c < ' ' || c > '~' }) {
				t.Fatalf("%s: the answer's header %q is %q", g.name, field.Name, field.Value)
			}
		}
		if strings.Contains(answer.Body, jwtSecret) {
			t.Fatalf("%s: the secret is answered", g.name)
		}
		media, _, _ := strings.Cut(answer.Type, ";")
		switch {
		case answer.Body == "":
		case strings.HasSuffix(media, "json"):
			if !json.Valid([]byte(answer.Body)) {
				t.Fatalf("%s: no JSON: %q", g.name, answer.Body)
			}
			var members map[string]any
			if json.Unmarshal([]byte(answer.Body), &members) != nil || len(members) > 2 || !utf8.ValidString(answer.Body) {
				t.Fatalf("%s: members that the preset does not write: %q", g.name, answer.Body)
			}
		case media != "text/plain":
			t.Fatalf("%s: answered as %q: %q", g.name, media, answer.Body)
		}
	})
}
