package sqs

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"
)

var errDiskFull = errors.New("no space left on device")

func TestARefusedCommitBringsBackWhatTheIndexHadLetGo(t *testing.T) {
	t.Parallel()
	s, err := Open(filepath.Join(t.TempDir(), "queues.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, _, err := s.CreateQueue("q", nil); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{"a", "b"} {
		if _, err := s.Send(t.Context(), "q", body, nil); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Receive(t.Context(), "q", 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	q := s.queue("q")
	q.discard(2) // as a deletion does, before its commit

	refused := &change{write: func(*bolt.Tx) error { return errDiskFull }}
	s.store.submit(refused)
	if err := refused.wait(); !errors.Is(err, errDiskFull) {
		t.Fatalf("got %v, want %v", err, errDiskFull)
	}

	visible, inFlight, _, err := s.Depth("q")
	if err != nil || visible != 1 || inFlight != 1 {
		t.Errorf("%d visible and %d in flight, want 1 and 1: %v", visible, inFlight, err)
	}
	if err := s.Delete(t.Context(), "q", []string{got[0].ReceiptHandle}); err != nil {
		t.Errorf("the handle from before is lost: %v", err)
	}
	rest, err := s.Receive(t.Context(), "q", 10, 0)
	if err != nil {
		t.Fatal(err)
	}
	bodies := []string{}
	for _, m := range rest {
		bodies = append(bodies, m.Body)
	}
	if diff := cmp.Diff([]string{"b"}, bodies); diff != "" {
		t.Errorf("the bodies (-want +got):\n%s", diff)
	}
}

func TestAStoreThatCannotBeWrittenAnswersWithAnError(t *testing.T) {
	t.Parallel()
	s, err := Open(filepath.Join(t.TempDir(), "queues.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.CreateQueue("q", nil); err != nil {
		t.Fatal(err)
	}
	if err := s.store.db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Send(t.Context(), "q", "a", nil); err == nil {
		t.Error("a message was taken that is nowhere")
	}
	_ = s.Close() // its file is gone already
	if _, err := s.Send(t.Context(), "q", "a", nil); err == nil {
		t.Error("a closed server took a message")
	}
}
