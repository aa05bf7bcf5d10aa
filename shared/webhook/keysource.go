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
	named      bool // the address comes with the request
	document   string
	hosts      []*regexp.Regexp
	paths      []*regexp.Regexp
	id         template
}

// candidates are the keys that may have signed; of a jwt they may be secrets.
type candidates struct {
	keys []crypto.PublicKey
	from *Keys // nil where they are the secret
	id   documentID
}

// proved notes that one of them did.
func (c candidates) proved() {
	if c.from != nil {
		c.from.prove(c.id)
	}
}

func newKeySource(auth config.Auth) (keySource, error) {
	k := keySource{references: auth.Secret, document: auth.Key.Document}
	if auth.Key.URL == "" {
		if auth.Key.ID != "" || auth.Key.Document != "" || len(auth.Key.Hosts) > 0 || len(auth.Key.Paths) > 0 {
			return k, errors.New("key.id, document, hosts and paths are of a key that is fetched: give key.url too")
		}
		return k, nil
	}
	var errs [4]error
	k.url, errs[0] = parseTemplate(auth.Key.URL, false)
	if auth.Key.ID != "" {
		k.id, errs[1] = parseTemplate(auth.Key.ID, false)
	}
	if k.document == "" {
		k.document = "jwks"
	}
	k.hosts, errs[2] = pinned(k.url, auth.Key.Hosts)
	k.named = slices.ContainsFunc(k.url, func(p piece) bool { return p.source != literal })
	k.paths, errs[3] = wholeMatches("paths", auth.Key.Paths)
	if k.named && len(auth.Key.Paths) == 0 {
		errs[3] = errors.New("key.paths are absent: what else the host answers, a stranger may have written there, so list the paths of the provider's keys as regular expressions")
	}
	return k, errors.Join(errs[:]...)
}

// pinned are the hosts that a template may lead to: those that are listed, or
// the one that is written in it.
func pinned(t template, hosts []string) ([]*regexp.Regexp, error) {
	list, err := wholeMatches("hosts", hosts)
	if err != nil || len(list) > 0 || len(t) == 0 {
		return list, err
	}
	u, err := url.Parse(t[0].literal)
	if err != nil || u.Host == "" || len(t) > 1 && (u.Path == "" || u.Path[0] != '/') {
		return nil, errors.New("hosts are absent: an address that comes from the request may lead anywhere, so list the provider's hosts as regular expressions")
	}
	return []*regexp.Regexp{regexp.MustCompile("^" + regexp.QuoteMeta(u.Host) + "$")}, nil
}

// wholeMatches compiles regular expressions that must match the whole text.
func wholeMatches(name string, texts []string) ([]*regexp.Regexp, error) {
	var list []*regexp.Regexp
	for _, text := range texts {
		re, err := wholeMatch(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		list = append(list, re)
	}
	return list, nil
}

// allowed reads an address of one of the hosts, over https.
func allowed(address string, hosts []*regexp.Regexp) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Scheme != "https" || u.User != nil || u.Port() != "" && u.Port() != "443" || u.Fragment != "":
		return nil, errors.New("the address is no plain https address")
	case !matchesAny(hosts, u.Hostname()):
		return nil, errors.New("the address is of a host that is not the provider's")
	}
	return u, nil
}

func matchesAny(list []*regexp.Regexp, text string) bool {
	return slices.ContainsFunc(list, func(re *regexp.Regexp) bool { return re.MatchString(text) })
}

func (k *keySource) readsBody() bool {
	return k.url.has(bodyPath, formField) || k.id.has(bodyPath, formField)
}

// find are the keys that may have signed. Without a key id, all of the document.
func (k *keySource) find(ctx context.Context, c Credentials, v *view, kid string) (candidates, error) {
	if k.url == nil {
		keys, err := k.given(c)
		return candidates{keys: keys}, err
	}
	address, err := k.address(v)
	if err != nil {
		return candidates{}, err
	}
	if k.id != nil {
		if kid, err = k.id.text(v); err != nil {
			return candidates{}, fmt.Errorf("%w: the id of the key: %w", ErrMissing, err)
		}
	}
	if c.Keys == nil {
		return candidates{}, fmt.Errorf("%w: there is nothing to fetch it with", ErrKey)
	}
	found := candidates{from: c.Keys, id: documentID{address, k.document}}
	found.keys, err = c.Keys.find(ctx, found.id, k.named, kid)
	return found, err
}

// address is where the key is, in one spelling, however the request wrote it.
func (k *keySource) address(v *view) (string, error) {
	text, err := k.url.text(v)
	if err != nil {
		return "", fmt.Errorf("%w: the address of the key: %w", ErrMissing, err)
	}
	u, err := allowed(text, k.hosts)
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: %w", ErrSignature, err)
	case !k.named:
		return text, nil
	case !matchesAny(k.paths, u.RequestURI()):
		return "", fmt.Errorf("%w: the address has a path that the provider's keys have not", ErrSignature)
	}
	return "https://" + u.Hostname() + u.RequestURI(), nil
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
