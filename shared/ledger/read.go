package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const batchGet = 100 // keys of one BatchGetItem

// Seen tells which of the keys the ledger has (BatchGetItem), and confirms
// nothing: an event that is queued but not yet claimed is not seen.
func (l *Ledger) Seen(ctx context.Context, keys []string) (map[string]bool, error) {
	items, err := l.batch(ctx, keys, attrID)
	if err != nil {
		return nil, fmt.Errorf("ask the ledger for %d keys: %w", len(keys), err)
	}
	seen := make(map[string]bool, len(items))
	for key := range items {
		seen[key] = true
	}
	return seen, nil
}

// Get returns one record with its replays; ErrNotFound where there is none.
func (l *Ledger) Get(ctx context.Context, key string) (Record, error) {
	it, err := l.get(ctx, key)
	if err != nil {
		return Record{}, err
	}
	r, err := recordOf(it, l.now())
	if err != nil {
		return Record{}, err
	}
	return l.replayed(ctx, r)
}

func (l *Ledger) get(ctx context.Context, id string) (item, error) {
	out, err := l.api.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      aws.String(l.table),
		Key:            item{attrID: text(id)},
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", id, err)
	}
	if len(out.Item) == 0 {
		return nil, fmt.Errorf("%s: %w", id, ErrNotFound)
	}
	return out.Item, nil
}

// batch reads the items of the keys that are there, by key, any number of
// them; projection names the one attribute wanted, "" is all.
func (l *Ledger) batch(ctx context.Context, keys []string, projection string) (map[string]item, error) {
	keys = slices.Compact(slices.Sorted(slices.Values(keys)))
	items := make(map[string]item, len(keys))
	for chunk := range slices.Chunk(keys, batchGet) {
		if err := l.batchOnce(ctx, chunk, projection, items); err != nil {
			return nil, err
		}
	}
	return items, nil
}

// batchOnce reads up to 100 items; what DynamoDB did not get to (throttles, or
// over 16 MB) is asked for again.
func (l *Ledger) batchOnce(ctx context.Context, keys []string, projection string, into map[string]item) error {
	want := types.KeysAndAttributes{}
	for _, key := range keys {
		want.Keys = append(want.Keys, item{attrID: text(key)})
	}
	if projection != "" {
		want.ProjectionExpression = aws.String("#p")
		want.ExpressionAttributeNames = map[string]string{"#p": projection}
	}
	for again := 0; ; again++ {
		out, err := l.api.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{l.table: want},
		})
		if err != nil {
			return err
		}
		for _, it := range out.Responses[l.table] {
			into[getText(it, attrID)] = it
		}
		left, ok := out.UnprocessedKeys[l.table]
		if !ok || len(left.Keys) == 0 {
			return nil
		}
		want = left
		if err := pause(ctx, again); err != nil {
			return fmt.Errorf("%d keys were not read: %w", len(left.Keys), err)
		}
	}
}

// pause waits before a batch's rest is sent again: 25 ms, doubling to 1.6 s.
func pause(ctx context.Context, again int) error {
	t := time.NewTimer(25 * time.Millisecond << min(again, 6))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}
