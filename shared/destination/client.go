package destination

import (
	"net"
	"net/http"
	"time"

	"pushpull/shared/guard"
)

// clients are the two HTTP clients that all destinations share, so that
// connections are kept and used again.
type clients struct{ guarded, open *http.Client }

func newClients() clients {
	return clients{
		guarded: newClient(net.Dialer{Control: guard.New().Control}),
		open:    newClient(net.Dialer{}),
	}
}

func (c clients) pick(allowPrivate bool) *http.Client {
	if allowPrivate {
		return c.open
	}
	return c.guarded
}

// newClient returns a client without a proxy: one from the environment would
// dial for us, behind the guard's back. Redirects are answers, not orders.
func newClient(d net.Dialer) *http.Client {
	d.Timeout, d.KeepAlive = 10*time.Second, 30*time.Second
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            d.DialContext,
			ForceAttemptHTTP2:      true,
			MaxIdleConns:           100,
			MaxIdleConnsPerHost:    16,
			IdleConnTimeout:        60 * time.Second,
			TLSHandshakeTimeout:    10 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
