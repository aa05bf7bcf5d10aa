package hydrate

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/api"
	"pushpull/shared/config"
	"pushpull/shared/event"
)

func urls(values ...string) event.Choices {
	var choices event.Choices
	for _, v := range values {
		choices = append(choices, event.Choice{Value: v})
	}
	return choices
}

func TestARuleThatLetsAnEventChooseTheHostIsRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		url   string
		hosts config.Names
		want  string // in the error; "" is none
	}{
		{"a host that is written out", "https://api.example.com/v1/{body.id}", nil, ""},
		{"a host that is written out before a query", "https://api.example.com?id={body.id}", nil, ""},
		{"an address without placeholders", "https://api.example.com", nil, ""},
		{"http on loopback", "http://localhost:8080/{id}", nil, ""},
		{"an address that the event carries, with hosts", "{body.url}", config.Names{`api\.example\.com`}, ""},
		{"an address that the event carries, without hosts", "{body.url}", nil, "list the provider's hosts"},
		{"a host of the event's", "https://{body.host}/v1", nil, "scheme and host must be written out"},
		{"a part of a host of the event's", "https://{body.region}.example.com/v1", nil, "scheme and host must be written out"},
		{"a host that the event continues", "https://api.example.com{body.path}", nil, "scheme and host must be written out"},
		{"a port of the event's", "https://api.example.com:{body.port}/v1", nil, "scheme and host must be written out"},
		{"a scheme of the event's", "{body.scheme}://api.example.com/v1", nil, "scheme and host must be written out"},
		{"a host of the event's even with hosts", "{body.base}/v1", config.Names{".*"}, "scheme and host must be written out"},
		{"a host behind a backslash", `https://api.example.com\@evil.example/{id}`, nil, "scheme and host must be written out"},
		{"a user in the address", "https://me@api.example.com/{id}", nil, "use auth"},
		{"http", "http://api.example.com/{id}", nil, "not https"},
		{"another scheme", "file:///etc/passwd", nil, "scheme and host"},
		{"a fragment", "https://api.example.com/{id}#x", nil, "leave out what follows"},
		{"nothing", "", nil, "empty"},
		{"an unknown placeholder", "https://api.example.com/{nope}", nil, "unknown placeholder {nope}"},
		{"an unknown filter", "https://api.example.com/{id|sha1}", nil, "unknown filter"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := Compile(config.Hydrate{URL: urls(test.url), Hosts: test.hosts})
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

func TestTheAddressOfAnEvent(t *testing.T) {
	t.Parallel()
	const refused, missing = "refused", "missing"
	pinned := config.Names{`(api|eu)\.example\.com`}
	for _, test := range []struct {
		name  string
		urls  event.Choices
		hosts config.Names
		data  string
		want  string
	}{
		{"a value of the body", urls("https://a.example/v1/{body.a.0.id}"), nil, `{"a":[{"id":17}]}`, "https://a.example/v1/17"},
		{"a number keeps its digits", urls("https://a.example/{body.id}"), nil, `{"id":12345678901234567890}`, "https://a.example/12345678901234567890"},
		{"what the event is", urls("https://a.example/{entity}/{type|upper}/{id}/{version}"), nil, `{}`, "https://a.example/thing:1/PUSH/e%201/v%2F2"},
		{"what travels", urls("https://a.example/{header.X-Shop}?q={query.data.id}"), nil, `{}`, "https://a.example/acme?q=9"},
		{"a value in a path is one name", urls("https://a.example/v1/{body.id}/x"), nil, `{"id":"a/b?c#d&é"}`, "https://a.example/v1/a%2Fb%3Fc%23d&%C3%A9/x"},
		{"a value in a query is one value", urls("https://a.example/v1?id={body.id}&x=1"), nil, `{"id":"a&x=2#f"}`, "https://a.example/v1?id=a%26x%3D2%23f&x=1"},
		{"a value with slashes where that is asked for", urls("https://a.example/{body.p|path}/v2"), nil, `{"p":"stores/ab c"}`, "https://a.example/stores/ab%20c/v2"},
		{"a value that climbs", urls("https://a.example/v1/{body.id}/x"), nil, `{"id":".."}`, refused},
		{"a value that climbs with slashes", urls("https://a.example/v1/{body.id|path}/x"), nil, `{"id":"../../admin"}`, refused},
		{"a value that climbs with slashes percent-encoded", urls("https://a.example/v1/{body.id}/x"), nil, `{"id":"../../admin"}`, refused},
		{"a value that climbs with backslashes", urls("https://a.example/v1/{body.id}/x"), nil, `{"id":"..\\admin"}`, refused},
		{"a value that climbs with a parameter", urls("https://a.example/v1/{body.id|path}/x"), nil, `{"id":"..;a=b/admin"}`, refused},
		{"a value that is decoded twice", urls("https://a.example/v1/{body.id}/x"), nil, `{"id":"%2e%2e%2fadmin"}`, refused},
		{"a path with the slash that is written out", urls("https://a.example/{body.id|path}"), nil, `{"id":"/v2/x"}`, "https://a.example/v2/x"},
		{"two values that climb together", urls("https://a.example/v1/{body.id}{body.id}/x"), nil, `{"id":"."}`, refused},
		{"a value that is too long", urls("https://a.example/v1/{body.id}"), nil, `{"id":"` + strings.Repeat("a", 9000) + `"}`, refused},
		{"a value that is not there", urls("https://a.example/v1/{body.id}"), nil, `{"other":1}`, missing},
		{"a value that is empty", urls("https://a.example/v1/{body.id}"), nil, `{"id":""}`, missing},
		{"a value that is an object", urls("https://a.example/v1/{body.id}"), nil, `{"id":{}}`, missing},
		{"a body that is not JSON", urls("https://a.example/v1/{body.id}"), nil, `id=1`, missing},
		{"the first whose values are there", urls("https://a.example/a/{body.a}", "https://a.example/b/{body.b}"), nil, `{"b":1}`, "https://a.example/b/1"},
		{"the first for the type", event.Choices{{Value: "https://a.example/a", For: []string{"pull"}}, {Value: "https://a.example/b", For: []string{"push"}}}, nil, `{}`, "https://a.example/b"},
		{"none for the type", event.Choices{{Value: "https://a.example/a", For: []string{"pull"}}}, nil, `{}`, missing},
		{"an address of the event's", urls("{body.u}"), pinned, `{"u":"https://eu.example.com/x?y=%2F"}`, "https://eu.example.com/x?y=%2F"},
		{"an address of the event's with its port", urls("{body.u}"), pinned, `{"u":"https://api.example.com:443/x"}`, "https://api.example.com:443/x"},
		{"another host", urls("{body.u}"), pinned, `{"u":"https://evil.example/x"}`, refused},
		{"a host that ends like it", urls("{body.u}"), pinned, `{"u":"https://api.example.com.evil.example/x"}`, refused},
		{"a host that begins elsewhere", urls("{body.u}"), pinned, `{"u":"https://evil-api.example.com/x"}`, refused},
		{"a host before an @", urls("{body.u}"), pinned, `{"u":"https://api.example.com@evil.example/x"}`, refused},
		{"a user", urls("{body.u}"), pinned, `{"u":"https://me@api.example.com/x"}`, refused},
		{"a host behind a backslash", urls("{body.u}"), pinned, `{"u":"https://api.example.com\\@evil.example/x"}`, refused},
		{"another port", urls("{body.u}"), pinned, `{"u":"https://api.example.com:8443/x"}`, refused},
		{"http", urls("{body.u}"), pinned, `{"u":"http://api.example.com/x"}`, refused},
		{"no scheme", urls("{body.u}"), pinned, `{"u":"//api.example.com/x"}`, refused},
		{"no address", urls("{body.u}"), pinned, `{"u":"\u0000"}`, refused},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r, err := Compile(config.Hydrate{URL: test.urls, Hosts: test.hosts})
			if err != nil {
				t.Fatal(err)
			}
			u, _, err := r.Request(event.Event{
				ID: "e 1", Type: "push", Subject: "thing:1", Version: "v/2", Data: []byte(test.data),
				Headers: event.Carried{"x-shop": "acme"}, Query: event.Carried{"data.id": "9"},
			})
			got := ""
			switch {
			case err == nil:
				got = u.String()
			case is[*api.Permanent](err):
				got = refused
			case is[*Missing](err):
				got = missing
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff, err)
			}
			if err != nil && strings.Contains(err.Error(), "evil") {
				t.Errorf("the error quotes the event: %v", err)
			}
		})
	}
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func TestHeadersAreTemplates(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, data, want string
	}{
		{"with the event's value", `{"tenant":"t1"}`, "t1"},
		{"a value with a line break is refused", `{"tenant":"t1\r\nX: y"}`, "refused"},
		{"a value that is not there", `{}`, "missing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r, err := Compile(config.Hydrate{URL: urls("https://a.example/x"), Headers: map[string]string{"xero-tenant-id": "{body.tenant}"}})
			if err != nil {
				t.Fatal(err)
			}
			_, header, err := r.Request(event.Event{Data: []byte(test.data)})
			got := header.Get("Xero-Tenant-Id")
			if is[*api.Permanent](err) {
				got = "refused"
			} else if is[*Missing](err) {
				got = "missing"
			}
			if got != test.want {
				t.Errorf("%q, want %q: %v", got, test.want, err)
			}
		})
	}
}

// FuzzAddress: whatever an event says, its request goes to the host and below the
// path that are written out.
func FuzzAddress(f *testing.F) {
	for _, seed := range []string{"1", "..", "../x", "%2e%2e/", "a?b", "a#b", "//evil.example", "@evil", "\\", "..;/", "é", "\x00", "%zz"} {
		f.Add(seed, seed)
	}
	r, err := Compile(config.Hydrate{URL: urls("https://api.example.com/v1/{body.a}/{body.b|path}/end?q={body.a}&z=1")})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		data, err := json.Marshal(map[string]string{"a": a, "b": b})
		if err != nil {
			t.Fatal(err) // texts are always JSON
		}
		u, _, err := r.Request(event.Event{Data: data})
		if err != nil {
			if u != nil {
				t.Error("an address beside an error")
			}
			return
		}
		query := u.Query()
		if u.Scheme != "https" || u.Host != "api.example.com" || u.User != nil || u.Fragment != "" ||
			!strings.HasPrefix(u.EscapedPath(), "/v1/") || !strings.HasSuffix(u.EscapedPath(), "/end") ||
			!strings.HasPrefix(u.JoinPath().EscapedPath(), "/v1/") || len(query) != 2 || query.Get("z") != "1" {
			t.Errorf("%q, %q make %s", a, b, u)
		}
	})
}
