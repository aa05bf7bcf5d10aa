// Package load reads the YAML under config/: it proves it, says every problem at
// its line in one pass, fills presets and defaults in, and compiles the result.
//
// Its one invariant: a problem's text never has the value of a secret, and a
// config.Config without problems is complete; nobody checks it again.
package load

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pushpull/shared/config"
)

// An Option changes what Load looks at.
type Option func(*loader)

// InAWS warns of what works on one machine only, such as a file destination.
func InAWS() Option { return func(l *loader) { l.inAWS = true } }

// Dir loads the *.yaml of a folder. The error is of reading the files; what is
// wrong in them is in the problems.
func Dir(dir string, options ...Option) (config.Config, []Problem, error) {
	files, err := ReadDir(dir)
	if err != nil {
		return config.Config{}, nil, err
	}
	if len(files) == 0 {
		return config.Config{}, nil, fmt.Errorf("no *.yaml in %s", dir)
	}
	cfg, problems := Load(files, options...)
	return cfg, problems, nil
}

// Load merges the files, proves them, and fills presets and defaults in. To try
// something besides a folder, append a File to those of ReadDir. Where a problem
// is no warning the Config is as complete as could be, but not to be used.
func Load(files []File, options ...Option) (config.Config, []Problem) {
	l := &loader{meant: map[string]bool{}, cfg: config.Config{Sources: map[string]config.Source{}, Destinations: map[string]config.Destination{}, Tables: map[string]config.Table{}}, beside: map[string]File{}}
	for _, o := range options {
		o(l)
	}
	shape, err := theShape()
	if err != nil { // a mistake of ours, which a test would have seen
		return config.Config{}, []Problem{{File: "schema.json", What: err.Error()}}
	}
	sources, destinations, routes := named{}, named{}, []thing(nil)
	for _, f := range files {
		if f.Beside != "" {
			l.beside[f.Beside] = f
			continue
		}
		trees, problems := parse(f)
		l.problems = append(l.problems, problems...)
		l.unread = l.unread || trees == nil && len(problems) > 0
		for _, tree := range trees {
			all := shape.flaws(f.Name, tree)
			flaws := byThing(all)
			for _, flaw := range all {
				l.problems = append(l.problems, flaw.problem)
				if flaw.meant != "" {
					l.meant[f.Name+" "+dotted(append(slices.Clone(flaw.path[:len(flaw.path)-1]), flaw.meant))] = true
				}
			}
			l.collect(sources, f.Name, "sources", tree, flaws)
			l.collect(destinations, f.Name, "destinations", tree, flaws)
			routes = append(routes, l.routes(f.Name, tree, flaws)...)
		}
	}
	l.sources, l.destinations = sources.names(), destinations.names()
	for _, name := range l.sources {
		l.cfg.Sources[name] = l.source(sources[name])
	}
	for _, name := range l.destinations {
		l.cfg.Destinations[name] = l.destination(destinations[name])
	}
	for _, r := range routes {
		l.cfg.Routes = append(l.cfg.Routes, l.route(r, sources, destinations))
	}
	l.nameRoutes(routes)
	l.unrouted(sources, destinations)
	return l.cfg, sorted(l.problems)
}

type loader struct {
	cfg      config.Config
	problems []Problem
	meant    map[string]bool // file and path of keys that are there with a slip
	inAWS    bool
	unread   bool            // a file could not be parsed: nobody knows which names it has
	beside   map[string]File // tables and schemas

	sources, destinations []string // the names there are, sorted
}

// A thing is one source, destination or route: its place, and what is left of
// its value when what is flawed is taken out.
type thing struct {
	file string
	path []string
	at   place
	raw  map[string]any
}

// named are the things of a section by their names.
type named map[string]thing

func (n named) names() []string {
	out := make([]string, 0, len(n))
	for name := range n {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// collect takes the things of one section of one file; a name that another file
// has already is a problem that names both places.
func (l *loader) collect(into named, file, section string, tree *node, flaws map[string][]flaw) {
	e := tree.get(section)
	if e == nil {
		return
	}
	for _, entry := range e.value.entries {
		path := []string{section, entry.key}
		if first, ok := into[entry.key]; ok {
			l.problems = append(l.problems, Problem{
				File: file, Line: entry.line, Column: entry.col, Path: dotted(path), Text: entry.key,
				What: fmt.Sprintf("the name %q is there twice, first in %s:%d", entry.key, first.file, first.at.keyLine),
				Mend: "rename one of them, or make them one",
			})
			continue
		}
		if !isName(entry.key) {
			l.problems = append(l.problems, Problem{
				File: file, Line: entry.line, Column: entry.col, Path: dotted(path), Text: entry.key,
				What: fmt.Sprintf("%q is not a name", entry.key), Mend: "use small letters, digits, - and _, at most 63, the first a letter or a digit",
			})
		}
		into[entry.key] = newThing(file, path, tree, flaws)
	}
}

func isName(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[0] == '_' {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

func (l *loader) routes(file string, tree *node, flaws map[string][]flaw) []thing {
	e := tree.get("routes")
	if e == nil {
		return nil
	}
	var out []thing
	for i := range e.value.items {
		out = append(out, newThing(file, []string{"routes", strconv.Itoa(i)}, tree, flaws))
	}
	return out
}

// newThing makes a thing without its flaws. Its raw is nil if it is no mapping:
// that was said, and there is nothing to look at, but its name is known.
func newThing(file string, path []string, tree *node, flaws map[string][]flaw) thing {
	at := tree.find(path)
	raw, _ := at.value.plain().(map[string]any)
	for _, f := range flaws[dotted(path)] {
		remove(raw, f.path[len(path):])
	}
	return thing{file: file, path: path, at: at, raw: raw}
}

// byThing groups the flaws within things by the things' paths.
func byThing(flaws []flaw) map[string][]flaw {
	out := map[string][]flaw{}
	for _, f := range flaws {
		if len(f.path) > 2 {
			at := dotted(f.path[:2])
			out[at] = append(out[at], f)
		}
	}
	return out
}

// remove takes out what a path leads to; of a list, the whole list, but for one
// of mappings.
func remove(raw map[string]any, path []string) {
	for i, step := range path[:len(path)-1] {
		switch next := raw[step].(type) {
		case map[string]any:
			raw = next
		case []any:
			at, err := strconv.Atoi(path[i+1])
			if err == nil && at < len(next) && i+2 < len(path) {
				if item, ok := next[at].(map[string]any); ok {
					remove(item, path[i+2:])
					return
				}
			}
			delete(raw, step)
			return
		default:
			delete(raw, step)
			return
		}
	}
	delete(raw, path[len(path)-1])
}

// polls are the polls of a source, each a thing of its own: one, or a list.
func (t thing) polls() []thing {
	part := func(raw any, path ...string) thing {
		m, _ := raw.(map[string]any)
		return thing{file: t.file, path: append(slices.Clone(t.path), path...), at: t.at.value.find(path), raw: m}
	}
	switch polls := t.raw["poll"].(type) {
	case map[string]any:
		return []thing{part(polls, "poll")}
	case []any:
		var out []thing
		for i, one := range polls {
			if _, ok := one.(map[string]any); ok {
				out = append(out, part(one, "poll", strconv.Itoa(i)))
			}
		}
		return out
	}
	return nil
}

// problem is of a thing: at the value of path, which is within the thing.
func (l *loader) problem(t thing, path []string, what, mend string) {
	at := t.at.value.find(path)
	p := Problem{File: t.file, Line: at.line, Column: at.col, Path: dotted(append(slices.Clone(t.path), path...)), What: what, Mend: mend}
	if len(path) == 0 {
		p.Line, p.Column = t.at.keyLine, t.at.keyCol
	}
	if at.whole {
		p.Text = shown(path, at.value)
		if strings.Contains(p.Text, "@") && strings.Contains(p.Text, "//") {
			p.Text = "" // an address with a password in it
		}
	}
	l.problems = append(l.problems, p)
}

// atKey is a problem of a key rather than its value.
func (l *loader) atKey(t thing, path []string, what, mend string) {
	at := t.at.value.find(path)
	l.problems = append(l.problems, Problem{
		File: t.file, Line: at.keyLine, Column: at.keyCol, Path: dotted(append(slices.Clone(t.path), path...)),
		Text: path[len(path)-1], What: what, Mend: mend,
	})
}

// missing says that a key is not there, at the nearest key that is. A key that
// is there, but flawed, was reported.
func (l *loader) missing(t thing, path []string, mend string) {
	at := t.at.value.find(path)
	if at.whole || l.slipped(t, path) {
		return
	}
	p := Problem{
		File: t.file, Line: at.keyLine, Column: at.keyCol, Path: dotted(append(slices.Clone(t.path), path[:len(path)-1]...)),
		What: fmt.Sprintf("missing %q", path[len(path)-1]), Mend: mend,
	}
	if at.value == t.at.value {
		p.Line, p.Column = t.at.keyLine, t.at.keyCol
	}
	l.problems = append(l.problems, p)
}

// slipped reports whether a key is there under a name that is nearly it.
func (l *loader) slipped(t thing, path []string) bool {
	return l.meant[t.file+" "+dotted(append(slices.Clone(t.path), path...))]
}

// warn is doubtful, not wrong.
func (l *loader) warn(t thing, path []string, what, mend string) {
	l.problem(t, path, what, mend)
	l.problems[len(l.problems)-1].Warning = true
}

// has reports whether the user wrote that key.
func (t thing) has(path ...string) bool { return t.at.value.find(path).whole }

// decode makes the typed value. What does not fit was taken out before, so an
// error is a mistake of ours, and is shown as a problem all the same.
func (l *loader) decode(t thing, to any) {
	text, err := json.Marshal(t.raw)
	if err == nil {
		err = json.Unmarshal(text, to)
	}
	if err != nil {
		l.problem(t, nil, "cannot be understood: "+err.Error(), "")
	}
}
