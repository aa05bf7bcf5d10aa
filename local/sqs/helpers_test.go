package sqs_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pushpull/local/sqs"
)

// bubble runs f with a server whose clock is the bubble's: hours pass at once.
func bubble(t *testing.T, f func(t *testing.T, s *sqs.Server)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "queues.db")
	synctest.Test(t, func(t *testing.T) {
		s, err := sqs.Open(path, sqs.Options{})
		if err != nil {
			t.Fatal(err)
		}
		f(t, s)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// call makes one request without a network, and returns the answer's status and body.
func call(s *sqs.Server, action, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", "AmazonSQS."+action)
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func ensure(t *testing.T, s *sqs.Server, name string, attributes map[string]string) (url, arn string) {
	t.Helper()
	url, arn, err := s.EnsureQueue(name, attributes)
	if err != nil {
		t.Fatal(err)
	}
	return url, arn
}

func send(t *testing.T, s *sqs.Server, queue, body string) {
	t.Helper()
	if _, err := s.Send(t.Context(), queue, body, nil); err != nil {
		t.Fatal(err)
	}
}

// take receives what is there at once.
func take(t *testing.T, s *sqs.Server, queue string, n int) []sqs.Message {
	t.Helper()
	got, err := s.Receive(t.Context(), queue, n, 0)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func bodiesOf(messages []sqs.Message) []string {
	bodies := []string{}
	for _, m := range messages {
		bodies = append(bodies, m.Body)
	}
	return bodies
}

func handlesOf(messages []sqs.Message) []string {
	handles := []string{}
	for _, m := range messages {
		handles = append(handles, m.ReceiptHandle)
	}
	return handles
}

func remove(t *testing.T, s *sqs.Server, queue string, messages []sqs.Message) {
	t.Helper()
	if err := s.Delete(t.Context(), queue, handlesOf(messages)); err != nil {
		t.Fatal(err)
	}
}

func pass(d time.Duration) { <-time.After(d) } // in a bubble it takes no time
