package ledger_test

import (
	"os"
	"path/filepath"
	"testing"

	"pushpull/local/dynamodb"
	"pushpull/shared/ledger"
	"pushpull/shared/ledger/ledgertest"
)

func TestLocal(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, serve(t))
}

// PUSHPULL_REFERENCE_DYNAMODB is the URL of a reference, such as Amazon's
// DynamoDB Local; the suite runs against it too where it is set.
func TestReference(t *testing.T) {
	t.Parallel()
	url := os.Getenv("PUSHPULL_REFERENCE_DYNAMODB")
	if url == "" {
		t.Skip("no reference: PUSHPULL_REFERENCE_DYNAMODB is not set")
	}
	ledgertest.Run(t, ledgertest.At(url))
}

// serve starts the local endpoint on a file of its own.
func serve(t *testing.T) ledgertest.Open {
	t.Helper()
	s, err := dynamodb.Open(filepath.Join(t.TempDir(), "dynamodb.db"), dynamodb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return ledgertest.Server(s)
}

// local opens a table for one test.
func local(t *testing.T) (ledger.API, string) {
	t.Helper()
	return serve(t)(t)
}
