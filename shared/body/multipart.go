package body

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"strconv"

	"pushpull/shared/asjson"
	"pushpull/shared/charset"
	"pushpull/shared/form"
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
	named := charset.Of(contentType)
	var fields []field
	err := form.Parts(contentType, b, func(p form.Part) error {
		f, err := readPart(p, named, r.toJSON)
		fields = append(fields, f)
		return err
	})
	if err != nil {
		return unreadable(b, contentType, err)
	}
	d := document{data: b, contentType: contentType, view: appendFields(nil, fields, false)}
	if r.toJSON {
		d.made = appendFields(nil, fields, true)
	}
	return r.inField(fields, d)
}

func readPart(p form.Part, named string, contents bool) (field, error) {
	if p.Filename != "" {
		f, err := readFile(p, contents)
		return field{name: p.Name, file: f}, err
	}
	value, err := io.ReadAll(p)
	return field{name: p.Name, value: charset.Text(string(value), or(charset.Of(p.Type), named))}, err
}

func readFile(p form.Part, contents bool) (*file, error) {
	var data bytes.Buffer
	hash := sha256.New()
	out := io.Writer(hash)
	if contents {
		out = io.MultiWriter(hash, &data)
	}
	size, err := io.Copy(out, p)
	if err != nil {
		return nil, err
	}
	return &file{name: p.Filename, contentType: p.Type, size: size, sha256: hex.EncodeToString(hash.Sum(nil)), data: data.Bytes()}, nil
}

func (f *file) append(dst []byte, contents bool) []byte {
	dst = asjson.AppendText(append(dst, `{"filename":`...), f.name)
	dst = asjson.AppendText(append(dst, `,"content_type":`...), f.contentType)
	dst = strconv.AppendInt(append(dst, `,"size":`...), f.size, 10)
	dst = asjson.AppendText(append(dst, `,"sha256":`...), f.sha256)
	if contents {
		dst = append(dst, `,"data_base64":"`...)
		dst = append(base64.StdEncoding.AppendEncode(dst, f.data), '"')
	}
	return append(dst, '}')
}
