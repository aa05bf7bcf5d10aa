package dynamodb

import (
	"strings"
	"testing"
)

// seeds are expressions of every kind, right and wrong.
var seeds = []string{
	"attribute_exists(a.b[0].#n) AND (size(a) > :v OR NOT b IN (:v, :w))", "a BETWEEN :v AND :w", "begins_with(a, :s)",
	"SET a = if_not_exists(a, :v) + :v, b = list_append(:l, b) REMOVE c[3], d ADD e :v DELETE f :ss", "a, b[1].c, #n",
	strings.Repeat("(", 200) + "a = :v" + strings.Repeat(")", 200), strings.Repeat("NOT ", 500) + "a = :v", "a[", "#", ":", "a = = b", "", "\x00", "((a = :v))",
}

func fuzzScope() *scope {
	number := value{kind: kindN, text: "1"}
	return newScope(map[string]string{"#n": "name"}, map[string]value{
		":v": number, ":w": {kind: kindN, text: "2"}, ":s": stringValue("x"), ":l": {kind: kindList, list: []value{number}}, ":ss": {kind: kindSS, set: []string{"x"}},
	})
}

// FuzzExpressions: no text makes a parser panic, and what parses can be
// evaluated.
func FuzzExpressions(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed)
	}
	it := item{"a": {kind: kindList, list: []value{stringValue("x")}}, "b": {kind: kindN, text: "5"}, "name": stringValue("n")}
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := parseCondition("ConditionExpression", text, fuzzScope()); err == nil {
			n.holds(it)
		} else if n != nil {
			t.Error("an error came with a condition")
		}
		if paths, err := parseProjection(text, fuzzScope()); err == nil {
			project(it, paths)
		}
		if u, err := parseUpdate(text, fuzzScope()); err == nil {
			before := item{"a": it["a"], "b": it["b"], "name": it["name"]}
			_, _ = u.apply(it)
			if !it.equal(before) {
				t.Error("an update changed the old item")
			}
		}
	})
}

// FuzzRequests: no body makes the reader panic, or an item that does not
// survive being written and read.
func FuzzRequests(f *testing.F) {
	for _, seed := range []string{
		`{"TableName":"t","Key":{"pk":{"S":"a"}},"ExpressionAttributeValues":{":v":{"L":[{"M":{"x":{"NS":["1","2"]}}}]}}}`,
		`{"Key":{"a":{"B":"AAE="},"b":{"NULL":true},"c":{"BOOL":false},"d":{"N":"-1.5e3"}}}`, `{"Key":{"a":{"S":"\ud83d\ude00\u0000"}}}`, `{`, `{"Limit":1e9}`,
		strings.Repeat(`{"Key":`, 300),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r := &reader{data: body}
		q, err := readRequest(r, itemOperations["UpdateItem"].fields, nil)
		if err != nil {
			return
		}
		if checkContent(q.key) != nil {
			return
		}
		back, err := decodeItem(encodeItem(q.key))
		if err != nil || !back.equal(q.key) {
			t.Errorf("%v became %v, %v", q.key, back, err)
		}
	})
}
