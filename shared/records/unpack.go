package records

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	"pushpull/shared/body"
)

const (
	maxGzips  = 3 // nobody compresses more often
	encrypted = 1 // a flag of a file in a zip
)

// undo reads through the content encodings, the last first. How much comes out is
// not bounded: an export is as large as it is, and only a record of it is held.
func (s *source) undo(list string) (in io.Reader, err error) {
	names, err := body.Encodings(list)
	if err != nil {
		return nil, wrong("%s", err)
	}
	in = s
	for _, name := range slices.Backward(names) {
		if in, err = s.decoded(in, name); err != nil {
			return nil, err
		}
	}
	return in, nil
}

func (s *source) decoded(in io.Reader, name string) (io.Reader, error) {
	out, _, err := body.Decoder(name, in, math.MaxInt) // what it gives back at the end is memory, which is given back anyway
	if err != nil {
		return nil, packing(name)
	}
	return &compressed{in: out, name: name, of: s}, nil
}

// packing is what a decompressor fails with: what it reads was cut, as a rule.
func packing(name string) *Error {
	return passing("the answer is cut short, or is not in the encoding it says (%s)", name)
}

type compressed struct {
	in   io.Reader
	name string
	of   *source
}

func (c *compressed) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // decompressors return io.EOF itself at their end, and only there
		err = packing(c.name)
		c.of.packing = err
	}
	return n, err
}

// gunzip reads through gzip that is told by its first bytes; a file that was sent
// with a Content-Encoding, too, has it twice.
func (s *source) gunzip(in *bufio.Reader) (*bufio.Reader, error) {
	for range maxGzips {
		head, _ := in.Peek(3)
		if !bytes.Equal(head, []byte("\x1f\x8b\x08")) {
			break
		}
		out, err := s.decoded(in, "gzip")
		if err != nil {
			return nil, err
		}
		in = bufio.NewReader(out)
	}
	return in, nil
}

// isZip looks for a zip, also one of no files.
func isZip(in *bufio.Reader) bool {
	head, _ := in.Peek(4)
	return bytes.Equal(head, []byte("PK\x03\x04")) || bytes.Equal(head, []byte("PK\x05\x06"))
}

// openZip keeps the zip in a file, for its directory is at the end. The file has
// no name any more: it is gone when it is closed, or the process is.
func (r *Reader) openZip(in io.Reader) error {
	f, err := os.CreateTemp("", "answer-*.zip")
	if err != nil {
		return err
	}
	r.file = f
	if err := os.Remove(f.Name()); err != nil {
		return err
	}
	n, err := io.Copy(f, io.LimitReader(in, maxPacked+1))
	if err != nil {
		return err
	}
	if n > maxPacked {
		return wrong("the zip is larger than %d bytes: ask for less at once", maxPacked)
	}
	files, err := zip.NewReader(f, n)
	if err != nil {
		return packing("zip")
	}
	r.decoder = &zipped{of: r.in, files: files.File, options: r.options}
	return nil
}

// zipped gives out the records of each file in a zip, one file after another.
type zipped struct {
	of      *source
	files   []*zip.File // those that are still to be read
	options Options
	file    io.ReadCloser
	in      decoder
	last    json.RawMessage
}

func (z *zipped) next(ctx context.Context) (json.RawMessage, error) {
	for {
		if z.in == nil {
			if len(z.files) == 0 {
				return nil, io.EOF
			}
			if err := z.open(z.files[0]); err != nil {
				return nil, err
			}
			z.files = z.files[1:]
			continue
		}
		record, err := z.in.next(ctx)
		if !errors.Is(err, io.EOF) {
			return record, err
		}
		z.last = z.in.rest()
		z.in = nil
		if err := z.file.Close(); err != nil {
			return nil, packing("zip")
		}
	}
}

func (z *zipped) open(f *zip.File) error {
	if f.FileInfo().IsDir() || strings.HasPrefix(f.Name, "__MACOSX/") {
		return nil
	}
	in, err := f.Open()
	if err != nil || f.Flags&encrypted != 0 {
		return wrong("a file in the zip is packed or encrypted in a way that is not known")
	}
	head, err := z.of.gunzip(bufio.NewReader(&compressed{in: in, name: "zip", of: z.of}))
	if err != nil {
		return err
	}
	z.file = in
	z.in, err = document(head, typeOf(f.Name), z.options)
	return err
}

func (z *zipped) rest() json.RawMessage {
	if z.last == nil {
		return nothing
	}
	return z.last
}
