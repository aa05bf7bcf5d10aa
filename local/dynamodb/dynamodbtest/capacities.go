package dynamodbtest

import (
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// capacities are what requests cost.
func (s *suite) capacities(t *testing.T) {
	s.run(t, "a write costs a unit for each KB, of the larger of old and new", func(_ *testing.T, x *tester) {
		for _, c := range []struct {
			size int
			want float64
		}{{1, 1}, {3 << 10, 4}, {1, 4}, {1, 1}} {
			out, err := x.client.PutItem(x.ctx(), &dynamodb.PutItemInput{
				TableName: x.simple(), Item: M{"pk": x.pk, "a": strings.Repeat("x", c.size)}.attributes(), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
			})
			x.ok(err)
			x.same("the units", c.want, *out.ConsumedCapacity.CapacityUnits)
		}
	})
	s.run(t, "a read costs a unit for each 4 KB, half where it may be old", func(_ *testing.T, x *tester) {
		x.put(x.simple(), M{"pk": x.pk, "a": strings.Repeat("x", 5<<10)})
		for consistent, want := range map[bool]float64{true: 2, false: 1} {
			out, err := x.client.GetItem(x.ctx(), &dynamodb.GetItemInput{
				TableName: x.simple(), Key: M{"pk": x.pk}.attributes(), ConsistentRead: &consistent, ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes,
			})
			x.ok(err)
			x.same("the units", want, *out.ConsumedCapacity.CapacityUnits)
			x.same("the table's units", want, *out.ConsumedCapacity.Table.CapacityUnits)
		}
	})
	s.run(t, "a read of what is not there costs as the smallest", func(_ *testing.T, x *tester) {
		out, err := x.client.GetItem(x.ctx(), &dynamodb.GetItemInput{
			TableName: x.simple(), Key: M{"pk": x.pk}.attributes(), ConsistentRead: aws.Bool(true), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
		})
		x.ok(err)
		x.same("the units", 1.0, *out.ConsumedCapacity.CapacityUnits)
	})
	s.run(t, "a query that finds nothing costs half a unit", func(_ *testing.T, x *tester) {
		out, _, err := x.query(&dynamodb.QueryInput{KeyConditionExpression: aws.String("pk = :p"), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal}, nil)
		x.ok(err)
		x.same("the units", 0.5, *out.ConsumedCapacity.CapacityUnits)
	})
	s.run(t, "a query of a global index costs there, not in the table", func(_ *testing.T, x *tester) {
		x.fill()
		out, _, err := x.query(&dynamodb.QueryInput{IndexName: aws.String("by-g"), KeyConditionExpression: aws.String("g = :p"), ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes}, nil)
		x.ok(err)
		x.same("the table's units", 0.0, *out.ConsumedCapacity.Table.CapacityUnits)
		x.same("the index's units", 0.5, *out.ConsumedCapacity.GlobalSecondaryIndexes["by-g"].CapacityUnits)
	})
	s.run(t, "a query that fetches from the table costs for each item", func(_ *testing.T, x *tester) {
		x.fill()
		out, _, err := x.query(&dynamodb.QueryInput{
			IndexName: aws.String("by-l"), KeyConditionExpression: aws.String("pk = :p"), Limit: aws.Int32(2),
			Select: types.SelectAllAttributes, ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes,
		}, nil)
		x.ok(err)
		x.same("the table's units", 1.0, *out.ConsumedCapacity.Table.CapacityUnits)
		x.same("the index's units", 0.5, *out.ConsumedCapacity.LocalSecondaryIndexes["by-l"].CapacityUnits)
	})
	s.run(t, "a write in a transaction costs twice its units", func(_ *testing.T, x *tester) {
		out, err := x.client.TransactWriteItems(x.ctx(), &dynamodb.TransactWriteItemsInput{
			TransactItems:          []types.TransactWriteItem{x.updateIn(M{"pk": x.pk}, "SET a = :v", M{":v": 1})},
			ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
		})
		x.ok(err)
		x.same("the units", 2.0, *out.ConsumedCapacity[0].CapacityUnits)
	})
	s.run(t, "a write to a table with a local index gives the item collection's metrics", func(t *testing.T, x *tester) {
		out, err := x.client.PutItem(x.ctx(), &dynamodb.PutItemInput{
			TableName: x.wide(), Item: M{"pk": x.pk, "sk": 1}.attributes(), ReturnItemCollectionMetrics: types.ReturnItemCollectionMetricsSize,
		})
		x.ok(err)
		if out.ItemCollectionMetrics == nil {
			t.Fatal("there are none")
		}
		x.same("the key", M{"pk": x.pk}, fromAttributes(out.ItemCollectionMetrics.ItemCollectionKey))
	})
	s.indexCapacities(t)
}

// indexCapacities writes one item in turn, and asks what each index costs.
func (s *suite) indexCapacities(t *testing.T) {
	s.run(t, "an index costs where its entry changes, twice where it moves", func(_ *testing.T, x *tester) {
		for _, c := range []struct {
			item             M
			table, keys, all float64
			local            float64
		}{
			{M{"g": "1", "l": "1", "y": 1}, 1, 1, 1, 1}, // all are new
			{M{"g": "1", "l": "1", "y": 2}, 1, 0, 1, 0}, // only one shows y
			{M{"g": "2", "l": "1", "y": 2}, 1, 2, 2, 0}, // the entry moves
			{M{"g": "2", "l": "1", "y": 2}, 1, 0, 0, 0}, // nothing changes
			{M{"l": "1", "y": 2}, 1, 1, 1, 0},           // the entry goes
		} {
			it := M{"pk": x.pk, "sk": 1}
			maps.Copy(it, c.item)
			out, err := x.client.PutItem(x.ctx(), &dynamodb.PutItemInput{TableName: x.wide(), Item: it.attributes(), ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes})
			x.ok(err)
			used := out.ConsumedCapacity
			x.same("all units", c.table+c.keys+c.all+c.local, *used.CapacityUnits)
			x.same("the table's units", c.table, *used.Table.CapacityUnits)
			x.same("the units of the index of keys", c.keys, aws.ToFloat64(used.GlobalSecondaryIndexes["by-g"].CapacityUnits))
			x.same("the units of the index of all", c.all, aws.ToFloat64(used.GlobalSecondaryIndexes["all-by-g"].CapacityUnits))
			x.same("the units of the local index", c.local, aws.ToFloat64(used.LocalSecondaryIndexes["by-l"].CapacityUnits))
		}
	})
}
