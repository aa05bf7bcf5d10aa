package apiauth_test

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"pushpull/shared/apiauth"
	"pushpull/shared/config"
)

func certificatePEM(t *testing.T) string {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "client"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, rsaKey().Public(), rsaKey())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestTheCertificateIsShownToTheTokenEndpointToo(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"access_token":"`+r.TLS.PeerCertificates[0].Subject.CommonName+`"}`)
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)

	w := newWorld(map[string]string{"/certificate": certificatePEM(t), "/key": pemOf(t, rsaKey())})
	a, err := apiauth.New(&config.APIAuth{Type: "oauth2", TokenURL: server.URL, ClientID: "id", Certificate: "{certificate}", PrivateKey: "{key}"}, apiauth.Options{
		Secrets: map[string]config.Secrets{"certificate": {"ssm:/certificate"}, "key": {"ssm:/key"}}, Store: w.secrets.store(), Client: server.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := bearer(t, a); got != "Bearer client" {
		t.Errorf("the header is %q", got)
	}
	if pair, err := a.ClientCertificate(t.Context()); err != nil || pair == nil {
		t.Errorf("the certificate is %v (%v)", pair, err)
	}
}

func TestACertificateAndItsKeyMayBeOneSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(map[string]string{"/certificate": certificatePEM(t) + pemOf(t, rsaKey())})
	a := w.process(t, config.APIAuth{Type: "mtls", Certificate: "{certificate}"}, nil)
	if pair, err := a.ClientCertificate(t.Context()); err != nil || pair == nil {
		t.Errorf("the certificate is %v (%v)", pair, err)
	}
	w.secrets.set("/certificate", "nothing of the kind")
	b := w.process(t, config.APIAuth{Type: "mtls", Certificate: "{certificate}"}, nil)
	_, err := b.ClientCertificate(t.Context())
	if e, ok := errors.AsType[*apiauth.Error](err); !ok || !e.Permanent() {
		t.Errorf("the error is %v", err)
	}
}
