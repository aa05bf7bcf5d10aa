package load

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Problem is one thing that is wrong, or doubtful, in one place.
type Problem struct {
	File    string `json:"file"`              // as it was given to Load
	Line    int    `json:"line,omitempty"`    // from 1; 0 where the whole file is meant
	Column  int    `json:"column,omitempty"`  // from 1
	Path    string `json:"path,omitempty"`    // such as sources.stripe.webhook.secret
	Text    string `json:"text,omitempty"`    // the offending text; never the value of a secret
	What    string `json:"what"`              // what is wrong
	Mend    string `json:"mend,omitempty"`    // what to do about it
	Warning bool   `json:"warning,omitempty"` // doubtful, not wrong
}

// String is the problem on one line:
//
//	config/sources.yaml:14:7: sources.stripe.webhook.secrett: unknown key "secrett": did you mean "secret"?
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	if p.Warning {
		b.WriteString(": warning")
	}
	for _, part := range []string{p.Path, p.What, p.Mend} {
		if part != "" {
			b.WriteString(": " + part)
		}
	}
	return b.String()
}

// Errors are the problems that are no warnings.
func Errors(problems []Problem) []Problem {
	return slices.DeleteFunc(slices.Clone(problems), func(p Problem) bool { return p.Warning })
}

// sorted puts the problems in reading order, each once: an alias would show the
// same place again.
func sorted(problems []Problem) []Problem {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.What, b.What), cmp.Compare(a.Path, b.Path))
	})
	return slices.CompactFunc(problems, func(a, b Problem) bool {
		return a.File == b.File && a.Line == b.Line && a.Column == b.Column && a.What == b.What
	})
}
