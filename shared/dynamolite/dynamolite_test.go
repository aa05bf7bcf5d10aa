package dynamolite_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	local "pushpull/local/dynamodb"
	"pushpull/shared/awslite"
	"pushpull/shared/dynamolite"
	"pushpull/shared/ledger"
	"pushpull/shared/ledger/ledgertest"
)

type item = map[string]types.AttributeValue

// open makes a client of the endpoint.
func open(t testing.TB, url string) *dynamolite.Client {
	t.Helper()
	env := map[string]string{
		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_ENDPOINT_URL_DYNAMODB": url,
	}
	client, err := awslite.New(func(name string) string { return env[name] }, nil)
	if err != nil {
		t.Fatal(err)
	}
	return dynamolite.New(client)
}

func serve(t testing.TB) string {
	t.Helper()
	s, err := local.Open(filepath.Join(t.TempDir(), "dynamodb.db"), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		server.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return server.URL
}

func TestTheLedgerKeepsItsPromisesThroughIt(t *testing.T) {
	t.Parallel()
	url := serve(t)
	ledgertest.Run(t, func(t testing.TB) (ledger.API, string) {
		_, table := ledgertest.At(url)(t)
		return open(t, url), table
	})
}

// everything is an item with a value of every type, the awkward ones included.
func everything(id string) item {
	return item{
		"id":    &types.AttributeValueMemberS{Value: id},
		"text":  &types.AttributeValueMemberS{Value: "\"quoted\" \\ <b>&\u2028\n\x00ü😀"},
		"empty": &types.AttributeValueMemberS{Value: ""},
		"num":   &types.AttributeValueMemberN{Value: "-12.5"},
		"bytes": &types.AttributeValueMemberB{Value: []byte("\x00\xff bytes")},
		"none":  &types.AttributeValueMemberB{Value: []byte{}},
		"no":    &types.AttributeValueMemberBOOL{Value: false},
		"null":  &types.AttributeValueMemberNULL{Value: true},
		"list": &types.AttributeValueMemberL{Value: []types.AttributeValue{
			&types.AttributeValueMemberL{Value: []types.AttributeValue{}},
			&types.AttributeValueMemberM{Value: item{"ü": &types.AttributeValueMemberN{Value: "1"}}},
		}},
		"map":   &types.AttributeValueMemberM{Value: item{}},
		"texts": &types.AttributeValueMemberSS{Value: []string{"a", "b"}},
		"nums":  &types.AttributeValueMemberNS{Value: []string{"1", "2"}},
		"blobs": &types.AttributeValueMemberBS{Value: [][]byte{{1}, {2, 3}}},
	}
}

func unordered() cmp.Option {
	return cmp.Options{
		cmpopts.IgnoreUnexported(
			types.AttributeValueMemberS{}, types.AttributeValueMemberN{}, types.AttributeValueMemberB{}, types.AttributeValueMemberBOOL{},
			types.AttributeValueMemberNULL{}, types.AttributeValueMemberM{}, types.AttributeValueMemberL{}, types.AttributeValueMemberSS{},
			types.AttributeValueMemberNS{}, types.AttributeValueMemberBS{},
		),
		cmpopts.SortSlices(func(a, b string) bool { return a < b }),
	}
}

func TestItAndTheSDKReadWhatTheOtherWrote(t *testing.T) {
	t.Parallel()
	url := serve(t)
	sdk, lite := ledgertest.Client(url), open(t, url)
	ledgertest.CreateTable(t, sdk, "events")
	for name, clients := range map[string][2]ledger.API{"the SDK writes": {sdk, lite}, "the SDK reads": {lite, sdk}} {
		t.Run(name, func(t *testing.T) {
			want := everything(name)
			_, err := clients[0].BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{
				RequestItems: map[string][]types.WriteRequest{"events": {{PutRequest: &types.PutRequest{Item: want}}}},
			})
			if err != nil {
				t.Fatal(err)
			}
			got, err := clients[1].GetItem(t.Context(), &dynamodb.GetItemInput{
				TableName: aws.String("events"), Key: item{"id": want["id"]}, ConsistentRead: aws.Bool(true),
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got.Item, unordered()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestARefusedConditionComesWithTheItem(t *testing.T) {
	t.Parallel()
	url := serve(t)
	lite := open(t, url)
	ledgertest.CreateTable(t, ledgertest.Client(url), "events")
	in := &dynamodb.UpdateItemInput{
		TableName: aws.String("events"), Key: item{"id": &types.AttributeValueMemberS{Value: "a"}},
		UpdateExpression: aws.String("SET n = :n"), ConditionExpression: aws.String("attribute_not_exists(id)"),
		ExpressionAttributeValues:           item{":n": &types.AttributeValueMemberN{Value: "1"}},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if _, err := lite.UpdateItem(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	_, err := lite.UpdateItem(t.Context(), in)
	refused, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	if !ok {
		t.Fatalf("error %v", err)
	}
	want := item{"id": &types.AttributeValueMemberS{Value: "a"}, "n": &types.AttributeValueMemberN{Value: "1"}}
	if diff := cmp.Diff(want, refused.Item, unordered()); diff != "" {
		t.Error(diff)
	}
}

// answers is a service that says one thing.
func answers(t *testing.T, status int, body string) *dynamolite.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return open(t, server.URL)
}

func TestWhatABatchDidNotDoComesBack(t *testing.T) {
	t.Parallel()
	c := answers(t, 200, `{"UnprocessedItems":{"t":[{"PutRequest":{"Item":{"id":{"S":"a"}}}},{"DeleteRequest":{"Key":{"id":{"S":"b"}}}}]},
		"UnprocessedKeys":{"t":{"Keys":[{"id":{"S":"c"}}],"ProjectionExpression":"#p","ExpressionAttributeNames":{"#p":"id"}}}}`)
	wrote, err := c.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{})
	if err != nil {
		t.Fatal(err)
	}
	read, err := c.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{})
	if err != nil {
		t.Fatal(err)
	}
	text := func(it item) string { return fmt.Sprint(it["id"].(*types.AttributeValueMemberS).Value) }
	left := read.UnprocessedKeys["t"]
	got := []string{
		text(wrote.UnprocessedItems["t"][0].PutRequest.Item), text(wrote.UnprocessedItems["t"][1].DeleteRequest.Key),
		text(left.Keys[0]), *left.ProjectionExpression, left.ExpressionAttributeNames["#p"],
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "#p", "id"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAnAnswerThatIsNotWholeIsAnError(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"it is cut":                        `{"Item":{"id":{"S":"a"}`,
		"a value has no type that we know": `{"Item":{"id":{"X":"a"}}}`,
		"bytes are not in base64":          `{"Item":{"id":{"B":"*"}}}`,
		"it is a page of a proxy":          `<html>`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if out, err := answers(t, 200, body).GetItem(t.Context(), &dynamodb.GetItemInput{}); err == nil {
				t.Errorf("it answered %+v", out)
			}
		})
	}
	if _, err := answers(t, 400, `{"__type":"x#ResourceNotFoundException","message":"no table"}`).GetItem(t.Context(), &dynamodb.GetItemInput{}); err == nil {
		t.Error("a table that is not there is no error")
	}
}
