package body

import (
	"bytes"
	"errors"
	"unicode/utf8"

	"pushpull/shared/charset"
	"pushpull/shared/event"
)

var errJSON = errors.New("the body is not valid JSON, or it is more than 10,000 levels deep")

// readJSON reads the usual case with one scan and no copy. Of members with the
// same name the first counts; numbers stay as they are written.
func readJSON(b []byte, contentType string) document {
	named := charset.Of(contentType)
	if named == "" && event.ValidJSON(b) {
		return document{data: b, contentType: ofJSON(contentType), view: b}
	}
	// What is valid in another charset is not valid as it is, and the other way
	// round, but for those that keep ASCII: there the name decides.
	if view := charset.UTF8(b, named); event.ValidJSON(view) {
		return jsonDocument(b, view, contentType)
	}
	if named != "" && event.ValidJSON(b) {
		return jsonDocument(b, b, contentType)
	}
	return unreadable(b, contentType, errJSON)
}

func jsonDocument(data, view []byte, contentType string) document {
	d := document{data: data, contentType: contentType, view: view}
	if &data[0] == &view[0] {
		d.contentType = ofJSON(contentType)
	} else {
		d.made = view
	}
	return d
}

// ofJSON is the content type of bytes that are JSON whatever the sender called
// them, so that whoever reads them next knows. No type means JSON already.
func ofJSON(contentType string) string {
	if contentType == "" || event.IsJSON(contentType) {
		return contentType
	}
	return jsonType
}

// utf8JSON is a view that is handed on as data. Strict readers refuse JSON that
// is not UTF-8, so it is made that here, where identities do not depend on it.
func utf8JSON(view []byte) []byte {
	if utf8.Valid(view) {
		return view
	}
	return bytes.ToValidUTF8(view, []byte("\uFFFD"))
}
