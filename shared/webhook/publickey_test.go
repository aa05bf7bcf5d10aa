package webhook_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"pushpull/shared/config"
	"pushpull/shared/webhook"
)

// Where single members are signed, others may read the other of two. Where the
// body is, its bytes are what they are.
func TestAMemberTwiceIsNotBelievedWhateverKeySignedIt(t *testing.T) {
	t.Parallel()
	ec := fixedECDSA(t)
	ed := fixedEd25519()
	at := config.Signature{Header: config.Names{"S"}}
	member, whole := config.Names{"{body.a}"}, config.Names{"{body}"}
	for _, tt := range []struct {
		name   string
		scheme string
		signed config.Names
		text   string // what the signature is of
		body   string
		want   error
	}{
		{"a member once, ECDSA", "ecdsa", member, "1", `{"a":"1"}`, nil},
		{"the member twice, ECDSA", "ecdsa", member, "1", `{"a":"1","a":"2"}`, webhook.ErrSignature},
		{"the member twice, once with an escape, ECDSA", "ecdsa", member, "1", `{"a":"1","\u0061":"2"}`, webhook.ErrSignature},
		{"another member twice, ECDSA", "ecdsa", member, "1", `{"a":"1","b":{"c":1,"c":2}}`, webhook.ErrSignature},
		{"the whole body, with a member twice, ECDSA", "ecdsa", whole, `{"a":"1","a":"2"}`, `{"a":"1","a":"2"}`, nil},
		{"a member once, Ed25519", "ed25519", member, "1", `{"a":"1"}`, nil},
		{"the member twice, Ed25519", "ed25519", member, "1", `{"a":"1","a":"2"}`, webhook.ErrSignature},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			auth := config.Auth{Scheme: tt.scheme, Signature: at, Signed: tt.signed}
			signature, public := ed25519.Sign(ed, []byte(tt.text)), pemOf(t, ed)
			if tt.scheme == "ecdsa" {
				sum := sha256.Sum256([]byte(tt.text))
				var err error
				if signature, err = ecdsa.SignASN1(rand.Reader, ec, sum[:]); err != nil {
					t.Fatal(err)
				}
				public = pemOf(t, ec)
			}
			r := webhook.Request{Body: []byte(tt.body), Header: header("S", base64.StdEncoding.EncodeToString(signature))}
			if err := compile(t, auth).Verify(t.Context(), webhook.Credentials{Secrets: []string{public}}, r, noon); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// Of a set with several keys the one with the id counts, and no other.
func TestASignatureIsVerifiedByTheKeyOfItsID(t *testing.T) {
	t.Parallel()
	k := newRing(t)
	const address = "https://keys.example.com/jwks"
	auth := config.Auth{Scheme: "ecdsa", Signature: config.Signature{Header: config.Names{"S"}}, Key: config.Key{URL: address, ID: "{header.Key-Id}"}}
	document := keySet(t, jwkOf(t, k.ec.Public(), "kid", "a"), jwkOf(t, k.ecOther.Public(), "kid", "b"), jwkOf(t, k.rsa.Public(), "kid", "c"))
	for _, tt := range []struct {
		name string
		by   *ecdsa.PrivateKey
		kid  string
		want error
	}{
		{"the first", k.ec, "a", nil},
		{"the second", k.ecOther, "b", nil},
		{"the first, under the id of the second", k.ec, "b", webhook.ErrSignature},
		{"the first, under the id of a key of another kind", k.ec, "c", webhook.ErrSignature},
		{"the first, under an id that is not there", k.ec, "d", webhook.ErrSignature},
		{"the first, under its number", k.ec, "0", webhook.ErrSignature},
		{"the first, under an id in other letters", k.ec, "A", webhook.ErrSignature},
		{"the first, without an id where one is said", k.ec, "", webhook.ErrMissing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &server{answers: map[string]func() *http.Response{address: says(200, document)}}
			c := webhook.Credentials{Keys: webhook.NewKeys(s.client(), "", func() time.Time { return noon })}
			r := signedECDSA(t, tt.by, config.Auth{Scheme: "ecdsa", Signature: auth.Signature}, "")
			if tt.kid != "" {
				r.Header.Set("Key-Id", tt.kid)
			}
			if err := compile(t, auth).Verify(t.Context(), c, r, noon); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestCompileRefusesAnAddressThatLeadsAnywhere(t *testing.T) {
	t.Parallel()
	hosts, paths := config.Names{`keys\.example\.com`}, config.Names{`/keys/[a-z]+`}
	for _, tt := range []struct {
		name string
		key  config.Key
		says string // "" is taken
	}{
		{"an address that is written out", config.Key{URL: "https://keys.example.com/k"}, ""},
		{"an address of the request, with its hosts and paths", config.Key{URL: "{header.K}", Hosts: hosts, Paths: paths}, ""},
		{"an address of the request", config.Key{URL: "{header.K}", Paths: paths}, "hosts are absent"},
		{"an address of the request, with its hosts", config.Key{URL: "{header.K}", Hosts: hosts}, "paths are absent"},
		{"a path of the request, at a host that is written out", config.Key{URL: "https://keys.example.com/{header.K}", Paths: paths}, ""},
		{"a path of the request, without its paths", config.Key{URL: "https://keys.example.com/{header.K}"}, "paths are absent"},
		{"a host that the request goes on with", config.Key{URL: "https://keys.example.com{header.K}", Paths: paths}, "hosts are absent"},
		{"paths that are no regular expression", config.Key{URL: "{header.K}", Hosts: hosts, Paths: config.Names{"("}}, "no regular expression"},
		{"hosts that are no regular expression", config.Key{URL: "{header.K}", Hosts: config.Names{"("}, Paths: paths}, "no regular expression"},
		{"paths without an address", config.Key{Paths: paths}, "give key.url"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := webhook.Compile(config.Auth{Scheme: "rsa", Signature: config.Signature{Header: config.Names{"S"}}, Key: tt.key})
			if tt.says == "" && err != nil || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
				t.Errorf("error %v, want one that says %q", err, tt.says)
			}
		})
	}
	_, err := webhook.Compile(config.Auth{Scheme: "jwt", Algorithm: config.Names{"HS256"}, Signature: config.Signature{Header: config.Names{"S"}}, Key: config.Key{URL: "https://keys.example.com/k"}})
	if err == nil || !strings.Contains(err.Error(), "key.url") {
		t.Errorf("a secret that would be fetched: %v", err)
	}
}

// What else the provider's host answers is not even asked for.
func TestAKeyIsFetchedFromItsPathsAlone(t *testing.T) {
	t.Parallel()
	key := fixedECDSA(t)
	auth := fromAddress
	auth.Key.Paths = config.Names{`/certs/[a-z0-9-]+\.pem`}
	for _, tt := range []struct {
		name, path string
		want       error
	}{
		{"a path of a key", "/certs/a-1.pem", nil},
		{"another path", "/other/a.pem", webhook.ErrSignature},
		{"a path that goes on", "/certs/a.pem/x", webhook.ErrSignature},
		{"a path that begins otherwise", "/x/certs/a.pem", webhook.ErrSignature},
		{"a path up", "/certs/../other/a.pem", webhook.ErrSignature},
		{"a path up, encoded", "/certs/%2e%2e/a.pem", webhook.ErrSignature},
		{"a letter, encoded", "/certs/%61.pem", webhook.ErrSignature},
		{"a slash, encoded", "/certs%2fa.pem", webhook.ErrSignature},
		{"an empty part", "//certs/a.pem", webhook.ErrSignature},
		{"a query behind", "/certs/a.pem?x=1", webhook.ErrSignature},
		{"an empty query behind", "/certs/a.pem?", webhook.ErrSignature},
		{"the path in a query", "/?/certs/a.pem", webhook.ErrSignature},
		{"a line break behind", "/certs/a.pem\n", webhook.ErrSignature},
		{"no path", "", webhook.ErrSignature},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			address := "https://keys.example.com" + tt.path
			s := &server{answers: map[string]func() *http.Response{address: says(200, pemOf(t, key))}}
			c := webhook.Credentials{Keys: webhook.NewKeys(s.client(), "", func() time.Time { return noon })}
			if err := compile(t, auth).Verify(t.Context(), c, signedECDSA(t, key, auth, address), noon); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if tt.want != nil && len(s.asked) > 0 {
				t.Errorf("fetched %v", s.asked)
			}
		})
	}
}
