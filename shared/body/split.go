package body

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"pushpull/shared/asjson"
)

const (
	maxElements = 25_000   // events of one body; the largest batches of providers have 1,000
	addRoom     = 16 << 20 // what add may copy for one body, beside twice its size
)

var (
	errTooMany = fmt.Errorf("the body has more than %d elements", maxElements)
	errAdd     = errors.New("what webhook.body.add would copy into the elements is many times the body")
)

// An addition is a member that elements get from around them.
type addition struct {
	name   string
	quoted []byte // the name as JSON
	root   bool   // from the whole body, else from the parent
	steps  []step
}

func newAddition(name, from string) (addition, error) {
	around, text, _ := strings.Cut(from, ".")
	if around != "root" && around != "parent" || text == "" {
		return addition{}, errors.New("write root.path, of the whole body, or parent.path, of what is around the element")
	}
	steps, err := parseSteps(text)
	if err != nil {
		return addition{}, err
	}
	return addition{name: name, quoted: asjson.AppendText(nil, name), root: around == "root", steps: steps}, nil
}

// A splitter makes the parts of one body.
type splitter struct {
	add    []addition
	root   []byte
	parts  []Part
	parent []byte   // that of which values has what is added
	values [][]byte // for each addition, nil where it is absent
	room   int      // bytes that add may still copy
	err    error
}

// split finds the events of a document.
func (r *Reader) split(d document) Message {
	if d.unreadable != nil || len(r.each) == 0 {
		return r.whole(d)
	}
	s := splitter{add: r.add, root: d.view, room: addRoom + 2*len(d.view)}
	there := false
	for _, p := range r.each {
		there = p.visit(d.view, s.part) || there
	}
	if there {
		s.others(d.view, r.each)
	}
	if s.err != nil {
		d.unreadable = s.err
	}
	if s.err != nil || !there {
		return r.whole(d)
	}
	return Message{Parts: s.parts}
}

// others takes the elements of outer arrays in which none of the paths goes on,
// while one does elsewhere: they are events of a kind that nobody described.
func (s *splitter) others(parent []byte, paths []path) {
	for i, p := range paths {
		same := func(q path) bool { return slices.Equal(q[0], p[0]) }
		if slices.ContainsFunc(paths[:i], same) {
			continue // with the first of them
		}
		var rests []path
		whole := false // the elements are events themselves
		for _, q := range paths[i:] {
			switch {
			case !same(q):
			case len(q) == 1:
				whole = true
			default:
				rests = append(rests, q[1:])
			}
		}
		if whole {
			continue
		}
		if array, ok := find(parent, p[0]); ok {
			s.leftovers(array, parent, rests)
		}
	}
}

// leftovers takes the elements of one array; an object stands for an array of one.
func (s *splitter) leftovers(array, parent []byte, rests []path) {
	leads := func(element []byte) bool {
		return slices.ContainsFunc(rests, func(p path) bool { return p.isIn(element) })
	}
	switch {
	case isArray(array):
		for element := range elements(array) {
			if leads(element) {
				s.others(element, rests)
			} else if !s.part(element, parent) {
				return
			}
		}
	case isObject(array) && leads(array):
		s.others(array, rests)
	case isObject(array):
		s.part(array, parent)
	}
}

// part takes an element; false where it cannot take more.
func (s *splitter) part(element, parent []byte) bool {
	if len(s.parts) == maxElements {
		s.err = errTooMany
	}
	if s.err != nil {
		return false
	}
	if len(s.add) > 0 && isObject(element) {
		s.around(parent)
		element = s.extended(element)
	}
	s.parts = append(s.parts, Part{Data: element, ContentType: jsonType, View: element, Root: s.root, Parent: parent})
	return s.err == nil
}

// around looks up what is added, once for all elements that share a parent: the
// whole body may be megabytes.
func (s *splitter) around(parent []byte) {
	if s.values != nil && len(parent) == len(s.parent) && &parent[0] == &s.parent[0] {
		return
	}
	first := s.values == nil
	if first {
		s.values = make([][]byte, len(s.add))
	}
	s.parent = parent
	for i := range s.add {
		switch a := &s.add[i]; {
		case !a.root:
			s.values[i], _ = find(parent, a.steps)
		case first:
			s.values[i], _ = find(s.root, a.steps)
		}
	}
}

// extended is the object with the members that it does not have itself.
func (s *splitter) extended(object []byte) []byte {
	has := make([]bool, len(s.add))
	empty := true
	for name := range members(object) {
		empty = false
		for i := range s.add {
			has[i] = has[i] || isNamed(name, s.add[i].name)
		}
	}
	size := len(object)
	for i, value := range s.values {
		if has[i] = has[i] || value == nil; !has[i] {
			size += len(s.add[i].quoted) + len(value) + 2
		}
	}
	if !slices.Contains(has, false) {
		return object
	}
	if s.room -= size; s.room < 0 {
		s.err = errAdd
		return object
	}
	out := append(make([]byte, 0, size), object[:len(object)-1]...)
	for i, value := range s.values {
		if has[i] {
			continue
		}
		if !empty {
			out = append(out, ',')
		}
		empty = false
		out = append(out, s.add[i].quoted...)
		out = append(out, ':')
		out = append(out, value...)
	}
	return append(out, '}')
}
