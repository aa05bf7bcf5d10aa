package ledger_test

import (
	"os"
	"testing"

	"pushpull/shared/ledger/ledgertest"
)

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
