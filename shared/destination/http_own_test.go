package destination

import (
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"pushpull/shared/config"
	"pushpull/shared/event"
)

func TestHTTPStatusesOfOnesOwn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		r      config.Responses
		status int
		want   outcome
	}{
		{"a conflict says that it is known", config.Responses{Success: config.Statuses{"409"}}, 409, done},
		{"an unready server answers 404", config.Responses{Retry: config.Statuses{"404"}}, 404, retry},
		{"a whole class", config.Responses{Permanent: config.Statuses{"5xx"}}, 503, give},
		{"a range", config.Responses{Retry: config.Statuses{"420-425"}}, 424, retry},
		{"the end of a range", config.Responses{Retry: config.Statuses{"420-425"}}, 425, retry},
		{"beyond a range the usual meaning holds", config.Responses{Retry: config.Statuses{"420-424"}}, 426, give},
		{"of two the narrower counts", config.Responses{Retry: config.Statuses{"4xx"}, Permanent: config.Statuses{"404"}}, 404, give},
		{"a success that is none", config.Responses{Retry: config.Statuses{"202"}}, 202, retry},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			url, _ := listen(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(test.status) })
			_, err := openTest(t, config.Destination{Kind: "http", URL: url, AllowPrivate: true, Responses: &test.r}, nil).Deliver(t.Context(), sample("1"))
			if got, _ := outcomeOf(err); got != test.want {
				t.Errorf("the outcome is %d (%v), want %d", got, err, test.want)
			}
		})
	}
}

func TestHTTPMethodAndCompression(t *testing.T) {
	t.Parallel()
	const key = "whsec_c2VjcmV0IHNlY3JldA=="
	var method string
	url, got := listen(t, func(_ http.ResponseWriter, r *http.Request) { method = r.Method })
	d, err := Open(config.Destination{Kind: "http", URL: url, AllowPrivate: true, Method: "PUT", Compression: "gzip", Sign: config.Secrets{"key"}},
		NewEnv(Options{Secrets: vault{"key": key}, Now: time.Now}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Deliver(t.Context(), sample("1")); err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(got.body))
	if err != nil || method != "PUT" || got.header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("%s %v: %v", method, got.header, err)
	}
	plain, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(plain, sample("1").Data) {
		t.Fatalf("the body is %q, %v", plain, err)
	}
	wh, err := standardwebhooks.NewWebhook(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := wh.Verify(plain, got.header); err != nil {
		t.Errorf("the signature is not of the body as it is read: %v", err)
	}
}

// clientCredentials is a destination whose tokens come from the same server.
func clientCredentials(url string) config.Destination {
	return config.Destination{
		Kind: "http", URL: url + "/in", AllowPrivate: true,
		Auth:    &config.APIAuth{Type: "oauth2", Grant: "client_credentials", TokenURL: "/token", ClientID: "{client_id}"},
		Secrets: map[string]config.Secrets{"client_secret": {"env:secret"}},
		With:    map[string]string{"client_id": "pushpull"},
	}
}

func TestHTTPGetsATokenAndRenewsOneThatIsRefused(t *testing.T) {
	t.Parallel()
	var asked []string
	given := 0
	url := serve(t, func(w http.ResponseWriter, r *http.Request, _ []byte) {
		if r.URL.Path == "/token" {
			id, secret, _ := r.BasicAuth()
			given++
			_, _ = fmt.Fprintf(w, `{"access_token":"%s-%s-%d","token_type":"bearer","expires_in":3600}`, id, secret, given)
			return
		}
		asked = append(asked, r.Header.Get("Authorization"))
		if len(asked) == 2 {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	d := openTest(t, clientCredentials(url), vault{"env:secret": "s3"})
	for range 2 {
		if r, err := d.Deliver(t.Context(), sample("1")); err != nil || r.Status != 200 {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	if diff := cmp.Diff([]string{"Bearer pushpull-s3-1", "Bearer pushpull-s3-1", "Bearer pushpull-s3-2"}, asked); diff != "" {
		t.Error(diff)
	}
}

func TestHTTPCredentialsThatAreNotToBeHad(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		status int // of the token's server
		want   outcome
		asks   int // of the destination
	}{
		{"a token's server that is down", 503, retry, 0},
		{"a client that is not known", 401, retry, 0},
		{"a token that is refused again and again", 200, give, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			asks := 0
			url := serve(t, func(w http.ResponseWriter, r *http.Request, _ []byte) {
				if r.URL.Path == "/token" {
					w.WriteHeader(test.status)
					_, _ = w.Write([]byte(`{"access_token":"t","token_type":"bearer"}`))
					return
				}
				asks++
				w.WriteHeader(http.StatusUnauthorized)
			})
			_, err := openTest(t, clientCredentials(url), vault{"env:secret": "s3cret"}).Deliver(t.Context(), sample("1"))
			got, _ := outcomeOf(err)
			if got != test.want || asks != test.asks || strings.Contains(fmt.Sprint(err), "s3cret") {
				t.Errorf("outcome %d after %d requests: %v", got, asks, err)
			}
		})
	}
}

func TestHTTPShowsItsCertificate(t *testing.T) {
	t.Parallel()
	var shown string
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		shown = r.TLS.PeerCertificates[0].Subject.CommonName
	}))
	s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12}
	s.StartTLS()
	t.Cleanup(s.Close)
	certificate, key := pair(t, "pushpull")
	env := NewEnv(Options{Secrets: vault{"env:certificate": certificate, "env:key": key}, Now: at})
	trust(env.clients.open, s.Certificate())
	d, err := Open(config.Destination{
		Kind: "http", URL: s.URL, AllowPrivate: true,
		Auth:    &config.APIAuth{Type: "mtls", Certificate: "{certificate}", PrivateKey: "{key}"},
		Secrets: map[string]config.Secrets{"certificate": {"env:certificate"}, "key": {"env:key"}},
	}, env)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Deliver(t.Context(), sample("1")); err != nil || shown != "pushpull" {
		t.Errorf("it showed %q: %v", shown, err)
	}
}

func trust(client *http.Client, c *x509.Certificate) {
	pool := x509.NewCertPool()
	pool.AddCert(c)
	client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

// pair is a certificate and its key in PEM.
func pair(t *testing.T, name string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	of.Subject.CommonName = name
	der, err := x509.CreateCertificate(rand.Reader, of, of, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}

func openBatcher(t *testing.T, c config.Destination, secrets vault) Batcher {
	t.Helper()
	c.Kind, c.AllowPrivate, c.Batch = "http", true, &config.Batch{Size: 10}
	return openTest(t, c, secrets).(*gatherer).to
}

func TestHTTPBatches(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ format, contentType string }{
		{"", "application/cloudevents-batch+json"},
		{"json", "application/cloudevents-batch+json"},
		{"ndjson", "application/x-ndjson"},
	} {
		t.Run("format "+test.format, func(t *testing.T) {
			t.Parallel()
			url, got := listen(t, nil)
			d := openBatcher(t, config.Destination{URL: url, Format: test.format}, nil)
			events := []event.Event{sample("a"), sample("b\nc")}
			for _, o := range d.DeliverBatch(t.Context(), events) {
				if o.Err != nil || o.Status != 200 {
					t.Fatal(o)
				}
			}
			first := *got
			if diff := cmp.Diff([]string{"a", "b\nc"}, idsOf(t, first.body)); diff != "" {
				t.Error(diff)
			}
			if h := first.header; h.Get("Content-Type") != test.contentType || h.Get("Ce-Id") != "" || !strings.HasPrefix(h.Get("Webhook-Id"), "batch_") {
				t.Errorf("the headers are %v", h)
			}
			d.DeliverBatch(t.Context(), events)
			if a, b := first.header.Get("Webhook-Id"), got.header.Get("Webhook-Id"); a != b {
				t.Errorf("the same batch is %s and %s", a, b)
			}
			d.DeliverBatch(t.Context(), events[:1])
			if a, b := first.header.Get("Webhook-Id"), got.header.Get("Webhook-Id"); a == b {
				t.Errorf("another batch is %s as well", a)
			}
		})
	}
}

// idsOf reads a batch, in either form.
func idsOf(t *testing.T, body []byte) []string {
	t.Helper()
	var ids []string
	read := func(one json.RawMessage) {
		e, err := event.Decode(one)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.ID)
	}
	var all []json.RawMessage
	if json.Unmarshal(body, &all) != nil {
		for line := range bytes.Lines(body) {
			all = append(all, line)
		}
	}
	for _, one := range all {
		read(one)
	}
	return ids
}

func TestHTTPBatchesThatFail(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		status int // of a request with the event bad in it
		want   []outcome
		asks   int
	}{
		{"what is refused for its content is tried one by one", 422, []outcome{done, give, done}, 4},
		{"and what is too large", 413, []outcome{done, give, done}, 4},
		{"what is refused for another reason is refused as a whole", 403, []outcome{give, give, give}, 1},
		{"what may pass is tried again as a whole", 503, []outcome{retry, retry, retry}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			asks := 0
			url := serve(t, func(w http.ResponseWriter, _ *http.Request, body []byte) {
				asks++
				if slices.Contains(idsOf(t, body), "bad") {
					w.WriteHeader(test.status)
				}
			})
			d := openBatcher(t, config.Destination{URL: url}, nil)
			var got []outcome
			for _, o := range d.DeliverBatch(t.Context(), []event.Event{sample("a"), sample("bad"), sample("c")}) {
				what, _ := outcomeOf(o.Err)
				got = append(got, what)
			}
			if !slices.Equal(got, test.want) || asks != test.asks {
				t.Errorf("%v after %d requests, want %v after %d", got, asks, test.want, test.asks)
			}
		})
	}
}
