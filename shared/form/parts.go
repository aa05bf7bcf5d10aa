package form

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/textproto"
)

const (
	maxParts       = 1_000
	maxPartHeaders = 64 << 10 // bytes
)

var (
	errMultipart   = errors.New("the body is not a whole multipart with the boundary that its content type names")
	errParts       = fmt.Errorf("the multipart has more than %d parts", maxParts)
	errPartHeaders = fmt.Errorf("a part of the multipart has more than %d bytes of headers", maxPartHeaders)
)

// A Part of a multipart is a field or a file. It is read while it is taken.
type Part struct {
	Name     string
	Filename string // "" where it is a field
	Type     string // its content type, as it is written
	io.Reader
}

// Parts calls take with each part of a multipart, in their order.
func Parts(contentType string, b []byte, take func(Part) error) error {
	_, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || parameters["boundary"] == "" {
		return errMultipart
	}
	// The reader's end of file may be the body's, in the middle of a part.
	if !bytes.Contains(b, []byte("--"+parameters["boundary"]+"--")) {
		return errMultipart
	}
	parts := multipart.NewReader(bytes.NewReader(b), parameters["boundary"])
	for n := 0; ; n++ {
		p, err := parts.NextPart()
		switch {
		case err == io.EOF: // a wrapped one is not the last boundary
			return nil
		case err != nil:
			return errMultipart
		case n == maxParts:
			return errParts
		case headerSize(p.Header) > maxPartHeaders:
			return errPartHeaders
		}
		if take(Part{Name: p.FormName(), Filename: p.FileName(), Type: p.Header.Get("Content-Type"), Reader: p}) != nil {
			return errMultipart
		}
	}
}

func headerSize(h textproto.MIMEHeader) (n int) {
	for name, values := range h {
		for _, value := range values {
			n += len(name) + len(value)
		}
	}
	return n
}
