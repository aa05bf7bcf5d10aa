package records_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/andybalholm/brotli"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"pushpull/shared/records"
)

func pack(tb testing.TB, text string, open func(io.Writer) (io.WriteCloser, error)) string {
	tb.Helper()
	var b bytes.Buffer
	w, err := open(&b)
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

func gzipped(tb testing.TB, text string) string {
	tb.Helper()
	return pack(tb, text, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
}

// zipOf is a zip of names and texts; a name that ends with a slash is a folder.
func zipOf(tb testing.TB, files ...string) string {
	tb.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: files[i], Method: zip.Store})
		if err == nil {
			_, err = io.WriteString(w, files[i+1])
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

func TestPacked(t *testing.T) {
	t.Parallel()
	const text = `{"data":[1,2],"n":3}`
	data := records.Options{Path: "data"}
	lines := records.Options{Format: "ndjson"}
	two := []string{"1", "2"}
	for _, tt := range []struct {
		name, encoding string
		options        records.Options
		in             string
		want           []string
		rest           string
	}{
		{"gzip as a content encoding", "gzip", data, gzipped(t, text), two, `{"data":[],"n":3}`},
		{"deflate with zlib's header", "deflate", data, pack(t, text, func(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil }), two, `{"data":[],"n":3}`},
		{"deflate as some send it, bare", "deflate", data, pack(t, text, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, 5) }), two, `{"data":[],"n":3}`},
		{"br", "br", data, pack(t, text, func(w io.Writer) (io.WriteCloser, error) { return brotli.NewWriter(w), nil }), two, `{"data":[],"n":3}`},
		{"zstd", "zstd", data, pack(t, text, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }), two, `{"data":[],"n":3}`},
		{"gzip that is only told by its first bytes", "", data, gzipped(t, text), two, `{"data":[],"n":3}`},
		{"a gzip file that is packed again on its way", "gzip", data, gzipped(t, gzipped(t, text)), two, `{"data":[],"n":3}`},
		{"gzip that is announced and is none any more", "", records.Options{Path: "data", Encoding: "gzip"}, text, two, `{"data":[],"n":3}`},
		{"gzip of several members", "", lines, gzipped(t, "1\n") + gzipped(t, "2\n"), two, "{}"},
		{"a zip of several files, its folders left out", "", lines, zipOf(t, "a/", "", "a/1.json", "1\n", "__MACOSX/1.json", "x", "2.json", "2"), two, "{}"},
		{"a zip of gzip files", "", lines, zipOf(t, "1.json.gz", gzipped(t, "1\n"), "2.json.gz", gzipped(t, "2\n")), two, "{}"},
		{"a zip whose files' names tell their formats", "", records.Options{}, zipOf(t, "1.csv", "a\n1\n", "2.jsonl", "2\n", "3.json", "[3]", "4.tsv", "a\tb\n4\t5\n"), []string{`{"a":"1"}`, "2", "3", `{"a":"4","b":"5"}`}, "{}"},
		{"a zip in gzip", "gzip", lines, gzipped(t, zipOf(t, "1.json", "1 2")), two, "{}"},
		{"a zip of nothing", "", data, zipOf(t), nil, "{}"},
		{"the rest is the last file's", "", data, zipOf(t, "1.json", `{"data":[1],"n":1}`, "2.json", `{"data":[2],"n":2}`), two, `{"data":[],"n":2}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, rest, err := all(t, strings.NewReader(tt.in), "", tt.encoding, tt.options)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.rest, rest); diff != "" {
				t.Error("rest:", diff)
			}
		})
	}
}

func TestPackedRefuses(t *testing.T) {
	t.Parallel()
	lines := records.Options{Format: "ndjson"}
	many := gzipped(t, strings.Repeat("1\n", 100_000))
	files := zipOf(t, "1.json", "1\n2\n")
	for _, tt := range []struct {
		name, encoding string
		options        records.Options
		in             string
		passing        bool
		want           string
	}{
		{"gzip that is cut short", "", lines, many[:len(many)-9], true, "cut short, or is not in the encoding it says (gzip)"},
		{"gzip whose checksum is wrong", "gzip", lines, many[:len(many)-8] + "12345678", true, "not in the encoding it says (gzip)"},
		{"what is no gzip", "gzip", lines, "1\n2\n", true, "not in the encoding it says (gzip)"},
		{"an encoding that nobody knows", "compress", lines, "1", false, "the content encoding is unknown"},
		{"more encodings than anybody needs", "gzip,gzip,gzip,gzip", lines, "1", false, "more than 3"},
		{"a zip that is cut short", "", lines, files[:len(files)-10], true, "(zip)"},
		{"a zip whose content was changed", "", lines, strings.Replace(files, "1\n2\n", "1\n3\n", 1), true, "(zip)"},
		{"a zip that is encrypted", "", lines, strings.Replace(files, "PK\x01\x02\x14\x00\x14\x00\x08", "PK\x01\x02\x14\x00\x14\x00\x09", 1), false, "encrypted"},
		{"gzip that is not to be unpacked", "", records.Options{Encoding: "none"}, many, true, "no valid JSON at byte 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := all(t, strings.NewReader(tt.in), "", tt.encoding, tt.options)
			e, ok := errors.AsType[*records.Error](err)
			if !ok || !strings.Contains(e.Reason, tt.want) || e.Passing != tt.passing {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestTheBodysOwnErrorIsToldAsItIs(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	packed := gzipped(t, strings.Repeat("1\n", 100_000))
	for _, tt := range []struct {
		name, encoding, in string
		options            records.Options
	}{
		{"in JSON", "", `{"data":[1,`, records.Options{Path: "data"}},
		{"in lines", "", "1\n2", records.Options{Format: "ndjson"}},
		{"in csv", "", "a,b\n1,2\n3", records.Options{Format: "csv"}},
		{"in XML", "", "<a><b>", records.Options{Format: "xml", Path: "a.b"}},
		{"in a feed", "", "<rss>", records.Options{Format: "feed"}},
		{"in gzip", "gzip", packed[:100], records.Options{Format: "ndjson"}},
		{"in a zip", "", "PK\x03\x04", records.Options{}},
		{"at once", "", "", records.Options{}},
		{"in another charset", "", "\xff\xfe[\x00", records.Options{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := io.MultiReader(strings.NewReader(tt.in), iotest.ErrReader(broken))
			if _, _, err := all(t, in, "", tt.encoding, tt.options); !errors.Is(err, broken) {
				t.Error(err)
			}
		})
	}
}
