package pull

import "strings"

// nextLink finds the target of rel=next in Link headers (RFC 8288): any number
// of headers, commas and semicolons within targets and quoted texts, several
// relations in one rel. "" where there is none.
func nextLink(headers []string) string {
	for _, header := range headers {
		rest := header
		for {
			open := strings.IndexByte(rest, '<')
			if open < 0 {
				break
			}
			end := strings.IndexByte(rest[open:], '>')
			if end < 0 {
				break
			}
			target := strings.TrimSpace(rest[open+1 : open+end])
			var rel string
			rel, rest = linkRelation(rest[open+end+1:])
			for name := range strings.FieldsSeq(rel) {
				if strings.EqualFold(name, "next") {
					return target
				}
			}
		}
	}
	return ""
}

// linkRelation reads the parameters after a target up to the comma that ends
// them, and returns the first rel (later ones do not count) and what follows.
func linkRelation(s string) (rel, rest string) {
	found := false
	for {
		s = strings.TrimLeft(s, " \t;")
		if s == "" || s[0] == ',' {
			return rel, strings.TrimPrefix(s, ",")
		}
		n := strings.IndexAny(s, "=;,")
		if n < 0 {
			return rel, ""
		}
		name := strings.TrimSpace(s[:n])
		if s[n] != '=' {
			s = s[n:]
			continue
		}
		var value string
		value, s = linkValue(strings.TrimLeft(s[n+1:], " \t"))
		if !found && strings.EqualFold(name, "rel") {
			rel, found = value, true
		}
	}
}

// linkValue reads a token or a quoted text.
func linkValue(s string) (value, rest string) {
	if !strings.HasPrefix(s, `"`) {
		n := strings.IndexAny(s, ";,")
		if n < 0 {
			n = len(s)
		}
		return strings.TrimSpace(s[:n]), s[n:]
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), ""
}
