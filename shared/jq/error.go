package jq

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/itchyny/gojq"
)

// What a run is ended for.
var (
	ErrTime   = errors.New("the expression takes too long over this input")
	ErrValues = errors.New("the expression makes too many values of this input")
)

// An Error says that an expression does not fit its input. It has none of the
// input in it.
type Error struct {
	Expr string
	err  error
}

func (e *Error) Error() string { return "jq " + excerpt(e.Expr) + ": " + e.err.Error() }

// Unwrap gives ErrTime or ErrValues where one of them is the reason.
func (e *Error) Unwrap() error { return e.err }

// reason is what gojq says, as far as it is not of the input: it shows values in
// brackets and quotes.
func reason(err error) string {
	if _, ok := errors.AsType[gojq.ValueError](err); ok {
		return "the expression itself calls error, with a value that is not shown"
	}
	text := err.Error()
	if i := strings.IndexAny(text, "(\"{["); i >= 0 {
		text = text[:i]
	}
	text = strings.TrimSuffix(strings.TrimRight(text, " :"), " cannot be applied to")
	if !strings.Contains(text, " ") {
		text += " cannot be applied to this value" // the name of a function
	}
	return text
}

func syntaxError(expr string, err error) error {
	parse, ok := errors.AsType[*gojq.ParseError](err)
	if !ok {
		return fmt.Errorf("jq %s: %w", excerpt(expr), err)
	}
	// The offset is that behind the token; people look at its beginning.
	at := max(min(parse.Offset, len(expr))-len(parse.Token), 0)
	return fmt.Errorf("jq %s: %w at %s", excerpt(expr), err, place(expr, at))
}

var named = regexp.MustCompile(`: (\$?[\w:]+)`)

// meaningError finds the place of what is not defined: gojq names it only.
func meaningError(expr string, err error) error {
	if name := named.FindStringSubmatch(err.Error()); name != nil {
		if at := strings.Index(expr, name[1]); at >= 0 {
			return fmt.Errorf("jq %s: %w at %s", excerpt(expr), err, place(expr, at))
		}
	}
	return fmt.Errorf("jq %s: %w", excerpt(expr), err)
}

// place is the line, where there are several, and the column, both from 1.
func place(expr string, at int) string {
	before := expr[:at]
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	if !strings.Contains(expr, "\n") {
		return fmt.Sprintf("column %d", column)
	}
	return fmt.Sprintf("line %d, column %d", strings.Count(before, "\n")+1, column)
}
