package event

import (
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep JSON may nest, as in encoding/json. The scan keeps its
// own stack, so that a hostile body costs memory in proportion and no more.
const maxDepth = 10000

// ValidJSON reports whether b is one JSON value, white space around it allowed.
// It agrees with json.Valid, in less than half the time: the receiver reads every
// body with it while a provider waits.
func ValidJSON(b []byte) bool {
	valid, _ := scanJSON(b)
	return valid
}

// IsJSON reports whether a content type is of JSON: application/json,
// text/json or any …+json, whatever its parameters and its case.
func IsJSON(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.TrimSpace(media)
	if len(media) > 5 && strings.EqualFold(media[len(media)-5:], "+json") {
		return strings.Contains(media, "/")
	}
	return strings.EqualFold(media, "application/json") || strings.EqualFold(media, "text/json")
}

// ordinary are the bytes that a string may hold as they are: ASCII but for
// quotes, backslashes and control characters. Most of a body is these, and a
// table is the fastest way over them.
var ordinary = func() (table [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		table[c] = c != '"' && c != '\\'
	}
	return table
}()

// What may come next in a JSON text.
const (
	wantValue      = iota // any value
	wantFirstValue        // a value, or the end of an empty array
	wantKey               // a member's name
	wantFirstKey          // a name, or the end of an empty object
	wantNext              // a comma, or the end of what is open
)

// scanJSON reads b once. It reports whether b is valid JSON, and whether b is
// plain: written only in characters that SQS accepts, in UTF-8, and not so deep
// that it could not stand in an envelope.
func scanJSON(b []byte) (valid, plain bool) {
	var space [64]byte
	open := space[:0] // the brackets that are open
	want, i := wantValue, 0
	plain = true
	for {
		for i < len(b) && isSpace(b[i]) {
			i++
		}
		if i == len(b) {
			return want == wantNext && len(open) == 0, plain
		}
		c := b[i]
		switch want {
		case wantValue, wantFirstValue:
			switch {
			case c == '{' || c == '[':
				if len(open) == maxDepth {
					return false, false
				}
				open = append(open, c)
				plain = plain && len(open) < maxDepth
				i++
				want = wantFirstKey
				if c == '[' {
					want = wantFirstValue
				}
			case c == ']' && want == wantFirstValue:
				open = open[:len(open)-1]
				i++
				want = wantNext
			default:
				end, ok := scanScalar(b, i, &plain)
				if !ok {
					return false, false
				}
				i, want = end, wantNext
			}
		case wantKey, wantFirstKey:
			if c == '}' && want == wantFirstKey {
				open = open[:len(open)-1]
				i++
				want = wantNext
				continue
			}
			end, ok := scanName(b, i, &plain)
			if !ok {
				return false, false
			}
			i, want = end, wantValue
		case wantNext:
			if len(open) == 0 {
				return false, false
			}
			object := open[len(open)-1] == '{'
			switch {
			case c == ',' && object:
				want = wantKey
			case c == ',':
				want = wantValue
			case c == '}' && object, c == ']' && !object:
				open = open[:len(open)-1]
			default:
				return false, false
			}
			i++
		}
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// scanName reads a member's name and its colon.
func scanName(b []byte, i int, plain *bool) (end int, ok bool) {
	if b[i] != '"' {
		return 0, false
	}
	if i, ok = scanString(b, i+1, plain); !ok {
		return 0, false
	}
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i + 1, i < len(b) && b[i] == ':'
}

// scanScalar reads a string, a number, true, false or null.
func scanScalar(b []byte, i int, plain *bool) (end int, ok bool) {
	switch c := b[i]; {
	case c == '"':
		return scanString(b, i+1, plain)
	case c == '-' || isDigit(c):
		return scanNumber(b, i)
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if len(b)-i >= len(word) && string(b[i:i+len(word)]) == word {
			return i + len(word), true
		}
	}
	return 0, false
}

// scanString reads from behind the opening quote to behind the closing one.
func scanString(b []byte, i int, plain *bool) (end int, ok bool) {
	for {
		for i < len(b) && ordinary[b[i]] {
			i++
		}
		if i == len(b) {
			return 0, false
		}
		switch c := b[i]; {
		case c == '"':
			return i + 1, true
		case c == '\\':
			n := escapeLen(b[i:])
			if n == 0 {
				return 0, false
			}
			i += n
		case c < ' ':
			return 0, false
		default:
			r, n := utf8.DecodeRune(b[i:])
			if n == 1 || r == '\uFFFE' || r == '\uFFFF' {
				*plain = false
			}
			i += n
		}
	}
}

// escapeLen is the length of the escape that b begins with; 0 if it is none.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(b) < 6 {
			return 0
		}
		for _, c := range b[2:6] {
			if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
				return 0
			}
		}
		return 6
	}
	return 0
}

func scanNumber(b []byte, i int) (end int, ok bool) {
	digits := func() bool {
		start := i
		for i < len(b) && isDigit(b[i]) {
			i++
		}
		return i > start
	}
	if b[i] == '-' {
		i++
	}
	if i < len(b) && b[i] == '0' {
		i++
	} else if !digits() {
		return 0, false
	}
	if i < len(b) && b[i] == '.' {
		i++
		if !digits() {
			return 0, false
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if !digits() {
			return 0, false
		}
	}
	return i, true
}

// appendString appends s as a JSON string in characters that SQS accepts. What
// is not UTF-8 becomes U+FFFD; everything else reads back as it was.
func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, s[from:i]...)
			dst = append(dst, '\\', c)
		case c < ' ':
			dst = append(dst, s[from:i]...)
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case c == 0xEF && (s[i:i+3] == "\uFFFE" || s[i:i+3] == "\uFFFF"):
			dst = append(dst, s[from:i]...)
			dst = append(dst, '\\', 'u', 'f', 'f', 'f', hex[s[i+2]&15])
			i += 2
		default:
			continue
		}
		from = i + 1
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}

// AppendText appends s as a JSON string, as an envelope has it.
func AppendText(dst []byte, s string) []byte { return appendString(dst, s) }
