package dynamodbtest

import (
	"maps"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// updates applies an UpdateExpression to one item.
func (s *suite) updates(t *testing.T) {
	const wrongPath = "The document path provided in the update expression is invalid for update"
	const wrongType = "An operand in the update expression has an incorrect data type"
	const noAttribute = "The provided expression refers to an attribute that does not exist in the item"
	for _, c := range []struct {
		name   string
		before M
		update string
		values M
		want   M      // without pk
		says   string // of the ValidationException, where it fails
	}{
		{name: "SET makes an item that was not there", update: "SET a = :v", values: M{":v": 1}, want: M{"a": 1}},
		{name: "SET replaces an attribute", before: M{"a": 1, "b": 2}, update: "SET a = :v", values: M{":v": "x"}, want: M{"a": "x", "b": 2}},
		{name: "SET reads the item as it was", before: M{"a": 1, "b": 2}, update: "SET a = b, b = a", want: M{"a": 2, "b": 1}},
		{name: "SET goes into maps and lists", before: M{"m": M{"l": L{1, M{"x": 1}}}}, update: "SET m.l[1].x = :v, m.y = :v", values: M{":v": 5}, want: M{"m": M{"l": L{1, M{"x": 5}}, "y": 5}}},
		{name: "SET beyond a list's end appends", before: M{"li": L{1}}, update: "SET li[9] = :a, li[5] = :b", values: M{":a": "nine", ":b": "five"}, want: M{"li": L{1, "five", "nine"}}},
		{name: "SET adds", before: M{"n": 1}, update: "SET n = n + :v", values: M{":v": N("0.5")}, want: M{"n": N("1.5")}},
		{name: "SET subtracts", before: M{"n": 1}, update: "SET n = :v - n", values: M{":v": 10}, want: M{"n": 9}},
		{name: "SET adds exactly, where floats would not", before: M{"n": N("0.1")}, update: "SET n = n + :v", values: M{":v": N("0.2")}, want: M{"n": N("0.3")}},
		{name: "SET adds with all 38 digits", before: M{"n": N("99999999999999999999999999999999999998")}, update: "SET n = n + :v", values: M{":v": 1}, want: M{"n": N("99999999999999999999999999999999999999")}},
		{name: "SET adds in parentheses", before: M{"n": 1}, update: "SET n = (n + :v)", values: M{":v": 1}, want: M{"n": 2}},
		{name: "if_not_exists keeps what is there", before: M{"n": 1}, update: "SET n = if_not_exists(n, :v)", values: M{":v": 5}, want: M{"n": 1}},
		{name: "if_not_exists falls back", update: "SET n = if_not_exists(n, :v) + :v", values: M{":v": 5}, want: M{"n": 10}},
		{name: "if_not_exists may be nested", update: "SET n = if_not_exists(a, if_not_exists(b, :v))", values: M{":v": 5}, want: M{"n": 5}},
		{name: "list_append appends", before: M{"li": L{1}}, update: "SET li = list_append(li, :v)", values: M{":v": L{2}}, want: M{"li": L{1, 2}}},
		{name: "list_append prepends", before: M{"li": L{1}}, update: "SET li = list_append(:v, li)", values: M{":v": L{2}}, want: M{"li": L{2, 1}}},
		{name: "list_append takes if_not_exists", update: "SET li = list_append(if_not_exists(li, :e), :v)", values: M{":v": L{2}, ":e": L{}}, want: M{"li": L{2}}},
		{name: "REMOVE removes attributes", before: M{"a": 1, "b": 2, "c": 3}, update: "REMOVE a, b, zz", want: M{"c": 3}},
		{name: "REMOVE closes up a list", before: M{"li": L{0, 1, 2, 3}}, update: "REMOVE li[0], li[2]", want: M{"li": L{1, 3}}},
		{name: "REMOVE beyond a list's end does nothing", before: M{"li": L{0}}, update: "REMOVE li[7]", want: M{"li": L{0}}},
		{name: "indexes mean what they meant before", before: M{"li": L{0, 1, 2}}, update: "REMOVE li[0] SET li[1] = :v", values: M{":v": "one"}, want: M{"li": L{"one", 2}}},
		{name: "ADD adds a number", before: M{"n": 1}, update: "ADD n :v", values: M{":v": -3}, want: M{"n": -2}},
		{name: "ADD begins at nought", update: "ADD n :v", values: M{":v": 3}, want: M{"n": 3}},
		{name: "ADD unites sets", before: M{"ss": SS{"a", "b"}}, update: "ADD ss :v", values: M{":v": SS{"b", "c"}}, want: M{"ss": SS{"a", "b", "c"}}},
		{name: "ADD makes a set", update: "ADD ns :v", values: M{":v": NS{"1"}}, want: M{"ns": NS{"1"}}},
		{name: "ADD goes into a map", before: M{"m": M{}}, update: "ADD m.n :v", values: M{":v": 1}, want: M{"m": M{"n": 1}}},
		{name: "DELETE takes members away", before: M{"ss": SS{"a", "b", "c"}}, update: "DELETE ss :v", values: M{":v": SS{"b", "z"}}, want: M{"ss": SS{"a", "c"}}},
		{name: "DELETE of all members takes the set away", before: M{"a": 1, "bs": BS{"x"}}, update: "DELETE bs :v", values: M{":v": BS{"x"}}, want: M{"a": 1}},
		{name: "DELETE of nothing does nothing", before: M{"a": 1}, update: "DELETE ss :v", values: M{":v": SS{"x"}}, want: M{"a": 1}},
		{name: "sections may come in any order and case", before: M{"a": 1, "b": 1}, update: "remove a set c = :v add b :v", values: M{":v": 1}, want: M{"b": 2, "c": 1}},

		{name: "SET below what is not there is refused", update: "SET zz.a = :v", values: M{":v": 1}, says: wrongPath},
		{name: "SET below a scalar is refused", before: M{"a": 1}, update: "SET a.b = :v", values: M{":v": 1}, says: wrongPath},
		{name: "SET of an index in a map is refused", before: M{"m": M{}}, update: "SET m[0] = :v", values: M{":v": 1}, says: wrongPath},
		{name: "REMOVE below what is not there is refused", update: "REMOVE zz.a", says: wrongPath},
		{name: "SET of what is not there is refused", before: M{"a": 1}, update: "SET b = zz", says: noAttribute},
		{name: "SET of a sum with what is not there is refused", before: M{"a": 1}, update: "SET b = zz + :v", values: M{":v": 1}, says: noAttribute},
		{name: "SET of a sum with text is refused", before: M{"a": "x"}, update: "SET a = a + :v", values: M{":v": 1}, says: wrongType},
		{name: "list_append to text is refused", before: M{"a": "x"}, update: "SET a = list_append(a, :v)", values: M{":v": L{1}}, says: wrongType},
		{name: "ADD of a number to text is refused", before: M{"a": "x"}, update: "ADD a :v", values: M{":v": 1}, says: wrongType},
		{name: "ADD of a set of another type is refused", before: M{"a": SS{"x"}}, update: "ADD a :v", values: M{":v": NS{"1"}}, says: wrongType},
		{name: "DELETE from text is refused", before: M{"a": "x"}, update: "DELETE a :v", values: M{":v": SS{"x"}}, says: wrongType},
		{name: "SET of the key is refused", update: "SET pk = :v", values: M{":v": "x"}, says: "Cannot update attribute pk. This attribute is part of the key"},
		{name: "a sum out of range is refused", before: M{"n": N("9e125")}, update: "SET n = n + n", says: "Number overflow"},
	} {
		s.run(t, c.name, func(t *testing.T, x *tester) {
			if c.before != nil {
				before := M{"pk": x.pk}
				maps.Copy(before, c.before)
				x.put(x.simple(), before)
			}
			out, err := x.client.UpdateItem(x.ctx(), &dynamodb.UpdateItemInput{
				TableName: x.simple(), Key: M{"pk": x.pk}.attributes(), UpdateExpression: aws.String(c.update),
				ExpressionAttributeValues: c.values.attributes(), ReturnValues: types.ReturnValueAllNew,
			})
			if c.says != "" {
				x.fails(err, "ValidationException", c.says)
				return
			}
			x.ok(err)
			c.want["pk"] = x.pk
			x.same("the answer", c.want, fromAttributes(out.Attributes))
			x.same("the item", c.want, x.get(M{"pk": x.pk}))
		})
	}
	s.returnValues(t)
}

func (s *suite) returnValues(t *testing.T) {
	before := M{"a": 1, "b": 2, "m": M{"x": 1, "y": 2}, "li": L{1, 2}}
	for _, c := range []struct {
		name    string
		returns types.ReturnValue
		update  string
		want    func(pk string) M
	}{
		{"an update returns nothing unless asked", types.ReturnValueNone, "SET a = :v", func(string) M { return nil }},
		{"an update returns the whole old item", types.ReturnValueAllOld, "SET a = :v", func(pk string) M {
			return M{"pk": pk, "a": 1, "b": 2, "m": M{"x": 1, "y": 2}, "li": L{1, 2}}
		}},
		{"an update returns what was updated as it was", types.ReturnValueUpdatedOld, "SET a = :v, c = :v REMOVE b", func(string) M { return M{"a": 1, "b": 2} }},
		{"an update returns what was updated as it is", types.ReturnValueUpdatedNew, "SET a = :v, c = :v REMOVE b", func(string) M { return M{"a": 9, "c": 9} }},
		{"an update that only removes returns nothing new", types.ReturnValueUpdatedNew, "REMOVE b SET a = :v", func(string) M { return M{"a": 9} }},
		{"an update returns only the nested paths that it names", types.ReturnValueUpdatedNew, "SET m.x = :v, li[1] = :v", func(string) M { return M{"m": M{"x": 9}, "li": L{9}} }},
	} {
		s.run(t, c.name, func(t *testing.T, x *tester) {
			it := M{"pk": x.pk}
			maps.Copy(it, before)
			x.put(x.simple(), it)
			out, err := x.client.UpdateItem(x.ctx(), &dynamodb.UpdateItemInput{
				TableName: x.simple(), Key: M{"pk": x.pk}.attributes(), UpdateExpression: aws.String(c.update),
				ExpressionAttributeValues: M{":v": 9}.attributes(), ReturnValues: c.returns,
			})
			x.ok(err)
			x.same("the answer", c.want(x.pk), fromAttributes(out.Attributes))
		})
	}
}
