package sqs_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushpull/local/sqs"
)

func TestProtocol(t *testing.T) {
	t.Parallel()
	const url = `"QueueUrl":"http://any.host:1/000000000000/q"`
	type answer struct {
		Status int
		Type   string // of an error
		Query  string // x-amzn-query-error
	}
	good := answer{Status: http.StatusOK}
	for _, c := range []struct {
		name, action, body string
		want               answer
	}{
		{"the host of a queue URL does not matter", "SendMessage", `{` + url + `,"MessageBody":"x"}`, good},
		{"a path for a queue URL is enough", "SendMessage", `{"QueueUrl":"/000000000000/q","MessageBody":"x"}`, good},
		{"an emoji may be escaped", "SendMessage", `{` + url + `,"MessageBody":"\ud83d\ude00"}`, good},
		{
			"the account of a queue URL matters", "SendMessage", `{"QueueUrl":"http://x/111111111111/q","MessageBody":"x"}`,
			answer{400, "com.amazonaws.sqs#QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue;Sender"},
		},
		{
			"a missing queue URL is named", "SendMessage", `{"MessageBody":"x"}`,
			answer{400, "com.amazonaws.sqs#MissingRequiredParameterException", "MissingParameter;Sender"},
		},
		{
			"half an emoji is refused, not replaced", "SendMessage", `{` + url + `,"MessageBody":"\ud83d"}`,
			answer{400, "com.amazonaws.sqs#InvalidMessageContents", "InvalidMessageContents;Sender"},
		},
		{
			"bytes that are not UTF-8 are refused, not replaced", "SendMessage", `{` + url + `,"MessageBody":"` + "\xff" + `"}`,
			answer{400, "com.amazonaws.sqs#SerializationException", "SerializationException;Sender"},
		},
		{
			"an unknown parameter is refused, not ignored", "SendMessage", `{` + url + `,"MessageBody":"x","Priority":1}`,
			answer{400, "com.amazonaws.sqs#UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation;Sender"},
		},
		{
			"list values of attributes are refused, not ignored", "SendMessage",
			`{` + url + `,"MessageBody":"x","MessageAttributes":{"a":{"DataType":"String","StringListValues":["x"]}}}`,
			answer{400, "com.amazonaws.sqs#UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation;Sender"},
		},
		{
			"an unsupported action is refused", "AddPermission", `{` + url + `}`,
			answer{400, "com.amazonaws.sqs#UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation;Sender"},
		},
		{
			"an unknown action is refused", "Nonsense", `{}`,
			answer{400, "com.amazonaws.sqs#UnknownOperationException", "InvalidAction;Sender"},
		},
		{
			"a parameter of the wrong type is refused", "SendMessage", `{` + url + `,"MessageBody":1}`,
			answer{400, "com.amazonaws.sqs#SerializationException", "SerializationException;Sender"},
		},
		{
			"what is not JSON is refused", "SendMessage", `Action=SendMessage`,
			answer{400, "com.amazonaws.sqs#SerializationException", "SerializationException;Sender"},
		},
		{
			"two objects are refused", "ListQueues", `{}{}`,
			answer{400, "com.amazonaws.sqs#SerializationException", "SerializationException;Sender"},
		},
		{
			"a hostile body is not read to its end", "SendMessage", `{"x":"` + strings.Repeat("x", 9<<20) + `"}`,
			answer{413, "com.amazonaws.sqs#RequestEntityTooLarge", "RequestEntityTooLarge;Sender"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, filepath.Join(t.TempDir(), "queues.db"), sqs.Options{})
			ensure(t, s, "q", nil)
			w := call(s, c.action, c.body)
			var body struct {
				Type string `json:"__type"`
			}
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
				t.Fatalf("%s: %v", w.Body, err)
			}
			got := answer{w.Code, body.Type, w.Header().Get("x-amzn-query-error")}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("the answer (-want +got):\n%s\n%s", diff, w.Body)
			}
			if w.Header().Get("x-amzn-RequestId") == "" {
				t.Error("the answer has no request id")
			}
		})
	}
}

func TestTheQueryProtocolIsRefusedInItsOwnLanguage(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "queues.db"), sqs.Options{})
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("Action=ListQueues&Version=2012-11-05"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "<Code>InvalidAction</Code>") || !strings.Contains(w.Body.String(), "AWS JSON 1.0") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestWithoutABaseURLQueuesAreAtTheHostOfTheRequest(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "queues.db"), sqs.Options{})
	ensure(t, s, "q", nil)
	want := `{"QueueUrl":"http://example.com/000000000000/q"}`
	if got := strings.TrimSpace(call(s, "GetQueueUrl", `{"QueueName":"q"}`).Body.String()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	s.SetBaseURL("http://127.0.0.1:9/")
	want = `{"QueueUrl":"http://127.0.0.1:9/000000000000/q"}`
	if got := strings.TrimSpace(call(s, "GetQueueUrl", `{"QueueName":"q"}`).Body.String()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
