package event

import (
	"fmt"
	"strings"
)

// A Part is a piece of a template: a text as it stands, or the name of a
// placeholder (without its braces).
type Part struct {
	Literal     string
	Placeholder string
}

// MakeTemplate makes a template ready: each part is what literal or placeholder
// makes of it.
func MakeTemplate[P any](s string, literal func(text string) P, placeholder func(name string) (P, error)) ([]P, error) {
	parts, err := ParseTemplate(s)
	if err != nil {
		return nil, err
	}
	made := make([]P, len(parts))
	for i, p := range parts {
		if p.Placeholder == "" {
			made[i] = literal(p.Literal)
		} else if made[i], err = placeholder(p.Placeholder); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// ParseTemplate splits a template such as "{type}:{body.id}" into its parts.
func ParseTemplate(s string) ([]Part, error) {
	var parts []Part
	for s != "" {
		open := strings.IndexAny(s, "{}")
		if open < 0 {
			return append(parts, Part{Literal: s}), nil
		}
		if s[open] == '}' {
			return nil, fmt.Errorf("a } without its { in %q", s)
		}
		if open > 0 {
			parts = append(parts, Part{Literal: s[:open]})
		}
		name, rest, ok := strings.Cut(s[open+1:], "}")
		if !ok || strings.Contains(name, "{") {
			return nil, fmt.Errorf("a { without its } in %q", s)
		}
		if name == "" {
			return nil, fmt.Errorf("nothing between { and } in %q", s)
		}
		parts = append(parts, Part{Placeholder: name})
		s = rest
	}
	return parts, nil
}
