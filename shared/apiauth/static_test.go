package apiauth_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/apiauth"
	"pushpull/shared/config"
)

func TestACredentialIsPutInItsPlace(t *testing.T) {
	t.Parallel()
	type got struct {
		URL    string
		Header map[string]string
	}
	const at = "https://api.example.com/v1/things?a=1&b=%20x"
	for _, tt := range []struct {
		name string
		auth config.APIAuth
		with map[string]string
		want got
	}{
		{"none puts nothing in", config.APIAuth{Type: "none"}, nil, got{at, nil}},
		{"bearer has its word", config.APIAuth{Type: "bearer"}, nil, got{at, map[string]string{"Authorization": "Bearer s3cret"}}},
		{"bearer has another word", config.APIAuth{Type: "bearer", Prefix: "Token"}, nil, got{at, map[string]string{"Authorization": "Token s3cret"}}},
		{"basic without more is the token as the user", config.APIAuth{Type: "basic"}, nil, got{at, map[string]string{"Authorization": "Basic czNjcmV0Og=="}}},
		{
			"basic has a user of with and the token",
			config.APIAuth{Type: "basic", Username: "{email}/token", Password: "{token}"},
			map[string]string{"email": "a@example.com"},
			got{at, map[string]string{"Authorization": "Basic YUBleGFtcGxlLmNvbS90b2tlbjpzM2NyZXQ="}},
		},
		{"a key is in a header", config.APIAuth{Type: "api_key", Name: "X-Key"}, nil, got{at, map[string]string{"X-Key": "s3cret"}}},
		{"a key in a header has a prefix", config.APIAuth{Type: "api_key", Name: "Authorization", Prefix: "Klaviyo-API-Key"}, nil, got{at, map[string]string{"Authorization": "Klaviyo-API-Key s3cret"}}},
		{"a key in the query leaves the rest of it as it is", config.APIAuth{Type: "api_key", In: "query", Name: "api_key"}, nil, got{at + "&api_key=s3cret", nil}},
		{"a key is in a cookie", config.APIAuth{Type: "api_key", In: "cookie", Name: "sid"}, nil, got{at, map[string]string{"Cookie": "sid=s3cret"}}},
		{
			"several keys go together",
			config.APIAuth{Type: "api_key", Keys: map[string]string{"DD-API-KEY": "{token}", "DD-APPLICATION-KEY": "{app}"}},
			nil,
			got{at, map[string]string{"Dd-Api-Key": "s3cret", "Dd-Application-Key": "4pp"}},
		},
		{
			"a value has several parts",
			config.APIAuth{Type: "api_key", Name: "Authorization", Value: `Token token="{token}", id={id}`},
			map[string]string{"id": "7"},
			got{at, map[string]string{"Authorization": `Token token="s3cret", id=7`}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(map[string]string{"/token": "s3cret\n", "/app": "4pp"})
			a := w.process(t, tt.auth, tt.with)
			req := get(t, at)
			for range 2 { // the second attempt of a request is no other
				if err := a.Apply(t.Context(), req, nil); err != nil {
					t.Fatal(err)
				}
			}
			have := got{URL: req.URL.String()}
			for name := range req.Header {
				if have.Header == nil {
					have.Header = map[string]string{}
				}
				have.Header[name] = req.Header.Get(name)
			}
			if diff := cmp.Diff(tt.want, have); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAKeyIsAMemberOfTheBody(t *testing.T) {
	t.Parallel()
	w := newWorld(map[string]string{"/token": "s3cret\n", "/app": "4pp"})
	a := w.process(t, config.APIAuth{Type: "api_key", In: "body", Keys: map[string]string{"access_token": "{token}", "client_id": "{id}", "secret": "{app}"}}, map[string]string{"id": "7"})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.example.com/sync", strings.NewReader(`{"count": 9007199254740993, "secret": "of the caller"}`))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second attempt of a request is no other
		if err := a.Apply(t.Context(), req, nil); err != nil {
			t.Fatal(err)
		}
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`{"access_token":"s3cret","client_id":"7","count":9007199254740993,"secret":"4pp"}`, string(body)); diff != "" {
		t.Error(diff)
	}
	if req.ContentLength != int64(len(body)) {
		t.Errorf("the length said is %d, of %d", req.ContentLength, len(body))
	}
	if a.Refused(t.Context(), req) {
		t.Error("the key that was refused is sent once more")
	}
}

func TestAKeyOfTheBodyNeedsABody(t *testing.T) {
	t.Parallel()
	w := newWorld(map[string]string{"/token": "s3cret"})
	a := w.process(t, config.APIAuth{Type: "api_key", In: "body", Name: "key"}, nil)
	if err := a.Apply(t.Context(), get(t, "https://api.example.com/things"), nil); err == nil || !strings.Contains(err.Error(), "request.json") {
		t.Errorf("a GET cannot carry it: %v", err)
	}
}

func TestACredentialInANextLinkIsTakenOut(t *testing.T) {
	t.Parallel()
	w := newWorld(map[string]string{"/token": "s3cret"})
	a := w.process(t, config.APIAuth{Type: "api_key", In: "query", Name: "api_key"}, nil)
	u, err := url.Parse("https://api.example.com/things?cursor=a%2Fb%20c&api%5Fkey=s3cret&limit=10")
	if err != nil {
		t.Fatal(err)
	}
	a.Strip(u)
	if want := "cursor=a%2Fb%20c&limit=10"; u.RawQuery != want {
		t.Errorf("the query is %s, not %s", u.RawQuery, want)
	}
}

func TestARefusedKeyIsTriedAgainWhenItWasRotated(t *testing.T) {
	t.Parallel()
	w := newWorld(map[string]string{"/token": "old", "/other": "new"})
	one := w.process(t, config.APIAuth{Type: "bearer"}, nil)
	req := apply(t, one)
	if one.Refused(t.Context(), req) {
		t.Error("the same key would be tried again")
	}

	store := w.secrets.store()
	two, err := apiauth.New(&config.APIAuth{Type: "bearer"}, apiauth.Options{Token: config.Secrets{"ssm:/token", "ssm:/other"}, Store: store})
	if err != nil {
		t.Fatal(err)
	}
	req = apply(t, two)
	if !two.Refused(t.Context(), req) {
		t.Fatal("the second reference is not tried")
	}
	if got := bearer(t, two); got != "Bearer new" {
		t.Errorf("the header is %q", got)
	}
}

func TestTheKeyOfTheBudgetIsOfTheReferences(t *testing.T) {
	t.Parallel()
	w := newWorld(map[string]string{"/token": "one"})
	first := w.process(t, config.APIAuth{Type: "bearer"}, nil).Key()
	w.secrets.set("/token", "two")
	if again := w.process(t, config.APIAuth{Type: "basic"}, nil).Key(); again != first {
		t.Errorf("the same reference has the keys %s and %s", first, again)
	}
	other := newWorld(map[string]string{"/app": "one"})
	if k := other.process(t, config.APIAuth{Type: "api_key", Name: "X", Value: "{app}"}, nil).Key(); k == first {
		t.Error("another reference has the same key")
	}
}
