package body

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

var errPath = errors.New("write names and array indexes with single dots between them, such as data.events, and \\. for a dot within a name")

// parseSteps reads a plain path: a.b, items.0.id.
func parseSteps(text string) ([]step, error) {
	segments, err := parse(text, false)
	if err != nil {
		return nil, err
	}
	return segments[0], nil
}

// A path leads to values that are events. Each segment but the last leads to an
// array whose elements the rest is looked for in: entry[].changes has two.
type path [][]step

// parsePath reads the path of an array. Its own [] may be written or not.
func parsePath(text string) (path, error) { return parse(text, true) }

func parse(text string, arrays bool) (path, error) {
	var p path
	var steps []step
	for rest := text; ; {
		name, brackets, tail, more := cutStep(rest)
		if name != "" {
			steps = append(steps, newStep(name))
		} else if brackets == 0 || len(p) > 0 || len(steps) > 0 {
			return nil, errPath // only the root has no name
		}
		if brackets > 0 && !arrays {
			return nil, fmt.Errorf("[] is for the paths of each: %w", errPath)
		}
		for range brackets {
			p = append(p, steps)
			steps = nil
		}
		if !more {
			if len(steps) > 0 {
				p = append(p, steps)
			}
			return p, nil
		}
		rest = tail
	}
}

// cutStep takes the first step from a path: its name without escapes, and how
// many [] stand behind it.
func cutStep(text string) (name string, brackets int, tail string, more bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		case text[i] == '.':
			return b.String(), 0, text[i+1:], true
		case strings.HasPrefix(text[i:], "[]"):
			rest := strings.TrimLeft(text[i:], "[]")
			run := text[i : len(text)-len(rest)]
			if n := strings.Count(run, "[]"); 2*n == len(run) && (rest == "" || rest[0] == '.') {
				return b.String(), n, strings.TrimPrefix(rest, "."), rest != ""
			}
			b.WriteByte(text[i])
		default:
			b.WriteByte(text[i])
		}
	}
	return b.String(), 0, "", false
}

func newStep(name string) step {
	s := step{name: name, index: -1}
	if strings.Trim(name, "0123456789") == "" {
		if n, err := strconv.Atoi(name); err == nil {
			s.index = n
		}
	}
	return s
}

// visit yields what the path leads to, with the element of the array above it,
// or the whole. It reports whether the path is there at all: an empty array is.
// An object stands for an array of one, as XML has it where there is one only.
func (p path) visit(parent []byte, yield func(element, parent []byte) bool) (there bool) {
	value, ok := find(parent, p[0])
	if !ok {
		return false
	}
	rest := p[1:]
	switch {
	case isArray(value):
		empty := true
		for element := range elements(value) {
			empty = false
			if len(rest) > 0 {
				there = rest.visit(element, yield) || there
			} else if there = true; !yield(element, parent) {
				return true
			}
		}
		return there || empty
	case isObject(value) && len(rest) > 0:
		return rest.visit(value, yield)
	case isObject(value) && len(p[0]) > 0:
		yield(value, parent)
		return true
	}
	return false
}

// isIn says whether the path is there in an element.
func (p path) isIn(element []byte) bool {
	return p.visit(element, func(_, _ []byte) bool { return false })
}
