package apiauth_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"testing"
	"time"

	"pushpull/shared/apiauth"
	"pushpull/shared/config"
)

func mac(key, text string) string {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(text))
	return hex.EncodeToString(m.Sum(nil))
}

func post(t *testing.T, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.example.com/v1/or%2Fders?a=1", bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func TestARequestIsSignedByItsParts(t *testing.T) {
	t.Parallel()
	w := newWorld(map[string]string{"/token": "k3y", "/api_key": "pub"})
	a := w.process(t, config.APIAuth{
		Type: "hmac", Name: "X-Sign", Signed: "{timestamp}\n{method}{path}?{query}\n{body|sha256|hex}",
		Headers: map[string]string{"X-Time": "{timestamp}", "X-Key": "{api_key}", "X-Nonce": "{nonce}"},
	}, nil)
	req := post(t, `{"a":1}`)
	if err := a.Apply(t.Context(), req, []byte(`{"a":1}`)); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(`{"a":1}`))
	at := strconv.FormatInt(w.clock.now().Unix(), 10)
	want := mac("k3y", at+"\nPOST/v1/or%2Fders?a=1\n"+hex.EncodeToString(sum[:]))
	if got := req.Header.Get("X-Sign"); got != want {
		t.Errorf("the signature is %s, not %s", got, want)
	}
	if req.Header.Get("X-Time") != at || req.Header.Get("X-Key") != "pub" || len(req.Header.Get("X-Nonce")) < 20 {
		t.Errorf("the headers are %v", req.Header)
	}
}

func TestASignatureInTheQueryIsNotSignedWithTheNextAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(map[string]string{"/token": "azN5"}) // k3y
	a := w.process(t, config.APIAuth{
		Type: "hmac", In: "query", Name: "sig", Signed: "{url}", Key: "{token|unbase64}", Algorithm: "sha512", Encoding: "base64",
	}, nil)
	req := post(t, "")
	m := hmac.New(sha512.New, []byte("k3y"))
	m.Write([]byte(req.URL.String()))
	want := base64.StdEncoding.EncodeToString(m.Sum(nil))
	for range 2 {
		if err := a.Apply(t.Context(), req, nil); err != nil {
			t.Fatal(err)
		}
	}
	if got := req.URL.Query(); len(got["sig"]) != 1 || got.Get("sig") != want || got.Get("a") != "1" {
		t.Errorf("the query is %v", got)
	}
}

func TestASignatureByAWrongClockIsMadeAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(map[string]string{"/token": "k3y"})
	a := w.process(t, config.APIAuth{Type: "hmac", Name: "X-Sign", Signed: "{timestamp}", Headers: map[string]string{"X-Time": "{timestamp}"}}, nil)
	req := apply(t, a)
	if a.Refused(t.Context(), req) {
		t.Error("the same signature would be tried again")
	}
	there := w.clock.now().Add(5 * time.Minute)
	a.Clock(there)
	if !a.Refused(t.Context(), req) {
		t.Error("it would not be tried by the other clock")
	}
	req = apply(t, a)
	if got := req.Header.Get("X-Time"); got != strconv.FormatInt(there.Unix(), 10) {
		t.Errorf("it is signed at %s", got)
	}
	if a.Refused(t.Context(), req) {
		t.Error("it would be tried again, by the same clock")
	}
}

// The request, the keys and the signature are those of get-vanilla in AWS's own
// Signature Version 4 test suite.
func TestAnAWSRequestIsSignedAsAWSDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(map[string]string{"/access": "AKIDEXAMPLE", "/secret": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"})
	w.clock.ns.Store(time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC).UnixNano())
	a := w.process(t, config.APIAuth{Type: "aws_sigv4", Service: "service", Region: "us-east-1", AccessKey: "{access}", SecretKey: "{secret}"}, nil)
	req := get(t, "https://example.amazonaws.com/")
	if err := a.Apply(t.Context(), req, nil); err != nil {
		t.Fatal(err)
	}
	want := "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
	if got := req.Header.Get("Authorization"); got != want {
		t.Errorf("the header is %s", got)
	}
}

func TestTheFunctionsOwnRoleSigns(t *testing.T) {
	t.Parallel()
	env := map[string]string{"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "session"}
	a, err := apiauth.New(&config.APIAuth{Type: "aws_sigv4", Service: "execute-api"}, apiauth.Options{Getenv: func(name string) string { return env[name] }})
	if err != nil {
		t.Fatal(err)
	}
	req := post(t, "x")
	if err := a.Apply(t.Context(), req, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if req.Header.Get("X-Amz-Security-Token") != "session" || req.Header.Get("Authorization") == "" {
		t.Errorf("the headers are %v", req.Header)
	}
}
