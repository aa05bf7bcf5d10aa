package apiauth

import "encoding/json"

// eachText visits the texts of a JSON value.
func eachText(value any, visit func(string)) {
	switch value := value.(type) {
	case string:
		visit(value)
	case []any:
		for _, item := range value {
			eachText(item, visit)
		}
	case map[string]any:
		for _, item := range value {
			eachText(item, visit)
		}
	}
}

// withTexts is a JSON value with other texts.
func withTexts(value any, fill func(string) string) any {
	switch value := value.(type) {
	case string:
		return fill(value)
	case []any:
		out := make([]any, len(value))
		for i, item := range value {
			out[i] = withTexts(item, fill)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(value))
		for name, item := range value {
			out[name] = withTexts(item, fill)
		}
		return out
	}
	return value
}

func jsonOf(value any) []byte {
	b, err := json.Marshal(value)
	if err != nil {
		return nil // it came from JSON
	}
	return b
}
