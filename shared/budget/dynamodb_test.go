package budget

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	local "pushpull/local/dynamodb"
)

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
	keepsTheLimit(t, server.URL)
}

// PUSHPULL_REFERENCE_DYNAMODB is the URL of a reference, such as Amazon's
// DynamoDB Local; the test runs against it too where it is set.
func TestReference(t *testing.T) {
	t.Parallel()
	url := os.Getenv("PUSHPULL_REFERENCE_DYNAMODB")
	if url == "" {
		t.Skip("no reference: PUSHPULL_REFERENCE_DYNAMODB is not set")
	}
	keepsTheLimit(t, url)
}

// keepsTheLimit has eight processes take from one true table as fast as they can.
func keepsTheLimit(t *testing.T, url string) {
	t.Helper()
	client := dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String(url), Region: "eu-central-1",
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
	name := "state-budget-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("key"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("key"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		t.Fatal(err)
	}
	stores := fleet(client, 8)
	for _, s := range stores {
		s.table = name
	}
	limit, began := Limit{Requests: 50, Per: time.Second}, time.Now()
	var mu sync.Mutex
	var taken []time.Time
	var group sync.WaitGroup
	for _, s := range stores {
		group.Go(func() {
			for range 20 {
				if err := s.Take(t.Context(), "key", limit, time.Minute); err != nil {
					t.Error(err)
				}
				mu.Lock()
				taken = append(taken, time.Now())
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if got := most(taken, limit.Per); got > limit.Requests {
		t.Errorf("%d in a window of %v, want %d at most", got, limit.Per, limit.Requests)
	}
	t.Logf("160 requests in %v", time.Since(began))
	stores[0].Told(t.Context(), "key", time.Now().Add(time.Second))
	began = time.Now()
	if err := stores[1].Take(t.Context(), "key", limit, time.Minute); err != nil {
		t.Error(err)
	}
	if got := time.Since(began); got < 900*time.Millisecond {
		t.Errorf("another process waited %v for what the API asked for, want 1s", got)
	}
}
