package form

import (
	"errors"
	"io"
	"mime"
	"net/url"
	"strings"
)

var errCharset = errors.New("the part is in a charset in which a name may be written in several ways")

// Exact are the fields of a form or of a multipart, without its files. Nil where
// the type is another, or it cannot be read, or others might read something else:
// nothing may rest on what a signed form is to one reader alone.
func Exact(contentType string, b []byte) url.Values {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil || !plainCharset(contentType) {
		return nil
	}
	switch {
	case media == URLEncoded:
		return exactPairs(b)
	case IsMultipart(media):
		return exactParts(contentType, b)
	}
	return nil
}

func exactPairs(b []byte) url.Values {
	if MayBeJSON(b) {
		return nil
	}
	fields, all := url.Values{}, true
	err := Pairs(b, func(name, value string, exact bool) {
		fields.Add(name, value)
		all = all && exact
	})
	if err != nil || !all {
		return nil
	}
	return fields
}

func exactParts(contentType string, b []byte) url.Values {
	fields := url.Values{}
	err := Parts(contentType, b, func(p Part) error {
		if !plainCharset(p.Type) {
			return errCharset
		}
		if p.Filename != "" {
			return nil
		}
		value, err := io.ReadAll(p)
		fields.Add(p.Name, string(value))
		return err
	})
	if err != nil {
		return nil
	}
	return fields
}

// plainCharset reports whether the charset that a content type names leaves ASCII
// as it is. In others a name may be written in several ways. Quotes could hide
// one from a simple reader and show it to a strict one, so both are asked.
func plainCharset(contentType string) bool {
	_, parameters, _ := mime.ParseMediaType(contentType) // nothing of one that it cannot read
	return keepsASCII(parameters["charset"]) && keepsASCII(Charset(contentType))
}

func keepsASCII(charset string) bool {
	switch strings.ToLower(charset) {
	case "", "utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "windows-1252":
		return true
	}
	return false
}
