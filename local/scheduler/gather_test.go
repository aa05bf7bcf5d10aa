package scheduler

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"pushpull/local/sqs"
)

func TestMessagesGatherWhileABatchIsUnderWay(t *testing.T) {
	t.Parallel()
	type batch struct {
		At   time.Duration // since the start
		Size int
	}
	tests := map[string]struct {
		takes time.Duration // a batch
		want  []batch
	}{
		// One message each 3 ms, from the start on.
		"one at a time while the function keeps up": {takes: time.Millisecond, want: []batch{{0, 1}, {3 * time.Millisecond, 1}, {6 * time.Millisecond, 1}}},
		"at most that long":                         {takes: time.Second, want: []batch{{0, 1}, {gather, 6}, {2 * gather, 7}}},
		"until the others have ended":               {takes: 10 * time.Millisecond, want: []batch{{0, 1}, {10 * time.Millisecond, 3}, {20 * time.Millisecond, 3}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				ctx, cancel := context.WithCancel(t.Context())
				q := &queue{messages: make(chan sqs.Message, 100), deleted: make(chan string, 100)}
				var sender sync.WaitGroup
				defer sender.Wait()
				sender.Go(func() {
					for i := 0; ctx.Err() == nil; i++ {
						<-time.After(time.Until(began.Add(time.Duration(i) * 3 * time.Millisecond)))
						q.messages <- sqs.Message{ReceiptHandle: "r"}
					}
				})
				var mu sync.Mutex
				var got []batch
				Mapping{BatchSize: 10, Concurrency: 10}.Run(ctx, q, func(_ context.Context, _ string, payload []byte) ([]byte, error) {
					var e events.SQSEvent
					if err := json.Unmarshal(payload, &e); err != nil {
						t.Error(err)
					}
					mu.Lock()
					if got = append(got, batch{time.Since(began), len(e.Records)}); len(got) == len(tt.want) {
						cancel()
					}
					mu.Unlock()
					<-time.After(tt.takes)
					return nil, nil
				}, discard())
				if diff := cmp.Diff(tt.want, got[:len(tt.want)]); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}
