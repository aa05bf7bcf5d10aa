package guard

import (
	"net"
	"net/http"
	"time"
)

// NewClient returns a client for addresses of others' choice. It connects to
// public addresses only, unless any are allowed; it has no proxy, which would
// dial for us, behind the guard's back; and it follows no redirect, which could
// carry a credential to another host: they are answers, not orders. Connecting
// and the handshake may take that long each; the whole is the context's to bound.
func NewClient(connect time.Duration, anyAddress bool) *http.Client {
	d := net.Dialer{Timeout: connect, KeepAlive: 30 * time.Second}
	if !anyAddress {
		d.Control = New().Control
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            d.DialContext,
			ForceAttemptHTTP2:      true,
			MaxIdleConns:           100,
			MaxIdleConnsPerHost:    16,
			IdleConnTimeout:        60 * time.Second,
			TLSHandshakeTimeout:    connect,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
