package event

import (
	"fmt"
	"net/url"
	"strings"
)

// A filter changes a value: {header.X-Id|lower}.
type filter func(string) string

// filters are those that a Spec's placeholders may have. {body.x|key} is apart:
// it is the name x where x is there, whatever it holds.
var filters = map[string]filter{
	"lower":    strings.ToLower,
	"upper":    strings.ToUpper,
	"unescape": unescape,
	"signed":   signed,
}

// signed is what is signed of a JSON Web Token: all but its last part, of which
// several spellings pass.
func signed(token string) string {
	token = strings.TrimSpace(token)
	return token[:max(strings.LastIndexByte(token, '.'), 0)]
}

// unescape decodes percent signs; what is no such text stays as it is.
func unescape(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

func parseFilters(names string) (list []filter, problem string) {
	if names == "" {
		return nil, ""
	}
	for name := range strings.SplitSeq(names, "|") {
		f, ok := filters[name]
		if !ok {
			return nil, fmt.Sprintf("unknown filter %q: there are lower, upper, unescape, signed, and key of a body's path alone", name)
		}
		list = append(list, f)
	}
	return list, ""
}
