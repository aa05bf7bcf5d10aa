package apiauth_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/apiauth"
	"pushpull/shared/config"
)

const form = "application/x-www-form-urlencoded"

// counted answers with tokens t1, t2, … that are good for so many seconds.
func counted(seconds int) func(int, asked) (int, string) {
	return func(n int, _ asked) (int, string) {
		return 200, fmt.Sprintf(`{"access_token":"t%d","token_type":"Bearer","expires_in":%d}`, n, seconds)
	}
}

func TestATokenRequestIsAsTheGrantHasIt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		auth config.APIAuth
		want asked
	}{
		{
			"client credentials in the header are escaped as RFC 6749 says",
			config.APIAuth{ClientID: "id:1", Scopes: config.Names{"read", "write"}},
			asked{Path: "/token", ContentType: form, Authorization: "Basic aWQlM0ExOnMlMkIlMkYlM0Q=", Form: url.Values{"grant_type": {"client_credentials"}, "scope": {"read write"}}},
		},
		{
			"client credentials in the form, with further fields",
			config.APIAuth{ClientID: "{id}", ClientAuth: "body", Params: map[string]string{"audience": "https://{id}.example.com/"}},
			asked{Path: "/token", ContentType: form, Form: url.Values{
				"grant_type": {"client_credentials"}, "client_id": {"7"}, "client_secret": {"s+/="}, "audience": {"https://7.example.com/"},
			}},
		},
		{
			"a grant of the provider's own",
			config.APIAuth{ClientID: "id", Params: map[string]string{"grant_type": "account_credentials", "account_id": "{id}"}},
			asked{Path: "/token", ContentType: form, Authorization: "Basic aWQ6cyUyQiUyRiUzRA==", Form: url.Values{"grant_type": {"account_credentials"}, "account_id": {"7"}}},
		},
		{
			"a password",
			config.APIAuth{Grant: "password", ClientID: "id", ClientAuth: "body", Username: "me{id}", Password: "{password}"},
			asked{Path: "/token", ContentType: form, Form: url.Values{
				"grant_type": {"password"}, "client_id": {"id"}, "client_secret": {"s+/="}, "username": {"me7"}, "password": {"p w"},
			}},
		},
		{
			"a refresh token that does not rotate",
			config.APIAuth{Grant: "refresh_token", ClientID: "id", ClientAuth: "body"},
			asked{Path: "/token", ContentType: form, Form: url.Values{
				"grant_type": {"refresh_token"}, "client_id": {"id"}, "client_secret": {"s+/="}, "refresh_token": {"r1"},
			}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, counted(3600))
			w := newWorld(map[string]string{"/client_secret": "s+/=", "/password": "p w", "/refresh_token": "r1"})
			tt.auth.Type, tt.auth.TokenURL = "oauth2", p.URL+"/token"
			a := w.process(t, tt.auth, map[string]string{"id": "7"})
			if got := bearer(t, a); got != "Bearer t1" {
				t.Errorf("the header is %q", got)
			}
			if diff := cmp.Diff(tt.want, p.last()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func clientCredentials(p *provider) config.APIAuth {
	return config.APIAuth{Type: "oauth2", TokenURL: p.URL, ClientID: "id"}
}

func TestOneHundredWantATokenAndOneIsAskedFor(t *testing.T) {
	t.Parallel()
	p := newProvider(t, counted(3600))
	w := newWorld(map[string]string{"/client_secret": "s"})
	a := w.process(t, clientCredentials(p), nil)
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			req := get(t, "https://api.example.com/")
			if err := a.Apply(t.Context(), req, nil); err != nil {
				t.Error(err)
			}
			if got := req.Header.Get("Authorization"); got != "Bearer t1" {
				t.Errorf("the header is %q", got)
			}
		})
	}
	wg.Wait()
	if p.count() != 1 {
		t.Errorf("%d tokens were asked for", p.count())
	}
}

func TestATokenIsRenewedBeforeItRunsOut(t *testing.T) {
	t.Parallel()
	p := newProvider(t, counted(600))
	w := newWorld(map[string]string{"/client_secret": "s"})
	a := w.process(t, clientCredentials(p), nil)
	for _, step := range []struct {
		after time.Duration
		want  string
	}{{0, "t1"}, {8 * time.Minute, "t1"}, {90 * time.Second, "t2"}, {8 * time.Minute, "t2"}} {
		w.clock.advance(step.after)
		if got := bearer(t, a); got != "Bearer "+step.want {
			t.Errorf("after %s more the header is %q", step.after, got)
		}
	}
}

func TestATokenThatCannotBeRenewedEarlyIsUsedToItsEnd(t *testing.T) {
	t.Parallel()
	p := newProvider(t, func(n int, r asked) (int, string) {
		if n == 1 {
			return counted(600)(n, r)
		}
		return 503, "down"
	})
	w := newWorld(map[string]string{"/client_secret": "s"})
	a := w.process(t, clientCredentials(p), nil)
	bearer(t, a)
	w.clock.advance(9*time.Minute + 30*time.Second)
	if got := bearer(t, a); got != "Bearer t1" {
		t.Errorf("the header is %q", got)
	}
	w.clock.advance(time.Minute)
	err := a.Apply(t.Context(), get(t, "https://api.example.com/"), nil)
	if e, ok := errors.AsType[*apiauth.Error](err); !ok || e.Permanent() {
		t.Errorf("the error is %v", err)
	}
}

// Of many requests with one stale token the first to be told gets a new one; the
// others, told later, must not throw that away.
func TestOfManyRefusalsOfOneTokenOneGetsAnother(t *testing.T) {
	t.Parallel()
	p := newProvider(t, counted(3600))
	w := newWorld(map[string]string{"/client_secret": "s"})
	a := w.process(t, clientCredentials(p), nil)
	var stale [20]func()
	for i := range stale {
		req := apply(t, a)
		stale[i] = func() {
			if !a.Refused(t.Context(), req) {
				t.Error("it would not be tried again")
			}
			if got := bearer(t, a); got != "Bearer t2" {
				t.Errorf("the header is %q", got)
			}
		}
	}
	for _, refused := range stale {
		refused()
	}
	if p.count() != 2 {
		t.Errorf("%d tokens were asked for", p.count())
	}
}

func TestWhatATokenEndpointRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		status    int
		body      string
		permanent bool
		says      string
	}{
		{"a wrong client stays wrong", 401, `{"error":"invalid_client","error_description":"s3cret is wrong"}`, true, "client_secret"},
		{"a wrong scope stays wrong", 400, `{"error":"invalid_scope"}`, true, "scopes"},
		{"an error in a 200 is one", 200, `{"error":"bad_verification_code"}`, true, "bad_verification_code"},
		{"an answer without a token is the wrong place", 200, `{"ok":true}`, true, "auth.token_path"},
		{"a limit passes", 429, `{}`, false, "429"},
		{"a broken server passes", 502, `s3cret`, false, "502"},
		{"a server that is busy passes, whatever its status", 400, `{"error":"temporarily_unavailable"}`, false, "400"},
		{"a redirect is not followed", 302, ``, true, "redirect"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, func(int, asked) (int, string) { return tt.status, tt.body })
			w := newWorld(map[string]string{"/client_secret": "s3cret"})
			a := w.process(t, clientCredentials(p), nil)
			err := a.Apply(t.Context(), get(t, "https://api.example.com/"), nil)
			e, ok := errors.AsType[*apiauth.Error](err)
			if !ok || e.Permanent() != tt.permanent || !strings.Contains(e.Error(), tt.says) {
				t.Errorf("the error is %v, permanent: %v", err, ok && e.Permanent())
			}
			if strings.Contains(fmt.Sprint(err), "s3cret") {
				t.Errorf("the error has the secret: %v", err)
			}
			// What will not heal is not asked again at once, and is later on.
			want := 2
			if tt.permanent {
				want = 1
			}
			err = a.Apply(t.Context(), get(t, "https://api.example.com/"), nil)
			if p.count() != want {
				t.Errorf("%d requests", p.count())
			}
			if strings.Contains(fmt.Sprint(err), "not tried again") != tt.permanent {
				t.Errorf("the next one is told %v", err)
			}
			w.clock.advance(time.Minute)
			_ = a.Apply(t.Context(), get(t, "https://api.example.com/"), nil)
			if p.count() != want+1 {
				t.Errorf("%d requests a minute later", p.count())
			}
		})
	}
}

func TestAnEndThatIsAnInstantIsCountedFromTheProvidersClock(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{-5 * time.Minute, 0, 5 * time.Minute} {
		t.Run(skew.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(map[string]string{"/client_secret": "s"})
			provider := func() time.Time { return w.clock.now().Add(skew) }
			p := newProvider(t, func(n int, _ asked) (int, string) {
				return 201, fmt.Sprintf(`{"token":"t%d","expires_at":%q}`, n, provider().Add(4*time.Minute).Format(time.RFC3339))
			})
			p.date = provider
			auth := clientCredentials(p)
			auth.TokenPath = "token"
			a := w.process(t, auth, nil)
			bearer(t, a)
			w.clock.advance(2 * time.Minute)
			if got := bearer(t, a); got != "Bearer t1" {
				t.Errorf("while it is good the header is %q", got)
			}
			w.clock.advance(90 * time.Second)
			if got := bearer(t, a); got != "Bearer t2" {
				t.Errorf("near its end the header is %q", got)
			}
		})
	}
}

func TestACredentialFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	elsewhere := newProvider(t, counted(3600))
	there := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(there.Close)
	w := newWorld(map[string]string{"/client_secret": "s"})
	a := w.process(t, config.APIAuth{Type: "oauth2", TokenURL: there.URL, ClientID: "id"}, nil)
	err := a.Apply(t.Context(), get(t, "https://api.example.com/"), nil)
	if e, ok := errors.AsType[*apiauth.Error](err); !ok || !e.Permanent() {
		t.Errorf("the error is %v", err)
	}
	if elsewhere.count() != 0 {
		t.Error("the credential went elsewhere")
	}
}

func TestAnAnswerWithoutEndIsRefused(t *testing.T) {
	t.Parallel()
	p := newProvider(t, func(int, asked) (int, string) { return 200, `{"access_token":"` + strings.Repeat("x", 2<<20) + `"}` })
	w := newWorld(map[string]string{"/client_secret": "s"})
	err := w.process(t, clientCredentials(p), nil).Apply(t.Context(), get(t, "https://api.example.com/"), nil)
	if e, ok := errors.AsType[*apiauth.Error](err); !ok || !e.Permanent() {
		t.Errorf("the error is %v", err)
	}
}
