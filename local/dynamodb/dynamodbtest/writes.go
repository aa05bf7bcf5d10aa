package dynamodbtest

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// writes puts, updates, deletes and gets single items.
func (s *suite) writes(t *testing.T) {
	s.run(t, "a put replaces the whole item, and returns the old one", func(_ *testing.T, x *tester) {
		x.put(x.simple(), M{"pk": x.pk, "a": 1, "b": 2})
		out, err := x.client.PutItem(x.ctx(), &dynamodb.PutItemInput{
			TableName: x.simple(), Item: M{"pk": x.pk, "c": 3}.attributes(), ReturnValues: types.ReturnValueAllOld,
		})
		x.ok(err)
		x.same("the old item", M{"pk": x.pk, "a": 1, "b": 2}, fromAttributes(out.Attributes))
		x.same("the item", M{"pk": x.pk, "c": 3}, x.get(M{"pk": x.pk}))
	})
	s.run(t, "a put of a new item returns no old one", func(_ *testing.T, x *tester) {
		out, err := x.client.PutItem(x.ctx(), &dynamodb.PutItemInput{
			TableName: x.simple(), Item: M{"pk": x.pk}.attributes(), ReturnValues: types.ReturnValueAllOld,
		})
		x.ok(err)
		x.same("the old item", M(nil), fromAttributes(out.Attributes))
	})
	s.run(t, "a failed condition gives the old item where asked", func(t *testing.T, x *tester) {
		x.put(x.simple(), M{"pk": x.pk, "a": 1})
		_, err := x.client.PutItem(x.ctx(), &dynamodb.PutItemInput{
			TableName: x.simple(), Item: M{"pk": x.pk}.attributes(), ConditionExpression: aws.String("attribute_not_exists(pk)"),
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		})
		var failed *types.ConditionalCheckFailedException
		if !errors.As(err, &failed) {
			t.Fatal(err)
		}
		x.same("the old item", M{"pk": x.pk, "a": 1}, fromAttributes(failed.Item))
		x.same("the item", M{"pk": x.pk, "a": 1}, x.get(M{"pk": x.pk}))
	})
	s.run(t, "a failed condition gives no item unless asked", func(t *testing.T, x *tester) {
		x.put(x.simple(), M{"pk": x.pk, "a": 1})
		_, err := x.client.DeleteItem(x.ctx(), &dynamodb.DeleteItemInput{
			TableName: x.simple(), Key: M{"pk": x.pk}.attributes(), ConditionExpression: aws.String("a = :v"), ExpressionAttributeValues: M{":v": 2}.attributes(),
		})
		var failed *types.ConditionalCheckFailedException
		if !errors.As(err, &failed) {
			t.Fatal(err)
		}
		x.same("the old item", M(nil), fromAttributes(failed.Item))
	})
	s.run(t, "a condition on a missing item gives no old item", func(t *testing.T, x *tester) {
		_, err := x.client.UpdateItem(x.ctx(), &dynamodb.UpdateItemInput{
			TableName: x.simple(), Key: M{"pk": x.pk}.attributes(), ConditionExpression: aws.String("attribute_exists(pk)"),
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		})
		var failed *types.ConditionalCheckFailedException
		if !errors.As(err, &failed) {
			t.Fatal(err)
		}
		x.same("the old item", M(nil), fromAttributes(failed.Item))
		x.same("the item", M(nil), x.get(M{"pk": x.pk}))
	})
	s.run(t, "an update without an expression makes an item of its key", func(_ *testing.T, x *tester) {
		_, err := x.client.UpdateItem(x.ctx(), &dynamodb.UpdateItemInput{TableName: x.simple(), Key: M{"pk": x.pk}.attributes()})
		x.ok(err)
		x.same("the item", M{"pk": x.pk}, x.get(M{"pk": x.pk}))
	})
	s.run(t, "a delete removes the item, and returns it", func(_ *testing.T, x *tester) {
		x.put(x.simple(), M{"pk": x.pk, "a": 1})
		out, err := x.client.DeleteItem(x.ctx(), &dynamodb.DeleteItemInput{TableName: x.simple(), Key: M{"pk": x.pk}.attributes(), ReturnValues: types.ReturnValueAllOld})
		x.ok(err)
		x.same("the old item", M{"pk": x.pk, "a": 1}, fromAttributes(out.Attributes))
		x.same("the item", M(nil), x.get(M{"pk": x.pk}))
	})
	s.run(t, "a delete of what is not there succeeds", func(_ *testing.T, x *tester) {
		_, err := x.client.DeleteItem(x.ctx(), &dynamodb.DeleteItemInput{TableName: x.simple(), Key: M{"pk": x.pk}.attributes()})
		x.ok(err)
	})
	s.run(t, "a projection shows only the paths that it names", func(_ *testing.T, x *tester) {
		x.put(x.simple(), M{"pk": x.pk, "a": 1, "m": M{"x": 1, "y": 2}, "li": L{0, 1, 2, M{"z": 3, "q": 4}}, "name": "n"})
		out, err := x.client.GetItem(x.ctx(), &dynamodb.GetItemInput{
			TableName: x.simple(), Key: M{"pk": x.pk}.attributes(), ConsistentRead: aws.Bool(true),
			ProjectionExpression: aws.String("m.x, li[3].z, li[1], zz, m.q, #n"), ExpressionAttributeNames: map[string]string{"#n": "name"},
		})
		x.ok(err)
		x.same("the item", M{"m": M{"x": 1}, "li": L{1, M{"z": 3}}, "name": "n"}, fromAttributes(out.Item))
	})
	s.run(t, "every type comes back as it went in", func(_ *testing.T, x *tester) {
		it := M{
			"pk": x.pk, "s": "ünï\x00\"\\😀", "empty": "", "n": N("-1.5"), "b": []byte{0, 255}, "t": true, "f": false, "nul": nil, "l": L{}, "m": M{},
			"ss": SS{"", "a"}, "ns": NS{"-1", "2.5"}, "bs": BS{"\x00", "a"}, "deep": M{"l": L{M{"x": L{1, nil, false}}}},
		}
		x.put(x.simple(), it)
		x.same("the item", it, x.get(M{"pk": x.pk}))
	})
	s.writeErrors(t)
}

// writeErrors are items and keys that must be refused.
func (s *suite) writeErrors(t *testing.T) {
	nested := func(levels int) any {
		var v any = "x"
		for range levels {
			v = L{v}
		}
		return v
	}
	for _, c := range []struct {
		name      string
		item      M
		says, aws string
	}{
		{name: "an item without its key is refused", item: M{"a": 1}, aws: "One or more parameter values were invalid: Missing the key pk in the item"},
		{name: "an item with a key of another type is refused", item: M{"pk": 1}, aws: "Type mismatch for key pk expected: S actual: N"},
		{name: "an empty key is refused", item: M{"pk": ""}, says: "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"},
		{name: "a partition key over 2048 bytes is refused", item: M{"pk": strings.Repeat("x", 2049)}, aws: "Size of hashkey has exceeded the maximum size limit of2048 bytes"},
		{name: "an empty set is refused", item: M{"pk": "x", "a": SS{}}, says: "An string set  may not be empty"},
		{name: "a set with a member twice is refused", item: M{"pk": "x", "a": SS{"q", "q"}}, says: "Input collection [q, q] contains duplicates"},
		{name: "a number set with equal numbers is refused", item: M{"pk": "x", "a": NS{"1", "1.0"}}, says: "Input collection contains duplicates"},
		{name: "what is not a number is refused", item: M{"pk": "x", "a": N("abc")}, aws: "The parameter cannot be converted to a numeric value"},
		{name: "a number with 39 digits is refused", item: M{"pk": "x", "a": N(strings.Repeat("1", 39))}, aws: "Attempting to store more than 38 significant digits in a Number"},
		{name: "a number that is too large is refused", item: M{"pk": "x", "a": N("1e126")}, says: "Number overflow. Attempting to store a number with magnitude larger than supported range"},
		{name: "a number that is too small is refused", item: M{"pk": "x", "a": N("1e-131")}, says: "Number underflow. Attempting to store a number with magnitude smaller than supported range"},
		{name: "an item over 400 KB is refused", item: M{"pk": "x", "a": strings.Repeat("x", 400<<10)}, says: "Item size has exceeded the maximum allowed size"},
		{name: "an item nested too deeply is refused", item: M{"pk": "x", "a": nested(32)}, says: "Nesting Levels have exceeded supported limits"},
	} {
		s.run(t, c.name, func(_ *testing.T, x *tester) {
			_, err := x.client.PutItem(x.ctx(), &dynamodb.PutItemInput{TableName: x.simple(), Item: c.item.attributes()})
			if c.aws != "" {
				x.failsAsAWS(err, "ValidationException", c.aws)
				return
			}
			x.fails(err, "ValidationException", c.says)
		})
	}
	s.run(t, "an item of exactly 400 KB is taken", func(_ *testing.T, x *tester) {
		x.put(x.simple(), M{"pk": x.pk, "a": strings.Repeat("x", 400<<10-len("pk")-len(x.pk)-len("a"))})
	})
	s.run(t, "an item nested as deeply as may be is taken", func(_ *testing.T, x *tester) {
		x.put(x.simple(), M{"pk": x.pk, "a": nested(31)})
	})
	s.run(t, "an update that makes an item too large is refused", func(_ *testing.T, x *tester) {
		_, err := x.client.UpdateItem(x.ctx(), &dynamodb.UpdateItemInput{
			TableName: x.simple(), Key: M{"pk": x.pk}.attributes(), UpdateExpression: aws.String("SET a = :v"), ExpressionAttributeValues: M{":v": strings.Repeat("x", 400<<10)}.attributes(),
		})
		x.fails(err, "ValidationException", "Item size to update has exceeded the maximum allowed size")
	})
	for name, key := range map[string]M{
		"a key with an attribute too many is refused": {"pk": "x", "a": "x"},
		"a key of another type is refused":            {"pk": 1},
		"a key without its attribute is refused":      {"a": "x"},
	} {
		s.run(t, name, func(_ *testing.T, x *tester) {
			_, err := x.client.GetItem(x.ctx(), &dynamodb.GetItemInput{TableName: x.simple(), Key: key.attributes()})
			x.failsAsAWS(err, "ValidationException", "The provided key element does not match the schema")
		})
	}
	s.run(t, "a table that is not there is not found", func(_ *testing.T, x *tester) {
		_, err := x.client.GetItem(x.ctx(), &dynamodb.GetItemInput{TableName: aws.String("not-there"), Key: M{"pk": "x"}.attributes()})
		x.failsAsAWS(err, "ResourceNotFoundException", "Requested resource not found")
	})
	s.run(t, "a put cannot return what is new", func(_ *testing.T, x *tester) {
		_, err := x.client.PutItem(x.ctx(), &dynamodb.PutItemInput{TableName: x.simple(), Item: M{"pk": x.pk}.attributes(), ReturnValues: types.ReturnValueAllNew})
		x.fails(err, "ValidationException", "Return values set to invalid value")
	})
	s.run(t, "an index key of another type is refused", func(_ *testing.T, x *tester) {
		_, err := x.client.PutItem(x.ctx(), &dynamodb.PutItemInput{TableName: x.wide(), Item: M{"pk": x.pk, "sk": 1, "g": 1}.attributes()})
		x.failsAsAWS(err, "ValidationException", "Type mismatch for Index Key g Expected: S Actual: N IndexName: by-g")
	})
	s.run(t, "an empty index key is refused", func(_ *testing.T, x *tester) {
		_, err := x.client.PutItem(x.ctx(), &dynamodb.PutItemInput{TableName: x.wide(), Item: M{"pk": x.pk, "sk": 1, "g": ""}.attributes()})
		x.fails(err, "ValidationException", "A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value.")
	})
	s.run(t, "an update that would give an index key another type is refused", func(_ *testing.T, x *tester) {
		_, err := x.client.UpdateItem(x.ctx(), &dynamodb.UpdateItemInput{
			TableName: x.wide(), Key: M{"pk": x.pk, "sk": 1}.attributes(), UpdateExpression: aws.String("SET g = :v"), ExpressionAttributeValues: M{":v": 1}.attributes(),
		})
		x.fails(err, "ValidationException", "Type mismatch for Index Key g Expected: S Actual: N")
	})
}

// values are numbers, which DynamoDB gives back in one form.
func (s *suite) values(t *testing.T) {
	for given, want := range map[string]string{
		"1.0": "1", "0.10": "0.1", "-0": "0", "1e5": "100000", "1E-5": "0.00001", "1.2345e3": "1234.5", "-1.50": "-1.5", "00012": "12", "+5": "5",
		".5": "0.5", "1.": "1", "0e200": "0", "1e40": "1" + strings.Repeat("0", 40), "1E-130": "0." + strings.Repeat("0", 129) + "1",
		"9.9999999999999999999999999999999999999E+125": strings.Repeat("9", 38) + strings.Repeat("0", 88),
	} {
		s.run(t, "the number "+given+" is given back in plain form", func(_ *testing.T, x *tester) {
			x.put(x.simple(), M{"pk": x.pk, "n": N(given)})
			out, err := x.client.GetItem(x.ctx(), &dynamodb.GetItemInput{TableName: x.simple(), Key: M{"pk": x.pk}.attributes(), ConsistentRead: aws.Bool(true)})
			x.ok(err)
			n, _ := out.Item["n"].(*types.AttributeValueMemberN)
			x.same("the number", want, n.Value)
		})
	}
}
