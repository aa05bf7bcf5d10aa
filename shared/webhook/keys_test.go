package webhook_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"net/http"
	"testing"
	"time"

	"pushpull/shared/webhook"
)

// A key that was rotated while its list cannot be read is our fault: the
// provider must come again.
func TestAnUnknownKeyWhileTheListCannotBeReadIsOurFault(t *testing.T) {
	t.Parallel()
	const address = "https://keys.example.com/jwks"
	auth := fromAddress
	auth.Key.Document, auth.Key.ID = "jwks", "{header.Key-Id}"
	public := fixedEd25519().Public().(ed25519.PublicKey)
	jwks := `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"old","x":"` + base64.RawURLEncoding.EncodeToString(public) + `"}]}`
	s := &server{answers: map[string]func() *http.Response{address: says(200, jwks)}}
	now := noon
	c := webhook.Credentials{Keys: webhook.NewKeys(s.client(), "", func() time.Time { return now })}
	verify := func(kid string) error {
		r := signedECDSA(t, fixedECDSA(t), fromAddress, address)
		r.Header.Set("Key-Id", kid)
		return compile(t, auth).Verify(t.Context(), c, r, noon)
	}
	if err := verify("new"); !errors.Is(err, webhook.ErrSignature) {
		t.Errorf("a key that is not in the list: %v, want ErrSignature", err)
	}
	s.answers[address] = says(503, "")
	now = now.Add(time.Minute)
	if err := verify("new"); !errors.Is(err, webhook.ErrKey) {
		t.Errorf("while the list cannot be read: %v, want ErrKey", err)
	}
	now = now.Add(time.Second)
	if err := verify("new"); !errors.Is(err, webhook.ErrKey) {
		t.Errorf("in the pause after that: %v, want ErrKey", err)
	}
}

// What was good stays good while its server is away, for a day.
func TestAKeyOutlivesItsServerForADay(t *testing.T) {
	t.Parallel()
	const address = "https://keys.example.com/key.pem"
	key := fixedECDSA(t)
	for _, tt := range []struct {
		name    string
		control string
		later   time.Duration
		down    bool
		want    error
		asked   int // in all
	}{
		{"within the hour that is the default", "", 59 * time.Minute, true, nil, 1},
		{"after the hour", "", time.Hour, false, nil, 2},
		{"after the hour, its server being away", "", time.Hour, true, nil, 2},
		{"within the time that its server says", "max-age=7200", 119 * time.Minute, true, nil, 1},
		{"after the time that its server says", "public, max-age=7200", 2 * time.Hour, true, nil, 2},
		{"a time of no length is five minutes", "max-age=0", 299 * time.Second, true, nil, 1},
		{"after these", "max-age=0", 5 * time.Minute, true, nil, 2},
		{"a time of years is a day", "max-age=999999999", 24*time.Hour - time.Second, true, nil, 1},
		{"a day later, its server being away", "max-age=999999999", 24 * time.Hour, true, webhook.ErrKey, 2},
		{"a day later", "max-age=999999999", 24 * time.Hour, false, nil, 2},
		{"just within a day, its server being away", "", 24*time.Hour - time.Second, true, nil, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &server{answers: map[string]func() *http.Response{address: says(200, pemOf(t, key), "Cache-Control", tt.control)}}
			now := noon
			c := webhook.Credentials{Keys: webhook.NewKeys(s.client(), "", func() time.Time { return now })}
			verify := func() error {
				return compile(t, fromAddress).Verify(t.Context(), c, signedECDSA(t, key, fromAddress, address), noon)
			}
			if err := verify(); err != nil {
				t.Fatal(err)
			}
			if tt.down {
				s.answers[address] = says(503, "")
			}
			now = now.Add(tt.later)
			if err := verify(); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if len(s.asked) != tt.asked {
				t.Errorf("fetched %d times, want %d", len(s.asked), tt.asked)
			}
		})
	}
}

// A server that fails each time we ask does not make a key older than a day good.
func TestAFailureDoesNotProlongAKey(t *testing.T) {
	t.Parallel()
	const address = "https://keys.example.com/key.pem"
	key := fixedECDSA(t)
	s := &server{answers: map[string]func() *http.Response{address: says(200, pemOf(t, key))}}
	now := noon
	c := webhook.Credentials{Keys: webhook.NewKeys(s.client(), "", func() time.Time { return now })}
	for now.Before(noon.Add(25 * time.Hour)) {
		want := error(nil)
		if !now.Before(noon.Add(24 * time.Hour)) {
			want = webhook.ErrKey
		}
		if err := compile(t, fromAddress).Verify(t.Context(), c, signedECDSA(t, key, fromAddress, address), noon); !errors.Is(err, want) {
			t.Fatalf("after %v: %v, want %v", now.Sub(noon), err, want)
		}
		s.answers[address] = says(503, "")
		now = now.Add(10*time.Minute - 7*time.Second)
	}
}
