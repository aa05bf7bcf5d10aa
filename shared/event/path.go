package event

import (
	"errors"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// ParsePath writes a path of names and array indexes for Value, so that @type or
// a*b are the names they look like. A dot within a name is written \. by the user.
func ParsePath(path string) (string, error) {
	list, err := steps(path)
	for i := range list {
		list[i] = gjson.Escape(list[i])
	}
	return strings.Join(list, "."), err
}

// steps are the names and indexes of a path.
func steps(path string) ([]string, error) {
	list := []string{""}
	for i := 0; i < len(path); i++ {
		last := len(list) - 1
		switch {
		case path[i] == '\\' && i+1 < len(path):
			i++
			list[last] += path[i : i+1]
		case path[i] == '.':
			list = append(list, "")
		default:
			list[last] += path[i : i+1]
		}
	}
	if slices.Contains(list, "") {
		return nil, errEmptyStep
	}
	return list, nil
}

var errEmptyStep = errors.New("the path has an empty step: write names and array indexes with single dots between them")

// Value is the value at a path in valid JSON, as text; false where it is absent
// or no scalar. Numbers stay as they were written: 10 and 10.0, or twenty digits,
// must not become the same identity.
func Value(document []byte, path string) (string, bool) {
	switch v := gjson.GetBytes(document, path); v.Type {
	case gjson.String:
		return v.Str, true
	case gjson.Number, gjson.True, gjson.False:
		return v.Raw, true
	default:
		return "", false
	}
}
