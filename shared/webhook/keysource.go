package webhook

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"

	"pushpull/shared/config"
)

// A keySource is where the public keys of a scheme come from: the source's
// secret, or an address.
type keySource struct {
	references []string
	url        template
	document   string
	hosts      []*regexp.Regexp
	id         template
}

func newKeySource(auth config.Auth) (keySource, error) {
	k := keySource{references: auth.Secret, document: auth.Key.Document}
	if auth.Key.URL == "" {
		if auth.Key.ID != "" || auth.Key.Document != "" || len(auth.Key.Hosts) > 0 {
			return k, errors.New("key.id, document and hosts are of a key that is fetched: give key.url too")
		}
		return k, nil
	}
	var errs [3]error
	k.url, errs[0] = parseTemplate(auth.Key.URL, false)
	if auth.Key.ID != "" {
		k.id, errs[1] = parseTemplate(auth.Key.ID, false)
	}
	if k.document == "" {
		k.document = "jwks"
	}
	k.hosts, errs[2] = pinned(k.url, auth.Key.Hosts)
	return k, errors.Join(errs[:]...)
}

// pinned are the hosts that a template may lead to: those that are listed, or
// the one that is written in it.
func pinned(t template, hosts []string) ([]*regexp.Regexp, error) {
	var list []*regexp.Regexp
	for _, host := range hosts {
		re, err := wholeMatch(host)
		if err != nil {
			return nil, fmt.Errorf("hosts: %w", err)
		}
		list = append(list, re)
	}
	if len(list) > 0 || len(t) == 0 {
		return list, nil
	}
	u, err := url.Parse(t[0].literal)
	if err != nil || u.Host == "" || len(t) > 1 && (u.Path == "" || u.Path[0] != '/') {
		return nil, errors.New("hosts are absent: an address that comes from the request may lead anywhere, so list the provider's hosts as regular expressions")
	}
	return []*regexp.Regexp{regexp.MustCompile("^" + regexp.QuoteMeta(u.Host) + "$")}, nil
}

// allowed says whether an address is of one of the hosts, over https.
func allowed(address string, hosts []*regexp.Regexp) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Scheme != "https" || u.User != nil || u.Port() != "" && u.Port() != "443" || u.Fragment != "":
		return errors.New("the address is no plain https address")
	case !slices.ContainsFunc(hosts, func(h *regexp.Regexp) bool { return h.MatchString(u.Hostname()) }):
		return errors.New("the address is of a host that is not the provider's")
	}
	return nil
}

func (k *keySource) readsBody() bool {
	return k.url.has(bodyPath, formField) || k.id.has(bodyPath, formField)
}

// find are the keys that may have signed. Without a key id, all of the document.
func (k *keySource) find(ctx context.Context, c Credentials, v *view, kid string) ([]crypto.PublicKey, error) {
	if k.url == nil {
		return k.given(c)
	}
	address, err := k.url.text(v)
	if err != nil {
		return nil, fmt.Errorf("%w: the address of the key: %w", ErrMissing, err)
	}
	if err := allowed(address, k.hosts); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	if k.id != nil {
		if kid, err = k.id.text(v); err != nil {
			return nil, fmt.Errorf("%w: the id of the key: %w", ErrMissing, err)
		}
	}
	if c.Keys == nil {
		return nil, fmt.Errorf("%w: there is nothing to fetch it with", ErrKey)
	}
	return c.Keys.find(ctx, address, k.document, kid)
}

// given are the keys that the secret's values are.
func (k *keySource) given(c Credentials) ([]crypto.PublicKey, error) {
	secrets := c.of(k.references)
	if len(secrets) == 0 {
		return nil, fmt.Errorf("%w: there is none", ErrSecret)
	}
	var keys []crypto.PublicKey
	var unusable error
	for _, secret := range secrets {
		key, err := parsePublic(secret)
		if err != nil {
			unusable = err
			continue
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, unusable
	}
	return keys, nil
}
