package destination

import (
	"net/http"
	"time"

	"pushpull/shared/guard"
)

// clients are the two HTTP clients that all destinations share, so that
// connections are kept and used again.
type clients struct{ guarded, open *http.Client }

func newClients() clients {
	const connect = 10 * time.Second
	return clients{guarded: guard.NewClient(connect, false), open: guard.NewClient(connect, true)}
}

func (c clients) pick(allowPrivate bool) *http.Client {
	if allowPrivate {
		return c.open
	}
	return c.guarded
}
