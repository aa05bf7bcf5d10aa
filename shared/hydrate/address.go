package hydrate

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"pushpull/shared/event"
	"pushpull/shared/guard"
)

// mostAddress is the longest address that is asked for, in bytes.
const mostAddress = 8 << 10

// An address is one candidate for where the data of an event are.
type address struct {
	types []string // of the events that it is for; empty means all
	text  template
	base  *url.URL // scheme and host, as written out; nil where the event carries the whole
}

func parseAddress(c event.Choice, hosts int) (address, error) {
	text, err := parseTemplate(c.Value)
	if err != nil {
		return address{}, err
	}
	a := address{types: c.For, text: text}
	switch {
	case len(text) == 0:
		return address{}, errors.New("the address is empty: write https://api.example.com/things/{body.id}")
	case len(text) == 1 && text[0].value != nil:
		if hosts == 0 {
			return address{}, errors.New("the event carries the whole address, which may lead anywhere: list the provider's hosts in hosts, as regular expressions")
		}
		return a, nil
	case text[0].value != nil:
		return address{}, errHost
	}
	a.base, err = parseBase(text)
	return a, err
}

var errHost = errors.New("scheme and host must be written out, so that no event chooses the host: write https://api.example.com/things/{body.id}")

// parseBase finds scheme and host, which must end before the first placeholder.
func parseBase(text template) (*url.URL, error) {
	begin := text[0].literal
	u, err := url.Parse(begin)
	_, rest, _ := strings.Cut(begin, "://")
	switch {
	case err != nil || u.Hostname() == "" || strings.ContainsAny(begin, "\\ "):
		return nil, errHost
	case len(text) > 1 && !strings.ContainsAny(rest, "/?"):
		return nil, errHost
	case u.User != nil:
		return nil, errors.New("a user and password in an address end in logs: use auth")
	case u.Scheme != "https" && (u.Scheme != "http" || !guard.Loopback(u.Hostname())):
		return nil, fmt.Errorf("%q is not https: http is for loopback only", u.Scheme)
	}
	for _, p := range text {
		if strings.Contains(p.literal, "#") {
			return nil, errors.New("an address with a # is for browsers: leave out what follows it")
		}
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

// of is the address for an event, nil where the event lacks a value of it. The
// error is of an event that leads somewhere else; it quotes nothing of it.
func (a address) of(in input, hosts []*regexp.Regexp) (*url.URL, error) {
	escape := percent
	if a.base == nil {
		escape = plain
	}
	text, ok := a.text.text(in, escape)
	if !ok {
		return nil, nil //nolint:nilnil // no address is no error: another candidate may have one
	}
	u, err := url.Parse(text)
	if err != nil || len(text) > mostAddress {
		return nil, errors.New("the event makes no address that could be asked for")
	}
	if a.base == nil {
		return u, pinned(u, hosts)
	}
	if u.Scheme != a.base.Scheme || u.Host != a.base.Host || u.User != nil || u.Fragment != "" || guard.Climbs(u) {
		return nil, errors.New("the event makes an address that leads elsewhere")
	}
	return u, nil
}

// pinned refuses an address of the event's that is not plain https to one of the hosts.
func pinned(u *url.URL, hosts []*regexp.Regexp) error {
	switch {
	case u.Scheme != "https" || u.Opaque != "" || u.User != nil || u.Port() != "" && u.Port() != "443" || u.Fragment != "":
		return errors.New("the address in the event is no plain https address")
	case !slices.ContainsFunc(hosts, func(h *regexp.Regexp) bool { return h.MatchString(u.Hostname()) }):
		return errors.New("the address in the event is of a host that is not among hosts")
	}
	return nil
}
