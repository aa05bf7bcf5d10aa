package webhook

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strings"
)

// The limits of a form that is read before its sender is known.
const (
	maxFields = 2000
	maxField  = 1 << 20
)

// readForm reads the text fields of a form or of a multipart. Nil where the type
// is another, or it cannot be read.
func readForm(contentType string, body []byte) url.Values {
	media, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil
	}
	switch {
	case media == "application/x-www-form-urlencoded":
		if bytes.Count(body, []byte("&")) > maxFields {
			return nil
		}
		fields, err := url.ParseQuery(string(body))
		if err != nil {
			return nil
		}
		return fields
	case strings.HasPrefix(media, "multipart/"):
		return readMultipart(parameters["boundary"], body)
	}
	return nil
}

func readMultipart(boundary string, body []byte) url.Values {
	fields := url.Values{}
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for range maxFields {
		part, err := r.NextRawPart()
		if err == io.EOF { //nolint:errorlint // the reader returns it as it is
			return fields
		}
		if err != nil {
			return nil
		}
		if part.FileName() != "" {
			continue
		}
		value, err := io.ReadAll(io.LimitReader(part, maxField+1))
		if err != nil || len(value) > maxField {
			return nil
		}
		fields.Add(part.FormName(), string(value))
	}
	return nil
}
