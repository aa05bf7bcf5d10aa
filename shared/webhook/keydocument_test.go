package webhook_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"pushpull/shared/config"
	"pushpull/shared/webhook"

	"github.com/golang-jwt/jwt/v5"
)

// ring is key pairs of a provider, made once.
type ring struct {
	ec, ecOther, ecStranger *ecdsa.PrivateKey
	rsa                     *rsa.PrivateKey
}

func newRing(tb testing.TB) ring {
	tb.Helper()
	var r ring
	var errs [4]error
	r.ec, errs[0] = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	r.ecOther, errs[1] = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	r.ecStranger, errs[2] = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	r.rsa, errs[3] = rsa.GenerateKey(rand.Reader, 2048)
	if err := errors.Join(errs[:]...); err != nil {
		tb.Fatal(err)
	}
	return r
}

// jwkOf is a key as a JSON Web Key, with members of its own.
func jwkOf(tb testing.TB, key crypto.PublicKey, more ...string) map[string]string {
	tb.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	made := map[string]string{}
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		if err != nil {
			tb.Fatal(err)
		}
		made["kty"], made["crv"], made["x"], made["y"] = "EC", "P-256", encode(point[1:33]), encode(point[33:])
	case *rsa.PublicKey:
		made["kty"], made["n"], made["e"] = "RSA", encode(key.N.Bytes()), "AQAB"
	case ed25519.PublicKey:
		made["kty"], made["crv"], made["x"] = "OKP", "Ed25519", encode(key)
	}
	for i := 0; i < len(more); i += 2 {
		made[more[i]] = more[i+1]
	}
	return made
}

func keySet(tb testing.TB, keys ...map[string]string) string {
	tb.Helper()
	text, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// Of a set the key with the token's id counts; without an id, or where the keys
// have none, each.
func TestATokenIsVerifiedByTheKeyOfItsID(t *testing.T) {
	t.Parallel()
	k := newRing(t)
	const address = "https://keys.example.com/jwks"
	named := keySet(t, jwkOf(t, k.ec.Public(), "kid", "a"), jwkOf(t, k.ecOther.Public(), "kid", "b"))
	nameless := keySet(t, jwkOf(t, k.ec.Public()), jwkOf(t, k.ecOther.Public()))
	mixed := keySet(t, jwkOf(t, k.ec.Public()), jwkOf(t, k.ecOther.Public(), "kid", "b"))
	bearer := config.Signature{Header: config.Names{"Authorization"}, Prefix: config.Names{"Bearer "}}
	auth := config.Auth{Scheme: "jwt", Algorithm: config.Names{"ES256", "RS256"}, Signature: bearer, Key: config.Key{URL: address}}
	detached := auth
	detached.Signature.Detached = true
	for _, tt := range []struct {
		name     string
		auth     config.Auth
		document string
		by       *ecdsa.PrivateKey
		kid      string
		want     error
	}{
		{"the first key, by its id", auth, named, k.ec, "a", nil},
		{"the second key, by its id", auth, named, k.ecOther, "b", nil},
		{"a key under the id of another", auth, named, k.ecOther, "a", webhook.ErrSignature},
		{"a key under an id that is not there", auth, named, k.ec, "c", webhook.ErrSignature},
		{"a key under its place in the list", auth, named, k.ec, "0", webhook.ErrSignature},
		{"the first key, without an id", auth, named, k.ec, "", nil},
		{"the second key, without an id", auth, named, k.ecOther, "", nil},
		{"a stranger's key, without an id", auth, named, k.ecStranger, "", webhook.ErrSignature},
		{"the second of keys that have no ids", auth, nameless, k.ecOther, "z", nil},
		{"the second of keys that have no ids, without one", auth, nameless, k.ecOther, "", nil},
		{"a stranger's key where keys have no ids", auth, nameless, k.ecStranger, "z", webhook.ErrSignature},
		{"the key without an id, beside one that has one", auth, mixed, k.ec, "z", nil},
		{"the key with an id, beside one that has none", auth, mixed, k.ecOther, "b", nil},
		{"the key with an id, under another", auth, mixed, k.ecOther, "z", webhook.ErrSignature},
		{"the key without an id, under that of another", auth, mixed, k.ec, "b", webhook.ErrSignature},
		{"one of two keys of one id", auth, keySet(t, jwkOf(t, k.ec.Public(), "kid", "a"), jwkOf(t, k.rsa.Public(), "kid", "a")), k.ec, "a", nil},
		{"the other of two keys of one id", auth, keySet(t, jwkOf(t, k.rsa.Public(), "kid", "a"), jwkOf(t, k.ec.Public(), "kid", "a")), k.ec, "a", nil},
		{"a key beside one of an unknown kind", auth, keySet(t, map[string]string{"kty": "AKP", "kid": "a"}, jwkOf(t, k.ec.Public(), "kid", "a")), k.ec, "a", nil},
		{"a key that is said to be for signatures", auth, keySet(t, jwkOf(t, k.ec.Public(), "kid", "a", "use", "sig")), k.ec, "a", nil},
		{"a key that is said to be for encryption", auth, keySet(t, jwkOf(t, k.ec.Public(), "kid", "a", "use", "enc"), jwkOf(t, k.ecOther.Public(), "kid", "b")), k.ec, "a", webhook.ErrSignature},
		{"nothing but secrets", auth, `{"keys":[{"kty":"oct","k":"AAAA","kid":"a"}]}`, k.ec, "a", webhook.ErrKey},
		{"an empty set", auth, `{"keys":[]}`, k.ec, "a", webhook.ErrKey},
		{"of one without its payload, the second key", detached, named, k.ecOther, "b", nil},
		{"of one without its payload, the second key without an id", detached, named, k.ecOther, "", nil},
		{"of one without its payload, a key under the id of another", detached, named, k.ecOther, "a", webhook.ErrSignature},
		{"of one without its payload, an id that is not there", detached, named, k.ec, "c", webhook.ErrSignature},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &server{answers: map[string]func() *http.Response{address: says(200, tt.document)}}
			c := webhook.Credentials{Keys: webhook.NewKeys(s.client(), "", func() time.Time { return noon })}
			token := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{"sub": "x"})
			if tt.kid != "" {
				token.Header["kid"] = tt.kid
			}
			text, err := token.SignedString(tt.by)
			if err != nil {
				t.Fatal(err)
			}
			r := webhook.Request{}
			if parts := strings.Split(text, "."); tt.auth.Signature.Detached {
				if r.Body, err = base64.RawURLEncoding.DecodeString(parts[1]); err != nil {
					t.Fatal(err)
				}
				text = parts[0] + ".." + parts[2]
			}
			r.Header = header("Authorization", "Bearer "+text)
			if err := compile(t, tt.auth).Verify(t.Context(), c, r, noon); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// A token says with which key and algorithm it was signed; where the key is, and
// what it may be used for, is not its to say.
func TestATokenDoesNotChooseHowItIsVerified(t *testing.T) {
	t.Parallel()
	k := newRing(t)
	const address = "https://keys.example.com/jwks"
	document := keySet(t, jwkOf(t, k.rsa.Public(), "kid", "a"), jwkOf(t, k.ec.Public(), "kid", "b"))
	theirs := keySet(t, jwkOf(t, k.ecStranger.Public(), "kid", "b"))
	rsaPEM := []byte(pemOf(t, k.rsa))
	bearer := config.Signature{Header: config.Names{"Authorization"}, Prefix: config.Names{"Bearer "}}
	auth := config.Auth{Scheme: "jwt", Algorithm: config.Names{"RS256", "ES256"}, Signature: bearer, Key: config.Key{URL: address}}
	for _, tt := range []struct {
		name   string
		method jwt.SigningMethod
		key    any
		header map[string]any
		want   error
	}{
		{"its own key and algorithm", jwt.SigningMethodRS256, k.rsa, map[string]any{"kid": "a"}, nil},
		{"HS256 with the fetched RSA key", jwt.SigningMethodHS256, rsaPEM, map[string]any{"kid": "a"}, webhook.ErrSignature},
		{"HS256 with the modulus of the fetched RSA key", jwt.SigningMethodHS256, k.rsa.N.Bytes(), map[string]any{"kid": "a"}, webhook.ErrSignature},
		{"HS256 with the fetched document", jwt.SigningMethodHS256, []byte(document), map[string]any{"kid": "a"}, webhook.ErrSignature},
		{"ES256 under the id of the RSA key", jwt.SigningMethodES256, k.ec, map[string]any{"kid": "a"}, webhook.ErrSignature},
		{"PS256, which is not said", jwt.SigningMethodPS256, k.rsa, map[string]any{"kid": "a"}, webhook.ErrSignature},
		{"no signature", jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, map[string]any{"kid": "a"}, webhook.ErrSignature},
		{"an address of its own keys", jwt.SigningMethodES256, k.ecStranger, map[string]any{"kid": "b", "jku": "https://keys.example.com/theirs"}, webhook.ErrSignature},
		{"an address of its own certificate", jwt.SigningMethodES256, k.ecStranger, map[string]any{"kid": "b", "x5u": "https://keys.example.com/theirs"}, webhook.ErrSignature},
		{"an address as its key's id", jwt.SigningMethodES256, k.ecStranger, map[string]any{"kid": "https://keys.example.com/theirs"}, webhook.ErrSignature},
		{"its own key", jwt.SigningMethodES256, k.ecStranger, map[string]any{"kid": "b", "jwk": jwkOf(t, k.ecStranger.Public())}, webhook.ErrSignature},
		{"a list for its key's id", jwt.SigningMethodRS256, k.rsa, map[string]any{"kid": []string{"a"}}, nil}, // as if it had none
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &server{answers: map[string]func() *http.Response{address: says(200, document), "https://keys.example.com/theirs": says(200, theirs)}}
			c := webhook.Credentials{Keys: webhook.NewKeys(s.client(), "", func() time.Time { return noon })}
			token := jwt.NewWithClaims(tt.method, jwt.MapClaims{"sub": "x"})
			maps.Copy(token.Header, tt.header)
			text, err := token.SignedString(tt.key)
			if err != nil {
				t.Fatal(err)
			}
			r := webhook.Request{Header: header("Authorization", "Bearer "+text)}
			if err := compile(t, auth).Verify(t.Context(), c, r, noon); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			for _, asked := range s.asked {
				if asked != address {
					t.Errorf("fetched %s", asked)
				}
			}
		})
	}
}

// A certificate counts while it is valid, however long it was said to be kept,
// and only if signatures are among what it is for.
func TestACertificateCountsWhileItIsValid(t *testing.T) {
	t.Parallel()
	const address = "https://keys.example.com/c"
	auth := fromAddress
	auth.Key.Document = "certificate"
	key := fixedECDSA(t)
	certificate := func(usage x509.KeyUsage) string {
		of := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "keys.example.com"}, NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(time.Hour), KeyUsage: usage}
		der, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	for _, tt := range []struct {
		name  string
		usage x509.KeyUsage
		later time.Duration
		want  error
	}{
		{"one that says nothing of its use", 0, 0, nil},
		{"one for signatures", x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, 0, nil},
		{"one for commitments", x509.KeyUsageContentCommitment, 0, nil},
		{"one for encryption alone", x509.KeyUsageKeyEncipherment, 0, webhook.ErrKey},
		{"one for certificates alone", x509.KeyUsageCertSign, 0, webhook.ErrKey},
		{"one that is kept until it expires", 0, time.Hour - time.Second, nil},
		{"one that expired while it was kept", 0, time.Hour + time.Second, webhook.ErrKey},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &server{answers: map[string]func() *http.Response{address: says(200, certificate(tt.usage), "Cache-Control", "max-age=86400")}}
			now := noon
			c := webhook.Credentials{Keys: webhook.NewKeys(s.client(), "", func() time.Time { return now })}
			verify := func() error {
				return compile(t, auth).Verify(t.Context(), c, signedECDSA(t, key, auth, address), now)
			}
			err := verify()
			if tt.later > 0 && err == nil {
				now = now.Add(tt.later)
				err = verify()
			}
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// GitHub's list may come to have a key of a kind that we do not know.
func TestAListOfKeysIsReadForThoseThatAreKnown(t *testing.T) {
	t.Parallel()
	const address = "https://keys.example.com/list"
	key := fixedECDSA(t)
	auth := fromAddress
	auth.Key.Document, auth.Key.ID = "github", "{header.Key-Id}"
	list := func(keys ...map[string]string) string {
		text, err := json.Marshal(map[string]any{"public_keys": keys})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	known, unknown := map[string]string{"key_identifier": "a", "key": pemOf(t, key)}, map[string]string{"key_identifier": "b", "key": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"}
	for _, tt := range []struct {
		name, document, kid string
		want                error
	}{
		{"a key of the list", list(known), "a", nil},
		{"a key that is not in it", list(known), "c", webhook.ErrSignature},
		{"a key beside one of an unknown kind", list(unknown, known), "a", nil},
		{"a key of an unknown kind", list(unknown, known), "b", webhook.ErrSignature},
		{"nothing but those", list(unknown), "b", webhook.ErrKey},
		{"an empty list", list(), "a", webhook.ErrKey},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &server{answers: map[string]func() *http.Response{address: says(200, tt.document)}}
			c := webhook.Credentials{Keys: webhook.NewKeys(s.client(), "", func() time.Time { return noon })}
			r := signedECDSA(t, key, fromAddress, address)
			r.Header.Set("Key-Id", tt.kid)
			if err := compile(t, auth).Verify(t.Context(), c, r, noon); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}
