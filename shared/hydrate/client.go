package hydrate

import (
	"context"
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
	const connect = 5 * time.Second
	return &Env{secrets: secrets, now: now, guarded: guard.NewClient(connect, false), local: guard.NewClient(connect, true)}
}
