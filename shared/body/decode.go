package body

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// What Decode refuses.
var (
	ErrTooLarge = errors.New("the body without its content encoding is larger than webhook.body.max_decoded")
	ErrEncoding = errors.New("the content encoding is unknown, or the body is not in it")
)

const (
	maxEncodings = 3       // nobody compresses more often, and each costs a decoder
	zstdWindow   = 8 << 20 // what RFC 9659 grants a zstd content encoding
	maxDeflate   = 1032    // deflate makes of one byte no more than these
)

// Decode undoes a Content-Encoding: gzip, deflate (with zlib's header and
// without), br and zstd, several with commas between them. It gives at most
// `most` bytes, or ErrTooLarge; ErrEncoding is for what is unknown or broken.
// Where nothing is encoded it gives raw itself.
//
// Memory grows with what comes out and stops at the limit: a buffer of at most
// most+1 bytes, its predecessor while it grows, and the decoders' windows (8 MiB
// for zstd, 16 MiB for br).
func Decode(raw []byte, encoding string, most int) ([]byte, error) {
	names, err := Encodings(encoding)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 || len(raw) == 0 {
		if len(raw) > most {
			return nil, ErrTooLarge
		}
		return raw, nil
	}
	return undo(raw, names, most)
}

// Encodings are the names in a Content-Encoding in the order in which they were applied, without
// those that change nothing.
func Encodings(list string) (names []string, err error) {
	for name := range strings.SplitSeq(list, ",") {
		switch name = strings.ToLower(strings.TrimSpace(name)); name {
		case "", "identity":
		case "utf-8", "utf8":
			// A charset, written into the wrong header by senders who mean well.
		case "gzip", "x-gzip", "deflate", "br", "zstd":
			names = append(names, name)
		default:
			return nil, fmt.Errorf("%w: there are gzip, deflate, br, zstd and identity", ErrEncoding)
		}
	}
	if len(names) > maxEncodings {
		return nil, fmt.Errorf("%w: %d encodings on one another are more than %d", ErrEncoding, len(names), maxEncodings)
	}
	return names, nil
}

// undo reads through all decoders at once. Each stage is bounded, so that what
// is between two of them cannot be endless either.
func undo(raw []byte, names []string, most int) ([]byte, error) {
	var in io.Reader = bytes.NewReader(raw)
	stages := make([]*bounded, 0, len(names))
	wrong := func(err error) error {
		over := slices.ContainsFunc(stages, func(s *bounded) bool { return s.over })
		if over || errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded) {
			return ErrTooLarge
		}
		return fmt.Errorf("%w: %w", ErrEncoding, err)
	}
	for i, name := range slices.Backward(names) {
		out, done, err := Decoder(name, in, most)
		if err != nil {
			return nil, wrong(fmt.Errorf("%s: %w", name, err))
		}
		defer done()
		stage := &bounded{r: out, name: name, left: most}
		stages = append(stages, stage)
		in = stage
		if i > 0 {
			in = bufio.NewReader(stage)
		}
	}
	out, err := readAll(in, guess(raw, names, most), most)
	if err != nil {
		return nil, wrong(err)
	}
	return out, nil
}

// Decoder undoes one encoding of those that Encodings knows. A zstd that would
// need more than most bytes at once is refused. done gives back what it needed.
func Decoder(name string, in io.Reader, most int) (out io.Reader, done func(), err error) {
	done = func() {}
	switch name {
	case "gzip", "x-gzip":
		out, err = gzip.NewReader(in)
	case "deflate":
		out, err = deflate(in)
	case "br":
		out = brotli.NewReader(in)
	case "zstd":
		var z *zstd.Decoder
		z, err = zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(zstdWindow), zstd.WithDecoderMaxMemory(uint64(max(most, zstdWindow))))
		if err == nil {
			out, done = z, z.Close
		}
	}
	return out, done, err
}

// deflate is the zlib format, by its name's definition, but some send the bare
// stream. A zlib header is told by its method and its checksum.
func deflate(in io.Reader) (io.Reader, error) {
	b := bufio.NewReader(in)
	head, err := b.Peek(2)
	if err == nil && head[0]&0x0f == 8 && binary.BigEndian.Uint16(head)%31 == 0 {
		return zlib.NewReader(b)
	}
	return &bare{flate.NewReader(b), b}, nil
}

var errGoesOn = errors.New("it goes on behind its end")

// A bare deflate stream has no mark and no checksum, and a text may begin as one:
// only what is one to its last byte is believed.
type bare struct {
	io.Reader
	rest *bufio.Reader
}

func (r *bare) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err == io.EOF {
		if _, more := r.rest.Peek(1); more == nil {
			return n, errGoesOn
		}
	}
	return n, err
}

// guess is how large the output may be, so that the buffer seldom grows. gzip
// says it at its end; what a stranger says is bounded by what deflate can do.
func guess(raw []byte, names []string, most int) int {
	n := 4 * len(raw)
	if len(names) == 1 && strings.HasSuffix(names[0], "gzip") && len(raw) >= 18 {
		if size := int(binary.LittleEndian.Uint32(raw[len(raw)-4:])); size/maxDeflate <= len(raw) {
			n = size
		}
	}
	return min(max(n, 512), most)
}

// readAll is io.ReadAll with a buffer that never grows beyond most+1.
func readAll(in io.Reader, size, most int) ([]byte, error) {
	buf := make([]byte, 0, size+1) // one more, to meet the end without growing
	for {
		n, err := in.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return nil, err
		case len(buf) == cap(buf):
			grown := make([]byte, len(buf), min(2*cap(buf), most+1))
			copy(grown, buf)
			buf = grown
		}
	}
}

// bounded fails once more than left bytes came through.
type bounded struct {
	r    io.Reader
	name string
	left int
	over bool
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.over {
		return 0, ErrTooLarge
	}
	if len(p) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if n > b.left {
		b.over = true
		return 0, ErrTooLarge
	}
	b.left -= n
	if err != nil && err != io.EOF { //nolint:errorlint // decoders return io.EOF itself at their end, and only there
		err = fmt.Errorf("%s: %w", b.name, err)
	}
	return n, err
}
