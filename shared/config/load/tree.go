package load

import (
	"encoding/json"
	"strconv"
)

// A kind is what a YAML value is, in words for people.
type kind string

const (
	nothing kind = "nothing"
	text    kind = "text"
	number  kind = "a number"
	truth   kind = "true or false"
	list    kind = "a list"
	mapping kind = "a mapping"
)

// A node is a YAML value with its place. Aliases share nodes, so a tree may be
// larger than its text; size is bounded where it is made.
type node struct {
	kind      kind
	text      string // of a scalar
	line, col int
	entries   []entry
	items     []*node
	size      int            // nodes in all, aliases counted each time
	index     map[string]int // of a mapping: where each key is among entries
}

// An entry is a key of a mapping with its place.
type entry struct {
	key       string
	line, col int
	value     *node
}

// get is the entry of that key, or nil.
func (n *node) get(key string) *entry {
	if n == nil {
		return nil
	}
	i, ok := n.index[key]
	if !ok {
		return nil
	}
	return &n.entries[i]
}

// put adds an entry whose key is not there yet.
func (n *node) put(e entry) {
	if n.index == nil {
		n.index = map[string]int{}
	}
	n.index[e.key] = len(n.entries)
	n.entries = append(n.entries, e)
	n.size += e.value.size
}

// withoutEmpty leaves out the keys with nothing behind them: a section whose
// lines are all commented out.
func (n *node) withoutEmpty() *node {
	out := &node{kind: n.kind, text: n.text, line: n.line, col: n.col, items: n.items, size: 1}
	for _, e := range n.entries {
		if e.value.kind != nothing {
			out.put(e)
		}
	}
	return out
}

// plain is the value as encoding/json would decode it, numbers as json.Number.
func (n *node) plain() any {
	switch n.kind {
	case text:
		return n.text
	case number:
		return json.Number(n.text)
	case truth:
		return n.text == "true"
	case list:
		out := make([]any, len(n.items))
		for i, item := range n.items {
			out[i] = item.plain()
		}
		return out
	case mapping:
		out := make(map[string]any, len(n.entries))
		for _, e := range n.entries {
			out[e.key] = e.value.plain()
		}
		return out
	case nothing:
	}
	return nil
}

// A place is where a path leads, or as near to it as the text has it.
type place struct {
	line, col       int // of the value
	keyLine, keyCol int // of its key, or of the value where it has none
	value           *node
	whole           bool // the path is all there
}

// find follows a path of keys and indexes as far as it goes.
func (n *node) find(path []string) place {
	at := place{line: n.line, col: n.col, keyLine: n.line, keyCol: n.col, value: n, whole: true}
	for _, step := range path {
		if e := at.value.get(step); e != nil {
			at = place{line: e.value.line, col: e.value.col, keyLine: e.line, keyCol: e.col, value: e.value, whole: true}
			if e.value.kind == nothing {
				at.line, at.col = e.line, e.col
			}
			continue
		}
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(at.value.items) {
			item := at.value.items[i]
			at = place{line: item.line, col: item.col, keyLine: item.line, keyCol: item.col, value: item, whole: true}
			continue
		}
		at.whole = false
		return at
	}
	return at
}
