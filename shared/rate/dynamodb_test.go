package rate

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	local "pushpull/local/dynamodb"
	"pushpull/shared/awslite"
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
	answersAsTheFake(t, server.URL)
}

// PUSHPULL_REFERENCE_DYNAMODB is the URL of a reference, such as Amazon's
// DynamoDB Local; the test runs against it too where it is set.
func TestReference(t *testing.T) {
	t.Parallel()
	url := os.Getenv("PUSHPULL_REFERENCE_DYNAMODB")
	if url == "" {
		t.Skip("no reference: PUSHPULL_REFERENCE_DYNAMODB is not set")
	}
	answersAsTheFake(t, url)
}

// answersAsTheFake sends the same requests to environments that share a true
// table and to others that share the fake: they must decide alike.
func answersAsTheFake(t *testing.T, url string) {
	t.Helper()
	client, err := awslite.New(func(name string) string {
		return map[string]string{
			"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_ENDPOINT_URL": url,
		}[name]
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	name := "state-rate-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	create := []byte(`{"TableName":"` + name + `","BillingMode":"PAY_PER_REQUEST",
		"AttributeDefinitions":[{"AttributeName":"key","AttributeType":"S"}],"KeySchema":[{"AttributeName":"key","KeyType":"HASH"}]}`)
	if err := client.JSON(t.Context(), "dynamodb", "DynamoDB_20120810.CreateTable", "1.0", create, nil); err != nil {
		t.Fatal(err)
	}
	c, state := newClock(), &table{}
	served, faked := fleet(3, client, c), fleet(3, state, c)
	for _, l := range served {
		l.table, l.patience = name, time.Minute // the decisions are compared, not the time they take
	}
	refused := 0
	for i := range 400 {
		e := (i*i + i/7) % 3
		if i%40 == 39 {
			c.add(2 * time.Second) // the bucket is full again: a new period
		}
		c.add(time.Duration(i%5) * time.Millisecond)
		got := served[e].Take(t.Context(), "shop", hundred, 2+i%4)
		want := faked[e].Take(t.Context(), "shop", hundred, 2+i%4)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("request %d: %s", i, diff)
		}
		if !got.OK {
			refused++
		}
	}
	if refused == 0 || state.periods < 5 {
		t.Errorf("%d refusals and %d periods: too few to prove anything", refused, state.periods)
	}
}
