package dynamodbtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func putRequest(it M) types.WriteRequest {
	return types.WriteRequest{PutRequest: &types.PutRequest{Item: it.attributes()}}
}

func deleteRequest(key M) types.WriteRequest {
	return types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: key.attributes()}}
}

func (c *tester) batchWrite(requests ...types.WriteRequest) error {
	_, err := c.client.BatchWriteItem(c.ctx(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{*c.simple(): requests}})
	return err
}

func (c *tester) batchGet(keys ...M) (*dynamodb.BatchGetItemOutput, error) {
	var all []map[string]types.AttributeValue
	for _, key := range keys {
		all = append(all, key.attributes())
	}
	return c.client.BatchGetItem(c.ctx(), &dynamodb.BatchGetItemInput{
		RequestItems:           map[string]types.KeysAndAttributes{*c.simple(): {Keys: all, ConsistentRead: aws.Bool(true)}},
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
}

func (s *suite) batches(t *testing.T) {
	s.run(t, "a batch puts and deletes in several tables", func(_ *testing.T, x *tester) {
		x.put(x.simple(), M{"pk": x.pk + "old"})
		out, err := x.client.BatchWriteItem(x.ctx(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{
			*x.simple(): {putRequest(M{"pk": x.pk, "a": 1}), deleteRequest(M{"pk": x.pk + "old"})},
			*x.wide():   {putRequest(M{"pk": x.pk, "sk": 1})},
		}})
		x.ok(err)
		x.same("what is unprocessed", 0, len(out.UnprocessedItems))
		x.same("the put", M{"pk": x.pk, "a": 1}, x.get(M{"pk": x.pk}))
		x.same("the deleted", M(nil), x.get(M{"pk": x.pk + "old"}))
		x.same("the other table", M{"pk": x.pk, "sk": 1}, x.get(M{"pk": x.pk, "sk": 1}))
	})
	s.run(t, "a batch reads what is there and leaves out what is not", func(_ *testing.T, x *tester) {
		x.put(x.simple(), M{"pk": x.pk, "a": 1})
		out, err := x.batchGet(M{"pk": x.pk}, M{"pk": x.pk + "missing"})
		x.ok(err)
		x.same("the items", []M{{"pk": x.pk, "a": 1}}, fromList(out.Responses[*x.simple()]))
		x.same("what is unprocessed", 0, len(out.UnprocessedKeys))
	})
	s.run(t, "a batch over 16 MB gives the rest as unprocessed", func(t *testing.T, x *tester) {
		var keys []M
		for i := range 45 {
			key := M{"pk": fmt.Sprintf("%s/%d", x.pk, i)}
			keys = append(keys, key)
			x.put(x.simple(), M{"pk": key["pk"], "x": strings.Repeat("x", 380<<10)})
		}
		out, err := x.batchGet(keys...)
		x.ok(err)
		found, left := len(out.Responses[*x.simple()]), len(out.UnprocessedKeys[*x.simple()].Keys)
		if found+left != 45 || left == 0 || found < 40 {
			t.Errorf("found %d, left %d", found, left)
		}
	})
	many := func(n int) (puts []types.WriteRequest, keys []M) {
		for i := range n {
			key := M{"pk": fmt.Sprint(i)}
			puts, keys = append(puts, putRequest(key)), append(keys, key)
		}
		return puts, keys
	}
	s.run(t, "a batch of 26 writes is refused", func(_ *testing.T, x *tester) {
		puts, _ := many(26)
		x.fails(x.batchWrite(puts...), "ValidationException", "")
	})
	s.run(t, "a batch of 101 reads is refused", func(_ *testing.T, x *tester) {
		_, keys := many(101)
		_, err := x.batchGet(keys...)
		x.fails(err, "ValidationException", "")
	})
	s.run(t, "a batch that writes an item twice is refused", func(_ *testing.T, x *tester) {
		x.fails(x.batchWrite(putRequest(M{"pk": "x"}), deleteRequest(M{"pk": "x"})), "ValidationException", "Provided list of item keys contains duplicates")
	})
	s.run(t, "a batch that reads an item twice is refused", func(_ *testing.T, x *tester) {
		_, err := x.batchGet(M{"pk": "x"}, M{"pk": "x"})
		x.fails(err, "ValidationException", "Provided list of item keys contains duplicates")
	})
	s.run(t, "a batch of nothing is refused", func(_ *testing.T, x *tester) {
		x.fails(x.batchWrite(), "ValidationException", "")
	})
	s.run(t, "a batch with a key that is wrong is refused as a whole", func(_ *testing.T, x *tester) {
		x.fails(x.batchWrite(putRequest(M{"pk": x.pk}), deleteRequest(M{"zz": "x"})), "ValidationException", "")
		x.same("the other item", M(nil), x.get(M{"pk": x.pk}))
	})
	s.run(t, "a batch with a table that is not there is refused", func(_ *testing.T, x *tester) {
		_, err := x.client.BatchWriteItem(x.ctx(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"not-there": {putRequest(M{"pk": "x"})}}})
		x.fails(err, "ResourceNotFoundException", "")
	})
	s.run(t, "a batch read of a missing item costs half a unit", func(_ *testing.T, x *tester) {
		out, err := x.client.BatchGetItem(x.ctx(), &dynamodb.BatchGetItemInput{
			RequestItems:           map[string]types.KeysAndAttributes{*x.simple(): {Keys: []map[string]types.AttributeValue{M{"pk": x.pk}.attributes()}}},
			ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
		})
		x.ok(err)
		x.same("the units", 0.5, *out.ConsumedCapacity[0].CapacityUnits)
	})
}
