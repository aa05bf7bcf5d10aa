// Package body reads the body of an authentic request: it undoes the content
// encoding, reads the format, and splits it into events.
//
// Its one invariant: nothing is lost. What cannot be read is one event with the
// bytes as they came, and the reason beside it.
package body

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/form"
)

// A Message is what a request's body says.
type Message struct {
	Parts      []Part // the events, in their order; empty for an empty batch
	Unreadable error  // not nil: the body is not what its type says; then Parts has one part with the bytes as they are
}

// A Part is one event. Its bytes are parts of the body wherever they can be:
// do not change them.
type Part struct {
	Data        []byte // the event's data; never nil
	ContentType string // of Data; JSON where the bytes are known to be JSON
	View        []byte // valid JSON to identify from; {} where there is nothing to see (text, bytes, no body)
	Root        []byte // valid JSON: the whole body of which the part is an element; nil where it is the whole
	Parent      []byte // valid JSON: the element of the array above, or the whole body; nil as Root
}

// The formats that a config.Body may name.
const (
	formatAuto      = "auto"
	formatJSON      = "json"
	formatForm      = "form"
	formatMultipart = "multipart"
	formatXML       = "xml"
	formatNDJSON    = "ndjson"
	formatJWT       = "jwt"
	formatText      = "text"
	formatBytes     = "bytes"
)

const (
	jsonType = "application/json"
	xmlType  = "application/xml"
	textType = "text/plain"
)

// nothing is the view of what has none.
var nothing = []byte("{}")

// A Reader is a config.Body made ready. It is safe for concurrent use.
type Reader struct {
	format      string
	field       string
	fieldFormat string
	fieldBase64 bool
	each        []path
	add         []addition
	toJSON      bool
}

// Compile makes a config.Body ready. The error says all that is wrong with it.
func Compile(b config.Body) (*Reader, error) {
	r := &Reader{
		format: or(b.Format, formatAuto), field: b.Field, fieldFormat: or(b.FieldFormat, formatJSON),
		fieldBase64: b.FieldEncoding != "", toJSON: b.ToJSON,
	}
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	formats := []string{formatAuto, formatJSON, formatForm, formatMultipart, formatXML, formatNDJSON, formatJWT, formatText, formatBytes}
	if !slices.Contains(formats, r.format) {
		wrong("format %q is not known: there are %s", r.format, strings.Join(formats, ", "))
	}
	if r.field == "" && (b.FieldFormat != "" || b.FieldEncoding != "") {
		wrong("field_format and field_encoding describe a field: name it with field")
	}
	if r.field != "" && !slices.Contains([]string{formatAuto, formatForm, formatMultipart}, r.format) {
		wrong("field %q is for a form: leave format out, or make it form or multipart", r.field)
	}
	if inner := []string{formatJSON, formatXML, formatText}; !slices.Contains(inner, r.fieldFormat) {
		wrong("field_format %q is not known: there are %s", r.fieldFormat, strings.Join(inner, ", "))
	}
	if b.FieldEncoding != "" && b.FieldEncoding != "base64" {
		wrong("field_encoding %q is not known: there is base64", b.FieldEncoding)
	}
	if len(b.Each) > 0 && slices.Contains([]string{formatNDJSON, formatText, formatBytes}, r.format) {
		wrong("each does not go with format %s, which has no arrays: leave one of them out", r.format)
	}
	for i, text := range b.Each {
		p, err := parsePath(text)
		if err != nil {
			wrong("each %q is no path: %w", text, err)
		}
		if slices.Contains(b.Each[:i], text) {
			wrong("each has %q twice, and so would every event be there twice: leave one out", text)
		}
		r.each = append(r.each, p)
	}
	if len(b.Add) > 0 && len(b.Each) == 0 {
		wrong("add is for the elements that each finds: say where they are with each")
	}
	for _, name := range slices.Sorted(maps.Keys(b.Add)) {
		a, err := newAddition(name, b.Add[name])
		if err != nil {
			wrong("add %s: %q is not what can be added: %w", name, b.Add[name], err)
		}
		r.add = append(r.add, a)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return r, nil
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// A document is a body, or a form's field, that is read but not split.
type document struct {
	data        []byte
	contentType string // of data
	view        []byte // valid JSON
	made        []byte // the JSON that to_json makes of data; nil where data are JSON, or have none
	lines       []Part // the events, where the format is one of many
	split       bool   // lines count, even if there are none
	unreadable  error
}

// opaque is a document of which nothing can be seen.
func opaque(data []byte, contentType string) document {
	return document{data: data, contentType: contentType, view: nothing}
}

// unreadable is an opaque document that should not be one.
func unreadable(data []byte, contentType string, err error) document {
	d := opaque(data, contentType)
	d.unreadable = err
	return d
}

// Read reads a body whose content encoding is undone. It never fails: what is
// not as its type says is a part of its own.
func (r *Reader) Read(decoded []byte, contentType string) Message {
	if len(decoded) == 0 {
		return r.whole(opaque([]byte{}, contentType))
	}
	d := r.read(decoded, contentType)
	if d.split {
		return Message{Parts: d.lines}
	}
	return r.split(d)
}

// Opaque is a body that is still in an encoding: one event, with the bytes as
// they are.
func Opaque(encoded []byte, contentType string) Message {
	return Message{
		Parts:      []Part{{Data: encoded, ContentType: contentType, View: nothing}},
		Unreadable: ErrEncoding,
	}
}

// whole is a message of one event.
func (r *Reader) whole(d document) Message {
	if r.toJSON && d.made != nil && d.unreadable == nil {
		d.data, d.contentType = utf8JSON(d.made), jsonType
	}
	return Message{
		Parts:      []Part{{Data: d.data, ContentType: d.contentType, View: d.view}},
		Unreadable: d.unreadable,
	}
}

func (r *Reader) read(b []byte, contentType string) document {
	format := r.format
	switch format {
	case formatAuto:
		format = byType(contentType)
	case formatForm, formatMultipart:
		// Of the two it is the one that its type says: a signature in a field was
		// read by the type, and the event must be of the same fields.
		if said := byType(contentType); said == formatForm || said == formatMultipart {
			format = said
		}
	}
	// What is JSON is read as JSON whatever it is called: many send it under the
	// name of a form or under none, and nobody signs the name, so that a request
	// sent again under another must not be another event.
	if r.format == formatAuto && format != formatJSON && form.MayBeJSON(b) {
		if d := readJSON(b, contentType); d.unreadable == nil && (isObject(trim(d.view)) || isArray(trim(d.view))) {
			return d
		}
	}
	switch format {
	case formatJSON:
		return readJSON(b, contentType)
	case formatForm:
		return r.readForm(b, contentType)
	case formatMultipart:
		return r.readMultipart(b, contentType)
	case formatXML:
		return readXML(b, contentType)
	case formatNDJSON:
		return readLines(b, contentType)
	case formatJWT:
		return readJWT(b, contentType)
	}
	return opaque(b, contentType)
}

// byType is the format that a content type names; auto where it names none of ours.
func byType(contentType string) string {
	if event.IsJSON(contentType) {
		return formatJSON
	}
	switch media := form.Media(contentType); media {
	case form.URLEncoded:
		return formatForm
	case "text/xml", xmlType:
		return formatXML
	case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines", "application/json-seq":
		return formatNDJSON
	case "application/jwt":
		return formatJWT
	default:
		switch {
		case form.IsMultipart(media):
			return formatMultipart
		case strings.HasSuffix(media, "+xml"):
			return formatXML
		}
	}
	return formatAuto
}
