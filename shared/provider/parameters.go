package provider

import (
	"fmt"
	"regexp"
	"slices"
)

// parameter is a placeholder that the configuration fills in, before any engine sees it.
var parameter = regexp.MustCompile(`\{with\.([A-Za-z0-9_]+)\}`)

// FillIn replaces {with.name} by its value in every text below raw, in place;
// where a regular expression stands, by what matches the value alone. It returns
// the names that have no value, sorted.
func FillIn(raw map[string]any, with map[string]string) (missing []string) {
	f := filler{with: with, missing: &missing}
	for key, value := range raw {
		if key != "with" {
			raw[key] = f.under(key).fill(value)
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing)
}

type filler struct {
	with    map[string]string
	missing *[]string
	quote   bool // for a regular expression
}

// under is the filler for what is below a key.
func (f filler) under(key string) filler {
	f.quote = f.quote || key == "require" || key == "when" || key == "hosts"
	return f
}

func (f filler) fill(value any) any {
	switch value := value.(type) {
	case string:
		return parameter.ReplaceAllStringFunc(value, f.value)
	case []any:
		for i := range value {
			value[i] = f.fill(value[i])
		}
	case map[string]any:
		for key, inner := range value {
			value[key] = f.under(key).fill(inner)
		}
	}
	return value
}

func (f filler) value(text string) string {
	name := parameter.FindStringSubmatch(text)[1]
	given, ok := f.with[name]
	switch {
	case !ok || given == "":
		*f.missing = append(*f.missing, name)
		return text
	case f.quote:
		return regexp.QuoteMeta(given)
	}
	return given
}

// Parameter is how a parameter is asked for, by its name.
func (p Preset) Parameter(name string) string {
	if text := p.Parameters[name]; text != "" {
		return text
	}
	return fmt.Sprintf("a value for {with.%s}", name)
}
