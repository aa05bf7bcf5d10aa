// Package charset makes UTF-8 of texts in other charsets. What cannot be read in
// the charset becomes U+FFFD; a charset that nobody knows changes nothing.
package charset

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"

	"pushpull/shared/form"
)

var mark = []byte("\xef\xbb\xbf") // the byte order mark of UTF-8

// Of is the charset that a content type names; "" where it is UTF-8 or ASCII, or
// none is named.
func Of(contentType string) string { return foreign(form.Charset(contentType)) }

// Declared is the charset of <?xml encoding="…"?> at the head of a text, as Of
// has it. One that says UTF-16 and can be read here is not: the text was encoded
// anew, and nobody told it.
func Declared(head []byte) string {
	head = bytes.TrimPrefix(head, mark)
	if !bytes.HasPrefix(head, []byte("<?xml")) {
		return ""
	}
	head, _, ok := bytes.Cut(head[:min(len(head), 256)], []byte("?>"))
	if !ok {
		return ""
	}
	_, rest, ok := bytes.Cut(head, []byte("encoding"))
	rest = bytes.TrimLeft(rest, " \t\r\n=")
	if !ok || len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
		return ""
	}
	name, _, _ := bytes.Cut(rest[1:], rest[:1])
	return foreign(string(name))
}

// UTF8 is a text in UTF-8, without a byte order mark. What it gives is of b itself
// where nothing is to be changed. A byte order mark, and the zeros beside the
// first character of a wide charset, are believed before the name.
func UTF8(b []byte, charset string) []byte {
	if bytes.HasPrefix(b, mark) {
		return b[len(mark):]
	}
	e := of(b, charset)
	if e == nil || misnamed(e, b) {
		return b
	}
	// Decoders write U+FFFD for what they cannot read, and never fail for it.
	if out, err := e.NewDecoder().Bytes(b); err == nil {
		return out
	}
	return b
}

// Text is UTF8 for a text that cannot be in a wide charset, and has no mark: the
// value of a form.
func Text(s, charset string) string {
	if charset == "" || isWide(charset) {
		return s
	}
	e := named(charset)
	if e == nil || misnamed(e, []byte(s)) {
		return s
	}
	if out, err := e.NewDecoder().String(s); err == nil {
		return out
	}
	return s
}

// of is the encoding of a text that begins with head; nil where it is UTF-8, or
// nobody knows it.
func of(head []byte, charset string) encoding.Encoding {
	if e := wide(head); e != nil {
		return e
	}
	if isWide(charset) {
		return nil
	}
	return named(charset)
}

// foreign is the charset's name, or "" where a text in it is UTF-8 as it is.
func foreign(charset string) string {
	for _, same := range [...]string{"utf-8", "utf8", "us-ascii", "ascii"} {
		if strings.EqualFold(charset, same) {
			return ""
		}
	}
	return charset
}

// isWide says whether a character of the charset is two or four bytes: a text
// that begins with an ASCII byte other than NUL is not in it, whatever it says.
func isWide(charset string) bool {
	charset = strings.ToLower(charset)
	return strings.HasPrefix(charset, "utf-16") || strings.HasPrefix(charset, "utf-32") || charset == "utf16" || charset == "utf32"
}

// wide is the UTF-16 or UTF-32 that b begins with: a byte order mark, or where
// the first character is ASCII, as in JSON and XML, the zeros beside it.
func wide(b []byte) encoding.Encoding {
	if len(b) < 2 {
		return nil
	}
	var head [4]byte
	copy(head[:], b)
	if len(b) < 4 {
		head[2], head[3] = 1, 1 // too short for UTF-32
	}
	zeros := [4]bool{head[0] == 0, head[1] == 0, head[2] == 0, head[3] == 0}
	switch {
	case head == [4]byte{0, 0, 0xfe, 0xff}, zeros == [4]bool{true, true, true, false}:
		return utf32.UTF32(utf32.BigEndian, utf32.UseBOM)
	case head == [4]byte{0xff, 0xfe, 0, 0}, zeros == [4]bool{false, true, true, true}:
		return utf32.UTF32(utf32.LittleEndian, utf32.UseBOM)
	case head[0] == 0xfe && head[1] == 0xff, zeros[0] && !zeros[1]:
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	case head[0] == 0xff && head[1] == 0xfe, zeros[1] && !zeros[0]:
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	}
	return nil
}

// named is the encoding of that name, by the table that browsers use: it knows
// what senders write rather than what the names once meant. nil where it is
// UTF-8 or not known.
func named(charset string) encoding.Encoding {
	return charsets()[strings.ToLower(strings.TrimSpace(charset))]
}

// misnamed says whether b is UTF-8 although a charset of single bytes is named.
// That is a default nobody looked at: such a text is hardly ever UTF-8 by chance.
func misnamed(e encoding.Encoding, b []byte) bool {
	_, single := e.(*charmap.Charmap)
	return single && utf8.Valid(b)
}
