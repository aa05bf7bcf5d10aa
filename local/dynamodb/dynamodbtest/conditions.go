package dynamodbtest

import (
	"maps"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// conditions asks of one item whether a condition holds.
func (s *suite) conditions(t *testing.T) {
	item := M{
		"s": "hello", "n": 12, "f": N("1.5"), "b": []byte("bytes"), "yes": true, "nul": nil,
		"li": L{1, "two", M{"deep": L{3}}}, "m": M{"a": 1, "b": M{"c": "x"}}, "a.b": "dotted",
		"ss": SS{"x", "y"}, "ns": NS{"1", "2"}, "bs": BS{"p", "q"}, "smile": "😀é", "blank": "",
	}
	for _, c := range []struct {
		name      string
		condition string
		names     map[string]string
		values    M
		want      bool
	}{
		{"attribute_exists holds for what is there", "attribute_exists(s)", nil, nil, true},
		{"attribute_exists fails for what is not", "attribute_exists(zz)", nil, nil, false},
		{"attribute_not_exists is its opposite", "attribute_not_exists(zz)", nil, nil, true},
		{"attribute_exists holds for a null", "attribute_exists(nul)", nil, nil, true},
		{"attribute_exists follows a path into a map", "attribute_exists(m.b.c)", nil, nil, true},
		{"attribute_exists follows a path into a list", "attribute_exists(li[2].deep[0])", nil, nil, true},
		{"attribute_exists fails beyond a list's end", "attribute_exists(li[3])", nil, nil, false},
		{"attribute_exists fails below a scalar", "attribute_exists(s.a)", nil, nil, false},
		{"a placeholder name with a dot is one name", "#d = :v", map[string]string{"#d": "a.b"}, M{":v": "dotted"}, true},
		{"placeholder names stand within a path", "#m.#b.c = :v", map[string]string{"#m": "m", "#b": "b"}, M{":v": "x"}, true},
		{"spaces may stand in a path", "m . b . c = :v", nil, M{":v": "x"}, true},
		{"equal numbers are equal however they are written", "n = :v", nil, M{":v": N("1.20e1")}, true},
		{"a number is not its text", "n = :v", nil, M{":v": "12"}, false},
		{"different types are unequal", "n <> :v", nil, M{":v": "12"}, true},
		{"what is missing is unequal to anything", "zz <> :v", nil, M{":v": 1}, true},
		{"what is missing is equal to nothing", "zz = zy", nil, nil, false},
		{"what is missing is not less", "zz < :v", nil, M{":v": 1}, false},
		{"NOT turns the missing comparison round", "NOT zz < :v", nil, M{":v": 1}, true},
		{"numbers are ordered as numbers", "n > :v", nil, M{":v": 9}, true},
		{"fractions are ordered", "f < :v", nil, M{":v": N("1.5000000000000000000000000000000000001")}, true},
		{"text is ordered by bytes", "s > :v", nil, M{":v": "Hello"}, true},
		{"bytes are ordered", "b >= :v", nil, M{":v": []byte("byte")}, true},
		{"types are not ordered among each other", "n < :v", nil, M{":v": "zzz"}, false},
		{"lists are equal by their elements", "li = :v", nil, M{":v": L{N("1.0"), "two", M{"deep": L{3}}}}, true},
		{"maps are equal by their entries", "m = :v", nil, M{":v": M{"b": M{"c": "x"}, "a": 1}}, true},
		{"sets are equal in any order", "ss = :v", nil, M{":v": SS{"y", "x"}}, true},
		{"booleans are equal", "yes = :v", nil, M{":v": true}, true},
		{"nulls are equal", "nul = :v", nil, M{":v": nil}, true},
		{"BETWEEN includes its bounds", "n BETWEEN :a AND :b", nil, M{":a": 12, ":b": 12}, true},
		{"BETWEEN fails outside", "n BETWEEN :a AND :b", nil, M{":a": 13, ":b": 14}, false},
		{"BETWEEN binds tighter than AND", "n BETWEEN :a AND :b AND s = :s", nil, M{":a": 1, ":b": 20, ":s": "hello"}, true},
		{"BETWEEN takes paths as bounds", "n BETWEEN m.a AND :b", nil, M{":b": 20}, true},
		{"IN finds one of many", "s IN (:a, :b)", nil, M{":a": "x", ":b": "hello"}, true},
		{"IN fails where none is equal", "s IN (:a, :b)", nil, M{":a": "x", ":b": "y"}, false},
		{"AND binds tighter than OR", "s = :s OR s = :x AND s = :x", nil, M{":s": "hello", ":x": "x"}, true},
		{"parentheses change that", "(s = :s OR s = :x) AND s = :x", nil, M{":s": "hello", ":x": "x"}, false},
		{"NOT binds tighter than AND", "NOT s = :x AND s = :s", nil, M{":s": "hello", ":x": "x"}, true},
		{"keywords may be in any case", "not s = :x and s = :s or s = :x", nil, M{":s": "hello", ":x": "x"}, true},
		{"the value may stand on the left", ":v = s", nil, M{":v": "hello"}, true},
		{"an operand may be in parentheses", "(s) = :v", nil, M{":v": "hello"}, true},
		{"two paths may be compared", "s <> smile", nil, nil, true},
		{"begins_with holds for a prefix", "begins_with(s, :v)", nil, M{":v": "he"}, true},
		{"begins_with holds for bytes", "begins_with(b, :v)", nil, M{":v": []byte("by")}, true},
		{"begins_with fails for another type", "begins_with(n, :v)", nil, M{":v": "1"}, false},
		{"contains finds text in text", "contains(s, :v)", nil, M{":v": "ell"}, true},
		{"contains finds bytes in bytes", "contains(b, :v)", nil, M{":v": []byte("yte")}, true},
		{"contains finds a member of a set", "contains(ss, :v)", nil, M{":v": "y"}, true},
		{"contains finds a number in a set", "contains(ns, :v)", nil, M{":v": N("2.0")}, true},
		{"contains finds an element of a list", "contains(li, :v)", nil, M{":v": "two"}, true},
		{"contains does not search in numbers", "contains(n, :v)", nil, M{":v": 1}, false},
		{"size of text is in UTF-16 units", "size(smile) = :v", nil, M{":v": 3}, true},
		{"size of bytes", "size(b) = :v", nil, M{":v": 5}, true},
		{"size of a list", "size(li) = :v", nil, M{":v": 3}, true},
		{"size of a map", "size(m) = :v", nil, M{":v": 2}, true},
		{"size of a set", "size(ss) = :v", nil, M{":v": 2}, true},
		{"size of empty text is nought", "size(blank) = :v", nil, M{":v": 0}, true},
		{"size of a number is nothing", "size(n) > :v", nil, M{":v": 0}, false},
		{"sizes may be compared", "size(li) > size(m)", nil, nil, true},
		{"attribute_type knows text", "attribute_type(s, :v)", nil, M{":v": "S"}, true},
		{"attribute_type knows a map", "attribute_type(m, :v)", nil, M{":v": "M"}, true},
		{"attribute_type knows a number set", "attribute_type(ns, :v)", nil, M{":v": "NS"}, true},
		{"attribute_type fails for another type", "attribute_type(n, :v)", nil, M{":v": "S"}, false},
	} {
		s.run(t, c.name, func(t *testing.T, x *tester) {
			it := M{"pk": x.pk}
			maps.Copy(it, item)
			x.put(x.simple(), it)
			_, err := x.client.UpdateItem(x.ctx(), &dynamodb.UpdateItemInput{
				TableName: x.simple(), Key: M{"pk": x.pk}.attributes(),
				ConditionExpression: aws.String(c.condition), ExpressionAttributeNames: c.names, ExpressionAttributeValues: c.values.attributes(),
			})
			if c.want {
				x.ok(err)
				return
			}
			x.fails(err, "ConditionalCheckFailedException", "The conditional request failed")
		})
	}
}
