package body

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"
)

const maxFields = 10_000

var errFields = fmt.Errorf("the form has more than %d fields", maxFields)

// A field of a form or of a multipart.
type field struct {
	name  string
	value string
	file  *file // of a multipart; then value is empty
}

// readForm reads name=value&…; what cannot be decoded stays as it is written.
func (r *Reader) readForm(b []byte, contentType string) document {
	if bytes.Count(b, []byte("&")) >= 2*maxFields {
		return unreadable(b, contentType, errFields) // before it costs anything
	}
	charset := charsetOf(contentType)
	var fields []field
	for pair := range strings.SplitSeq(string(b), "&") {
		if pair == "" {
			continue
		}
		if len(fields) == maxFields {
			return unreadable(b, contentType, errFields)
		}
		name, value, _ := strings.Cut(pair, "=")
		fields = append(fields, field{name: formText(name, charset), value: formText(value, charset)})
	}
	view := appendFields(nil, fields, false)
	return r.inField(fields, document{data: b, contentType: contentType, view: view, made: view})
}

// formText decodes percent signs and pluses, then the charset.
func formText(s, charset string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		s = plain
	}
	return textIn(s, charset)
}

// textIn is a value in UTF-8. One that is UTF-16 or UTF-32 cannot be in a form.
func textIn(s, charset string) string {
	if charset == "" || isWide(charset) {
		return s
	}
	e := named(charset)
	if e == nil || misnamed(e, []byte(s)) {
		return s
	}
	if plain, err := e.NewDecoder().String(s); err == nil {
		return plain
	}
	return s
}

// appendFields appends the object that a form is in JSON.
func appendFields(dst []byte, fields []field, contents bool) []byte {
	return appendObject(dst, len(fields),
		func(i int) string { return fields[i].name },
		func(dst []byte, i int) []byte {
			if f := fields[i].file; f != nil {
				return f.append(dst, contents)
			}
			return appendText(dst, fields[i].value)
		})
}
