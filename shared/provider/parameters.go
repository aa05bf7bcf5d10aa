package provider

import (
	"fmt"
	"regexp"
	"slices"
)

// parameter is a placeholder that the configuration fills in, before any engine sees it.
var parameter = regexp.MustCompile(`\{with\.([A-Za-z0-9_]+)\}`)

// FillIn replaces {with.name} by its value in every text below raw, in place. It
// returns the names that have no value, sorted.
func FillIn(raw map[string]any, with map[string]string) (missing []string) {
	for key, value := range raw {
		if key != "with" {
			raw[key] = fillIn(value, with, &missing)
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing)
}

func fillIn(value any, with map[string]string, missing *[]string) any {
	switch value := value.(type) {
	case string:
		return parameter.ReplaceAllStringFunc(value, func(text string) string {
			name := parameter.FindStringSubmatch(text)[1]
			if given, ok := with[name]; ok && given != "" {
				return given
			}
			*missing = append(*missing, name)
			return text
		})
	case []any:
		for i := range value {
			value[i] = fillIn(value[i], with, missing)
		}
	case map[string]any:
		for key, inner := range value {
			value[key] = fillIn(inner, with, missing)
		}
	}
	return value
}

// Parameter is how a parameter is asked for, by its name.
func (p Preset) Parameter(name string) string {
	if text := p.Parameters[name]; text != "" {
		return text
	}
	return fmt.Sprintf("a value for {with.%s}", name)
}
