package ledger

import (
	"container/heap"
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"

	"pushpull/shared/event"
)

// A Filter chooses records by when they were received, newest first.
type Filter struct {
	Sources      []string  // at least one
	Since, Until time.Time // from Since to before Until; zero is a day before Until, and now
	Status       Status    // "" is any
	Type         string    // "" is any
	Transport    event.Transport
	Entity       string
	Missed       bool // only those that the webhook missed
}

const (
	queryLimit  = 100 // keys of one page of the index
	queryAtOnce = 16  // queries under way
	openAtMost  = 64  // partitions of the index open at once: bounds keys held in memory
	firstBatch  = 25  // records read before the first is yielded
)

// Records yields the records that the filter takes, newest first, by the time
// index: it reads only as far as the caller takes. An error ends it.
func (l *Ledger) Records(ctx context.Context, f Filter) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		if f.Until.IsZero() {
			f.Until = l.now()
		}
		if f.Since.IsZero() {
			f.Since = f.Until.Add(-24 * time.Hour)
		}
		if f.Since.Before(f.Until) {
			l.walk(ctx, f, yield)
		}
	}
}

// walk goes back through the hours, one at first, then more at once: who asks
// for the last few pays for little, and quiet days are crossed in few rounds.
func (l *Ledger) walk(ctx context.Context, f Filter, yield func(Record, error) bool) {
	most := max(1, openAtMost/(shards*max(1, len(f.Sources))))
	newest := f.Until.Add(-1).UTC().Truncate(time.Hour)
	for hours := 1; len(f.Sources) > 0 && !newest.Add(time.Hour).Before(f.Since); hours = min(2*hours, most) {
		m, err := l.open(ctx, f, newest, hours)
		if err != nil {
			yield(Record{}, fmt.Errorf("list records: %w", err))
			return
		}
		if !l.details(ctx, f, m, yield) {
			return
		}
		newest = newest.Add(-time.Duration(hours) * time.Hour)
	}
}

// open reads the first page of every partition of the hours, newest going back.
func (l *Ledger) open(ctx context.Context, f Filter, newest time.Time, hours int) (*merge, error) {
	var streams []*stream
	for h := range hours {
		hour := newest.Add(-time.Duration(h) * time.Hour)
		if hour.Add(time.Hour).Before(f.Since) {
			break
		}
		for _, source := range f.Sources {
			for shard := range shards {
				streams = append(streams, &stream{l: l, f: f, bucket: bucketName(source, hour, shard)})
			}
		}
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(queryAtOnce)
	for _, s := range streams {
		g.Go(func() error { return s.page(gctx) })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	m := merge(slices.DeleteFunc(streams, func(s *stream) bool { return len(s.keys) == 0 }))
	heap.Init(&m)
	return &m, nil
}

// details reads the records of the merged keys in growing batches and yields
// what the filter takes; false means stop.
func (l *Ledger) details(ctx context.Context, f Filter, m *merge, yield func(Record, error) bool) bool {
	for size := firstBatch; len(*m) > 0; size = batchGet {
		keys, err := m.next(ctx, size)
		if err != nil {
			yield(Record{}, fmt.Errorf("list records: %w", err))
			return false
		}
		items, err := l.batch(ctx, keys, "")
		if err != nil {
			yield(Record{}, fmt.Errorf("read %d records: %w", len(keys), err))
			return false
		}
		for _, key := range keys {
			it, ok := items[key]
			if !ok {
				continue // its window passed since the index was read
			}
			r, err := recordOf(it, l.now())
			if err != nil {
				yield(Record{}, err)
				return false
			}
			if f.takes(r) && !yield(r, nil) {
				return false
			}
		}
	}
	return true
}

func (f Filter) takes(r Record) bool {
	return (f.Status == "" || r.Status == f.Status) &&
		(f.Type == "" || r.Type == f.Type) &&
		(f.Transport == "" || r.Transport == f.Transport) &&
		(f.Entity == "" || r.Entity == f.Entity) &&
		(!f.Missed || r.Missed)
}

// A stream is one partition of the index, read lazily, newest first.
type stream struct {
	l      *Ledger
	f      Filter
	bucket string
	keys   []indexKey // read and not yet taken
	next   item       // where the next page begins
	ended  bool
}

type indexKey struct{ id, at string }

// page reads pages until there is a key or the partition is at its end.
func (s *stream) page(ctx context.Context) error {
	for len(s.keys) == 0 && !s.ended {
		out, err := s.l.api.Query(ctx, &dynamodb.QueryInput{
			TableName:                aws.String(s.l.table),
			IndexName:                aws.String(indexByTime),
			KeyConditionExpression:   aws.String("#b = :b AND #at BETWEEN :since AND :until"),
			ExpressionAttributeNames: map[string]string{"#b": attrBucket, "#at": attrAt},
			ExpressionAttributeValues: item{
				":b":     text(s.bucket),
				":since": text(s.f.Since.UTC().Format(atLayout)),
				":until": text(s.f.Until.Add(-1).UTC().Format(atLayout)),
			},
			ScanIndexForward:  aws.Bool(false),
			Limit:             aws.Int32(queryLimit),
			ExclusiveStartKey: s.next,
		})
		if err != nil {
			return fmt.Errorf("query %s: %w", s.bucket, err)
		}
		for _, it := range out.Items {
			s.keys = append(s.keys, indexKey{getText(it, attrID), getText(it, attrAt)})
		}
		s.next, s.ended = out.LastEvaluatedKey, len(out.LastEvaluatedKey) == 0
	}
	return nil
}

// merge is a heap of streams that have a key, the newest on top.
type merge []*stream

func (m merge) Len() int      { return len(m) }
func (m merge) Swap(i, j int) { m[i], m[j] = m[j], m[i] }
func (m merge) Less(i, j int) bool {
	a, b := m[i].keys[0], m[j].keys[0]
	return a.at > b.at || a.at == b.at && a.id < b.id
}
func (m *merge) Push(s any) { *m = append(*m, s.(*stream)) }
func (m *merge) Pop() any {
	s := (*m)[len(*m)-1]
	*m = (*m)[:len(*m)-1]
	return s
}

// next takes up to n keys, newest first.
func (m *merge) next(ctx context.Context, n int) ([]string, error) {
	var keys []string
	for len(*m) > 0 && len(keys) < n {
		s := (*m)[0]
		keys = append(keys, s.keys[0].id)
		s.keys = s.keys[1:]
		if err := s.page(ctx); err != nil {
			return nil, err
		}
		if len(s.keys) == 0 {
			heap.Pop(m)
		} else {
			heap.Fix(m, 0)
		}
	}
	return keys, nil
}
