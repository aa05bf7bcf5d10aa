package dynamodb_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"pushpull/local/dynamodb"
	"pushpull/local/dynamodb/dynamodbtest"
)

func newClient(url string) *sdk.Client {
	return sdk.New(sdk.Options{
		BaseEndpoint: &url,
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("any", "any", ""),
		Retryer:      aws.NopRetryer{},
	})
}

func TestConformance(t *testing.T) {
	t.Parallel()
	s, err := dynamodb.Open(filepath.Join(t.TempDir(), "tables.db"), dynamodb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	front := httptest.NewServer(s)
	t.Cleanup(front.Close)
	dynamodbtest.Run(t, newClient(front.URL), nil)
}

// TestReference runs the same suite against Amazon's DynamoDB Local, where
// PUSHPULL_REFERENCE_DYNAMODB says where it is: see test/reference/dynamodb-local.
func TestReference(t *testing.T) {
	t.Parallel()
	url := os.Getenv("PUSHPULL_REFERENCE_DYNAMODB")
	if url == "" {
		t.Skip("PUSHPULL_REFERENCE_DYNAMODB is not set")
	}
	dynamodbtest.Run(t, newClient(url), dynamodbtest.Departures)
}
