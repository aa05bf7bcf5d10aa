package load

import (
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"pushpull/shared/config"
	"pushpull/shared/guard"
)

func (l *loader) checkDestination(t thing, d config.Destination) {
	switch d.Kind {
	case "http":
		l.foreign(t, nil, "an http destination", "path")
		l.checkHTTP(t, d)
		l.checkReadable(t, []string{"sign"}, d.Sign)
	case "file":
		l.foreign(t, nil, "a file destination", "url", "sign", "headers", "timeout", "allow_private")
		if d.Path == "" {
			l.missing(t, []string{"path"}, "the file that events are appended to, such as delivered.ndjson")
		}
		if l.inAWS {
			l.warn(t, []string{"kind"}, "in AWS a file is in the function's own /tmp, gone when it is", "use http")
		}
	}
	if r := d.Retry; r != nil {
		if r.First <= 0 {
			l.problem(t, []string{"retry", "first"}, "no wait at all before the second attempt", "write 5s")
		}
		if r.Max > mostWait || r.Max < r.First {
			l.problem(t, []string{"retry", "max"}, fmt.Sprintf("the longest wait is %s", r.Max), "no less than first, and at most 12h")
		}
	}
}

func (l *loader) checkHTTP(t thing, d config.Destination) {
	switch what, mend := wrongURL(d.URL, d.AllowPrivate); {
	case d.URL == "":
		l.missing(t, []string{"url"}, "where it listens")
	case what != "":
		l.problem(t, []string{"url"}, what, mend)
	}
	if u, err := url.Parse(d.URL); err == nil && !d.AllowPrivate && private(u.Hostname()) {
		l.problem(t, []string{"url"}, "a private or loopback address", "add allow_private: true, if that is meant")
	}
	if d.Timeout > mostTime || d.Timeout <= 0 {
		l.problem(t, []string{"timeout"}, fmt.Sprintf("a timeout of %s", d.Timeout), "more than nothing, and at most 10m")
	}
	for name, value := range d.Headers {
		l.checkHeader(t, []string{"headers", name}, name, value)
	}
}

// private reports whether a host is written as an address that deliveries do
// not go to unasked. What a name resolves to is looked at when it is delivered.
func private(host string) bool {
	ip := net.ParseIP(host)
	return guard.Loopback(host) || ip != nil && (ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsUnspecified())
}

// route checks that every name of a route is of something there is.
func (l *loader) route(t thing, sources, destinations named) config.Route {
	var r config.Route
	if t.raw == nil {
		return r
	}
	l.decode(t, &r)
	for i, name := range r.From {
		if _, ok := sources[name]; !ok && name != "*" && !l.unread {
			l.problem(t, l.element(t, "from", i), fmt.Sprintf("no source %q", name), didYouMean(name, l.sources))
		}
	}
	seen := map[string]bool{}
	for i, name := range r.To {
		if _, ok := destinations[name]; !ok && !l.unread {
			l.problem(t, l.element(t, "to", i), fmt.Sprintf("no destination %q", name), didYouMean(name, l.destinations))
		}
		if seen[name] {
			l.problem(t, l.element(t, "to", i), fmt.Sprintf("%q is there twice", name), "an event goes to a destination once")
		}
		seen[name] = true
	}
	return r
}

// element is the path of a list's element, or of the one text in place of the list.
func (l *loader) element(t thing, key string, i int) []string {
	if path := []string{key, strconv.Itoa(i)}; t.has(path...) {
		return path
	}
	return []string{key}
}

// unrouted warns of sources that no route takes and of destinations that no
// route leads to.
func (l *loader) unrouted(sources, destinations named) {
	// Where routes, or whole files, could not be read, nobody can tell.
	if slices.ContainsFunc(l.problems, func(p Problem) bool {
		return !p.Warning && (p.Path == "" || strings.HasPrefix(p.Path, "routes"))
	}) {
		return
	}
	from, to := map[string]bool{}, map[string]bool{}
	for _, r := range l.cfg.Routes {
		for _, name := range r.From {
			from[name] = true
		}
		for _, name := range r.To {
			to[name] = true
		}
	}
	for _, name := range sources.names() {
		if !from[name] && !from["*"] {
			l.warn(sources[name], nil, "no route takes its events", "add a route from it")
		}
	}
	for _, name := range destinations.names() {
		if !to[name] {
			l.warn(destinations[name], nil, "no route leads to it", "add a route to it")
		}
	}
}

// line is a thing as the compiled configuration has it.
func line(kind, name string, value any) (string, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("compile %s %s: %w", kind, name, err)
	}
	return kind + " " + name + " " + string(text) + "\n", nil
}
