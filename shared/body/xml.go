package body

import (
	"bytes"
	"errors"
	"io"

	"pushpull/shared/asjson"
	"pushpull/shared/charset"
)

var errXMLSize = errors.New("the XML would be more than eight times as large in JSON")

// readXML makes JSON of XML, as docs/webhooks.md has it.
func readXML(b []byte, contentType string) document {
	named := charset.Of(contentType)
	if named == "" {
		named = charset.Declared(b)
	}
	text := charset.UTF8(b, named)
	x := asjson.NewXML(bytes.NewReader(text), nil, len(text))
	if _, err := x.Next(); !errors.Is(err, io.EOF) {
		return unreadable(b, contentType, err)
	}
	view := x.Rest()
	if len(view) > 8*len(text)+1024 {
		return unreadable(b, contentType, errXMLSize)
	}
	return document{data: b, contentType: contentType, view: view, made: view}
}
