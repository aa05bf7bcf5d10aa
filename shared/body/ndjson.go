package body

import (
	"bytes"
	"errors"

	"pushpull/shared/charset"
	"pushpull/shared/event"
)

const recordSeparator = '\x1e' // begins each text of application/json-seq

var errLines = errors.New("no line of the body is valid JSON")

// readLines makes each line an event. One that is no JSON is an event as well,
// of which nothing can be seen.
func readLines(b []byte, contentType string) document {
	d := document{data: b, contentType: contentType, view: nothing, split: true}
	seen := false
	rest := charset.UTF8(b, charset.Of(contentType))
	separator := []byte{'\n'}
	if len(rest) > 0 && rest[0] == recordSeparator {
		separator[0] = recordSeparator // then a text may have several lines
	}
	for len(rest) > 0 {
		var line []byte
		line, rest, _ = bytes.Cut(rest, separator)
		if line = trim(line); len(line) == 0 {
			continue
		}
		if len(d.lines) == maxElements {
			return unreadable(b, contentType, errTooMany)
		}
		part := Part{Data: line, ContentType: contentType, View: nothing}
		if event.ValidJSON(line) {
			part.ContentType, part.View, seen = jsonType, line, true
		}
		d.lines = append(d.lines, part)
	}
	if len(d.lines) > 0 && !seen {
		return unreadable(b, contentType, errLines)
	}
	return d
}
