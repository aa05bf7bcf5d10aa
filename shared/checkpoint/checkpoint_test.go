package checkpoint_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	local "pushpull/local/dynamodb"
	"pushpull/shared/checkpoint"
	"pushpull/shared/checkpoint/checkpointtest"
	"pushpull/shared/pull"
)

// open opens a fresh table of the local stack.
func open(t *testing.T) (api *dynamodb.Client, table string) {
	t.Helper()
	s, err := local.Open(filepath.Join(t.TempDir(), "dynamodb.db"), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return checkpointtest.Serve(t, s)
}

func TestLocal(t *testing.T) {
	t.Parallel()
	checkpointtest.Run(t, func(t *testing.T) (checkpoint.API, string) { return open(t) })
}

// PUSHPULL_REFERENCE_DYNAMODB is the URL of a reference, such as Amazon's
// DynamoDB Local; the suite runs against it too where it is set.
func TestReference(t *testing.T) {
	t.Parallel()
	url := os.Getenv("PUSHPULL_REFERENCE_DYNAMODB")
	if url == "" {
		t.Skip("no reference: PUSHPULL_REFERENCE_DYNAMODB is not set")
	}
	checkpointtest.Run(t, func(t *testing.T) (checkpoint.API, string) { return checkpointtest.At(t, url) })
}

// slow leaves a key of its first BatchGetItem, and an item of its first
// BatchWriteItem, unprocessed.
type slow struct {
	checkpoint.API
	gets, writes int
}

func (s *slow) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	s.gets++
	if s.gets > 1 {
		return s.API.BatchGetItem(ctx, in, opts...)
	}
	left := map[string]types.KeysAndAttributes{}
	for table, ask := range in.RequestItems {
		some := ask
		some.Keys, ask.Keys = ask.Keys[:1], ask.Keys[1:]
		left[table], in.RequestItems[table] = some, ask
	}
	out, err := s.API.BatchGetItem(ctx, in, opts...)
	if err == nil {
		out.UnprocessedKeys = left
	}
	return out, err
}

func (s *slow) BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	s.writes++
	if s.writes > 1 {
		return s.API.BatchWriteItem(ctx, in, opts...)
	}
	return &dynamodb.BatchWriteItemOutput{UnprocessedItems: in.RequestItems}, nil
}

func TestWhatWasNotProcessedIsAskedForAgain(t *testing.T) {
	t.Parallel()
	api, table := open(t)
	throttled := &slow{API: api}
	s := checkpoint.New(throttled, table, time.Now)
	if err := s.Pause(t.Context(), "a", true); err != nil {
		t.Fatal(err)
	}
	all, err := s.LoadAll(t.Context(), []string{"a", "b"})
	if err != nil || !all["a"].Paused || all["b"].Paused {
		t.Errorf("%+v (%v)", all, err)
	}
	n := s.Snapshot("a", time.Hour)
	if err := n.Commit(t.Context(), "r", []pull.Entry{{Entity: "x", Hash: "1", Changes: 1}}); err != nil {
		t.Fatal(err)
	}
	if known, err := n.Lookup(t.Context(), []string{"x"}); err != nil || known["x"].Hash != "1" || throttled.writes != 2 {
		t.Errorf("%+v after %d writes (%v)", known, throttled.writes, err)
	}
}
