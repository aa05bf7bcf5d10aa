package sqs_test

import (
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"pushpull/local/sqs"
)

// The benchmarks go over HTTP, client included, and report messages per second.

func benchServer(b *testing.B) (endpoint remote, url string) {
	b.Helper()
	s, err := sqs.Open(filepath.Join(b.TempDir(), "queues.db"), sqs.Options{})
	if err != nil {
		b.Fatal(err)
	}
	web := httptest.NewServer(s)
	b.Cleanup(func() {
		web.Close()
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	s.SetBaseURL(web.URL)
	url, _, err = s.CreateQueue("q", nil)
	if err != nil {
		b.Fatal(err)
	}
	return dial(web.URL), url
}

// spread does n pieces of work in 16 goroutines.
func spread(b *testing.B, n int, work func() error) {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(n))
	var workers sync.WaitGroup
	for range 16 {
		workers.Go(func() {
			for left.Add(-1) >= 0 {
				if err := work(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	workers.Wait()
}

func perSecond(b *testing.B, messages int) {
	b.Helper()
	b.ReportMetric(float64(messages)/b.Elapsed().Seconds(), "messages/s")
}

func BenchmarkSendMessage(b *testing.B) {
	endpoint, url := benchServer(b)
	in := map[string]any{"QueueUrl": url, "MessageBody": strings.Repeat("x", 1000)}
	b.ResetTimer()
	spread(b, b.N, func() error { return endpoint.post("SendMessage", in, nil) })
	perSecond(b, b.N)
}

// BenchmarkCycle sends, receives and deletes ten messages at a time.
func BenchmarkCycle(b *testing.B) {
	endpoint, url := benchServer(b)
	var entries []map[string]any
	for i := range 10 {
		entries = append(entries, map[string]any{"Id": fmt.Sprint(i), "MessageBody": strings.Repeat("x", 1000)})
	}
	w := &witness{sent: map[string]bool{}, asked: map[string]bool{}, deleted: map[string]bool{}}
	b.ResetTimer()
	spread(b, b.N, func() error {
		if err := endpoint.post("SendMessageBatch", map[string]any{"QueueUrl": url, "Entries": entries}, nil); err != nil {
			return err
		}
		if !w.consume(endpoint, url) {
			return fmt.Errorf("a receive or deletion was refused")
		}
		return nil
	})
	perSecond(b, 10*b.N)
}
