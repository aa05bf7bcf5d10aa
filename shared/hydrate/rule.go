package hydrate

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"pushpull/shared/config"
	"pushpull/shared/event"
)

// A Rule is what a config.Hydrate says of its requests, made ready. It is safe
// for concurrent use.
type Rule struct {
	addresses []address
	hosts     []*regexp.Regexp
	headers   map[string]template
	path      string // for gjson; empty is the whole answer
	except    []string
}

// A Mistake is one of a config.Hydrate.
type Mistake struct {
	Field   string // url, hosts, headers or path
	Key     string // which of a list or a map: an index or a name; "" for the field itself
	Problem string // what is wrong and how to mend it
}

// Error says where, what and how to mend it.
func (m *Mistake) Error() string {
	if m.Key == "" {
		return m.Field + ": " + m.Problem
	}
	return m.Field + "." + m.Key + ": " + m.Problem
}

// Compile makes a rule ready. The error joins a *Mistake for each.
func Compile(c config.Hydrate) (*Rule, error) {
	r := &Rule{headers: map[string]template{}, except: c.Except}
	var errs []error
	fail := func(field, key string, err error) {
		if err != nil {
			errs = append(errs, &Mistake{Field: field, Key: key, Problem: err.Error()})
		}
	}
	if len(c.URL) == 0 {
		fail("url", "", errors.New("absent: write https://api.example.com/things/{body.id}"))
	}
	for i, choice := range c.URL {
		a, err := parseAddress(choice, len(c.Hosts))
		fail("url", fmt.Sprint(i), err)
		r.addresses = append(r.addresses, a)
	}
	fail("hosts", "", r.pin(c.Hosts))
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		t, err := parseTemplate(c.Headers[name])
		if err == nil {
			err = checkHeader(name, c.Headers[name])
		}
		fail("headers", name, err)
		r.headers[textproto.CanonicalMIMEHeaderKey(name)] = t
	}
	if c.Path != "" {
		path, err := event.ParsePath(c.Path)
		fail("path", "", err)
		r.path = path
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return r, nil
}

func (r *Rule) pin(hosts []string) error {
	for _, host := range hosts {
		re, err := regexp.Compile("^(?:" + host + ")$")
		if err != nil {
			return fmt.Errorf("%q is not a regular expression: %w", host, err)
		}
		r.hosts = append(r.hosts, re)
	}
	return nil
}

// checkHeader refuses what the request has of its own, and credentials, which are
// never written in a configuration.
func checkHeader(name, value string) error {
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Authorization", "Cookie", "Proxy-Authorization":
		return errors.New("it carries a credential: use auth and token")
	case "Host", "Content-Length", "Transfer-Encoding", "Connection", "Accept-Encoding", "Upgrade":
		return errors.New("it is the request's own: leave it out")
	}
	if name == "" || strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	}) || !printable(value) {
		return errors.New("not a header: write a name without spaces, and a value on one line")
	}
	return nil
}

func printable(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r >= 0x7f })
}

// Exempt reports whether events of the type are delivered as they came.
func (r *Rule) Exempt(e event.Event) bool { return slices.Contains(r.except, e.Type) }

// Request is what an event's data are fetched with, without the credential. Its
// errors are *Missing where nothing is to be fetched for the event, or *api.Permanent.
func (r *Rule) Request(e event.Event) (*url.URL, http.Header, error) {
	in := look(e)
	u, err := r.address(in)
	if err != nil {
		return nil, nil, err
	}
	header := http.Header{}
	for name, t := range r.headers {
		value, ok := t.text(in, plain)
		switch {
		case !ok:
			return nil, nil, &Missing{Reason: fmt.Sprintf("the event lacks the value of the header %s", name)}
		case !printable(value):
			return nil, nil, permanent("the event's value of the header %s is not printable", name)
		}
		header.Set(name, value)
	}
	return u, header, nil
}

func (r *Rule) address(in input) (*url.URL, error) {
	for _, a := range r.addresses {
		if len(a.types) > 0 && !slices.Contains(a.types, in.event.Type) {
			continue
		}
		u, err := a.of(in, r.hosts)
		if err != nil {
			return nil, permanent("%v", err)
		}
		if u != nil {
			return u, nil
		}
	}
	return nil, &Missing{Reason: "no url of hydrate is for it: its type has none, or it lacks a value"}
}

// bases are the schemes and hosts that the configuration writes out.
func (r *Rule) bases() []*url.URL {
	var all []*url.URL
	for _, a := range r.addresses {
		if a.base != nil {
			all = append(all, a.base)
		}
	}
	return all
}

// writes reports whether the configuration writes the host of an address out.
func (r *Rule) writes(u *url.URL) bool {
	return slices.ContainsFunc(r.bases(), func(base *url.URL) bool { return strings.EqualFold(base.Host, u.Host) })
}
