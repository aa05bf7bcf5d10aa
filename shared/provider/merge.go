package provider

// Under puts the fields of a base where own has none, field by field: a preset's
// under a source's, what resources have in common under each of them.
// Another scheme or type has other fields, so it replaces the whole; and so does
// a list.
func Under(own, base map[string]any) {
	for key, value := range base {
		mine, there := own[key]
		if !there {
			own[key] = value
			continue
		}
		theirs, ok := value.(map[string]any)
		ours, ok2 := mine.(map[string]any)
		if !ok || !ok2 {
			continue
		}
		if differs(ours, theirs, "scheme") || differs(ours, theirs, "type") {
			continue
		}
		Under(ours, theirs)
	}
}

func differs(own, base map[string]any, key string) bool {
	a, ok := own[key].(string)
	b, ok2 := base[key].(string)
	return ok && ok2 && a != b
}
