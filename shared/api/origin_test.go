package api

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// stranger is another host. It fails the test where it is shown a credential.
func stranger(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if all := fmt.Sprint(r.URL, r.Header); strings.Contains(all, key) || strings.Contains(all, "secret-header") {
			t.Errorf("another host was shown %s", all)
		}
		_, _ = io.WriteString(w, "from elsewhere")
	}))
	t.Cleanup(server.Close)
	return server
}

func TestAnotherHostNeverSeesTheCredential(t *testing.T) {
	t.Parallel()
	header := http.Header{"X-Secret": {"secret-header"}}
	for _, test := range []struct {
		name string
		run  func(t *testing.T, a *api, other *url.URL) (string, error)
		want string
	}{
		{"a next link to it is refused", func(t *testing.T, a *api, other *url.URL) (string, error) {
			return a.get(t, Request{URL: other})
		}, "permanent 0"},
		{"so is one with another scheme", func(t *testing.T, a *api, _ *url.URL) (string, error) {
			u := *a.url
			u.Scheme = "https"
			return a.get(t, Request{URL: &u})
		}, "permanent 0"},
		{"so is one with a user", func(t *testing.T, a *api, _ *url.URL) (string, error) {
			u := *a.url
			u.User = url.User("api")
			return a.get(t, Request{URL: &u})
		}, "permanent 0"},
		{"so is a redirect", func(t *testing.T, a *api, _ *url.URL) (string, error) {
			return a.get(t, Request{URL: a.url.JoinPath("away"), Header: header})
		}, "permanent 0"},
		{"unless it may lead there without the credential", func(t *testing.T, a *api, other *url.URL) (string, error) {
			return a.get(t, Request{URL: a.url.JoinPath("away"), Header: header, Elsewhere: func(u *url.URL) bool { return u.Host == other.Host }})
		}, "from elsewhere"},
		{"nor may it lead on from there to where no file may be", func(t *testing.T, a *api, other *url.URL) (string, error) {
			hop := httptest.NewServer(http.RedirectHandler(other.String(), http.StatusFound))
			t.Cleanup(hop.Close)
			return a.get(t, Request{URL: parse(hop.URL), Public: true, Elsewhere: func(u *url.URL) bool { return u.Host != other.Host }})
		}, "permanent 0"},
		{"a public file there gets none", func(t *testing.T, a *api, other *url.URL) (string, error) {
			return a.get(t, Request{URL: other, Public: true})
		}, "from elsewhere"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			other := parse(stranger(t).URL)
			a := setup{handle: func(_ *api, _ int, w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, other.String()+"/?echo=1", http.StatusFound)
			}}.open(t)
			got, err := test.run(t, a, other)
			if err != nil {
				got = kind(err)
			}
			if got != test.want {
				t.Errorf("got %s (%v), want %s", got, err, test.want)
			}
		})
	}
}

func TestAConfiguredHostGetsTheCredential(t *testing.T) {
	t.Parallel()
	seen := make(chan string, 1)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header.Get("Authorization") }))
	t.Cleanup(other.Close)
	a := setup{c: Config{Hosts: []string{parse(other.URL).Host}}, handle: func(_ *api, _ int, w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	}}.open(t)
	_, err := a.get(t, Request{})
	if err != nil {
		t.Fatal(err)
	}
	if got := <-seen; got != "Bearer "+key {
		t.Errorf("it saw %q", got)
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		method string
		body   []byte
		status int
		hops   int
		want   string // the last request, or the error
	}{
		{"a GET stays one", "GET", nil, 302, 1, "GET /1 "},
		{"a POST becomes a GET", "POST", []byte(`{}`), 302, 1, "GET /1 "},
		{"or stays one", "POST", []byte(`{}`), 307, 1, "POST /1 {}"},
		{"or stays one for ever", "POST", []byte(`{}`), 308, 1, "POST /1 {}"},
		{"303 asks for a GET", "PUT", []byte(`{}`), 303, 1, "GET /1 "},
		{"five are followed", "GET", nil, 301, 5, "GET /5 "},
		{"six are not", "GET", nil, 301, 6, "permanent 0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := setup{handle: func(a *api, n int, w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") == "" || strings.Count(r.URL.RawQuery, "key=") != 1 {
					t.Errorf("request %d is not authenticated: %v", n, r.URL)
				}
				if n <= test.hops {
					w.Header().Set("Location", fmt.Sprintf("/%d", n))
					w.WriteHeader(test.status)
					return
				}
				body, _ := io.ReadAll(r.Body)
				a.note(r.Method + " " + r.URL.Path + " " + string(body))
			}}.open(t)
			_, err := a.get(t, Request{Method: test.method, Body: test.body})
			got := kind(err)
			if err == nil {
				got = a.noted()[0]
			}
			if got != test.want {
				t.Errorf("got %q (%v), want %q", got, err, test.want)
			}
		})
	}
}

func TestAFileElsewhere(t *testing.T) {
	t.Parallel()
	private := parse(stranger(t).URL)
	secret := *private
	secret.Scheme = "https"
	for _, test := range []struct {
		name string
		url  *url.URL
		want string
	}{
		{"at a private address is not fetched", &secret, "which is not a public address"},
		{"that is not https is not fetched", private, "which is not https"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			client, err := New(Config{Base: parse("https://api.example.com")}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.Do(t.Context(), Request{URL: test.url, Public: true})
			if kind(err) != "permanent 0" || !strings.Contains(err.Error(), test.want) {
				t.Errorf("err = %v, want %q", err, test.want)
			}
		})
	}
}

func TestOurs(t *testing.T) {
	t.Parallel()
	client, err := New(Config{Base: parse("https://api.example.com/v1"), Hosts: []string{"eu.example.com", "us.example.com:8443"}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{
		"https://api.example.com/v2/x":      true,
		"https://API.example.com:443/":      true,
		"HTTPS://api.example.com/":          true,
		"https://eu.example.com/":           true,
		"https://us.example.com:8443/":      true,
		"https://us.example.com/":           false,
		"http://api.example.com/":           false,
		"https://api.example.com:444/":      false,
		"https://api.example.com.evil.test": false,
		"https://evil.test/api.example.com": false,
		"https://api.example.com@evil.test": false,
		"https://user@api.example.com/":     false,
		"//api.example.com/":                false,
		"/v1":                               false,
	} {
		if got := client.ours(parse(address)); got != want {
			t.Errorf("ours(%s) = %v, want %v", address, got, want)
		}
	}
}

func TestAClientCertificate(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, len(r.TLS.PeerCertificates))
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	client, err := New(Config{Base: parse(server.URL)}, Options{
		Auth:   &auth{tokens: []string{key}, certificate: &server.TLS.Certificates[0]},
		Client: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			answer, err := client.Do(t.Context(), Request{URL: parse(server.URL)})
			if err != nil {
				t.Error(err)
				return
			}
			if body, err := answer.All(10); err != nil || string(body) != "1" {
				t.Errorf("the API saw %s certificates, %v", body, err)
			}
		})
	}
	group.Wait()
}
