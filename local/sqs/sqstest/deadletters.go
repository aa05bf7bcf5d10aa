package sqstest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func policy(target string, receives int) attributes {
	return attributes{"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, target, receives)}
}

// fail receives and gives back the message of a queue n times, and then finds nothing.
func (e env) fail(t *testing.T, url string, n int) {
	t.Helper()
	for range n {
		e.hold(t, url, e.one(t, url), 0)
	}
	e.empty(t, url)
}

func deadLetterCases() []testCase {
	return []testCase{
		{"a message that was received too often goes to the dead-letter queue, as it is", func(t *testing.T, e env) {
			dead := e.queue(t, nil)
			url := e.queue(t, policy(e.arn(t, dead), 2))
			sent := e.send(t, url, "x", with(map[string]types.MessageAttributeValue{"a": text("b")}))
			e.fail(t, url, 2)
			m := e.one(t, dead)
			equal(t, "the id", *sent.MessageId, *m.MessageId)
			equal(t, "the body", "x", *m.Body)
			equal(t, "the attribute", "b", aws.ToString(m.MessageAttributes["a"].StringValue))
		}},
		{"a dead letter says which queue it came from, and when it was first sent", func(t *testing.T, e env) {
			dead := e.queue(t, nil)
			url := e.queue(t, policy(e.arn(t, dead), 1))
			e.send(t, url, "x")
			first := e.one(t, url)
			e.hold(t, url, first, 0)
			e.empty(t, url)
			m := e.one(t, dead)
			equal(t, "the source", e.arn(t, url), m.Attributes["DeadLetterQueueSourceArn"])
			equal(t, "sent", first.Attributes["SentTimestamp"], m.Attributes["SentTimestamp"])
		}},
		{"a message of a FIFO queue goes to a FIFO dead-letter queue, and the next is free", func(t *testing.T, e env) {
			dead := e.fifo(t, nil)
			url := e.fifo(t, policy(e.arn(t, dead), 1))
			e.send(t, url, "bad", inGroup("g"), dedup("1"))
			e.send(t, url, "good", inGroup("g"), dedup("2"))
			e.hold(t, url, e.one(t, url), 0)
			equal(t, "the next", []string{"good"}, bodies(e.receive(t, url)))
			m := e.one(t, dead)
			equal(t, "the dead letter", "bad", *m.Body)
			equal(t, "its group", "g", m.Attributes["MessageGroupId"])
		}},
		{"the dead-letter queue must be there", func(t *testing.T, e env) {
			_, err := e.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(uniqueName()), Attributes: policy("arn:aws:sqs:us-east-1:000000000000:"+uniqueName(), 1)})
			e.refused(t, err, "InvalidParameterValue")
		}},
		{"a redrive policy without a target is refused", func(t *testing.T, e env) {
			_, err := e.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(uniqueName()), Attributes: attributes{"RedrivePolicy": `{"maxReceiveCount":1}`}})
			e.refused(t, err, "InvalidAttributeValue", "InvalidParameterValue")
		}},
		{"a dead-letter queue of another type is refused", func(t *testing.T, e env) {
			dead := e.queue(t, nil)
			a := policy(e.arn(t, dead), 1)
			a["FifoQueue"] = "true"
			_, err := e.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(uniqueName() + ".fifo"), Attributes: a})
			e.refused(t, err, "InvalidParameterValue")
		}},
		{"a redrive policy can be set later and is answered as it was given", func(t *testing.T, e env) {
			dead, url := e.queue(t, nil), e.queue(t, nil)
			a := policy(e.arn(t, dead), 3)
			_, err := e.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: a})
			must(t, err)
			equal(t, "the policy", a["RedrivePolicy"], e.attribute(t, url, types.QueueAttributeNameRedrivePolicy))
		}},
		{"the sources of a dead-letter queue are listed", func(t *testing.T, e env) {
			dead := e.queue(t, nil)
			want := []string{e.queue(t, policy(e.arn(t, dead), 3)), e.queue(t, policy(e.arn(t, dead), 4))}
			out, err := e.ListDeadLetterSourceQueues(t.Context(), &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &dead})
			must(t, err)
			slices.Sort(want)
			slices.Sort(out.QueueUrls)
			equal(t, "the URLs", want, out.QueueUrls)
		}},
		{"a queue may refuse to be a dead-letter queue", func(t *testing.T, e env) {
			dead := e.queue(t, attributes{"RedriveAllowPolicy": `{"redrivePermission":"denyAll"}`})
			_, err := e.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(uniqueName()), Attributes: policy(e.arn(t, dead), 1)})
			e.refused(t, err, "InvalidParameterValue")
		}},
		{"a queue may name whose dead letters it takes", func(t *testing.T, e env) {
			name := uniqueName()
			arn := "arn:aws:sqs:us-east-1:000000000000:" + name
			dead := e.queue(t, attributes{"RedriveAllowPolicy": fmt.Sprintf(`{"redrivePermission":"byQueue","sourceQueueArns":[%q]}`, arn)})
			e.named(t, name, policy(e.arn(t, dead), 1))
			_, err := e.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(uniqueName()), Attributes: policy(e.arn(t, dead), 1)})
			e.refused(t, err, "InvalidParameterValue")
		}},
	}
}
