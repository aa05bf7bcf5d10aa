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
// is another, or it cannot be read, or others might read something else: what
// was signed must be what becomes the event.
func readForm(contentType string, body []byte) url.Values {
	// Quotes could hide a charset from one reader and show it to another.
	if strings.Contains(contentType, `"`) && !strings.HasPrefix(contentType, "multipart/") {
		return nil
	}
	media, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || !plainCharset(parameters["charset"]) {
		return nil
	}
	switch {
	case media == "application/x-www-form-urlencoded":
		if bytes.Count(body, []byte("&")) > maxFields || mayBeJSON(body) {
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

// plainCharset reports whether a charset leaves ASCII as it is. In others a name
// may be written in several ways.
func plainCharset(name string) bool {
	switch strings.ToLower(name) {
	case "", "utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "windows-1252":
		return true
	}
	return false
}

// mayBeJSON reports whether a form could be read as JSON too, which many send
// under the name of a form.
func mayBeJSON(form []byte) bool {
	start := strings.TrimLeft(string(form[:min(len(form), 1024)]), "\xef\xbb\xbf \t\r\n")
	return start == "" && len(form) > 0 || strings.HasPrefix(start, "{") || strings.HasPrefix(start, "[") ||
		bytes.IndexByte(form, 0) >= 0 // or JSON in UTF-16
}

func readMultipart(boundary string, body []byte) url.Values {
	fields := url.Values{}
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for range maxFields {
		part, err := r.NextPart()
		if err == io.EOF { //nolint:errorlint // the reader returns it as it is
			return fields
		}
		if err != nil {
			return nil
		}
		_, parameters, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if !plainCharset(parameters["charset"]) {
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
