// Package form reads content types and forms, urlencoded ones and multiparts.
//
// Its one invariant: there is one reading. What a signature is checked on and
// what becomes the event are fields of the same, so that they cannot differ.
package form

import (
	"bytes"
	"strings"
)

// URLEncoded is the media type of the forms that are no multiparts.
const URLEncoded = "application/x-www-form-urlencoded"

// Media is a content type without its parameters, in small letters.
func Media(contentType string) string {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(media))
}

// IsMultipart reports whether a media type is one.
func IsMultipart(media string) bool { return strings.HasPrefix(media, "multipart/") }

// Charset is the charset that a content type names; "" where it names none.
func Charset(contentType string) string {
	_, parameters, _ := strings.Cut(contentType, ";")
	for parameters != "" {
		var p string
		p, parameters, _ = strings.Cut(parameters, ";")
		name, value, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.TrimSpace(name), "charset") {
			return strings.Trim(value, " \t\"'")
		}
	}
	return ""
}

// MayBeJSON looks whether a JSON object or array can begin here, in any charset:
// many send them under the name of a form.
func MayBeJSON(b []byte) bool {
	b = bytes.TrimLeft(b, " \n\t\r")
	if len(b) == 0 {
		return false
	}
	switch b[0] {
	case '{', '[', 0, 0xef, 0xfe, 0xff:
		return true
	}
	return false
}
