package dynamodb_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"

	"pushpull/local/dynamodb"
)

func openBench(b *testing.B) string {
	b.Helper()
	s, err := dynamodb.Open(filepath.Join(b.TempDir(), "tables.db"), dynamodb.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	err = s.EnsureTable(dynamodb.TableDefinition{
		TableName:            "events",
		BillingMode:          "PAY_PER_REQUEST",
		KeySchema:            []dynamodb.KeySchemaElement{{AttributeName: "id", KeyType: "HASH"}},
		AttributeDefinitions: []dynamodb.AttributeDefinition{{AttributeName: "id", AttributeType: "S"}, {AttributeName: "hour", AttributeType: "S"}, {AttributeName: "at", AttributeType: "N"}},
		GlobalSecondaryIndexes: []dynamodb.IndexDefinition{{
			IndexName: "by-time", KeySchema: []dynamodb.KeySchemaElement{{AttributeName: "hour", KeyType: "HASH"}, {AttributeName: "at", KeyType: "RANGE"}},
			Projection: dynamodb.Projection{ProjectionType: "KEYS_ONLY"},
		}},
		TimeToLiveSpecification: &dynamodb.TimeToLiveSpecification{AttributeName: "end", Enabled: true},
	})
	if err != nil {
		b.Fatal(err)
	}
	front := httptest.NewServer(s)
	b.Cleanup(front.Close)
	return front.URL
}

// claim is a conditional UpdateItem like the ledger's, of a new item with an
// index entry and an end.
const claim = `{"TableName":"events","Key":{"id":{"S":"github/%d"}},"ConditionExpression":"attribute_not_exists(id) OR (#s = :claimed AND lease < :now)",` +
	`"UpdateExpression":"SET #s = :claimed, lease = :lease, #o = :owner, #h = :hour, #a = :at, #e = :end",` +
	`"ExpressionAttributeNames":{"#s":"status","#o":"owner","#h":"hour","#a":"at","#e":"end"},` +
	`"ExpressionAttributeValues":{":claimed":{"S":"claimed"},":now":{"N":"1795465651"},":lease":{"N":"1795465711"},":owner":{"S":"01JD7R8Z"},":hour":{"S":"github#2026112320#%d"},":at":{"N":"%d"},":end":{"N":"1995465651"}},` +
	`"ReturnValuesOnConditionCheckFailure":"ALL_OLD"}`

// BenchmarkClaim is UpdateItem over HTTP with 16 clients.
func BenchmarkClaim(b *testing.B) {
	url := openBench(b)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	var n atomic.Int64
	b.SetParallelism(8) // times the number of processors: 16 clients on two
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := n.Add(1)
			req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, bytes.NewBufferString(fmt.Sprintf(claim, i, i%8, 1795465651000+i)))
			if err != nil {
				b.Error(err)
				return
			}
			req.Header.Set("X-Amz-Target", "DynamoDB_20120810.UpdateItem")
			resp, err := client.Do(req)
			if err != nil {
				b.Error(err)
				return
			}
			body, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				b.Errorf("%d %s", resp.StatusCode, body)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
}
