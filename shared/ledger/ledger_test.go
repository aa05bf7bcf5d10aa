package ledger_test

import (
	"os"
	"testing"

	"pushpull/shared/ledger"
	"pushpull/shared/ledger/ledgertest"
)

// reference is the URL of a reference, such as Amazon's DynamoDB Local; the
// suite runs against it too where it is set.
func reference(t *testing.T) string {
	t.Helper()
	url := os.Getenv("PUSHPULL_REFERENCE_DYNAMODB")
	if url == "" {
		t.Skip("no reference: PUSHPULL_REFERENCE_DYNAMODB is not set")
	}
	return url
}

func TestReference(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, ledgertest.At(reference(t)))
}

// local opens a table for one test.
func local(t *testing.T) (ledger.API, string) {
	t.Helper()
	return ledgertest.At(reference(t))(t)
}
