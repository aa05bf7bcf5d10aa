package apiauth

import (
	"net/url"
	"strings"

	"pushpull/shared/guard"
)

// address reads where a credential is sent to: https, but for loopback. A text
// without a host follows the API's own address.
func (a *Authenticator) address(key, text string) (*url.URL, error) {
	if strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "//") {
		if a.o.Base == nil {
			return nil, lasting(key, "there is no base_url that it could follow: write the whole address")
		}
		text = strings.TrimSuffix(a.o.Base.String(), "/") + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "":
		return nil, lasting(key, "it is no address: write https://host/path, or /path for one at base_url")
	case u.User != nil:
		return nil, lasting(key, "a user and password in an address end in logs: use client_id and client_secret")
	case u.Scheme != "https" && (u.Scheme != "http" || !guard.Loopback(u.Hostname())):
		return nil, lasting(key, "a credential is sent there without TLS: use https; http is for loopback only")
	}
	return u, nil
}

// address reads a template of one, and notes what is wrong with it where that can
// be told already: what with and base_url say.
func (b *builder) address(key, text string, own ...string) template {
	t := b.template(key, text, own...)
	v := values{}
	for _, p := range t {
		if p.name == "" {
			continue
		}
		given, ok := b.o.With[p.name]
		if !ok {
			return t
		}
		v[p.name] = given
	}
	filled := t.fill(v)
	if strings.HasPrefix(filled, "/") && b.o.Base == nil {
		return t // it follows a base_url that is not known here
	}
	if u, err := b.Authenticator.address("auth."+key, filled); err != nil {
		b.wrong(key, "%s", strings.TrimPrefix(err.Error(), "auth."+key+": "))
	} else {
		b.hosts = append(b.hosts, u.Host)
	}
	return t
}
