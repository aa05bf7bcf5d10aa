package sqs_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"testing"

	"pushpull/local/sqs"
)

// FuzzRequest throws bodies at every action. Nothing may panic, or be the server's
// fault; what is refused has a type and a message.
func FuzzRequest(f *testing.F) {
	const url = `"QueueUrl":"http://x/000000000000/q"`
	for action, body := range map[string]string{
		"CreateQueue":                  `{"QueueName":"n","Attributes":{"RedrivePolicy":"{\"deadLetterTargetArn\":\"a\",\"maxReceiveCount\":\"3\"}"},"tags":{"a":"b"}}`,
		"ListQueues":                   `{"QueueNamePrefix":"q","MaxResults":1,"NextToken":"a"}`,
		"GetQueueUrl":                  `{"QueueName":"q"}`,
		"GetQueueAttributes":           `{` + url + `,"AttributeNames":["All"]}`,
		"SetQueueAttributes":           `{` + url + `,"Attributes":{"DelaySeconds":"1"}}`,
		"SendMessage":                  `{` + url + `,"MessageBody":"\ud83d\ude00","DelaySeconds":0,"MessageAttributes":{"a":{"DataType":"Binary","BinaryValue":"AA=="}},"MessageGroupId":"g"}`,
		"SendMessageBatch":             `{` + url + `,"Entries":[{"Id":"a","MessageBody":"x"},{"Id":"b","MessageBody":"\u0001"}]}`,
		"ReceiveMessage":               `{` + url + `,"MaxNumberOfMessages":10,"VisibilityTimeout":0,"MessageAttributeNames":["a.*"],"AttributeNames":["All"]}`,
		"DeleteMessage":                `{` + url + `,"ReceiptHandle":"AAAAAAAAAAEAAAAAAAAAAQAAAAEADkzGGQ=="}`,
		"DeleteMessageBatch":           `{` + url + `,"Entries":[{"Id":"a","ReceiptHandle":"x"}]}`,
		"ChangeMessageVisibility":      `{` + url + `,"ReceiptHandle":"AAAAAAAAAAEAAAAAAAAAAQAAAAEADkzGGQ==","VisibilityTimeout":1}`,
		"ChangeMessageVisibilityBatch": `{` + url + `,"Entries":[{"Id":"a","ReceiptHandle":"x","VisibilityTimeout":-1}]}`,
		"StartMessageMoveTask":         `{"SourceArn":"arn:aws:sqs:us-east-1:000000000000:q"}`,
		"ListMessageMoveTasks":         `{"SourceArn":"arn:aws:sqs:us-east-1:000000000000:q","MaxResults":1}`,
		"CancelMessageMoveTask":        `{"TaskHandle":"eyJ0YXNrSWQiOiJ4In0="}`,
		"TagQueue":                     `{` + url + `,"Tags":{"a":"b"}}`,
		"UntagQueue":                   `{` + url + `,"TagKeys":["a"]}`,
		"ListQueueTags":                `{` + url + `}`,
		"ListDeadLetterSourceQueues":   `{` + url + `}`,
		"PurgeQueue":                   `{` + url + `}`,
		"Nonsense":                     `{}`,
	} {
		f.Add(action, []byte(body))
	}
	s, err := sqs.Open(filepath.Join(f.TempDir(), "queues.db"), sqs.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	f.Fuzz(func(t *testing.T, action string, body []byte) {
		ensure(t, s, "q", nil)
		w := call(s, action, string(body))
		if w.Code == http.StatusOK {
			if !json.Valid(w.Body.Bytes()) {
				t.Errorf("the answer is no JSON: %q", w.Body)
			}
			return
		}
		var refusal struct {
			Type    string `json:"__type"`
			Message string `json:"message"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &refusal); err != nil || refusal.Type == "" || refusal.Message == "" {
			t.Errorf("a refusal without type and message: %q", w.Body)
		}
		if w.Code >= http.StatusInternalServerError {
			t.Errorf("%s %q: %d %s", action, body, w.Code, w.Body)
		}
	})
}
