package httpd

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
)

var headEnd = []byte("\r\n\r\n")

// readHead returns the head of the next request with its empty line, still in
// the buffer. With an error, what it returns is not a whole head.
func readHead(in *bufio.Reader) ([]byte, error) {
	for n := 1; ; {
		_, err := in.Peek(n)
		buffered, _ := in.Peek(in.Buffered())
		if end := bytes.Index(buffered, headEnd); end >= 0 {
			return buffered[:end+len(headEnd)], nil
		}
		if err != nil {
			return buffered, err
		}
		if n = len(buffered) + 1; n > size {
			return buffered, bufio.ErrBufferFull
		}
	}
}

// chunked is the length of a body that comes in chunks.
const chunked = -1

// parse reads a head. It takes only the plain form that programs send, and
// reports false for all else: what is rare, what is wrong, what is doubtful.
func parse(head []byte) (r *http.Request, length int64, plain bool) {
	line, rest, _ := strings.Cut(string(head), "\r\n")
	method, target, _ := strings.Cut(line, " ")
	path, version := strings.CutSuffix(target, " HTTP/1.1")
	if !version || method != http.MethodGet && method != http.MethodPost || !plainPath(path) {
		return nil, 0, false
	}
	header, ok := parseHeader(rest)
	if !ok || len(header["Host"]) != 1 || header["Expect"] != nil || header["Upgrade"] != nil {
		return nil, 0, false
	}
	if c, there := header["Connection"]; there && (len(c) != 1 || !strings.EqualFold(c[0], "keep-alive")) {
		return nil, 0, false
	}
	if length, ok = bodyLength(header); !ok || method == http.MethodGet && length != 0 {
		return nil, 0, false
	}
	r = &http.Request{
		Method: method, URL: &url.URL{Path: path}, RequestURI: path, Host: header["Host"][0],
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header, ContentLength: length,
	}
	delete(header, "Host")
	if length == chunked {
		r.TransferEncoding = []string{"chunked"}
		delete(header, "Transfer-Encoding")
		delete(header, "Trailer") // whatever is announced, all that comes is taken
	}
	return r, length, true
}

// plainPath tells a path that is its own URL: no escapes, no query, no dots to resolve.
func plainPath(path string) bool {
	for i := range len(path) {
		c := path[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '/' && c != '-' && c != '_' {
			return false
		}
	}
	return strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//")
}

// parseHeader reads lines of "Name: value" up to the empty one. Names and values
// are parts of one string, as the head is read once and gone soon.
func parseHeader(text string) (http.Header, bool) {
	n := max(0, strings.Count(text, "\r\n")-1)
	header, values := make(http.Header, n), make([]string, 0, n)
	for {
		line, rest, _ := strings.Cut(text, "\r\n")
		if line == "" {
			return header, rest == ""
		}
		text = rest
		name, value, ok := strings.Cut(line, ":")
		if !ok || !plainName(name) || !plainValue(value) {
			return nil, false
		}
		name = textproto.CanonicalMIMEHeaderKey(name)
		value = strings.Trim(value, " \t")
		if earlier := header[name]; earlier != nil {
			header[name] = append(earlier, value)
			continue
		}
		values = append(values, value)
		header[name] = values[len(values)-1 : len(values) : len(values)]
	}
}

func plainName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return name != ""
}

func plainValue(value string) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c >= 0x7f {
			return false
		}
	}
	return true
}

// bodyLength is how long the body is. Two lengths, or a length and chunks, are
// how one server is made to see another request than the next.
func bodyLength(header http.Header) (int64, bool) {
	lengths, codings := header["Content-Length"], header["Transfer-Encoding"]
	switch {
	case len(lengths) == 0 && len(codings) == 0:
		return 0, true
	case len(lengths) == 0 && len(codings) == 1 && codings[0] == "chunked":
		return chunked, true
	case len(lengths) == 1 && len(codings) == 0:
		n, err := strconv.ParseUint(lengths[0], 10, 63)
		return int64(n), err == nil
	}
	return 0, false
}

// A body is that of a request. It is read by one goroutine, the handler's.
type body struct {
	in      *bufio.Reader
	r       *http.Request
	content io.Reader
	left    int64 // of a body with a length
	err     error // what every further read says
}

// attach gives the request its body.
func attach(r *http.Request, in *bufio.Reader, length int64) *body {
	b := &body{in: in, r: r, left: length}
	switch length {
	case 0:
		b.err = io.EOF
		r.Body = http.NoBody
		return b
	case chunked:
		b.content = httputil.NewChunkedReader(in)
	default:
		b.content = io.LimitReader(in, length)
	}
	r.Body = b
	return b
}

// Read reads the body, and what trails behind chunks at its end.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	n, err := b.content.Read(p)
	if b.r.ContentLength != chunked {
		b.left -= int64(n)
		switch {
		case b.left == 0:
			err = io.EOF
		case errors.Is(err, io.EOF):
			err = io.ErrUnexpectedEOF
		}
	} else if errors.Is(err, io.EOF) {
		err = b.readTrailer()
	}
	b.err = err
	return n, err
}

// readTrailer reads the lines after the last chunk, up to the empty one.
func (b *body) readTrailer() error {
	const most = 64 << 10
	var text []byte
	for len(text) < most {
		line, err := b.in.ReadSlice('\n')
		if err != nil {
			return io.ErrUnexpectedEOF
		}
		text = append(text, line...)
		if string(line) == "\r\n" {
			trailer, ok := parseHeader(string(text))
			if !ok {
				return errTrailer
			}
			if len(trailer) > 0 {
				b.r.Trailer = trailer
			}
			return io.EOF
		}
	}
	return errTrailer
}

var errTrailer = errors.New("what trails the chunks of the body is not a header")

// Close leaves the rest to drain.
func (b *body) Close() error { return nil }

// drain reads what the handler left, and reports false where another request
// cannot follow.
func (b *body) drain() bool {
	const most = 256 << 10 // more of it is cheaper to cut
	if b.err == nil {
		_, _ = io.CopyN(io.Discard, b, most)
	}
	return b.err == io.EOF //nolint:errorlint // it is exactly that, or broken
}
