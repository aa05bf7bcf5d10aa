package webhook_test

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pushpull/shared/config"
	"pushpull/shared/guard"
	"pushpull/shared/webhook"
)

// server answers fetches of keys by their whole address; it counts them.
type server struct {
	answers map[string]func() *http.Response
	asked   []string
}

func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked = append(s.asked, r.URL.String())
	if answer, ok := s.answers[r.URL.String()]; ok {
		return answer(), nil
	}
	return nil, errors.New("no such host")
}

func says(status int, text string, header ...string) func() *http.Response {
	return func() *http.Response {
		r := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text))}
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		return r
	}
}

// client follows no redirects, as the true one.
func (s *server) client() *http.Client {
	return &http.Client{Transport: s, CheckRedirect: webhook.NewClient().CheckRedirect}
}

// fromAddress is a scheme whose key the request names.
var fromAddress = config.Auth{
	Scheme: "ecdsa", Signature: config.Signature{Header: config.Names{"S"}},
	Key: config.Key{URL: "{header.Key-Url}", Hosts: config.Names{`keys\.example\.com`}, Paths: config.Names{`/[a-z0-9.]+`}, Document: "pem"},
}

func TestAKeyIsFetchedFromItsProviderAlone(t *testing.T) {
	t.Parallel()
	key := fixedECDSA(t)
	good := pemOf(t, key)
	for _, tt := range []struct {
		name    string
		address string
		want    error
		asked   int
	}{
		{"the provider's host", "https://keys.example.com/key.pem", nil, 1},
		{"the provider's host and the port of https", "https://keys.example.com:443/key.pem", nil, 1},
		{"another host", "https://example.com/key.pem", webhook.ErrSignature, 0},
		{"a host below the provider's", "https://x.keys.example.com/key.pem", webhook.ErrSignature, 0},
		{"a host that begins as the provider's", "https://keys.example.com.example.org/key.pem", webhook.ErrSignature, 0},
		{"a host that looks alike but for a dot", "https://keysxexample.com/key.pem", webhook.ErrSignature, 0},
		{"a dot behind the host", "https://keys.example.com./key.pem", webhook.ErrSignature, 0},
		{"no https", "http://keys.example.com/key.pem", webhook.ErrSignature, 0},
		{"a file", "file:///etc/passwd", webhook.ErrSignature, 0},
		{"a user before the host", "https://keys.example.com@example.com/key.pem", webhook.ErrSignature, 0},
		{"a user before the provider's host", "https://user:pass@keys.example.com/key.pem", webhook.ErrSignature, 0},
		{"another port", "https://keys.example.com:8443/key.pem", webhook.ErrSignature, 0},
		{"an address of IPv6", "https://[::1]/key.pem", webhook.ErrSignature, 0},
		{"an address of IPv4", "https://127.0.0.1/key.pem", webhook.ErrSignature, 0},
		{"an address of IPv4 as a number", "https://2130706433/key.pem", webhook.ErrSignature, 0},
		{"a backslash", `https://example.com\@keys.example.com/key.pem`, webhook.ErrSignature, 0},
		{"a fragment", "https://keys.example.com/key.pem#x", webhook.ErrSignature, 0},
		{"line breaks", "https://keys.example.com/key.pem\r\nHost: example.com", webhook.ErrSignature, 0},
		{"no host at all", "https:///key.pem", webhook.ErrSignature, 0},
		{"nothing", "", webhook.ErrMissing, 0},
		{"a redirect to another host", "https://keys.example.com/moved", webhook.ErrKey, 1},
		{"what is not there", "https://keys.example.com/404", webhook.ErrKey, 1},
		{"a document without an end", "https://keys.example.com/long", webhook.ErrKey, 1},
		{"a document that is no key", "https://keys.example.com/html", webhook.ErrKey, 1},
		{"a key of somebody else", "https://keys.example.com/other", webhook.ErrSignature, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			s := &server{answers: map[string]func() *http.Response{
				"https://keys.example.com/key.pem": says(200, good),
				"https://keys.example.com/moved":   says(302, good, "Location", "https://example.com/key.pem"),
				"https://keys.example.com/404":     says(404, good),
				"https://keys.example.com/long":    says(200, good+strings.Repeat(" ", 1<<20)),
				"https://keys.example.com/html":    says(200, "<html>"),
				"https://keys.example.com/other":   says(200, pemOf(t, other)),
				"https://example.com/key.pem":      says(200, good),
			}}
			r := signedECDSA(t, key, fromAddress, tt.address)
			c := webhook.Credentials{Keys: webhook.NewKeys(s.client(), "", func() time.Time { return noon })}
			if err := compile(t, fromAddress).Verify(t.Context(), c, r, noon); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if len(s.asked) != tt.asked {
				t.Errorf("asked %v", s.asked)
			}
		})
	}
}

// signedECDSA is a request that the key signed, and that says where the key is.
func signedECDSA(tb testing.TB, key *ecdsa.PrivateKey, auth config.Auth, address string) webhook.Request {
	tb.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	r := webhook.Request{Method: "POST", Body: []byte("{}"), Header: header("Key-Url", address)}
	private := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if err := webhook.Sign(auth, webhook.Credentials{Private: private}, &r, "", noon); err != nil {
		tb.Fatal(err)
	}
	return r
}

// The true client dials no address of this network, whatever a name leads to.
func TestAKeyIsNotFetchedFromAPrivateAddress(t *testing.T) {
	t.Parallel()
	asked := false
	private := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer private.Close()
	_, _, err := webhook.Get(t.Context(), webhook.NewClient(), private.URL, 1<<10)
	if !errors.Is(err, guard.ErrPrivate) || asked {
		t.Errorf("got %v, want ErrPrivate; asked: %v", err, asked)
	}
	_, _, err = webhook.Get(t.Context(), webhook.NewClient(), strings.Replace(private.URL, "127.0.0.1", "localhost", 1), 1<<10)
	if !errors.Is(err, guard.ErrPrivate) || asked {
		t.Errorf("by a name: got %v, want ErrPrivate; asked: %v", err, asked)
	}
}

func TestACertificateIsGoodOnlyWhileItIsAndByItsIssuers(t *testing.T) {
	t.Parallel()
	auth := fromAddress
	auth.Key.Document = "certificate"
	key := fixedECDSA(t)
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	certificate := func(from, to time.Time, by *ecdsa.PrivateKey) string {
		of := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "keys.example.com"}, NotBefore: from, NotAfter: to, IsCA: true, BasicConstraintsValid: true}
		der, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), by)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	alone := certificate(noon.Add(-time.Hour), noon.Add(time.Hour), key)
	for _, tt := range []struct {
		name     string
		document string
		want     error
	}{
		{"one that is valid now, alone", alone, nil},
		{"one that has expired", certificate(noon.Add(-2*time.Hour), noon.Add(-time.Hour), key), webhook.ErrKey},
		{"one that is not valid yet", certificate(noon.Add(time.Hour), noon.Add(2*time.Hour), key), webhook.ErrKey},
		{"one with an issuer that leads to no root", alone + certificate(noon.Add(-time.Hour), noon.Add(time.Hour), stranger), webhook.ErrKey},
		{"a plain key where a certificate is said", pemOf(t, key), webhook.ErrKey},
		{"one behind other text", "<Message>" + alone, webhook.ErrKey},
		{"one within a document of something else", `{"PEM":"` + "\n" + alone + `"}`, webhook.ErrKey},
		{"one that is cut off", alone[:len(alone)/2], webhook.ErrKey},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &server{answers: map[string]func() *http.Response{"https://keys.example.com/c": says(200, tt.document)}}
			c := webhook.Credentials{Keys: webhook.NewKeys(s.client(), "", func() time.Time { return noon })}
			r := signedECDSA(t, key, auth, "https://keys.example.com/c")
			if err := compile(t, auth).Verify(t.Context(), c, r, noon); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// A made-up key id is no call for each request, and no key of another provider.
func TestAMadeUpKeyIDIsNotFetchedAgainAndAgain(t *testing.T) {
	t.Parallel()
	auth := fromAddress
	auth.Key.Document, auth.Key.ID = "jwks", "{header.Key-Id}"
	public := fixedEd25519().Public().(ed25519.PublicKey)
	jwks := `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"ours","x":"` + base64.RawURLEncoding.EncodeToString(public) + `"}]}`
	s := &server{answers: map[string]func() *http.Response{"https://keys.example.com/jwks": says(200, jwks)}}
	keys := webhook.NewKeys(s.client(), "", func() time.Time { return noon })
	for range 20 {
		r := signedECDSA(t, fixedECDSA(t), fromAddress, "https://keys.example.com/jwks")
		r.Header.Set("Key-Id", "theirs")
		if err := compile(t, auth).Verify(t.Context(), webhook.Credentials{Keys: keys}, r, noon); !errors.Is(err, webhook.ErrSignature) {
			t.Fatalf("got %v, want ErrSignature", err)
		}
	}
	if len(s.asked) != 1 {
		t.Errorf("asked %d times", len(s.asked))
	}
}

func TestAPublicKeyThatProtectsNothingIsRefused(t *testing.T) {
	t.Parallel()
	auth := config.Auth{Scheme: "ed25519", Signature: config.Signature{Header: config.Names{"S"}}, Encoding: "hex"}
	r := webhook.Request{Body: []byte("{}"), Header: header("S", strings.Repeat("00", 64))}
	exchange, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	unknown, err := x509.MarshalPKIXPublicKey(exchange.Public())
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range map[string]string{
		"zeros":                               strings.Repeat("00", 32),
		"zeros in base64":                     base64.StdEncoding.EncodeToString(make([]byte, 32)),
		"zeros with a sign":                   strings.Repeat("00", 31) + "80",
		"one":                                 "01" + strings.Repeat("00", 31),
		"a point of order eight":              "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		"zero, written as the prime":          "ed" + strings.Repeat("ff", 30) + "7f",
		"zeros in a JSON Web Key":             `{"kty":"OKP","crv":"Ed25519","x":"` + base64.RawURLEncoding.EncodeToString(make([]byte, 32)) + `"}`,
		"zeros in a PEM":                      "-----BEGIN PUBLIC KEY-----\n" + base64.StdEncoding.EncodeToString(append([]byte("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"), make([]byte, 32)...)) + "\n-----END PUBLIC KEY-----\n",
		"a key that signs nothing (X25519)":   hex.EncodeToString(unknown),
		"nothing":                             "",
		"spaces":                              "  ",
		"a secret that was never filled in":   "TODO",
		"a point that is not on its curve":    `{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}`,
		"an RSA key of a few bits":            `{"kty":"RSA","n":"AQAB","e":"AQAB"}`,
		"an RSA key whose exponent is one":    `{"kty":"RSA","n":"` + strings.Repeat("_", 342) + `","e":"AQ"}`,
		"a symmetric key where one is public": `{"kty":"oct","k":"AAAA"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := compile(t, auth).Verify(t.Context(), webhook.Credentials{Secrets: []string{secret}}, r, noon); !errors.Is(err, webhook.ErrSecret) {
				t.Errorf("got %v, want ErrSecret", err)
			}
		})
	}
}
