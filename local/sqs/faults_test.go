package sqs_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushpull/local/sqs"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		fault  string
		action string
		want   []int // the statuses of calls, one after another
	}{
		{"a fault refuses the action", `{"queue":"q","action":"SendMessage","rate":1}`, "SendMessage", []int{503, 503}},
		{"a fault for a pattern refuses batches too", `{"queue":"*","action":"Send*","rate":1,"status":500,"code":"InternalError"}`, "SendMessageBatch", []int{500}},
		{"a fault for another queue does nothing", `{"queue":"other","action":"*","rate":1}`, "SendMessage", []int{200}},
		{"a fault for another action does nothing", `{"queue":"q","action":"ReceiveMessage","rate":1}`, "SendMessage", []int{200}},
		{"a fault with a count ends by itself", `{"queue":"q","action":"SendMessage","rate":1,"count":2}`, "SendMessage", []int{503, 503, 200}},
		{"a fault with a rate refuses some", `{"queue":"q","action":"SendMessage","rate":0.5}`, "SendMessage", []int{503, 200, 503, 200}},
		{"a throttle is a fault with its own code", `{"queue":"q","action":"*","rate":1,"status":403,"code":"RequestThrottled"}`, "SendMessage", []int{403}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dice := 0.9
			s := open(t, filepath.Join(t.TempDir(), "queues.db"), sqs.Options{Rand: func() float64 { dice = 0.9 - dice; return dice }})
			url, _ := ensure(t, s, "q", nil)
			if w := faults(s, http.MethodPut, c.fault); w.Code != http.StatusOK {
				t.Fatal(w.Body)
			}
			bodies := map[string]string{
				"SendMessage":      fmt.Sprintf(`{"QueueUrl":%q,"MessageBody":"x"}`, url),
				"SendMessageBatch": fmt.Sprintf(`{"QueueUrl":%q,"Entries":[{"Id":"a","MessageBody":"x"}]}`, url),
			}
			var got []int
			for range c.want {
				got = append(got, call(s, c.action, bodies[c.action]).Code)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("the statuses (-want +got):\n%s", diff)
			}
			if w := faults(s, http.MethodDelete, ""); strings.TrimSpace(w.Body.String()) != "[]" {
				t.Errorf("after clearing: %s", w.Body)
			}
			if w := call(s, c.action, bodies[c.action]); w.Code != http.StatusOK {
				t.Errorf("after clearing: %s", w.Body)
			}
		})
	}
}

func faults(s *sqs.Server, method, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(method, "/_faults", strings.NewReader(body)))
	return w
}

func TestAWrongFaultIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "queues.db"), sqs.Options{})
	for _, body := range []string{``, `{"rate":2}`, `{"queue":"["}`, `{"status":200}`, `{"unknown":1}`, `{"count":-1}`} {
		if w := faults(s, http.MethodPut, body); w.Code != http.StatusBadRequest {
			t.Errorf("%s: got %d", body, w.Code)
		}
	}
}

func TestAFaultRefusesDirectCallsToo(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "queues.db"), sqs.Options{})
	ensure(t, s, "q", nil)
	if err := s.SetFault(sqs.Fault{Action: "ReceiveMessage", Rate: 1}); err != nil {
		t.Fatal(err)
	}
	_, err := s.Receive(t.Context(), "q", 1, 0)
	refusal, ok := errors.AsType[*sqs.Error](err)
	if !ok || refusal.Status != http.StatusServiceUnavailable {
		t.Errorf("got %v", err)
	}
}

func TestADuplicateIsHandedOutTwiceEvenIfItWasDeleted(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "queues.db"), sqs.Options{})
	ensure(t, s, "q", nil)
	if err := s.SetFault(sqs.Fault{Duplicate: 1}); err != nil {
		t.Fatal(err)
	}
	send(t, s, "q", "a")
	first := take(t, s, "q", 1)
	remove(t, s, "q", first)
	second := take(t, s, "q", 1)
	if diff := cmp.Diff([]string{"a"}, bodiesOf(second)); diff != "" {
		t.Fatalf("the bodies (-want +got):\n%s", diff)
	}
	if first[0].ReceiptHandle == second[0].ReceiptHandle {
		t.Error("the handles are the same")
	}
	remove(t, s, "q", second)
	if third := take(t, s, "q", 1); len(third) > 0 {
		t.Error("it was handed out three times")
	}
}
