package dynamodbtest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func (c *tester) transact(items ...types.TransactWriteItem) error {
	_, err := c.client.TransactWriteItems(c.ctx(), &dynamodb.TransactWriteItemsInput{TransactItems: items})
	return err
}

func (c *tester) putIn(it M) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{TableName: c.simple(), Item: it.attributes()}}
}

func (c *tester) checkIn(key M, condition string) types.TransactWriteItem {
	return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
		TableName: c.simple(), Key: key.attributes(), ConditionExpression: &condition,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}
}

func (c *tester) updateIn(key M, update string, values M) types.TransactWriteItem {
	return types.TransactWriteItem{Update: &types.Update{
		TableName: c.simple(), Key: key.attributes(), UpdateExpression: &update, ExpressionAttributeValues: values.attributes(),
	}}
}

// cancelled asserts the codes of a cancelled transaction's reasons.
func (c *tester) cancelled(err error, codes ...string) *types.TransactionCanceledException {
	c.t.Helper()
	e, found := errors.AsType[*types.TransactionCanceledException](err)
	if !found {
		c.t.Fatalf("want a cancelled transaction, got %v", err)
	}
	var got []string
	for _, reason := range e.CancellationReasons {
		got = append(got, aws.ToString(reason.Code))
	}
	c.same("the reasons", codes, got)
	return e
}

func (s *suite) transactions(t *testing.T) {
	s.run(t, "a transaction does all of its writes", func(_ *testing.T, x *tester) {
		x.put(x.simple(), M{"pk": x.pk + "gone"})
		x.put(x.simple(), M{"pk": x.pk + "there"})
		x.ok(x.transact(
			x.putIn(M{"pk": x.pk, "a": 1}),
			x.updateIn(M{"pk": x.pk + "n"}, "ADD n :v", M{":v": 2}),
			types.TransactWriteItem{Delete: &types.Delete{TableName: x.simple(), Key: M{"pk": x.pk + "gone"}.attributes()}},
			x.checkIn(M{"pk": x.pk + "there"}, "attribute_exists(pk)"),
		))
		x.same("the put", M{"pk": x.pk, "a": 1}, x.get(M{"pk": x.pk}))
		x.same("the update", M{"pk": x.pk + "n", "n": 2}, x.get(M{"pk": x.pk + "n"}))
		x.same("the delete", M(nil), x.get(M{"pk": x.pk + "gone"}))
		x.same("the check", M{"pk": x.pk + "there"}, x.get(M{"pk": x.pk + "there"}))
	})
	s.run(t, "a transaction whose condition fails does nothing, and says why", func(_ *testing.T, x *tester) {
		x.put(x.simple(), M{"pk": x.pk + "there", "a": 1})
		err := x.transact(x.putIn(M{"pk": x.pk}), x.checkIn(M{"pk": x.pk + "there"}, "attribute_not_exists(pk)"))
		e := x.cancelled(err, "None", "ConditionalCheckFailed")
		x.same("the message", "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]", e.ErrorMessage())
		x.same("the old item", M{"pk": x.pk + "there", "a": 1}, fromAttributes(e.CancellationReasons[1].Item))
		x.same("the put", M(nil), x.get(M{"pk": x.pk}))
	})
	s.run(t, "a transaction with an index key of another type is cancelled", func(_ *testing.T, x *tester) {
		err := x.transact(types.TransactWriteItem{Put: &types.Put{TableName: x.wide(), Item: M{"pk": x.pk, "sk": 1, "g": 1}.attributes()}})
		_ = x.cancelled(err, "ValidationError")
	})
	s.run(t, "a transaction with an item that lacks its key is cancelled", func(_ *testing.T, x *tester) {
		_ = x.cancelled(x.transact(x.putIn(M{"zz": 1})), "ValidationError")
	})
	s.run(t, "a transaction whose update cannot be applied is cancelled", func(_ *testing.T, x *tester) {
		_ = x.cancelled(x.transact(x.putIn(M{"pk": x.pk}), x.updateIn(M{"pk": x.pk + "n"}, "SET a = zz", nil)), "None", "ValidationError")
		x.same("the put", M(nil), x.get(M{"pk": x.pk}))
	})
	s.run(t, "a transaction's update must have an expression", func(_ *testing.T, x *tester) {
		err := x.transact(types.TransactWriteItem{Update: &types.Update{TableName: x.simple(), Key: M{"pk": x.pk}.attributes(), UpdateExpression: aws.String("")}})
		x.fails(err, "ValidationException", "")
	})
	s.run(t, "a transaction on one item twice is refused", func(_ *testing.T, x *tester) {
		x.fails(x.transact(x.putIn(M{"pk": x.pk}), x.checkIn(M{"pk": x.pk}, "attribute_exists(pk)")), "ValidationException", "Transaction request cannot include multiple operations on one item")
	})
	s.run(t, "a transaction of 101 items is refused", func(_ *testing.T, x *tester) {
		var items []types.TransactWriteItem
		for i := range 101 {
			items = append(items, x.putIn(M{"pk": fmt.Sprint(i)}))
		}
		x.fails(x.transact(items...), "ValidationException", "")
	})
	s.run(t, "a transaction with a table that is not there is refused", func(_ *testing.T, x *tester) {
		err := x.transact(types.TransactWriteItem{Put: &types.Put{TableName: aws.String("not-there"), Item: M{"pk": "x"}.attributes()}})
		x.fails(err, "ResourceNotFoundException", "")
	})
	s.tokens(t)
	s.run(t, "a transaction reads items together", func(_ *testing.T, x *tester) {
		x.put(x.simple(), M{"pk": x.pk, "a": 1, "b": 2})
		get := func(pk string) types.TransactGetItem {
			return types.TransactGetItem{Get: &types.Get{TableName: x.simple(), Key: M{"pk": pk}.attributes(), ProjectionExpression: aws.String("a")}}
		}
		out, err := x.client.TransactGetItems(x.ctx(), &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{get(x.pk + "missing"), get(x.pk)}})
		x.ok(err)
		x.same("the number of answers", 2, len(out.Responses))
		x.same("the missing", M(nil), fromAttributes(out.Responses[0].Item))
		x.same("the item", M{"a": 1}, fromAttributes(out.Responses[1].Item))
	})
}

func (s *suite) tokens(t *testing.T) {
	run := func(x *tester, token string, by int) error {
		_, err := x.client.TransactWriteItems(x.ctx(), &dynamodb.TransactWriteItemsInput{
			TransactItems: []types.TransactWriteItem{x.updateIn(M{"pk": x.pk}, "ADD n :v SET m = :m", M{":v": by, ":m": M{"a": 1, "b": 2, "c": 3}})}, ClientRequestToken: &token,
		})
		return err
	}
	s.run(t, "a transaction that repeats its token is done once", func(_ *testing.T, x *tester) {
		token := fmt.Sprint(len(x.prefix), x.prefix[6:])
		for range 5 {
			x.ok(run(x, token, 1))
		}
		x.same("the number", 1, x.get(M{"pk": x.pk})["n"])
	})
	s.run(t, "a transaction that repeats its token with other parameters is refused", func(_ *testing.T, x *tester) {
		token := "other" + x.prefix[6:]
		x.ok(run(x, token, 1))
		x.fails(run(x, token, 2), "IdempotentParameterMismatchException", "")
	})
}
