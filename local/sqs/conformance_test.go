package sqs_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	client "github.com/aws/aws-sdk-go-v2/service/sqs"

	"pushpull/local/sqs"
	"pushpull/local/sqs/sqstest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	endpoint := serve(t, filepath.Join(t.TempDir(), "queues.db"))
	sqstest.Run(t, func(*testing.T) *client.Client { return sqstest.NewClient(endpoint) }, sqstest.Departures{})
}

// TestReference runs the same suite against ElasticMQ, where one is running:
// test/reference/elasticmq/start.sh says how.
func TestReference(t *testing.T) {
	t.Parallel()
	endpoint := os.Getenv("PUSHPULL_REFERENCE_SQS")
	if endpoint == "" {
		t.Skip("PUSHPULL_REFERENCE_SQS is not set to the URL of an ElasticMQ")
	}
	sqstest.Run(t, func(*testing.T) *client.Client { return sqstest.NewClient(endpoint) }, sqstest.ElasticMQ())
}

func open(t *testing.T, path string, opts sqs.Options) *sqs.Server {
	t.Helper()
	s, err := sqs.Open(path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func serve(t *testing.T, path string) string {
	t.Helper()
	s := open(t, path, sqs.Options{})
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	s.SetBaseURL(web.URL)
	return web.URL
}
