package jq_test

import (
	"testing"
	"time"

	"pushpull/shared/jq"
)

var expressions = []string{
	".", ".a.b[0]", ".added[], (.removed[] | .deleted = true)", `.a + 1 == "x"`, "reduce .[] as $x (0; . + $x)",
	"def f(g): g | f(g); f(1)", `"\(.a)" | @base64d`, "try error catch .", "limit(3; repeat(1))", "$start | .", "{(.a): 1, b}",
	".[1:] | sort_by(.x) | group_by(.y)[]", "path(..)", "getpath([\"a\",0])", "if . then 1 elif 2 then 3 else 4 end", ". as [$a, {b: $c}] | $a",
}

func FuzzCompile(f *testing.F) {
	for _, expr := range expressions {
		f.Add(expr)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		p, err := jq.Compile(expr, "start")
		if (p == nil) == (err == nil) {
			t.Errorf("program %v, error %v", p, err)
		}
	})
}

func FuzzValues(f *testing.F) {
	for _, expr := range expressions {
		f.Add(expr, []byte(`{"a":{"b":[1,2]},"added":[{"id":9007199254740993}],"removed":[{}],"x":"é"}`))
	}
	f.Add(".", []byte(`[1e999,-0,1.10,"\ud800"]`))
	f.Fuzz(func(t *testing.T, expr string, input []byte) {
		const most = 100
		p, err := jq.Options{Timeout: 20 * time.Millisecond, Values: most}.Compile(expr, "start")
		if err != nil {
			t.Skip()
		}
		in, err := jq.Decode(input)
		if err != nil {
			t.Skip()
		}
		values, err := p.Values(t.Context(), in, "2026-01-01")
		if len(values) > most || err != nil && values != nil {
			t.Fatalf("%d values, error %v", len(values), err)
		}
		for _, v := range values {
			if b, err := jq.Encode(v); err != nil {
				t.Errorf("%q, %v", b, err)
			}
		}
	})
}
