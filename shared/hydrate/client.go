package hydrate

import (
	"context"
	"net"
	"net/http"
	"time"

	"pushpull/shared/guard"
)

// Secrets resolves references to secrets; secret.Store does.
type Secrets interface {
	All(ctx context.Context, refs []string) ([]string, error)
	// Fresh resolves them anew, after a credential was refused.
	Fresh(ctx context.Context, refs []string) ([]string, error)
}

// Env is what sources share: make one for the life of the process.
type Env struct {
	secrets Secrets
	now     func() time.Time
	guarded *http.Client
	local   *http.Client // for addresses that the configuration says are on loopback
}

// NewEnv returns what sources share. Secrets may be nil where no source has any.
func NewEnv(secrets Secrets, now func() time.Time) *Env {
	return &Env{
		secrets: secrets, now: now,
		guarded: newClient(net.Dialer{Control: guard.New().Control}),
		local:   newClient(net.Dialer{}),
	}
}

// newClient returns a client that follows no redirect, which could carry the
// credential to another host, and has no proxy, which would dial behind the
// guard's back.
func newClient(d net.Dialer) *http.Client {
	d.Timeout, d.KeepAlive = 5*time.Second, 30*time.Second
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            d.DialContext,
			ForceAttemptHTTP2:      true,
			MaxIdleConns:           50,
			MaxIdleConnsPerHost:    16,
			IdleConnTimeout:        60 * time.Second,
			TLSHandshakeTimeout:    5 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
