package queue

import (
	"encoding/binary"
	"slices"
	"unicode/utf8"
)

// appendString appends s as a JSON string. What is not UTF-8 becomes U+FFFD, as
// with encoding/json; Send refuses such a message before.
func appendString(b []byte, s string) []byte {
	b = slices.Grow(b, len(s)+len(s)/4+2) // an event is JSON: every eighth byte or so is a quote
	b = append(b, '"')
	for len(s) >= 8 {
		w := word(s)
		n := plain(w)
		b = binary.LittleEndian.AppendUint64(b, w)
		b = b[:len(b)-8+n]
		s = s[n:]
		if n < 8 {
			b, n = appendRune(b, s)
			s = s[n:]
		}
	}
	for len(s) > 0 {
		n := 0
		b, n = appendRune(b, s)
		s = s[n:]
	}
	return append(b, '"')
}

// appendRune appends the first character of s, and says how many bytes it has there.
func appendRune(b []byte, s string) ([]byte, int) {
	const hex = "0123456789abcdef"
	switch c := s[0]; {
	case c >= utf8.RuneSelf:
		r, n := utf8.DecodeRuneInString(s)
		return utf8.AppendRune(b, r), n // U+FFFD where it is not UTF-8
	case c == '"', c == '\\':
		return append(b, '\\', c), 1
	case c == '\n':
		return append(b, '\\', 'n'), 1
	case c == '\r':
		return append(b, '\\', 'r'), 1
	case c == '\t':
		return append(b, '\\', 't'), 1
	case c < 0x20:
		return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15]), 1
	default:
		return append(b, c), 1
	}
}
