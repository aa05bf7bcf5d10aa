package sqs_test

import (
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/local/sqs"
)

// reopened does something, closes the server, and opens the file again.
func reopened(t *testing.T, before func(*sqs.Server)) *sqs.Server {
	t.Helper()
	path := filepath.Join(t.TempDir(), "queues.db")
	s, err := sqs.Open(path, sqs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	before(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, path, sqs.Options{})
}

func TestReopen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		before func(*testing.T, *sqs.Server)
		want   []string
	}{
		{"messages are there, in their order", func(t *testing.T, s *sqs.Server) {
			send(t, s, "q", "a")
			send(t, s, "q", "b")
		}, []string{"a", "b"}},
		{"a deleted message is not", func(t *testing.T, s *sqs.Server) {
			send(t, s, "q", "a")
			send(t, s, "q", "b")
			remove(t, s, "q", take(t, s, "q", 1))
		}, []string{"b"}},
		{"a message in flight stays hidden", func(t *testing.T, s *sqs.Server) {
			send(t, s, "q", "a")
			take(t, s, "q", 1)
		}, []string{}},
		{"a message that was given back is visible", func(t *testing.T, s *sqs.Server) {
			send(t, s, "q", "a")
			if err := s.ChangeVisibility(t.Context(), "q", handlesOf(take(t, s, "q", 1)), 0); err != nil {
				t.Fatal(err)
			}
		}, []string{"a"}},
		{"purged messages are gone", func(t *testing.T, s *sqs.Server) {
			send(t, s, "q", "a")
			if err := s.PurgeQueue("q"); err != nil {
				t.Fatal(err)
			}
			send(t, s, "q", "b")
		}, []string{"b"}},
		{"a queue made again has nothing of the old one", func(t *testing.T, s *sqs.Server) {
			send(t, s, "q", "a")
			if err := s.DeleteQueue("q"); err != nil {
				t.Fatal(err)
			}
			ensure(t, s, "q", nil)
		}, []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := reopened(t, func(s *sqs.Server) {
				ensure(t, s, "q", nil)
				c.before(t, s)
			})
			if diff := cmp.Diff(c.want, bodiesOf(take(t, s, "q", 10))); diff != "" {
				t.Errorf("the bodies (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAHandleStillWorksAfterReopening(t *testing.T) {
	t.Parallel()
	var got []sqs.Message
	s := reopened(t, func(s *sqs.Server) {
		ensure(t, s, "q", map[string]string{"VisibilityTimeout": "1"})
		send(t, s, "q", "a")
		got = take(t, s, "q", 1)
	})
	remove(t, s, "q", got)
	if again, err := s.Receive(t.Context(), "q", 1, 2*time.Second); err != nil || len(again) > 0 {
		t.Errorf("received %q: %v", bodiesOf(again), err)
	}
}

func TestReceivesAreCountedAcrossReopening(t *testing.T) {
	t.Parallel()
	s := reopened(t, func(s *sqs.Server) {
		ensure(t, s, "q", map[string]string{"VisibilityTimeout": "0"})
		send(t, s, "q", "a")
		take(t, s, "q", 1)
		take(t, s, "q", 1)
	})
	if diff := cmp.Diff("3", take(t, s, "q", 1)[0].Attributes["ApproximateReceiveCount"]); diff != "" {
		t.Errorf("the count (-want +got):\n%s", diff)
	}
}

func TestAFileInUseSaysSo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "queues.db")
	open(t, path, sqs.Options{})
	if _, err := sqs.Open(path, sqs.Options{}); err == nil {
		t.Error("two servers have the same file")
	}
}

func TestEnsureQueueChangesAttributes(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "queues.db"), sqs.Options{})
	ensure(t, s, "q", map[string]string{"VisibilityTimeout": "0"})
	send(t, s, "q", "a")
	for i := range 3 {
		if n := len(take(t, s, "q", 1)); n != 1 {
			t.Fatalf("receive %d got %d messages", i, n)
		}
	}
	ensure(t, s, "q", map[string]string{"VisibilityTimeout": strconv.Itoa(60)})
	take(t, s, "q", 1)
	if got := take(t, s, "q", 1); len(got) > 0 {
		t.Error("the new visibility timeout does not hold")
	}
}
