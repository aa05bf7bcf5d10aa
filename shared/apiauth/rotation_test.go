package apiauth_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pushpull/shared/apiauth"
	"pushpull/shared/config"
)

// A family is a provider whose refresh tokens rotate: one that is used twice
// revokes all that came of it (RFC 9700, 4.14.2).
type family struct {
	*provider
	valid   string
	used    map[string]bool
	revoked bool
	n       int
	longer  string // what its access tokens have besides
}

func newFamily(t *testing.T) *family {
	t.Helper()
	f := &family{valid: "r0", used: map[string]bool{}}
	f.provider = newProvider(t, func(_ int, r asked) (int, string) { return f.refresh(r.Form.Get("refresh_token")) })
	return f
}

func (f *family) refresh(shown string) (int, string) {
	if f.used[shown] {
		f.revoked = true
	}
	if f.revoked || shown != f.valid {
		return 400, `{"error":"invalid_grant"}`
	}
	f.n++
	f.used[shown], f.valid = true, fmt.Sprintf("r%d", f.n)
	return 200, fmt.Sprintf(`{"access_token":"a%d%s","refresh_token":%q,"expires_in":1800}`, f.n, f.longer, f.valid)
}

func (f *family) auth() config.APIAuth {
	return config.APIAuth{Type: "oauth2", Grant: "refresh_token", TokenURL: f.URL, ClientID: "id", Rotate: true}
}

func rotating() *world {
	return newWorld(map[string]string{"/refresh_token": "r0", "/client_secret": "s"})
}

func TestOfManyProcessesOneRefreshesARotatingToken(t *testing.T) {
	t.Parallel()
	f, w := newFamily(t), rotating()
	var all []*apiauth.Authenticator
	for range 8 {
		all = append(all, w.process(t, f.auth(), nil))
	}
	for round := 1; round <= 4; round++ {
		var wg sync.WaitGroup
		for _, a := range all {
			for range 4 {
				wg.Go(func() {
					req := get(t, "https://api.example.com/")
					if err := a.Apply(t.Context(), req, nil); err != nil {
						t.Error(err)
					}
					if got := req.Header.Get("Authorization"); got != fmt.Sprintf("Bearer a%d", round) {
						t.Errorf("in round %d the header is %q", round, got)
					}
				})
			}
		}
		wg.Wait()
		if f.count() != round || f.revoked {
			t.Fatalf("after round %d there were %d refreshes, revoked: %v", round, f.count(), f.revoked)
		}
		w.clock.advance(30 * time.Minute)
	}
}

func TestARefreshTokenIsStoredBeforeItsAccessTokenIsUsed(t *testing.T) {
	t.Parallel()
	f, w := newFamily(t), rotating()
	w.secrets.refuse = 3 // as often as one refresh tries
	a := w.process(t, f.auth(), nil)
	err := a.Apply(t.Context(), get(t, "https://api.example.com/"), nil)
	if e, ok := errors.AsType[*apiauth.Error](err); !ok || e.Permanent() || strings.Contains(e.Error(), "r1") {
		t.Fatalf("the error is %v", err)
	}
	// It is kept, and stored the next time; it is not refreshed again.
	if got := bearer(t, a); got != "Bearer a1" {
		t.Errorf("the header is %q", got)
	}
	var stored map[string]any
	if err := json.Unmarshal([]byte(w.secrets.get("/refresh_token")), &stored); err != nil || stored["refresh_token"] != "r1" {
		t.Errorf("stored is %v (%v)", stored, err)
	}
	if f.count() != 1 {
		t.Errorf("%d refreshes", f.count())
	}
}

func TestAProcessThatIsKilledAfterItStoredLosesNothing(t *testing.T) {
	t.Parallel()
	f, w := newFamily(t), rotating()
	bearer(t, w.process(t, f.auth(), nil)) // and is never heard of again
	if got := bearer(t, w.process(t, f.auth(), nil)); got != "Bearer a1" || f.count() != 1 {
		t.Errorf("the header is %q after %d refreshes", got, f.count())
	}
	w.clock.advance(time.Hour)
	if got := bearer(t, w.process(t, f.auth(), nil)); got != "Bearer a2" || f.revoked {
		t.Errorf("an hour later the header is %q, revoked: %v", got, f.revoked)
	}
}

func TestARefusedAccessTokenIsNotTakenFromTheStoreAgain(t *testing.T) {
	t.Parallel()
	f, w := newFamily(t), rotating()
	a := w.process(t, f.auth(), nil)
	if !a.Refused(t.Context(), apply(t, a)) {
		t.Error("it would not be tried again")
	}
	if got := bearer(t, a); got != "Bearer a2" || f.count() != 2 {
		t.Errorf("the header is %q after %d refreshes", got, f.count())
	}
}

func TestADeadRefreshTokenIsSaidToBeAndMended(t *testing.T) {
	t.Parallel()
	f, w := newFamily(t), rotating()
	f.valid = "r7" // somebody authorised anew
	a := w.process(t, f.auth(), nil)
	err := a.Apply(t.Context(), get(t, "https://api.example.com/"), nil)
	if e, ok := errors.AsType[*apiauth.Error](err); !ok || !e.Permanent() || !strings.Contains(e.Error(), "ssm:/refresh_token") || strings.Contains(e.Error(), "r0") {
		t.Fatalf("the error is %v", err)
	}
	w.secrets.set("/refresh_token", "r7")
	w.clock.advance(time.Minute)
	if got := bearer(t, a); got != "Bearer a1" {
		t.Errorf("the header is %q", got)
	}
}

func TestAnAccessTokenThatIsTooLongToBeStoredIsNot(t *testing.T) {
	t.Parallel()
	f, w := newFamily(t), rotating()
	f.longer = strings.Repeat("x", 5000)
	bearer(t, w.process(t, f.auth(), nil))
	if got := w.secrets.get("/refresh_token"); got != `{"refresh_token":"r1"}` {
		t.Errorf("stored are %d bytes", len(got))
	}
	bearer(t, w.process(t, f.auth(), nil))
	if f.revoked || f.count() != 2 {
		t.Errorf("%d refreshes, revoked: %v", f.count(), f.revoked)
	}
}
