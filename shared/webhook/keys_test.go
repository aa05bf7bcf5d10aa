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
