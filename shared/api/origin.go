package api

import (
	"net"
	"net/url"
	"strings"

	"pushpull/shared/guard"
)

// ours tells whether an address gets the credential: scheme, host and port are
// those of the base, or scheme is and host one of the configured.
func (c *Client) ours(u *url.URL) bool {
	if !strings.EqualFold(u.Scheme, c.c.Base.Scheme) || u.User != nil {
		return false
	}
	host := authority(u)
	if host == authority(c.c.Base) {
		return true
	}
	for _, h := range c.c.Hosts {
		if host == authority(&url.URL{Scheme: u.Scheme, Host: h}) {
			return true
		}
	}
	return false
}

// public tells whether a file may be fetched there, without the credential. An API
// on loopback, as in development, may have its files there.
func (c *Client) public(u *url.URL) bool {
	return u.User == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http" && guard.Loopback(c.c.Base.Hostname()))
}

// authority is host and port, of which the port may be the scheme's own.
func authority(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)]
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}
