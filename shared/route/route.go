// Package route says which destinations an event of a source goes to. Its one
// invariant: the answer depends on the configuration alone, so that a retry
// asks for the same destinations in the same order.
package route

import (
	"maps"
	"slices"

	"pushpull/shared/config"
)

// All is the name in a route's from that stands for every source.
const All = "*"

// A Table is the routes made ready. It is safe for concurrent use; the zero
// value sends nothing anywhere.
type Table struct {
	sources map[string][]string // what is routed by name, and what is routed from all
	all     []string
}

// New makes the routes ready. An event takes every route that names its source.
func New(routes []config.Route) Table {
	all := map[string]bool{}
	sources := map[string]map[string]bool{}
	for _, r := range routes {
		for _, from := range r.From {
			into := all
			if from != All {
				if sources[from] == nil {
					sources[from] = map[string]bool{}
				}
				into = sources[from]
			}
			for _, to := range r.To {
				into[to] = true
			}
		}
	}
	t := Table{sources: make(map[string][]string, len(sources)), all: slices.Sorted(maps.Keys(all))}
	for name, to := range sources {
		maps.Copy(to, all)
		t.sources[name] = slices.Sorted(maps.Keys(to))
	}
	return t
}

// To names the destinations of the source's events, each once, sorted; none
// where no route takes them. The caller must not change the slice.
func (t Table) To(source string) []string {
	if to, ok := t.sources[source]; ok {
		return to
	}
	return t.all
}
