package apiauth

import (
	"context"
	"crypto/tls"
	"net/http"
	"strings"
)

func buildMTLS(b *builder) {
	b.need("certificate", b.auth.Certificate, "the client's certificate: the name of one of secrets, in braces")
	buildNone(b)
}

// certificates reads what may stand beside any kind.
func (b *builder) certificates() {
	if b.auth.Certificate == "" {
		if b.auth.PrivateKey != "" {
			b.need("certificate", "", "private_key is of no use without it")
		}
		return
	}
	b.certificate = b.template("certificate", b.auth.Certificate)
	// One secret may hold both.
	b.privateKey = b.secret("private_key", or(b.auth.PrivateKey, b.auth.Certificate))
}

// ClientCertificate is what the client shows in the TLS handshake; nil for none.
func (a *Authenticator) ClientCertificate(ctx context.Context) (*tls.Certificate, error) {
	if a.certificate == nil {
		return nil, nil //nolint:nilnil // there is none, and nothing is wrong
	}
	v, err := a.resolve(ctx, a.certificate, a.privateKey)
	if err != nil {
		return nil, err
	}
	// A secret store may have made \n of the line breaks.
	lines := strings.NewReplacer(`\n`, "\n")
	pair, err := tls.X509KeyPair([]byte(lines.Replace(a.certificate.fill(v))), []byte(lines.Replace(a.privateKey.fill(v))))
	if err != nil {
		return nil, lasting("auth.certificate", "certificate and private_key are not a pair in PEM: store the certificate with its chain, and the key without a passphrase")
	}
	return &pair, nil
}

// Showing is the client, or one like it that shows the client's certificate where
// there is one. A client whose transport is another's stays as it is.
func (a *Authenticator) Showing(client *http.Client) *http.Client {
	if a.certificate == nil {
		return client
	}
	transport, ok := client.Transport.(*http.Transport)
	if !ok {
		if client.Transport != nil {
			return client
		}
		transport, _ = http.DefaultTransport.(*http.Transport)
	}
	transport = transport.Clone()
	if transport.TLSClientConfig == nil {
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	transport.TLSClientConfig.GetClientCertificate = func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		return a.ClientCertificate(info.Context())
	}
	shows := *client
	shows.Transport = transport
	return &shows
}
