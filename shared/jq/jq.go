// Package jq runs the jq expressions of a configuration over data that others
// send. An expression is the team's own and trusted with memory; the data is
// not: whatever it is, a run ends within its time and gives out no more than its
// number of values, and an error never shows any of the data.
//
// A run's time is looked at between the steps of the expression. One step over
// one large value, such as sort, tojson or a text times a number, is finished
// first; what a step may make is bounded by gojq alone (a text of 2 GiB, an array
// of 2^29), and what a run holds at once by nothing but its time: an expression
// that recurses for ever gets to about a gigabyte in its second.
package jq

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/itchyny/gojq"
)

// Options bound each run of a program. Zero means the default.
type Options struct {
	Timeout time.Duration // default 1 s
	Values  int           // how many values a run may give out; default 10,000
}

// maxLength keeps the compiler's recursion, a few frames for each bracket, small.
const maxLength = 64 << 10 // bytes

// A Program is a compiled expression. Goroutines may share it.
type Program struct {
	expr    string
	code    *gojq.Code
	vars    int
	options Options
}

// Compile compiles an expression with the default bounds. The vars are the names
// of its variables, without the dollar sign. An expression can reach nothing
// outside of its input: no environment, files, modules or further inputs.
func Compile(expr string, vars ...string) (*Program, error) {
	return Options{}.Compile(expr, vars...)
}

// Compile compiles an expression whose runs are bounded by o.
func (o Options) Compile(expr string, vars ...string) (*Program, error) {
	if len(expr) > maxLength {
		return nil, fmt.Errorf("the jq expression is longer than %d bytes", maxLength)
	}
	query, err := gojq.Parse(expr)
	if err != nil {
		return nil, syntaxError(expr, err)
	}
	names := make([]string, len(vars))
	for i, name := range vars {
		names[i] = "$" + name
	}
	environment := false
	code, err := gojq.Compile(query,
		gojq.WithVariables(names),
		gojq.WithEnvironLoader(func() []string { environment = true; return nil }))
	switch {
	case err != nil:
		return nil, meaningError(expr, err)
	case environment:
		return nil, fmt.Errorf("jq %s: env and $ENV are not there: an expression does not see the environment", excerpt(expr))
	}
	if o.Timeout == 0 {
		o.Timeout = time.Second
	}
	if o.Values == 0 {
		o.Values = 10_000
	}
	return &Program{expr: expr, code: code, vars: len(vars), options: o}, nil
}

// String is the expression.
func (p *Program) String() string { return p.expr }

// Values are what the program makes of the input. The input consists of nil,
// bool, int, float64, *big.Int, json.Number, string, []any and map[string]any, as
// Decode gives it; so do the values of the variables, one for each, and the
// results. Numbers that the expression only passes on stay as they are written.
// An error is of type *Error or the context's own.
func (p *Program) Values(ctx context.Context, input any, vars ...any) ([]any, error) {
	var values []any
	err := p.run(ctx, input, vars, func(v any) bool {
		values = append(values, v)
		return true
	})
	if err != nil {
		return nil, err
	}
	return values, nil
}

// True reports whether any of the values that the program makes of the input is
// neither false nor null, as select has it.
func (p *Program) True(ctx context.Context, input any, vars ...any) (bool, error) {
	found := false
	err := p.run(ctx, input, vars, func(v any) bool {
		found = v != nil && v != false
		return !found
	})
	return found && err == nil, err
}

// run hands each value to take, until that says false.
func (p *Program) run(ctx context.Context, input any, vars []any, take func(any) bool) error {
	if len(vars) != p.vars {
		return fmt.Errorf("jq %s: %d values for %d variables", excerpt(p.expr), len(vars), p.vars)
	}
	timed, cancel := context.WithTimeout(ctx, p.options.Timeout)
	defer cancel()
	iter := p.code.RunWithContext(timed, input, vars...)
	for n := 0; ; n++ {
		v, ok := iter.Next()
		if !ok {
			return nil
		}
		if err, ok := v.(error); ok {
			return p.failed(ctx, timed, err)
		}
		if n == p.options.Values {
			return p.wrong(fmt.Errorf("%w: more than %d", ErrValues, n))
		}
		if !take(v) {
			return nil
		}
	}
}

func (p *Program) failed(ctx, timed context.Context, err error) error {
	if halt, ok := errors.AsType[*gojq.HaltError](err); ok && halt.Value() == nil {
		return nil // halt ends the run
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case timed.Err() != nil:
		return p.wrong(fmt.Errorf("%w: more than %s", ErrTime, p.options.Timeout))
	}
	return p.wrong(errors.New(reason(err)))
}

func (p *Program) wrong(err error) error { return &Error{Expr: p.expr, err: err} }

func excerpt(expr string) string {
	const most = 80
	if r := []rune(expr); len(r) > most {
		expr = string(r[:most]) + "…"
	}
	return strings.Join(strings.Fields(expr), " ")
}
