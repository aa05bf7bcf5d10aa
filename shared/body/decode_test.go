package body_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"pushpull/shared/body"
)

// writers compress, by the name of the encoding.
var writers = map[string]func(io.Writer) io.WriteCloser{
	"gzip": func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
	"zlib": func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
	"flate": func(w io.Writer) io.WriteCloser {
		f, err := flate.NewWriter(w, flate.BestCompression)
		if err != nil {
			panic(err)
		}
		return f
	},
	"br": func(w io.Writer) io.WriteCloser { return brotli.NewWriterLevel(w, 5) },
	"zstd": func(w io.Writer) io.WriteCloser {
		z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
		if err != nil {
			panic(err)
		}
		return z
	},
}

// encode applies the encodings in their order.
func encode(tb testing.TB, plain []byte, names ...string) []byte {
	tb.Helper()
	for _, name := range names {
		var b bytes.Buffer
		w := writers[name](&b)
		if _, err := w.Write(plain); err != nil {
			tb.Fatal(err)
		}
		if err := w.Close(); err != nil {
			tb.Fatal(err)
		}
		plain = b.Bytes()
	}
	return plain
}

func TestDecode(t *testing.T) {
	t.Parallel()
	plain := []byte(`{"id":"evt_1","text":"` + strings.Repeat("a line of an invoice, ", 500) + `"}`)
	random := make([]byte, 40_000)
	source := rand.New(rand.NewPCG(1, 2))
	for i := range random {
		random[i] = byte(source.Uint32())
	}
	for _, tt := range []struct {
		name     string
		in       []byte
		encoding string
		want     []byte
	}{
		{"nothing is encoded", plain, "", plain},
		{"identity is nothing", plain, " Identity ", plain},
		{"a charset in the wrong header is nothing", plain, "utf-8", plain},
		{"an empty body has nothing to undo", nil, "gzip", nil},
		{"gzip", encode(t, plain, "gzip"), "gzip", plain},
		{"gzip by its old name, in capitals", encode(t, plain, "gzip"), "X-GZIP", plain},
		{"gzip in two members, of which the last is small", append(encode(t, plain, "gzip"), encode(t, []byte("!"), "gzip")...), "gzip", append(bytes.Clone(plain), '!')},
		{"gzip of nothing", encode(t, nil, "gzip"), "gzip", []byte{}},
		{"gzip of what cannot be compressed", encode(t, random, "gzip"), "gzip", random},
		{"deflate as it is defined, with zlib's header", encode(t, plain, "zlib"), "deflate", plain},
		{"deflate as some send it, bare", encode(t, plain, "flate"), "deflate", plain},
		{"br", encode(t, plain, "br"), "br", plain},
		{"zstd", encode(t, plain, "zstd"), "zstd", plain},
		{"two encodings, the last undone first", encode(t, plain, "br", "gzip"), "br, gzip", plain},
		{"three encodings", encode(t, plain, "gzip", "zlib", "zstd"), "gzip,deflate,,identity,zstd", plain},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := body.Decode(tt.in, tt.encoding, 100_000)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeGivesWhatIsNotEncodedItself(t *testing.T) {
	t.Parallel()
	raw := []byte("{}")
	got, err := body.Decode(raw, "", 2)
	if err != nil || &got[0] != &raw[0] {
		t.Errorf("a copy, or %v", err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	plain := bytes.Repeat([]byte("x"), 1000)
	zipped := encode(t, plain, "gzip")
	for _, tt := range []struct {
		name     string
		in       []byte
		encoding string
		most     int
		want     error
	}{
		{"an encoding that nobody knows", plain, "compress", 1000, body.ErrEncoding},
		{"more encodings than anybody needs", plain, "gzip,gzip,gzip,gzip", 1000, body.ErrEncoding},
		{"what is no gzip", plain, "gzip", 1000, body.ErrEncoding},
		{"what is no deflate", []byte("\xff\xff\xff"), "deflate", 1000, body.ErrEncoding},
		{"a bare deflate that goes on behind its end", append(encode(t, plain, "flate"), '!'), "deflate", 1000, body.ErrEncoding},
		{"JSON that begins as a bare deflate does", []byte(`{"id":"1","items":[{"id":"2"}]}`), "deflate", 1000, body.ErrEncoding},
		{"what is no br", plain, "br", 1000, body.ErrEncoding},
		{"what is no zstd", plain, "zstd", 1000, body.ErrEncoding},
		{"gzip that is cut off", zipped[:len(zipped)-9], "gzip", 1000, body.ErrEncoding},
		{"gzip whose checksum is wrong", append(bytes.Clone(zipped[:len(zipped)-8]), make([]byte, 8)...), "gzip", 1000, body.ErrEncoding},
		{"a plain body over the limit", plain, "", 999, body.ErrTooLarge},
		{"gzip over the limit by a byte", zipped, "gzip", 999, body.ErrTooLarge},
		{"deflate over the limit", encode(t, plain, "zlib"), "deflate", 999, body.ErrTooLarge},
		{"br over the limit", encode(t, plain, "br"), "br", 999, body.ErrTooLarge},
		{"zstd over the limit", encode(t, plain, "zstd"), "zstd", 999, body.ErrTooLarge},
		{"what is over the limit between two encodings", encode(t, bytes.Repeat(encode(t, nil, "gzip"), 1000), "gzip"), "gzip,gzip", 999, body.ErrTooLarge},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := body.Decode(tt.in, tt.encoding, tt.most)
			if !errors.Is(err, tt.want) || got != nil {
				t.Errorf("%d bytes and error %v, want %v", len(got), err, tt.want)
			}
			if tt.most == 999 {
				if got, err := body.Decode(tt.in, tt.encoding, 1000); err != nil && len(tt.in) < 1000 && !strings.Contains(tt.name, "between") {
					t.Errorf("at the limit %d bytes and error %v", len(got), err)
				}
			}
		})
	}
}

// A bomb is zeros, compressed: a gigabyte where the format lets one append what
// was compressed before, else 64 MiB, which is as far over the limit.
func bomb(tb testing.TB, name string) []byte {
	tb.Helper()
	small := encode(tb, make([]byte, 64<<20), name)
	if name == "gzip" || name == "zstd" {
		return bytes.Repeat(small, 16)
	}
	return small
}

// It is not parallel, because it counts the memory of the whole process.
func TestABombStopsAtTheLimit(t *testing.T) {
	const most = 16 << 20
	for _, name := range slices.Sorted(maps.Keys(writers)) {
		encoding := name
		if name == "zlib" || name == "flate" {
			encoding = "deflate"
		}
		in := bomb(t, name)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		_, err := body.Decode(in, encoding, most)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, body.ErrTooLarge) {
			t.Errorf("%s: error %v, want ErrTooLarge", name, err)
		}
		allocated := after.TotalAlloc - before.TotalAlloc
		t.Logf("%s: %d bytes sent, %d allocated in all", name, len(in), allocated)
		if allocated > 5*most {
			t.Errorf("%s: %d bytes allocated for a limit of %d", name, allocated, most)
		}
	}
}

func FuzzDecode(f *testing.F) {
	plain := []byte(`{"id":"evt_1","items":[1,2,3,4,5,6,7,8,9,10]}`)
	encodings := []string{"gzip", "deflate", "br", "zstd", "gzip,br", "deflate,zstd,gzip", "identity"}
	f.Add(encode(f, plain, "gzip"), uint8(0), 1000)
	f.Add(encode(f, plain, "zlib"), uint8(1), 1000)
	f.Add(encode(f, plain, "flate"), uint8(1), 1000)
	f.Add(encode(f, plain, "br"), uint8(2), 1000)
	f.Add(encode(f, plain, "zstd"), uint8(3), 1000)
	f.Add(encode(f, plain, "gzip", "br"), uint8(4), 1000)
	f.Add(encode(f, plain, "zlib", "zstd", "gzip"), uint8(5), 1000)
	f.Add(encode(f, bytes.Repeat(plain, 1000), "zstd"), uint8(3), 64)
	f.Fuzz(func(t *testing.T, in []byte, which uint8, most int) {
		most = max(0, min(most, 1<<16))
		got, err := body.Decode(in, encodings[int(which)%len(encodings)], most)
		switch {
		case err == nil && len(got) > most:
			t.Fatalf("%d bytes, at most %d were asked for", len(got), most)
		case err != nil && got != nil:
			t.Fatalf("bytes beside the error %v", err)
		case err != nil && !errors.Is(err, body.ErrTooLarge) && !errors.Is(err, body.ErrEncoding):
			t.Fatalf("an error that is neither of ours: %v", err)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	plain := []byte(`{"items":[` + strings.Repeat(`{"id":"li_1","text":"a line of an invoice"},`, 100) + `{}]}`)
	for _, name := range []string{"gzip", "br", "zstd"} {
		in := encode(b, plain, name)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(plain)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := body.Decode(in, name, 1<<20); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
