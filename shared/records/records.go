// Package records reads the records out of an API's answer, one after another,
// as JSON. Memory grows with one record and with what stands beside the records,
// never with the page: both are bounded, and what is larger is an error.
//
// A record is given out as soon as it is read, so an answer that turns out to be
// cut short has given out the records before the cut when it fails.
package records

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"pushpull/shared/charset"
	"pushpull/shared/jq"
)

const (
	defaultMaxBytes = 32 << 20
	maxPacked       = 480 << 20 // bytes of a zip; a function has 512 MiB of /tmp unless it asks for more
)

// Options say where an answer holds its records, and how they are written: those
// of config.Records.
type Options struct {
	// Path leads to the array: names, or indexes into arrays, with dots between
	// them; a dot in a name is written \. For xml it leads to the element of one
	// record, the root's name first.
	Path string
	// Format is json, ndjson, csv, xml or feed. "" decides by the content type, or the file's name in a zip.
	Format string
	// Encoding is none where a gzip or zip is not to be unpacked; any other is recognised.
	Encoding string
	// Delimiter is between the fields of csv. Default a comma; a tab where the content type says so.
	Delimiter string
	// Optional says that no array at Path, or an empty answer, means no records.
	Optional bool
	// JQ makes the records of the whole answer instead of Path. For ndjson, csv and feed its input is the array of them.
	JQ *jq.Program
	// MaxBytes bounds a record, and what stands beside the records; the answer where JQ or a feed needs it whole. Default 32 MiB.
	MaxBytes int
}

// An Error says why an answer gives no records, or no more.
type Error struct {
	Reason  string
	Passing bool // another try may get another answer: it was cut short, or was none in the format
}

func (e *Error) Error() string { return "records: " + e.Reason }

func wrong(format string, args ...any) *Error { return &Error{Reason: fmt.Sprintf(format, args...)} }

func passing(format string, args ...any) *Error {
	return &Error{Reason: fmt.Sprintf(format, args...), Passing: true}
}

// errLarge is what a window says; large is what becomes of it.
var errLarge = errors.New("more than request.max_bytes")

func large(what string, most int) *Error {
	return wrong("%s is larger than %d bytes: raise request.max_bytes, or ask for less", what, most)
}

// A Reader gives out the records of one answer. It is for one goroutine.
type Reader struct {
	in      *source
	options Options
	decoder decoder
	file    *os.File // where a zip is
	err     error    // what Next ended with
}

// A decoder gives out the records of a document in one format.
type decoder interface {
	next(ctx context.Context) (json.RawMessage, error)
	rest() json.RawMessage
}

// Open reads the head of an answer. The body stays the caller's to close; the
// Reader's Close gives back what it needed itself.
func Open(body io.Reader, contentType, contentEncoding string, o Options) (*Reader, error) {
	if o.MaxBytes == 0 {
		o.MaxBytes = defaultMaxBytes
	}
	r := &Reader{in: &source{in: body}, options: o}
	if err := r.open(contentType, contentEncoding); err != nil {
		_ = r.Close()
		return nil, r.cause(err)
	}
	return r, nil
}

func (r *Reader) open(contentType, contentEncoding string) error {
	in, err := r.in.undo(contentEncoding)
	if err != nil {
		return err
	}
	head := bufio.NewReader(in)
	if r.options.Encoding != "none" {
		if head, err = r.in.gunzip(head); err != nil {
			return err
		}
		if isZip(head) {
			return r.openZip(head)
		}
	}
	r.decoder, err = document(head, contentType, r.options)
	return err
}

// document is the decoder of one document.
func document(in *bufio.Reader, contentType string, o Options) (decoder, error) {
	format := o.format(contentType)
	name := charset.Of(contentType)
	if name == "" && (format == "xml" || format == "feed") {
		head, _ := in.Peek(256)
		name = charset.Declared(head)
	}
	d, err := o.decoder(charset.Reader(in, name), contentType, format)
	if err != nil || o.JQ == nil {
		return d, err
	}
	return &whole{of: d, array: format != "json" && format != "xml", program: o.JQ, most: o.MaxBytes}, nil
}

func (o Options) decoder(in *bufio.Reader, contentType, format string) (decoder, error) {
	path := splitPath(o.Path)
	if o.JQ != nil {
		path = nil
	}
	switch format {
	case "json":
		return newJSON(in, contentType, path, o), nil
	case "xml":
		return newXML(in, path, o)
	case "feed":
		return &feed{in: in, most: o.MaxBytes}, nil
	case "ndjson", "csv":
		if len(path) > 0 {
			return nil, wrong("records.path leads nowhere in %s, of which each line is a record", format)
		}
		if format == "csv" {
			return newCSV(in, contentType, o)
		}
		return newLines(in, o.MaxBytes), nil
	}
	return nil, wrong("records.format is %q; there are json, ndjson, csv, xml and feed", format)
}

// Next is the next record as JSON in UTF-8: its exact bytes where the format is
// JSON, but for bytes that are not UTF-8, which are replaced. It is the caller's.
// io.EOF is after the last. Other errors are of type *Error, the context's, or
// wrap that of the body.
func (r *Reader) Next(ctx context.Context) (json.RawMessage, error) {
	if r.err != nil {
		return nil, r.err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	record, err := r.decoder.next(ctx)
	if err != nil {
		r.err = r.cause(err)
		return nil, r.err
	}
	return valid(record), nil
}

// Rest is, after io.EOF, the document without its records as JSON: an empty array
// stands in their place, or in xml nothing. It is the whole document where JQ
// makes the records, {title, link, updated, next, ttl} for a feed, {} for ndjson and
// csv, and that of the last file for a zip.
func (r *Reader) Rest() json.RawMessage { return valid(r.decoder.rest()) }

// Close gives back what the Reader keeps besides memory.
func (r *Reader) Close() error {
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	return err
}

// cause is what broke beneath the decoder, which has words of its own for it.
func (r *Reader) cause(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		return err
	case r.in.err != nil:
		return fmt.Errorf("read the answer: %w", r.in.err)
	case r.in.packing != nil:
		return r.in.packing
	}
	return err
}

// A source is the body, and keeps what broke in it or in what unpacks it.
type source struct {
	in      io.Reader
	err     error
	packing error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.in.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

func valid(b []byte) []byte {
	if utf8.Valid(b) {
		return b
	}
	return bytes.ToValidUTF8(b, []byte("\uFFFD"))
}
