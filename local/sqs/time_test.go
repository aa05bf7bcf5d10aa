package sqs_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/local/sqs"
)

func TestTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		attributes map[string]string
		run        func(*testing.T, *sqs.Server) []string // the bodies received in the end
		want       []string
	}{
		{"a message is kept for the retention period", map[string]string{"MessageRetentionPeriod": "60"}, func(t *testing.T, s *sqs.Server) []string {
			send(t, s, "q", "a")
			pass(59 * time.Second)
			return bodiesOf(take(t, s, "q", 10))
		}, []string{"a"}},
		{"a message is not kept for longer than the retention period", map[string]string{"MessageRetentionPeriod": "60"}, func(t *testing.T, s *sqs.Server) []string {
			send(t, s, "q", "a")
			pass(61 * time.Second)
			return bodiesOf(take(t, s, "q", 10))
		}, []string{}},
		{"what is given back is received at once, by its old consumer no more", nil, func(t *testing.T, s *sqs.Server) []string {
			send(t, s, "q", "a")
			old := handlesOf(take(t, s, "q", 1))
			if err := s.GiveBack("q"); err != nil {
				t.Fatal(err)
			}
			again := bodiesOf(take(t, s, "q", 1))
			if err := s.Delete(t.Context(), "q", old); err != nil {
				t.Fatal(err)
			}
			pass(31 * time.Second)
			return append(again, bodiesOf(take(t, s, "q", 1))...)
		}, []string{"a", "a"}},
		{"a message is hidden for twelve hours when asked", nil, func(t *testing.T, s *sqs.Server) []string {
			send(t, s, "q", "a")
			if err := s.ChangeVisibility(t.Context(), "q", handlesOf(take(t, s, "q", 1)), 12*time.Hour); err != nil {
				t.Fatal(err)
			}
			pass(12*time.Hour - time.Second)
			return bodiesOf(take(t, s, "q", 1))
		}, []string{}},
		{"a long poll wakes at the very moment that a message becomes visible", map[string]string{"VisibilityTimeout": "7"}, func(t *testing.T, s *sqs.Server) []string {
			send(t, s, "q", "a")
			take(t, s, "q", 1)
			begin := time.Now()
			got, err := s.Receive(t.Context(), "q", 1, 20*time.Second)
			if took := time.Since(begin); err != nil || took > 7*time.Second+5*time.Millisecond {
				t.Errorf("it took %s: %v", took, err)
			}
			return bodiesOf(got)
		}, []string{"a"}},
		{"a message whose visibility was shortened wakes who waits", nil, func(t *testing.T, s *sqs.Server) []string {
			send(t, s, "q", "a")
			handles := handlesOf(take(t, s, "q", 1))
			changed := make(chan error, 1)
			time.AfterFunc(time.Second, func() { changed <- s.ChangeVisibility(t.Context(), "q", handles, 0) })
			begin := time.Now()
			got, err := s.Receive(t.Context(), "q", 1, 20*time.Second)
			if took := time.Since(begin); err != nil || took > 2*time.Second {
				t.Errorf("it took %s: %v", took, err)
			}
			if err := <-changed; err != nil {
				t.Error(err)
			}
			return bodiesOf(got)
		}, []string{"a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, s *sqs.Server) {
				ensure(t, s, "q", c.attributes)
				if diff := cmp.Diff(c.want, c.run(t, s)); diff != "" {
					t.Errorf("the bodies (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestADeduplicationIDIsForgottenAfterFiveMinutes(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, s *sqs.Server) {
		url, _ := ensure(t, s, "q.fifo", map[string]string{"FifoQueue": "true"})
		once := func(body string) {
			t.Helper()
			w := call(s, "SendMessage", fmt.Sprintf(`{"QueueUrl":%q,"MessageBody":%q,"MessageGroupId":"g","MessageDeduplicationId":"d"}`, url, body))
			if w.Code != http.StatusOK {
				t.Fatal(w.Body)
			}
		}
		once("first")
		pass(299 * time.Second)
		once("too soon")
		pass(2 * time.Second)
		once("second")
		if diff := cmp.Diff([]string{"first", "second"}, bodiesOf(take(t, s, "q.fifo", 10))); diff != "" {
			t.Errorf("the bodies (-want +got):\n%s", diff)
		}
	})
}

func TestTheCountsForgetExpiredMessages(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, s *sqs.Server) {
		url, _ := ensure(t, s, "q", map[string]string{"MessageRetentionPeriod": "60"})
		send(t, s, "q", "a")
		pass(3 * time.Minute)
		w := call(s, "GetQueueAttributes", fmt.Sprintf(`{"QueueUrl":%q,"AttributeNames":["ApproximateNumberOfMessages"]}`, url))
		if want := `{"Attributes":{"ApproximateNumberOfMessages":"0"}}`; strings.TrimSpace(w.Body.String()) != want {
			t.Errorf("got %s, want %s", w.Body, want)
		}
	})
}

func TestAClosedServerEndsItsMoveTasksAndTheNextGoesOn(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/queues.db"
	s, err := sqs.Open(path, sqs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, dead := ensure(t, s, "dead", nil)
	ensure(t, s, "q", map[string]string{"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":1}`, dead), "VisibilityTimeout": "0"})
	for range 6 {
		send(t, s, "q", "a")
	}
	take(t, s, "q", 10)
	take(t, s, "q", 10)
	w := call(s, "StartMessageMoveTask", fmt.Sprintf(`{"SourceArn":%q,"MaxNumberOfMessagesPerSecond":10}`, dead))
	if w.Code != http.StatusOK {
		t.Fatal(w.Body)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path, sqs.Options{})
	for end := time.Now().Add(10 * time.Second); ; <-time.After(10 * time.Millisecond) {
		w := call(s, "ListMessageMoveTasks", fmt.Sprintf(`{"SourceArn":%q}`, dead))
		if strings.Contains(w.Body.String(), `"Status":"COMPLETED"`) && strings.Contains(w.Body.String(), `"ApproximateNumberOfMessagesMoved":6`) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the task did not go on: %s", w.Body)
		}
	}
}
