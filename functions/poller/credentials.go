package main

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"pushpull/shared/apiauth"
	"pushpull/shared/config"
	"pushpull/shared/pull"
)

// credentials keep an Authenticator for each credential, and with it the tokens
// that it got, for as long as the process lives.
type credentials struct {
	store  apiauth.Secrets
	locker apiauth.Locker
	getenv func(string) string
	now    func() time.Time
	client *http.Client // nil: one for each

	mu    sync.Mutex
	known map[string]*apiauth.Authenticator
}

// of is the poll's. Polls that say the same of it share one.
func (c *credentials) of(p config.Poll) (*apiauth.Authenticator, error) {
	name := hash(struct {
		Auth    *config.APIAuth
		Token   config.Secrets
		Secrets map[string]config.Secrets
		With    map[string]string
		Base    string
	}{p.Auth, p.Token, p.Secrets, p.With, p.BaseURL})
	c.mu.Lock()
	defer c.mu.Unlock()
	if a, ok := c.known[name]; ok {
		return a, nil
	}
	base, err := pull.BaseURL(p)
	if err != nil {
		return nil, err
	}
	a, err := apiauth.New(p.Auth, apiauth.Options{
		Token: p.Token, Secrets: p.Secrets, With: p.With, Base: base,
		Store: c.store, Locker: c.locker, Client: c.client, Now: c.now, Getenv: c.getenv,
	})
	if err != nil {
		return nil, errors.Join(errors.New("the poll's credential cannot be used"), err)
	}
	if c.known == nil {
		c.known = map[string]*apiauth.Authenticator{}
	}
	c.known[name] = a
	return a, nil
}
