package sqstest

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func receiveInput(url string) *sqs.ReceiveMessageInput {
	return &sqs.ReceiveMessageInput{QueueUrl: &url}
}

func listInput(n *int32) *sqs.ListQueuesInput { return &sqs.ListQueuesInput{MaxResults: n} }

func (e env) changeVisibility(t *testing.T, url string, m types.Message, seconds int32) (*sqs.ChangeMessageVisibilityOutput, error) {
	t.Helper()
	return e.ChangeMessageVisibility(t.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: seconds})
}

func visibilityCases() []testCase {
	return []testCase{
		{"a received message is hidden from others", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			e.send(t, url, "x")
			e.one(t, url)
			e.empty(t, url)
		}},
		{"a message that was not deleted in time comes back, with another handle", func(t *testing.T, e env) {
			url := e.queue(t, attributes{"VisibilityTimeout": "1"})
			e.send(t, url, "x")
			first, second := e.one(t, url), e.one(t, url)
			equal(t, "the id", *first.MessageId, *second.MessageId)
			if *first.ReceiptHandle == *second.ReceiptHandle {
				t.Error("the receipt handles are the same")
			}
		}},
		{"a receive may set its own visibility timeout", func(t *testing.T, e env) {
			url := e.queue(t, attributes{"VisibilityTimeout": "1"})
			e.send(t, url, "x")
			e.one(t, url, hidden(100))
			if got := e.receive(t, url, wait(2)); len(got) > 0 {
				t.Errorf("received %q", bodies(got))
			}
		}},
		{"a visibility timeout of zero gives the message back at once", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			e.send(t, url, "x")
			e.hold(t, url, e.one(t, url), 0)
			equal(t, "received", 1, len(e.receive(t, url)))
		}},
		{"a longer visibility timeout keeps the message hidden", func(t *testing.T, e env) {
			url := e.queue(t, attributes{"VisibilityTimeout": "1"})
			e.send(t, url, "x")
			e.hold(t, url, e.one(t, url), 100)
			if got := e.receive(t, url, wait(2)); len(got) > 0 {
				t.Errorf("received %q", bodies(got))
			}
		}},
		{"a shorter visibility timeout gives the message back sooner", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			e.send(t, url, "x")
			e.hold(t, url, e.one(t, url), 1)
			e.one(t, url)
		}},
		{"an earlier handle still deletes a message that nobody received since", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			e.send(t, url, "x")
			m := e.one(t, url)
			e.hold(t, url, m, 0)
			e.delete(t, url, m)
			e.empty(t, url)
		}},
		{"the visibility of a message that is not in flight cannot be changed", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			e.send(t, url, "x")
			m := e.one(t, url)
			e.hold(t, url, m, 0)
			_, err := e.changeVisibility(t, url, m, 10)
			refusedAs[*types.MessageNotInflight](t, err)
		}},
		{"the visibility of a deleted message cannot be changed", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			e.send(t, url, "x")
			m := e.one(t, url)
			e.delete(t, url, m)
			_, err := e.changeVisibility(t, url, m, 10)
			e.refused(t, err, "InvalidParameterValue")
		}},
		{"what never was a handle cannot be given another visibility", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			_, err := e.changeVisibility(t, url, types.Message{ReceiptHandle: aws.String("nonsense")}, 10)
			refusedAs[*types.ReceiptHandleIsInvalid](t, err)
		}},
	}
}
