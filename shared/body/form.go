package body

import (
	"pushpull/shared/asjson"
	"pushpull/shared/charset"
	"pushpull/shared/form"
)

// A field of a form or of a multipart.
type field struct {
	name  string
	value string
	file  *file // of a multipart; then value is empty
}

// readForm reads name=value&…; what cannot be decoded stays as it is written.
func (r *Reader) readForm(b []byte, contentType string) document {
	named := charset.Of(contentType)
	var fields []field
	err := form.Pairs(b, func(name, value string, _ bool) {
		fields = append(fields, field{name: charset.Text(name, named), value: charset.Text(value, named)})
	})
	if err != nil {
		return unreadable(b, contentType, err)
	}
	view := appendFields(nil, fields, false)
	return r.inField(fields, document{data: b, contentType: contentType, view: view, made: view})
}

// appendFields appends the object that a form is in JSON.
func appendFields(dst []byte, fields []field, contents bool) []byte {
	return asjson.AppendObject(dst, len(fields),
		func(i int) string { return fields[i].name },
		func(dst []byte, i int) []byte {
			if f := fields[i].file; f != nil {
				return f.append(dst, contents)
			}
			return asjson.AppendText(dst, fields[i].value)
		})
}
