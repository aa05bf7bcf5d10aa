package dynamodbtest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// make makes a table for the case, with pk S as its key, and removes it after.
func (c *tester) make(name string) *string {
	c.t.Helper()
	in := plainTable(c.prefix + name)
	_, err := c.client.CreateTable(c.ctx(), in)
	c.ok(err)
	c.t.Cleanup(func() {
		// The context of the case has ended by now, and the case may have removed the table.
		_, _ = c.client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: in.TableName})
	})
	return in.TableName
}

func plainTable(name string) *dynamodb.CreateTableInput {
	return &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest, KeySchema: keys("pk"),
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: "S"}},
	}
}

func (s *suite) tables(t *testing.T) {
	s.run(t, "a table is described as it was made", func(t *testing.T, x *tester) {
		out, err := x.client.DescribeTable(x.ctx(), &dynamodb.DescribeTableInput{TableName: x.wide()})
		x.ok(err)
		d := out.Table
		if d.TableStatus != types.TableStatusActive || d.BillingModeSummary.BillingMode != types.BillingModePayPerRequest || aws.ToString(d.TableArn) == "" || time.Since(*d.CreationDateTime) > time.Hour {
			t.Errorf("it is %+v", d)
		}
		var indexes []string
		for _, index := range d.GlobalSecondaryIndexes {
			indexes = append(indexes, *index.IndexName+" "+string(index.IndexStatus)+" "+string(index.Projection.ProjectionType))
		}
		slices.Sort(indexes)
		x.same("the global indexes", []string{"all-by-g ACTIVE ALL", "by-g ACTIVE KEYS_ONLY"}, indexes)
		x.same("the local index", "by-l", *d.LocalSecondaryIndexes[0].IndexName)
	})
	s.run(t, "tables are listed by pages", func(t *testing.T, x *tester) {
		pages := dynamodb.NewListTablesPaginator(x.client, &dynamodb.ListTablesInput{Limit: aws.Int32(1)})
		found := 0
		for pages.HasMorePages() {
			out, err := pages.NextPage(x.ctx())
			x.ok(err)
			for _, name := range out.TableNames {
				if name == *x.simple() || name == *x.wide() {
					found++
				}
			}
		}
		if found != 2 {
			t.Errorf("found %d of 2", found)
		}
	})
	s.run(t, "a table that is there cannot be made again", func(_ *testing.T, x *tester) {
		_, err := x.client.CreateTable(x.ctx(), plainTable(*x.simple()))
		x.fails(err, "ResourceInUseException", "")
	})
	s.run(t, "a table that was removed is gone", func(_ *testing.T, x *tester) {
		name := x.make("removed")
		_, err := x.client.DeleteTable(x.ctx(), &dynamodb.DeleteTableInput{TableName: name})
		x.ok(err)
		_, err = x.client.DescribeTable(x.ctx(), &dynamodb.DescribeTableInput{TableName: name})
		x.failsAsAWS(err, "ResourceNotFoundException", "Requested resource not found: Table: "+*name+" not found")
	})
	for name, change := range map[string]func(*dynamodb.CreateTableInput){
		"a key without a definition is refused": func(in *dynamodb.CreateTableInput) { in.KeySchema = keys("zz") },
		"a definition that no key uses is refused": func(in *dynamodb.CreateTableInput) {
			in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: aws.String("q"), AttributeType: "S"})
		},
		"a name that is too short is refused":          func(in *dynamodb.CreateTableInput) { in.TableName = aws.String("a") },
		"a key of a type that has no order is refused": func(in *dynamodb.CreateTableInput) { in.AttributeDefinitions[0].AttributeType = "BOOL" },
		"provisioned billing needs throughput":         func(in *dynamodb.CreateTableInput) { in.BillingMode = types.BillingModeProvisioned },
		"a table on demand takes no provisioned throughput": func(in *dynamodb.CreateTableInput) {
			in.ProvisionedThroughput = &types.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(1), WriteCapacityUnits: aws.Int64(1)}
		},
	} {
		s.run(t, name, func(_ *testing.T, x *tester) {
			in := plainTable(x.prefix + "refused")
			change(in)
			_, err := x.client.CreateTable(x.ctx(), in)
			x.fails(err, "ValidationException", "")
		})
	}
	s.indexChanges(t)
	s.timeToLive(t)
	s.run(t, "describing the continuous backups says that there are none", func(_ *testing.T, x *tester) {
		out, err := x.client.DescribeContinuousBackups(x.ctx(), &dynamodb.DescribeContinuousBackupsInput{TableName: x.simple()})
		x.ok(err)
		x.same("the status", types.ContinuousBackupsStatusDisabled, out.ContinuousBackupsDescription.ContinuousBackupsStatus)
	})
	s.run(t, "describing the limits gives some", func(_ *testing.T, x *tester) {
		_, err := x.client.DescribeLimits(x.ctx(), &dynamodb.DescribeLimitsInput{})
		x.ok(err)
	})
	s.run(t, "describing the endpoints gives one", func(_ *testing.T, x *tester) {
		out, err := x.client.DescribeEndpoints(x.ctx(), &dynamodb.DescribeEndpointsInput{})
		x.ok(err)
		x.same("the number", 1, len(out.Endpoints))
	})
}

// await polls until the index has the status; "" is that it is gone.
func (c *tester) await(table *string, index string, status types.IndexStatus) {
	c.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		out, err := c.client.DescribeTable(c.ctx(), &dynamodb.DescribeTableInput{TableName: table})
		if err != nil && len(c.departures) > 0 && time.Now().Before(deadline) {
			continue // DynamoDB Local now and then answers 500 while it builds an index
		}
		c.ok(err)
		now := types.IndexStatus("")
		for _, x := range out.Table.GlobalSecondaryIndexes {
			if *x.IndexName == index {
				now = x.IndexStatus
			}
		}
		if now == status {
			return
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-c.ctx().Done():
		}
	}
	c.t.Fatalf("index %s did not become %q", index, status)
}

func (s *suite) indexChanges(t *testing.T) {
	s.run(t, "an index that is added later is filled, and can be removed", func(_ *testing.T, x *tester) {
		table := x.make("grows")
		for i := range 20 {
			x.put(table, M{"pk": fmt.Sprint(i), "g": fmt.Sprint(i % 2)})
		}
		_, err := x.client.UpdateTable(x.ctx(), &dynamodb.UpdateTableInput{
			TableName: table,
			AttributeDefinitions: []types.AttributeDefinition{
				{AttributeName: aws.String("pk"), AttributeType: "S"}, {AttributeName: aws.String("g"), AttributeType: "S"},
			},
			GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
				IndexName: aws.String("by-g"), KeySchema: keys("g"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
			}}},
		})
		x.ok(err)
		x.await(table, "by-g", types.IndexStatusActive)
		in := &dynamodb.QueryInput{
			TableName: table, IndexName: aws.String("by-g"), KeyConditionExpression: aws.String("g = :g"),
			ExpressionAttributeValues: M{":g": "1"}.attributes(), Select: types.SelectCount,
		}
		out, err := x.client.Query(x.ctx(), in)
		x.ok(err)
		x.same("the number", int32(10), out.Count)
		_, err = x.client.UpdateTable(x.ctx(), &dynamodb.UpdateTableInput{
			TableName:                   table,
			GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: aws.String("by-g")}}},
		})
		x.ok(err)
		x.await(table, "by-g", "")
		_, err = x.client.Query(x.ctx(), in)
		x.fails(err, "ValidationException", "The table does not have the specified index: by-g")
	})
	s.run(t, "a change of nothing is refused", func(_ *testing.T, x *tester) {
		_, err := x.client.UpdateTable(x.ctx(), &dynamodb.UpdateTableInput{TableName: x.simple()})
		x.fails(err, "ValidationException", "")
	})
}

func (s *suite) timeToLive(t *testing.T) {
	s.run(t, "time to live is switched on once, and off again", func(_ *testing.T, x *tester) {
		table := x.make("ends")
		set := func(name string, enabled bool) error {
			_, err := x.client.UpdateTimeToLive(x.ctx(), &dynamodb.UpdateTimeToLiveInput{
				TableName: table, TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: &name, Enabled: &enabled},
			})
			return err
		}
		status := func() types.TimeToLiveStatus {
			out, err := x.client.DescribeTimeToLive(x.ctx(), &dynamodb.DescribeTimeToLiveInput{TableName: table})
			x.ok(err)
			return out.TimeToLiveDescription.TimeToLiveStatus
		}
		x.same("at first", types.TimeToLiveStatusDisabled, status())
		x.ok(set("end", true))
		x.same("switched on", types.TimeToLiveStatusEnabled, status())
		x.fails(set("end", true), "ValidationException", "TimeToLive is already enabled")
		x.fails(set("other", true), "ValidationException", "TimeToLive is active on a different AttributeName")
		x.ok(set("end", false))
		x.fails(set("end", false), "ValidationException", "TimeToLive is already disabled")
	})
}
