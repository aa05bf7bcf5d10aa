package form

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"
)

const maxFields = 10_000

var errFields = fmt.Errorf("the form has more than %d fields", maxFields)

// Pairs calls take with each name and value of an urlencoded form, in their
// order. What cannot be decoded stays as it is written, and then exact is false:
// others may read something else.
func Pairs(b []byte, take func(name, value string, exact bool)) error {
	if bytes.Count(b, []byte("&")) >= 2*maxFields {
		return errFields // before it costs anything
	}
	n := 0
	for pair := range strings.SplitSeq(string(b), "&") {
		if pair == "" {
			continue
		}
		if n == maxFields {
			return errFields
		}
		n++
		name, value, _ := strings.Cut(pair, "=")
		plainName, nameErr := url.QueryUnescape(name)
		plainValue, valueErr := url.QueryUnescape(value)
		if nameErr == nil {
			name = plainName
		}
		if valueErr == nil {
			value = plainValue
		}
		// A semicolon is a separator to some.
		take(name, value, nameErr == nil && valueErr == nil && !strings.Contains(pair, ";"))
	}
	return nil
}
