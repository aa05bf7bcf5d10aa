package dynamodb

import (
	"strconv"
	"strings"
)

// A step leads into a document: a name in a map, or an index in a list.
type step struct {
	name    string
	index   int
	isIndex bool
}

// A path is a place in an item; its first step is always a name.
type path []step

// String is the path as AWS writes it in messages: [a, b, [0]].
func (p path) String() string {
	parts := make([]string, len(p))
	for i, s := range p {
		parts[i] = s.name
		if s.isIndex {
			parts[i] = "[" + strconv.Itoa(s.index) + "]"
		}
	}
	return bracketed(parts)
}

func bracketed(parts []string) string { return "[" + strings.Join(parts, ", ") + "]" }

func braced(parts []string) string { return "{" + strings.Join(parts, ", ") + "}" }

// in finds the value at the path.
func (p path) in(it item) (value, bool) {
	v := value{kind: kindMap, m: it}
	for _, s := range p {
		switch {
		case !s.isIndex && v.kind == kindMap:
			next, found := v.m[s.name]
			if !found {
				return value{}, false
			}
			v = next
		case s.isIndex && v.kind == kindList && s.index < len(v.list):
			v = v.list[s.index]
		default:
			return value{}, false
		}
	}
	return v, true
}

func (p path) equal(q path) bool {
	if len(p) != len(q) {
		return false
	}
	for i := range p {
		if p[i] != q[i] {
			return false
		}
	}
	return true
}

// clash says how two paths of one expression exclude each other: "overlap"
// where one is or holds the other, "conflict" where they want the same place
// to be a map and a list, "" where they may stand together.
func clash(p, q path) string {
	for i := range min(len(p), len(q)) {
		switch {
		case p[i] == q[i]:
		case p[i].isIndex != q[i].isIndex:
			return "conflict"
		default:
			return ""
		}
	}
	return "overlap"
}

// checkClashes refuses paths that exclude each other, in AWS's words.
func checkClashes(paths []path) error {
	for i := range paths {
		for j := range i {
			if how := clash(paths[j], paths[i]); how != "" {
				return invalid("Two document paths %s with each other; must remove or rewrite one of these paths; path one: %s, path two: %s",
					how, paths[j], paths[i])
			}
		}
	}
	return nil
}

// project is the item with only what the paths name; elements of a list that
// are left out close up.
func project(it item, paths []path) item {
	if len(paths) == 0 {
		return item{}
	}
	return projectSteps(value{kind: kindMap, m: it}, paths).m
}

// projectSteps keeps of a container what the paths, all of which lead into it,
// name.
func projectSteps(v value, paths []path) value {
	if v.kind == kindMap {
		out := item{}
		for name, below := range stepsByName(paths) {
			if kept, ok := projectChild(v.m, name, below); ok {
				out[name] = kept
			}
		}
		return value{kind: kindMap, m: out}
	}
	out := value{kind: kindList, list: []value{}}
	byIndex := map[int][]path{}
	for _, p := range paths {
		if p[0].isIndex {
			byIndex[p[0].index] = append(byIndex[p[0].index], p[1:])
		}
	}
	for i, e := range v.list {
		below, wanted := byIndex[i]
		if !wanted {
			continue
		}
		if kept, ok := projectValue(e, below); ok {
			out.list = append(out.list, kept)
		}
	}
	return out
}

func stepsByName(paths []path) map[string][]path {
	byName := map[string][]path{}
	for _, p := range paths {
		if !p[0].isIndex {
			byName[p[0].name] = append(byName[p[0].name], p[1:])
		}
	}
	return byName
}

func projectChild(m item, name string, below []path) (value, bool) {
	v, found := m[name]
	if !found {
		return value{}, false
	}
	return projectValue(v, below)
}

func projectValue(v value, below []path) (value, bool) {
	if len(below[0]) == 0 {
		return v, true
	}
	if v.kind != kindMap && v.kind != kindList {
		return value{}, false
	}
	kept := projectSteps(v, below)
	return kept, len(kept.m) > 0 || len(kept.list) > 0
}
