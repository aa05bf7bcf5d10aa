package load

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"pushpull/shared/config"
	"pushpull/shared/jq"
	"pushpull/shared/route"
)

// route checks that every name of a route is of something there is.
func (l *loader) route(t thing, sources, destinations named) config.Route {
	var r config.Route
	if t.raw == nil {
		return r
	}
	fill(reflect.TypeFor[config.Route](), t.raw)
	l.decode(t, &r)
	l.checkRoute(t, &r)
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
	l.checkResidency(t, r)
	return r
}

// checkRoute compiles what a route does with an event, and fills in the files
// that it names.
func (l *loader) checkRoute(t thing, r *config.Route) {
	for key, expr := range map[string]string{"when": r.When, "transform": r.Transform, "split": r.Split} {
		l.checkExpression(t, []string{key}, expr)
	}
	if r.Transform != "" && r.Split != "" {
		l.atKey(t, []string{"split"}, "transform and split both make the data", "have split make them: its outputs can be of any form")
	}
	for i, e := range r.Enrich {
		at := []string{"enrich", strconv.Itoa(i)}
		l.checkExpression(t, append(at, "key"), e.Key)
		if _, err := route.Into(e.Into); err != nil && e.Into != "" {
			l.problem(t, append(at, "into"), strings.TrimPrefix(err.Error(), "into: "), "")
		}
		l.table(t, append(at, "table"), e.Table)
	}
	l.checkPrivacy(t, r.Privacy)
	l.checkSchema(t, r.Schema)
}

func (l *loader) checkExpression(t thing, at []string, expr string) {
	if expr == "" {
		return
	}
	if _, err := jq.Compile(expr); err != nil {
		l.problem(t, at, err.Error(), "")
	}
}

// checkResidency: what must stay somewhere goes nowhere else.
func (l *loader) checkResidency(t thing, r config.Route) {
	for i, to := range r.To {
		d, ok := l.cfg.Destinations[to]
		if !ok {
			continue
		}
		for _, name := range l.sources {
			s := l.cfg.Sources[name]
			if s.Residency == "" || s.Residency == d.Residency || !slices.Contains(r.From, name) && !slices.Contains(r.From, route.All) {
				continue
			}
			l.problem(t, l.element(t, "to", i), fmt.Sprintf("events of %s stay in %q, and %s is not said to be there", name, s.Residency, to),
				fmt.Sprintf("if it is, give it residency: %s", s.Residency))
			break
		}
	}
}

const longestName = 63

// nameRoutes gives each route that changes the data a name, if it has none, and
// says which names are there twice.
func (l *loader) nameRoutes(routes []thing) {
	first := map[string]int{}
	for i := range l.cfg.Routes {
		r := &l.cfg.Routes[i]
		given := r.Name != ""
		if !given && r.Changes() && len(r.From) > 0 {
			if r.Name = strings.ReplaceAll(strings.Join(r.From, "+"), route.All, "all"); len(r.Name) > longestName {
				l.problem(routes[i], nil, "a route that changes the data and has many sources needs a name: the ledger calls its deliveries by it", "add name:")
			}
		}
		if r.Name == "" {
			continue
		}
		had, twice := first[r.Name]
		switch {
		case !twice:
			first[r.Name] = i
		case given:
			l.problem(routes[i], []string{"name"}, fmt.Sprintf("the name %q is there twice, first in %s:%d", r.Name, routes[had].file, routes[had].at.keyLine), "rename one of them")
		default:
			l.problem(routes[i], nil, fmt.Sprintf("another route that changes the data is called %q, by default or by name: the ledger could not tell them apart", r.Name), "give this one a name: of its own")
		}
	}
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
