package hydrate

import (
	"context"
	"net/http"
	"time"

	"pushpull/shared/api"
	"pushpull/shared/apiauth"
	"pushpull/shared/guard"
)

// Options are what sources work with. Each may be left out where no source needs it.
type Options struct {
	Secrets apiauth.Secrets // resolves references
	Locker  apiauth.Locker  // for refresh tokens that rotate
	Budget  api.Budget      // which a credential shares with its polls
	Getenv  func(name string) string
	Now     func() time.Time
	Sleep   func(ctx context.Context, d time.Duration) error // between attempts; nil waits for real
}

// Env is what sources share: make one for the life of the process.
type Env struct {
	o       Options
	guarded *http.Client
	local   *http.Client // for addresses that the configuration says are on loopback
}

// NewEnv returns what sources share.
func NewEnv(o Options) *Env {
	if o.Now == nil {
		o.Now = time.Now
	}
	const connect = 5 * time.Second
	return &Env{o: o, guarded: guard.NewClient(connect, false), local: guard.NewClient(connect, true)}
}
