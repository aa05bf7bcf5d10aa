package body

import (
	"bytes"
	"encoding/json"
	"iter"
)

// What is here walks over JSON that event.ValidJSON has found valid, and gives
// parts of it, never copies: a batch of megabytes is not held twice.

// A step of a path is a member's name, or where the value is an array the index
// of an element.
type step struct {
	name  string
	index int // -1 where the name is no number
}

// find is the value at the end of the steps. Of members with the same name it
// takes the first, as gjson does for the identity.
func find(value []byte, steps []step) (found []byte, ok bool) {
	value = trim(value)
	for i := range steps {
		if value, ok = child(value, &steps[i]); !ok {
			return nil, false
		}
	}
	return value, true
}

func child(value []byte, s *step) (found []byte, ok bool) {
	switch {
	case isObject(value):
		for name, member := range members(value) {
			if isNamed(name, s.name) {
				return member, true
			}
		}
	case isArray(value) && s.index >= 0:
		i := 0
		for element := range elements(value) {
			if i == s.index {
				return element, true
			}
			i++
		}
	}
	return nil, false
}

func isObject(value []byte) bool { return len(value) > 0 && value[0] == '{' }

func isArray(value []byte) bool { return len(value) > 0 && value[0] == '[' }

// isNamed compares a name as it is written between its quotes.
func isNamed(written []byte, name string) bool {
	if bytes.IndexByte(written, '\\') < 0 {
		return string(written) == name
	}
	var plain string
	quoted := append(append([]byte{'"'}, written...), '"')
	return json.Unmarshal(quoted, &plain) == nil && plain == name
}

// members are the names, as written between their quotes, and the values of an object.
func members(object []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		for i := space(object, 1); object[i] != '}'; {
			end := skipString(object, i)
			name := object[i+1 : end-1]
			i = space(object, space(object, end)+1) // over the colon
			end = skip(object, i)
			if !yield(name, object[i:end]) {
				return
			}
			i = next(object, end)
		}
	}
}

// elements are those of an array.
func elements(array []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := space(array, 1); array[i] != ']'; {
			end := skip(array, i)
			if !yield(array[i:end]) {
				return
			}
			i = next(array, end)
		}
	}
}

// next is where the value behind a comma begins, or the closing bracket.
func next(b []byte, i int) int {
	i = space(b, i)
	if b[i] == ',' {
		i = space(b, i+1)
	}
	return i
}

// skip is the index behind the value that begins at i.
func skip(b []byte, i int) int {
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		return skipNested(b, i)
	}
	for i < len(b) && b[i] != ',' && b[i] != ']' && b[i] != '}' && !isSpace(b[i]) {
		i++
	}
	return i
}

func skipNested(b []byte, i int) int {
	for depth := 0; ; i++ {
		switch b[i] {
		case '"':
			i = skipString(b, i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
}

// skipString is the index behind the string whose first quote is at i.
func skipString(b []byte, i int) int {
	for i++; ; i++ {
		i += bytes.IndexByte(b[i:], '"')
		escaped := false
		for j := i - 1; b[j] == '\\'; j-- {
			escaped = !escaped
		}
		if !escaped {
			return i + 1
		}
	}
}

func space(b []byte, i int) int {
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// trim takes the white space from around a value.
func trim(value []byte) []byte { return bytes.Trim(value, " \n\t\r") }
