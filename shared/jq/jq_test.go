package jq_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/jq"
)

// run is the values that expr makes of a JSON document, as JSON.
func run(tb testing.TB, expr, input string) ([]string, error) {
	tb.Helper()
	p, err := jq.Compile(expr)
	if err != nil {
		tb.Fatal(err)
	}
	in, err := jq.Decode([]byte(input))
	if err != nil {
		tb.Fatal(err)
	}
	values, err := p.Values(tb.Context(), in)
	var texts []string
	for _, v := range values {
		b, err := jq.Encode(v)
		if err != nil {
			tb.Fatal(err)
		}
		texts = append(texts, string(b))
	}
	return texts, err
}

func TestValues(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, expr, input string
		want              []string
	}{
		{"the input itself", ".", `{"a":[1,null,true,"x"]}`, []string{`{"a":[1,null,true,"x"]}`}},
		{"several values", ".added[], (.removed[] | .deleted = true)", `{"added":[{"id":1}],"removed":[{"id":2}]}`, []string{`{"id":1}`, `{"deleted":true,"id":2}`}},
		{"no value", "empty", `1`, nil},
		{"an integer beyond 2^53 stays exact", ".id", `{"id":9007199254740993}`, []string{"9007199254740993"}},
		{"an integer beyond 2^64 stays exact", ".id", `{"id":123456789012345678901234567890}`, []string{"123456789012345678901234567890"}},
		{"an integer beyond 2^64 is added to exactly", ".id + 1", `{"id":123456789012345678901234567890}`, []string{"123456789012345678901234567891"}},
		{"integers that differ beyond 2^53 are not equal", ".[0] == .[1]", `[9007199254740993,9007199254740992]`, []string{"false"}},
		{"a decimal that is passed on stays as it is written", ".price", `{"price":1.10}`, []string{"1.10"}},
		{"a number that is too large for a float passes", ".", `1e999`, []string{"1e999"}},
		{"NaN is null", "nan", `1`, []string{"null"}},
		{"halt ends the run", "1, halt, 2", `1`, []string{"1"}},
		{"of members with the same name the last counts", ".a", `{"a":1,"a":2}`, []string{"2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := run(t, tt.expr, tt.input)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTrue(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, expr string
		want       bool
	}{
		{"true is", "true", true},
		{"false is not", "false", false},
		{"null is not", "null", false},
		{"a number is, zero too", "0", true},
		{"nothing is not", "empty", false},
		{"one of several is enough", `.labels[] == "bug"`, true},
		{"none of several is not", `.labels[] == "x"`, false},
		{"what comes after the first that is true is not looked at", "true, error", true},
		{"a variable counts", ".n > $least", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := jq.Compile(tt.expr, "least")
			if err != nil {
				t.Fatal(err)
			}
			input := map[string]any{"labels": []any{"bug", "old"}, "n": 3}
			if got, err := p.True(t.Context(), input, 2); got != tt.want || err != nil {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestRunsAreBounded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, expr string
		want       error
	}{
		{"values without end", "range(infinite)", jq.ErrValues},
		{"one value again and again", "repeat(.)", jq.ErrValues},
		{"a loop that gives nothing out", "def f: f; f", jq.ErrTime},
		{"an array without end", "[range(infinite)]", jq.ErrTime},
		{"a recursion without end", "def f: [f]; f", jq.ErrTime},
		{"a text that doubles", `reduce range(infinite) as $i ("xx"; . + .) | length`, jq.ErrTime},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := jq.Options{Timeout: 50 * time.Millisecond, Values: 100}.Compile(tt.expr)
			if err != nil {
				t.Fatal(err)
			}
			values, err := p.Values(t.Context(), nil)
			if !errors.Is(err, tt.want) || values != nil {
				t.Errorf("%d values, %v", len(values), err)
			}
		})
	}
}

func TestTheCallersContextEndsARun(t *testing.T) {
	t.Parallel()
	p, err := jq.Compile("def f: f; f")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Values(ctx, nil); !errors.Is(err, context.Canceled) || errors.Is(err, jq.ErrTime) {
		t.Error(err)
	}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, expr, want string }{
		{"what does not parse, with its column", ".a ||", `jq .a ||: unexpected token "|" at column 5`},
		{"what ends too early", "[1,2", "jq [1,2: unexpected EOF at column 5"},
		{"a function that there is not, with its line", ".a |\n  foo(1)", "jq .a | foo(1): function not defined: foo/1 at line 2, column 3"},
		{"a variable that there is not", ".a > $begin", "jq .a > $begin: variable not defined: $begin at column 6"},
		{"the environment", "env.HOME", "jq env.HOME: env and $ENV are not there: an expression does not see the environment"},
		{"the environment as a variable", "$ENV", "jq $ENV: env and $ENV are not there: an expression does not see the environment"},
		{"further inputs", "input", "jq input: input(s)/0 is not allowed"},
		{"all further inputs", "[inputs]", "jq [inputs]: input(s)/0 is not allowed"},
		{"a module", `import "a" as a; 1`, `jq import "a" as a; 1: cannot load module: "a"`},
		{"a file", `import "a" as $a; 1`, `jq import "a" as $a; 1: cannot load module: "a"`},
		{"what writes to a terminal", "debug", "jq debug: function not defined: debug/0 at column 1"},
		{"nothing but length", strings.Repeat("1|", 40_000) + "1", "the jq expression is longer than 65536 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := jq.Compile(tt.expr, "start")
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %v", err, tt.want)
			}
		})
	}
}

func TestErrorsShowNothingOfTheInput(t *testing.T) {
	t.Parallel()
	const input = `{"a":"hush 4242","n":4242,"o":{"hush":4242},"l":["hush",4242]}`
	for _, tt := range []struct{ expr, want string }{
		{".a.b", "expected an object but got: string"},
		{".o[0]", "expected an array but got: object"},
		{".a + .n", "cannot add: string"},
		{".a[]", "cannot iterate over: string"},
		{".a | error", "the expression itself calls error, with a value that is not shown"},
		{".l | halt_error", "the expression itself calls error, with a value that is not shown"},
		{".a | fromjson", "fromjson cannot be applied to this value"},
		{".a | tonumber", "tonumber cannot be applied to this value"},
		{`.a | strptime("%Y")`, "strptime cannot be applied to this value"},
		{".a | fromdate", "strptime cannot be applied to this value"},
		{".a + \"(\" | . as $x | test($x)", "invalid regular expression"},
		{".o | mktime", "mktime cannot be applied to: object"},
		{".l | implode", "implode cannot be applied to: array"},
		{".a as $f | .a | splits(\"x\"; $f)", "unsupported regular expression flag"},
	} {
		t.Run(tt.expr, func(t *testing.T) {
			t.Parallel()
			_, err := run(t, tt.expr, input)
			if want := "jq " + tt.expr + ": " + tt.want; err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %v", err, want)
			}
		})
	}
}

func TestVariablesAreCounted(t *testing.T) {
	t.Parallel()
	p, err := jq.Compile("$a", "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Values(t.Context(), nil); err == nil || err.Error() != "jq $a: 0 values for 1 variables" {
		t.Error(err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"what is no JSON, without showing it", `{"a":hush}`, "read the input of jq: no valid JSON at byte 6"},
		{"two documents", `1 2`, "read the input of jq: more than one JSON document"},
		{"nothing", ``, "read the input of jq: EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := jq.Decode([]byte(tt.in)); err == nil || err.Error() != tt.want {
				t.Error(err)
			}
		})
	}
}
