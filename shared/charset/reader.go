package charset

import (
	"bufio"
	"bytes"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/transform"
)

// Reader is UTF8 for a text that is read bit by bit.
func Reader(in *bufio.Reader, charset string) *bufio.Reader {
	head, _ := in.Peek(4)
	if bytes.HasPrefix(head, mark) {
		_, _ = in.Discard(len(mark))
		return in
	}
	e := of(head, charset)
	if e == nil {
		return in
	}
	if _, single := e.(*charmap.Charmap); single {
		return bufio.NewReader(&undecided{in: in, charset: e})
	}
	return bufio.NewReader(transform.NewReader(in, e.NewDecoder()))
}

// undecided passes ASCII on, which is the same in UTF-8 and in the charset of
// single bytes that is named, and decides at the first byte that is none. Many
// name such a charset by default and write UTF-8, which is hardly ever valid by
// chance.
type undecided struct {
	in      *bufio.Reader
	charset encoding.Encoding
	out     io.Reader // once it is decided
}

func (u *undecided) Read(p []byte) (int, error) {
	if u.out != nil {
		return u.out.Read(p)
	}
	if _, err := u.in.Peek(1); err != nil {
		return 0, err
	}
	ahead, _ := u.in.Peek(u.in.Buffered())
	plain := bytes.IndexFunc(ahead, func(r rune) bool { return r >= utf8.RuneSelf })
	switch {
	case plain < 0:
		return u.in.Read(p[:min(len(p), len(ahead))])
	case plain > 0:
		return u.in.Read(p[:min(len(p), plain)])
	}
	ahead, end := u.in.Peek(u.in.Size()) // the decision is the better the more there is
	if end == nil {
		ahead = uncut(ahead)
	}
	u.out = u.in
	if !utf8.Valid(ahead) {
		u.out = transform.NewReader(u.in, u.charset.NewDecoder())
	}
	return u.out.Read(p)
}

// uncut is b without a character that is cut off at its end.
func uncut(b []byte) []byte {
	for n := len(b) - 1; n >= max(0, len(b)-utf8.UTFMax); n-- {
		if utf8.RuneStart(b[n]) {
			if utf8.FullRune(b[n:]) {
				return b
			}
			return b[:n]
		}
	}
	return b
}
