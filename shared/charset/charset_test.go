package charset_test

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"pushpull/shared/charset"
)

// read is b through Reader, with a buffer of 16 bytes so that it is filled often.
func read(tb testing.TB, b []byte, name string) string {
	tb.Helper()
	out, err := io.ReadAll(charset.Reader(bufio.NewReaderSize(iotest.HalfReader(bytes.NewReader(b)), 16), name))
	if err != nil {
		tb.Fatal(err)
	}
	return string(out)
}

func TestUTF8(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100)
	for _, tt := range []struct{ name, charset, in, want string }{
		{"nothing", "latin1", "", ""},
		{"UTF-8", "", "é", "é"},
		{"a byte order mark", "", "\xef\xbb\xbfé", "é"},
		{"a byte order mark is believed before a name", "latin1", "\xef\xbb\xbfé", "é"},
		{"UTF-16 with its mark, little end first", "", "\xff\xfea\x00\xe9\x00", "aé"},
		{"UTF-16 with its mark, big end first", "", "\xfe\xff\x00a\x00\xe9", "aé"},
		{"UTF-16 by its zeros", "", "a\x00\xe9\x00", "aé"},
		{"UTF-32 by its zeros", "", "\x00\x00\x00a\x00\x00\x00\xe9", "aé"},
		{"half a character of UTF-16 at the end", "", "a\x00b", "a\uFFFD"},
		{"zeros that are too few for UTF-32", "", "\x00\x00\x00", "\x00\x00\x00"},
		{"UTF-16 that is named in vain", "utf-16", "aé", "aé"},
		{"a charset of the West", "ISO-8859-1", long + "\xe9", long + "é"},
		{"a charset of the West that is named in vain", "latin1", long + "é" + long, long + "é" + long},
		{"a charset of Japan", "Shift_JIS", "\x93\xfa\x96\x7b", "日本"},
		{"a charset of Japan with escapes", "iso-2022-jp", "\x1b$BF|K\\\x1b(B", "日本"},
		{"a charset that nobody knows", "klingon", "é", "é"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := string(charset.UTF8([]byte(tt.in), tt.charset)); got != tt.want {
				t.Errorf("whole: got %q, want %q", got, tt.want)
			}
			if got := read(t, []byte(tt.in), tt.charset); got != tt.want {
				t.Errorf("bit by bit: got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestDeclared(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, head, want string }{
		{"in double quotes", `<?xml version="1.0" encoding="ISO-8859-1"?><a/>`, "ISO-8859-1"},
		{"in single quotes, behind a mark", "\xef\xbb\xbf<?xml encoding = 'koi8-r' ?>", "koi8-r"},
		{"UTF-8 needs no work", `<?xml encoding="UTF-8"?>`, ""},
		{"none", `<?xml version="1.0"?>`, ""},
		{"a declaration without an end", `<?xml encoding="latin1"`, ""},
		{"no declaration", `<a encoding="latin1"?>`, ""},
		{"no quotes", `<?xml encoding=latin1?>`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := charset.Declared([]byte(tt.head)); got != tt.want {
				t.Errorf("got %q", got)
			}
		})
	}
}

// FuzzReader holds that both ways read the same, where the text is short enough
// that the reader sees as much of it when it decides.
func FuzzReader(f *testing.F) {
	f.Add([]byte("a\xe9"), "latin1")
	f.Add([]byte("\xff\xfea\x00"), "")
	f.Add([]byte("\x93\xfa"), "shift_jis")
	f.Fuzz(func(t *testing.T, b []byte, name string) {
		if len(b) > 4096 {
			t.Skip()
		}
		got, err := io.ReadAll(charset.Reader(bufio.NewReader(bytes.NewReader(b)), name))
		if want := charset.UTF8(b, name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("got %q, want %q, %v", got, want, err)
		}
	})
}
