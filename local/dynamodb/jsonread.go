package dynamodb

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A reader takes a request's JSON apart in one pass, by name and type, so that
// an unknown field is found and named and nothing is built twice.
type reader struct {
	data  []byte
	at    int
	depth int
}

func (r *reader) malformed(what string) error {
	return failf(codeSerialization, "the request body is not the JSON of this call: %s at byte %d", what, r.at)
}

func (r *reader) space() {
	for r.at < len(r.data) {
		switch r.data[r.at] {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return
		}
	}
}

// peek is the next byte that is not space, or 0 at the end.
func (r *reader) peek() byte {
	r.space()
	if r.at < len(r.data) {
		return r.data[r.at]
	}
	return 0
}

func (r *reader) expect(c byte) error {
	if r.peek() != c {
		return r.malformed("expected " + strconv.QuoteRune(rune(c)))
	}
	r.at++
	return nil
}

// null consumes a null, which AWS reads as if the field were not there.
func (r *reader) null() bool {
	if r.peek() == 'n' && r.literal("null") {
		return true
	}
	return false
}

func (r *reader) literal(word string) bool {
	if len(r.data)-r.at >= len(word) && string(r.data[r.at:r.at+len(word)]) == word {
		r.at += len(word)
		return true
	}
	return false
}

// end makes sure that nothing follows.
func (r *reader) end() error {
	if r.peek() != 0 || r.at < len(r.data) {
		return r.malformed("something follows")
	}
	return nil
}

func (r *reader) enter() error {
	if r.depth++; r.depth > maxJSONDepth {
		return r.malformed("nested too deeply")
	}
	return nil
}

// object calls field for each name; field must consume the value.
func (r *reader) object(field func(name string) error) error {
	if err := r.enter(); err != nil {
		return err
	}
	defer func() { r.depth-- }()
	if err := r.expect('{'); err != nil {
		return err
	}
	if r.peek() == '}' {
		r.at++
		return nil
	}
	for {
		name, err := r.string()
		if err != nil {
			return err
		}
		if err := r.expect(':'); err != nil {
			return err
		}
		if err := field(name); err != nil {
			return err
		}
		if done, err := r.next('}'); done || err != nil {
			return err
		}
	}
}

// array calls element for each; element must consume the value.
func (r *reader) array(element func() error) error {
	if err := r.enter(); err != nil {
		return err
	}
	defer func() { r.depth-- }()
	if err := r.expect('['); err != nil {
		return err
	}
	if r.peek() == ']' {
		r.at++
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		if done, err := r.next(']'); done || err != nil {
			return err
		}
	}
}

// next consumes the comma or the end behind an element.
func (r *reader) next(end byte) (done bool, err error) {
	switch r.peek() {
	case end:
		r.at++
		return true, nil
	case ',':
		r.at++
		return false, nil
	}
	return false, r.malformed("expected ',' or " + strconv.QuoteRune(rune(end)))
}

func (r *reader) string() (string, error) {
	if err := r.expect('"'); err != nil {
		return "", err
	}
	start := r.at
	for r.at < len(r.data) {
		switch c := r.data[r.at]; {
		case c == '"':
			s := r.data[start:r.at]
			r.at++
			if !utf8.Valid(s) {
				return "", r.malformed("text that is not UTF-8")
			}
			return string(s), nil
		case c == '\\':
			return r.escaped(start)
		case c < 0x20:
			return "", r.malformed("a control character in text")
		}
		r.at++
	}
	return "", r.malformed("text without an end")
}

// escaped reads text that has escapes: rare, so the standard library may do it.
func (r *reader) escaped(start int) (string, error) {
	for r.at < len(r.data) {
		switch r.data[r.at] {
		case '\\':
			r.at++
		case '"':
			r.at++
			var s string
			if err := json.Unmarshal(r.data[start-1:r.at], &s); err != nil {
				return "", r.malformed("text that is not JSON")
			}
			return s, nil
		}
		r.at++
	}
	r.at = len(r.data)
	return "", r.malformed("text without an end")
}

func (r *reader) bool() (bool, error) {
	switch {
	case r.peek() == 't' && r.literal("true"):
		return true, nil
	case r.peek() == 'f' && r.literal("false"):
		return false, nil
	}
	return false, r.malformed("expected true or false")
}

// numberText is a JSON number as it stands there.
func (r *reader) numberText() (string, error) {
	r.space()
	start := r.at
	for r.at < len(r.data) && strings.IndexByte("0123456789+-.eE", r.data[r.at]) >= 0 {
		r.at++
	}
	if r.at == start {
		return "", r.malformed("expected a number")
	}
	return string(r.data[start:r.at]), nil
}

func (r *reader) int() (int, error) {
	text, err := r.numberText()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, r.malformed("expected a whole number")
	}
	return int(n), nil
}

// skip consumes the next value, checked to be JSON.
func (r *reader) skip() error {
	var err error
	switch c := r.peek(); c {
	case '{':
		return r.object(func(string) error { return r.skip() })
	case '[':
		return r.array(r.skip)
	case '"':
		_, err = r.string()
	case 't', 'f':
		_, err = r.bool()
	case 'n':
		if !r.null() {
			err = r.malformed("expected null")
		}
	default:
		_, err = r.numberText()
	}
	return err
}
