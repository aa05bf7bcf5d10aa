// Package dynamodbtest is what a DynamoDB-compatible endpoint must do: one
// suite that our endpoint and Amazon's DynamoDB Local must both pass, so that
// what is tried on one machine holds on AWS.
//
// Its one invariant: every case is what AWS documents or was seen to do. Where
// DynamoDB Local is known to depart from AWS, Departures says how.
package dynamodbtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Departures are the cases in which Amazon's DynamoDB Local (2.6.1) does not do
// as the service does, with how. Its wording of many errors differs, too: those
// are the cases with aws rather than says.
var Departures = map[string]string{
	"an update returns only the nested paths that it names":                     "returns the whole top-level attribute",
	"an update that would give an index key another type is refused":            "accepts it",
	"a transaction with an item that lacks its key is cancelled":                "answers ValidationException",
	"a transaction whose update cannot be applied is cancelled":                 "answers ValidationException",
	"a limit that is met exactly still gives a last evaluated key":              "gives none where nothing follows",
	"a query that finds nothing costs half a unit":                              "costs nothing",
	"a batch read of a missing item costs half a unit":                          "costs nothing for it",
	"a table on demand takes no provisioned throughput":                         "accepts both",
	"describing the continuous backups says that there are none":                "does not know the call",
	"describing the endpoints gives one":                                        "does not know the call",
	"a write to a table with a local index gives the item collection's metrics": "gives none",
	"a write in a transaction costs twice its units":                            "costs twice that again where an update makes the item",
}

// Run runs the suite. It makes tables of its own and removes them. Cases named
// in departures are skipped, with the reason, and the exact wording of AWS is
// not asked for if there are any.
func Run(t *testing.T, client *dynamodb.Client, departures map[string]string) {
	s := &suite{client: client, departures: departures, prefix: fmt.Sprintf("suite-%d-", time.Now().UnixNano())}
	s.makeTables(t)
	t.Run("cases", func(t *testing.T) {
		for _, group := range []func(*testing.T){
			s.conditions, s.updates, s.writes, s.values, s.queries, s.scans, s.batches, s.transactions, s.capacities, s.expressionErrors, s.tables,
		} {
			group(t)
		}
	})
}

type suite struct {
	client     *dynamodb.Client
	departures map[string]string
	prefix     string
}

func (s *suite) simple() *string { return aws.String(s.prefix + "simple") } // pk S
func (s *suite) wide() *string   { return aws.String(s.prefix + "wide") }   // pk S, sk N, and the indexes

// run runs one case, side by side with others.
func (s *suite) run(t *testing.T, name string, run func(t *testing.T, c *tester)) {
	t.Run(name, func(t *testing.T) {
		if how, departs := s.departures[name]; departs {
			t.Skipf("the reference departs from AWS: %s", how)
		}
		t.Parallel()
		run(t, &tester{suite: s, t: t, pk: t.Name()})
	})
}

// A tester is one case at work, with a partition of its own.
type tester struct {
	*suite
	t  *testing.T
	pk string
}

func (c *tester) ctx() context.Context { return c.t.Context() }

func (c *tester) put(table *string, item M) {
	c.t.Helper()
	_, err := c.client.PutItem(c.ctx(), &dynamodb.PutItemInput{TableName: table, Item: item.attributes()})
	c.ok(err)
}

// get reads an item of the simple table, or of the wide one where sk is given.
func (c *tester) get(key M) M {
	c.t.Helper()
	out, err := c.client.GetItem(c.ctx(), &dynamodb.GetItemInput{TableName: c.tableOf(key), Key: key.attributes(), ConsistentRead: aws.Bool(true)})
	c.ok(err)
	return fromAttributes(out.Item)
}

func (c *tester) tableOf(key M) *string {
	if _, wide := key["sk"]; wide {
		return c.wide()
	}
	return c.simple()
}

func (c *tester) ok(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *tester) same(what string, want, got any) {
	c.t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		c.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// fails asserts an error's code, and that its message holds says.
func (c *tester) fails(err error, code, says string) {
	c.t.Helper()
	e, found := errors.AsType[smithy.APIError](err)
	if !found {
		c.t.Fatalf("want %s, got %v", code, err)
	}
	if e.ErrorCode() != code {
		c.t.Errorf("want %s, got %s: %s", code, e.ErrorCode(), e.ErrorMessage())
	}
	if !strings.Contains(e.ErrorMessage(), says) {
		c.t.Errorf("want a message with\n%s\ngot\n%s", says, e.ErrorMessage())
	}
}

// failsAsAWS is fails where the reference words the message otherwise.
func (c *tester) failsAsAWS(err error, code, says string) {
	c.t.Helper()
	if len(c.departures) > 0 {
		says = ""
	}
	c.fails(err, code, says)
}

func (s *suite) makeTables(t *testing.T) {
	t.Helper()
	attribute := func(name string, kind types.ScalarAttributeType) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: &name, AttributeType: kind}
	}
	project := func(kind types.ProjectionType, names ...string) *types.Projection {
		return &types.Projection{ProjectionType: kind, NonKeyAttributes: names}
	}
	for _, in := range []*dynamodb.CreateTableInput{
		{
			TableName:            s.simple(),
			BillingMode:          types.BillingModePayPerRequest,
			AttributeDefinitions: []types.AttributeDefinition{attribute("pk", "S")},
			KeySchema:            keys("pk"),
		},
		{
			TableName:            s.wide(),
			BillingMode:          types.BillingModePayPerRequest,
			AttributeDefinitions: []types.AttributeDefinition{attribute("pk", "S"), attribute("sk", "N"), attribute("g", "S"), attribute("l", "S")},
			KeySchema:            keys("pk", "sk"),
			GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{
				{IndexName: aws.String("by-g"), KeySchema: keys("g", "sk"), Projection: project(types.ProjectionTypeKeysOnly)},
				{IndexName: aws.String("all-by-g"), KeySchema: keys("g"), Projection: project(types.ProjectionTypeAll)},
			},
			LocalSecondaryIndexes: []types.LocalSecondaryIndex{
				{IndexName: aws.String("by-l"), KeySchema: keys("pk", "l"), Projection: project(types.ProjectionTypeInclude, "x")},
			},
		},
	} {
		if _, err := s.client.CreateTable(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_, err := s.client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: in.TableName})
			if err != nil {
				t.Error(err)
			}
		})
		waiter := dynamodb.NewTableExistsWaiter(s.client)
		if err := waiter.Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: in.TableName}, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
}

func keys(hash string, sort ...string) []types.KeySchemaElement {
	schema := []types.KeySchemaElement{{AttributeName: &hash, KeyType: types.KeyTypeHash}}
	for _, name := range sort {
		schema = append(schema, types.KeySchemaElement{AttributeName: &name, KeyType: types.KeyTypeRange})
	}
	return schema
}
