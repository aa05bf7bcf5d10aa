package guard

import (
	"net/url"
	"slices"
	"strings"
)

// Climbs tells whether a path has steps that lead out of where it was written to
// lead, in any spelling that a server may take for one.
func Climbs(u *url.URL) bool {
	steps := strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' || r == '\\' })
	return slices.ContainsFunc(steps, func(step string) bool {
		name, _, _ := strings.Cut(step, ";")
		if again, err := url.PathUnescape(name); err == nil {
			name = again
		}
		return name == "." || name == ".." || strings.Contains(name, "../") || strings.Contains(name, "/..")
	})
}
