package body

import (
	"bytes"
	"errors"
	"unicode/utf8"

	"pushpull/shared/event"
)

var errJSON = errors.New("the body is not valid JSON, or it is more than 10,000 levels deep")

// readJSON reads the usual case with one scan and no copy. Of members with the
// same name the first counts; numbers stay as they are written.
func readJSON(b []byte, contentType string) document {
	charset := charsetOf(contentType)
	if charset == "" && event.ValidJSON(b) {
		return document{data: b, contentType: ofJSON(contentType), view: b}
	}
	// What is valid in another charset is not valid as it is, and the other way
	// round, but for those that keep ASCII: there the name decides.
	if view := toUTF8(b, charset); event.ValidJSON(view) {
		return jsonDocument(b, view, contentType)
	}
	if charset != "" && event.ValidJSON(b) {
		return jsonDocument(b, b, contentType)
	}
	return unreadable(b, contentType, errJSON)
}

func jsonDocument(data, view []byte, contentType string) document {
	d := document{data: data, contentType: contentType, view: view}
	if &data[0] == &view[0] {
		d.contentType = ofJSON(contentType)
	} else {
		d.made = view
	}
	return d
}

// ofJSON is the content type of bytes that are JSON whatever the sender called
// them, so that whoever reads them next knows. No type means JSON already.
func ofJSON(contentType string) string {
	if contentType == "" || event.IsJSON(contentType) {
		return contentType
	}
	return jsonType
}

// mayBeJSON looks whether an object or an array can begin here, in any charset.
func mayBeJSON(b []byte) bool {
	i := space(b, 0)
	if i == len(b) {
		return false
	}
	switch b[i] {
	case '{', '[', 0, 0xef, 0xfe, 0xff:
		return true
	}
	return false
}

// utf8JSON is a view that is handed on as data. Strict readers refuse JSON that
// is not UTF-8, so it is made that here, where identities do not depend on it.
func utf8JSON(view []byte) []byte {
	if utf8.Valid(view) {
		return view
	}
	return bytes.ToValidUTF8(view, []byte("\uFFFD"))
}

// appendText appends s as a JSON string. Bytes that are not UTF-8 stay, so that
// two different texts have two different views.
func appendText(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(dst, s[start:]...), '"')
}

// appendObject appends an object of n members in the order in which their names
// first appear. A name that is there more than once has an array.
func appendObject(dst []byte, n int, name func(int) string, value func([]byte, int) []byte) []byte {
	const few = 8 // names that are found faster by looking than by hashing
	var (
		heads = make([]int, 0, n) // the first member of each name
		tails = make([]int, 0, n) // the last, in the same order
		next  = make([]int, n)    // the next of the same name, 0 where there is none
		known map[string]int
	)
	if n > few {
		known = make(map[string]int, n)
	}
	group := func(i int) (int, bool) {
		if known != nil {
			g, ok := known[name(i)]
			return g, ok
		}
		for g, head := range heads {
			if name(head) == name(i) {
				return g, true
			}
		}
		return 0, false
	}
	for i := range n {
		if g, ok := group(i); ok {
			next[tails[g]], tails[g] = i, i
			continue
		}
		if known != nil {
			known[name(i)] = len(heads)
		}
		heads, tails = append(heads, i), append(tails, i)
	}
	dst = append(dst, '{')
	for g, head := range heads {
		if g > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendText(dst, name(head)), ':')
		if next[head] == 0 {
			dst = value(dst, head)
			continue
		}
		dst = value(append(dst, '['), head)
		for i := next[head]; i != 0; i = next[i] {
			dst = value(append(dst, ','), i)
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}
