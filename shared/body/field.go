package body

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

var errBase64 = errors.New("it is not base64")

// inField goes on with the field that is the real body. A form without it is
// taken as it is; where it cannot be read the form stays, with the reason.
func (r *Reader) inField(fields []field, form document) document {
	if r.field == "" {
		return form
	}
	for i := range fields {
		if fields[i].name != r.field || fields[i].file != nil {
			continue
		}
		d, err := r.readField(fields[i].value)
		if err != nil {
			form.unreadable = fmt.Errorf("the form's field %s: %w", r.field, err)
			return form
		}
		return d
	}
	return form
}

func (r *Reader) readField(value string) (document, error) {
	b := []byte(value)
	if r.fieldBase64 {
		var err error
		if b, err = decodeBase64(value); err != nil {
			return document{}, err
		}
	}
	var d document
	switch {
	case len(b) == 0 && r.fieldFormat == formatJSON:
		d = opaque([]byte{}, jsonType)
	case r.fieldFormat == formatJSON:
		d = readJSON(b, jsonType)
	case r.fieldFormat == formatXML:
		d = readXML(b, xmlType)
	default:
		d = opaque(b, textType)
	}
	return d, d.unreadable
}

// plainBase64 writes the URL's alphabet as the common one, without what lines
// are broken with. A space is a plus that the sender did not escape.
var plainBase64 = strings.NewReplacer("-", "+", "_", "/", " ", "+", "\r", "", "\n", "", "\t", "")

// decodeBase64 takes both alphabets, padded or not.
func decodeBase64(s string) ([]byte, error) {
	s = strings.TrimRight(plainBase64.Replace(strings.TrimSpace(s)), "=")
	b, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil {
		return nil, errBase64
	}
	return b, nil
}
