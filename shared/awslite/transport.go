package awslite

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// newHTTPClient returns a client for one small function: a few connections to
// one or two hosts, kept alive from one invocation to the next.
func newHTTPClient() *http.Client {
	dialer := &net.Dialer{Timeout: 2 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Client{
		Transport: &http.Transport{
			DialContext:         dialer.DialContext,
			TLSHandshakeTimeout: 3 * time.Second,
			// One call that hangs must not eat the time that the provider
			// gives us: it is cut and made again.
			ResponseHeaderTimeout: 5 * time.Second,
			MaxIdleConnsPerHost:   8,
			IdleConnTimeout:       90 * time.Second,
			DisableCompression:    true,
			// The services speak HTTP/1.1, and this leaves out the set-up of HTTP/2.
			TLSNextProto:    map[string]func(string, *tls.Conn) http.RoundTripper{},
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(8)},
			WriteBufferSize: 16 << 10, // an event in one write
		},
		// A redirect would send a signed request elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
