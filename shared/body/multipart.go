package body

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/textproto"
	"strconv"
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

// A file of a multipart. Its data are kept only where they are asked for.
type file struct {
	name        string
	contentType string
	size        int64
	sha256      string // hex
	data        []byte
}

// readMultipart reads fields and files.
func (r *Reader) readMultipart(b []byte, contentType string) document {
	fields, err := parseMultipart(b, contentType, r.toJSON)
	if err != nil {
		return unreadable(b, contentType, err)
	}
	d := document{data: b, contentType: contentType, view: appendFields(nil, fields, false)}
	if r.toJSON {
		d.made = appendFields(nil, fields, true)
	}
	return r.inField(fields, d)
}

func parseMultipart(b []byte, contentType string, contents bool) (fields []field, err error) {
	_, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || parameters["boundary"] == "" {
		return nil, errMultipart
	}
	// The reader's end of file may be the body's, in the middle of a part.
	if !bytes.Contains(b, []byte("--"+parameters["boundary"]+"--")) {
		return nil, errMultipart
	}
	parts := multipart.NewReader(bytes.NewReader(b), parameters["boundary"])
	for {
		p, err := parts.NextPart()
		switch {
		case err == io.EOF: //nolint:errorlint // a wrapped one is not the last boundary
			return fields, nil
		case err != nil:
			return nil, errMultipart
		case len(fields) == maxParts:
			return nil, errParts
		case headerSize(p.Header) > maxPartHeaders:
			return nil, errPartHeaders
		}
		f, err := readPart(p, charsetOf(contentType), contents)
		if err != nil {
			return nil, errMultipart
		}
		fields = append(fields, f)
	}
}

func readPart(p *multipart.Part, charset string, contents bool) (field, error) {
	name, contentType := p.FormName(), p.Header.Get("Content-Type")
	if filename := p.FileName(); filename != "" {
		f, err := readFile(p, contents)
		if f != nil {
			f.name, f.contentType = filename, contentType
		}
		return field{name: name, file: f}, err
	}
	value, err := io.ReadAll(p)
	return field{name: name, value: textIn(string(value), or(charsetOf(contentType), charset))}, err
}

func readFile(in io.Reader, contents bool) (*file, error) {
	var data bytes.Buffer
	hash := sha256.New()
	out := io.Writer(hash)
	if contents {
		out = io.MultiWriter(hash, &data)
	}
	size, err := io.Copy(out, in)
	if err != nil {
		return nil, err
	}
	return &file{size: size, sha256: hex.EncodeToString(hash.Sum(nil)), data: data.Bytes()}, nil
}

func headerSize(h textproto.MIMEHeader) (n int) {
	for name, values := range h {
		for _, value := range values {
			n += len(name) + len(value)
		}
	}
	return n
}

func (f *file) append(dst []byte, contents bool) []byte {
	dst = appendText(append(dst, `{"filename":`...), f.name)
	dst = appendText(append(dst, `,"content_type":`...), f.contentType)
	dst = strconv.AppendInt(append(dst, `,"size":`...), f.size, 10)
	dst = appendText(append(dst, `,"sha256":`...), f.sha256)
	if contents {
		dst = append(dst, `,"data_base64":"`...)
		dst = append(base64.StdEncoding.AppendEncode(dst, f.data), '"')
	}
	return append(dst, '}')
}
