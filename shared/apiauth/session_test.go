package apiauth_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/apiauth"
	"pushpull/shared/config"
)

func TestASessionBeginsWithALogin(t *testing.T) {
	t.Parallel()
	p := newProvider(t, func(n int, _ asked) (int, string) { return 200, fmt.Sprintf(`{"data":[{"session":"s%d"}]}`, n) })
	w := newWorld(map[string]string{"/password": `p"w`})
	w.base = p.URL + "/api"
	a := w.process(t, config.APIAuth{
		Type: "session", TokenPath: "data.0.session", Lifetime: config.Duration(time.Hour), Name: "X-Session",
		Login: &config.Request{Path: "/login", Params: map[string]string{"v": "{version}"}, JSON: map[string]any{"user": "me", "password": "{password}", "days": 1, "tags": []any{"{version}"}}},
	}, map[string]string{"version": "2"})
	session := func() string { return apply(t, a).Header.Get("X-Session") }
	if got := session(); got != "s1" {
		t.Errorf("the session is %q", got)
	}
	want := asked{Path: "/api/login?v=2", ContentType: "application/json", Body: `{"days":1,"password":"p\"w","tags":["2"],"user":"me"}`}
	if diff := cmp.Diff(want, p.last()); diff != "" {
		t.Error(diff)
	}
	w.clock.advance(time.Hour)
	if got := session(); got != "s2" {
		t.Errorf("after its lifetime the session is %q", got)
	}
	if !a.Refused(t.Context(), apply(t, a)) {
		t.Error("it would not be tried again")
	}
	if got := session(); got != "s3" {
		t.Errorf("after it was refused the session is %q", got)
	}
}

func TestASessionIsInAHeaderOrACookieOfTheAnswer(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{"header.X-Auth": "h1", "cookie.sid": "c1"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			w := newWorld(map[string]string{"/password": "p"})
			server := newProvider(t, nil)
			server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Auth", "h1")
				http.SetCookie(w, &http.Cookie{Name: "sid", Value: "c1"})
				w.WriteHeader(http.StatusNoContent)
			})
			a := w.process(t, config.APIAuth{
				Type: "session", TokenPath: path, In: "cookie", Name: "session",
				Login: &config.Request{Path: server.URL + "/login", Form: map[string]string{"p": "{password}"}},
			}, nil)
			if got := apply(t, a).Header.Get("Cookie"); got != "session="+want {
				t.Errorf("the cookie is %q", got)
			}
		})
	}
}

func TestALoginThatIsRefusedIsPermanent(t *testing.T) {
	t.Parallel()
	p := newProvider(t, func(int, asked) (int, string) { return 401, `{"message":"p4ss is wrong"}` })
	w := newWorld(map[string]string{"/password": "p4ss"})
	a := w.process(t, config.APIAuth{Type: "session", TokenPath: "token", Login: &config.Request{Path: p.URL, JSON: map[string]any{"p": "{password}"}}}, nil)
	err := a.Apply(t.Context(), get(t, "https://api.example.com/"), nil)
	if e, ok := errors.AsType[*apiauth.Error](err); !ok || !e.Permanent() || e.Key != "auth.login" || strings.Contains(e.Error(), "p4ss") {
		t.Errorf("the error is %v", err)
	}
}
