package checkpoint_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	local "pushpull/local/dynamodb"
	"pushpull/shared/checkpoint"
	"pushpull/shared/checkpoint/checkpointtest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	checkpointtest.Run(t, func(*testing.T) (checkpoint.API, string) { return &checkpointtest.Table{}, "state" })
}

func TestLocal(t *testing.T) {
	t.Parallel()
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
	checkpointtest.Run(t, at(server.URL))
}

// PUSHPULL_REFERENCE_DYNAMODB is the URL of a reference, such as Amazon's
// DynamoDB Local; the suite runs against it too where it is set.
func TestReference(t *testing.T) {
	t.Parallel()
	url := os.Getenv("PUSHPULL_REFERENCE_DYNAMODB")
	if url == "" {
		t.Skip("no reference: PUSHPULL_REFERENCE_DYNAMODB is not set")
	}
	checkpointtest.Run(t, at(url))
}

// at opens fresh tables at an endpoint.
func at(url string) checkpointtest.Open {
	return func(t *testing.T) (checkpoint.API, string) {
		t.Helper()
		client := dynamodb.New(dynamodb.Options{
			BaseEndpoint: aws.String(url), Region: "eu-central-1",
			Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
		})
		table := fmt.Sprintf("state-%d-%s", time.Now().UnixNano(), strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()))
		_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
			TableName: aws.String(table), BillingMode: types.BillingModePayPerRequest,
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("key"), AttributeType: types.ScalarAttributeTypeS}},
			KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("key"), KeyType: types.KeyTypeHash}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return client, table
	}
}

func TestKeysThatWereNotProcessedAreAskedForAgain(t *testing.T) {
	t.Parallel()
	table := &checkpointtest.Table{}
	s := checkpoint.New(table, "state", time.Now)
	if err := s.Pause(t.Context(), "a", true); err != nil {
		t.Fatal(err)
	}
	table.Skip = 1
	all, err := s.LoadAll(t.Context(), []string{"a", "b"})
	if err != nil || !all["a"].Paused || all["b"].Paused {
		t.Errorf("%+v (%v)", all, err)
	}
}
