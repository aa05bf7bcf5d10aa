package sqstest

import (
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func fifoCases() []testCase {
	return []testCase{
		{"a FIFO queue keeps the order within a group", func(t *testing.T, e env) {
			url := e.fifo(t, nil)
			var want []string
			for i := range 25 {
				body := strconv.Itoa(i)
				want = append(want, body)
				e.send(t, url, body, inGroup("g"), dedup(body))
			}
			equal(t, "the order", want, e.drain(t, url, 25))
		}},
		{"sequence numbers grow", func(t *testing.T, e env) {
			url := e.fifo(t, nil)
			last := ""
			for i := range 3 {
				sent := e.send(t, url, "x", inGroup("g"), dedup(strconv.Itoa(i)))
				number := aws.ToString(sent.SequenceNumber)
				if len(number) < len(last) || len(number) == len(last) && number <= last {
					t.Errorf("%q follows %q", number, last)
				}
				last = number
			}
		}},
		{"a group is locked while one of its messages is in flight", func(t *testing.T, e env) {
			url := e.fifo(t, nil)
			e.send(t, url, "a1", inGroup("a"), dedup("1"))
			e.send(t, url, "a2", inGroup("a"), dedup("2"))
			m := e.one(t, url)
			equal(t, "first", "a1", *m.Body)
			e.empty(t, url)
			e.delete(t, url, m)
			equal(t, "second", "a2", *e.one(t, url).Body)
		}},
		{"another group is not held up by one that is locked", func(t *testing.T, e env) {
			url := e.fifo(t, nil)
			e.send(t, url, "a1", inGroup("a"), dedup("1"))
			e.send(t, url, "a2", inGroup("a"), dedup("2"))
			e.send(t, url, "b1", inGroup("b"), dedup("3"))
			equal(t, "first", "a1", *e.one(t, url).Body)
			equal(t, "second", "b1", *e.one(t, url).Body)
		}},
		{"a message that comes back is the first of its group again", func(t *testing.T, e env) {
			url := e.fifo(t, nil)
			e.send(t, url, "a1", inGroup("a"), dedup("1"))
			e.send(t, url, "a2", inGroup("a"), dedup("2"))
			e.hold(t, url, e.one(t, url), 0)
			equal(t, "the order", []string{"a1", "a2"}, bodies(e.receive(t, url)))
		}},
		{"one receive takes messages of a group in order", func(t *testing.T, e env) {
			url := e.fifo(t, nil)
			for i := range 3 {
				e.send(t, url, strconv.Itoa(i), inGroup("a"), dedup(strconv.Itoa(i)))
			}
			equal(t, "the order", []string{"0", "1", "2"}, bodies(e.receive(t, url)))
		}},
		{"the same deduplication id within five minutes is stored once", func(t *testing.T, e env) {
			url := e.fifo(t, nil)
			first := e.send(t, url, "a", inGroup("g"), dedup("d"))
			second := e.send(t, url, "b", inGroup("g"), dedup("d"))
			equal(t, "the id", *first.MessageId, *second.MessageId)
			equal(t, "the bodies", []string{"a"}, bodies(e.receive(t, url)))
		}},
		{"a deduplication id outlives the deletion of its message", func(t *testing.T, e env) {
			url := e.fifo(t, nil)
			e.send(t, url, "a", inGroup("g"), dedup("d"))
			e.delete(t, url, e.one(t, url))
			e.send(t, url, "a", inGroup("g"), dedup("d"))
			e.empty(t, url)
		}},
		{"content-based deduplication goes by the body", func(t *testing.T, e env) {
			url := e.fifo(t, attributes{"ContentBasedDeduplication": "true"})
			e.send(t, url, "same", inGroup("g"))
			e.send(t, url, "same", inGroup("g"))
			e.send(t, url, "other", inGroup("g"))
			equal(t, "the bodies", []string{"same", "other"}, bodies(e.receive(t, url)))
		}},
		{"an id overrides content-based deduplication", func(t *testing.T, e env) {
			url := e.fifo(t, attributes{"ContentBasedDeduplication": "true"})
			e.send(t, url, "same", inGroup("g"), dedup("1"))
			e.send(t, url, "same", inGroup("g"), dedup("2"))
			equal(t, "messages", 2, len(e.receive(t, url)))
		}},
		{"deduplication may be within the group", func(t *testing.T, e env) {
			url := e.fifo(t, attributes{"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"})
			e.send(t, url, "a", inGroup("a"), dedup("d"))
			e.send(t, url, "b", inGroup("b"), dedup("d"))
			equal(t, "messages", 2, len(e.receive(t, url)))
		}},
		{"a message of a FIFO queue needs a group", func(t *testing.T, e env) {
			url := e.fifo(t, nil)
			_, err := e.trySend(t, url, "x", dedup("d"))
			e.refused(t, err, "MissingParameter", "MissingRequiredParameter")
		}},
		{"a message of a FIFO queue needs a deduplication id or content-based deduplication", func(t *testing.T, e env) {
			url := e.fifo(t, nil)
			_, err := e.trySend(t, url, "x", inGroup("g"))
			e.refused(t, err, "InvalidParameterValue")
		}},
		{"a message of a FIFO queue has no delay of its own", func(t *testing.T, e env) {
			url := e.fifo(t, nil)
			_, err := e.trySend(t, url, "x", inGroup("g"), dedup("d"), after(5))
			e.refused(t, err, "InvalidParameterValue")
		}},
		{"a message says its group, deduplication id and sequence number", func(t *testing.T, e env) {
			url := e.fifo(t, nil)
			sent := e.send(t, url, "x", inGroup("g"), dedup("d"))
			m := e.one(t, url)
			equal(t, "the group", "g", m.Attributes["MessageGroupId"])
			equal(t, "the deduplication id", "d", m.Attributes["MessageDeduplicationId"])
			equal(t, "the sequence number", aws.ToString(sent.SequenceNumber), m.Attributes["SequenceNumber"])
		}},
		{"a receive with the same attempt id gets the same messages", func(t *testing.T, e env) {
			url := e.fifo(t, nil)
			e.send(t, url, "a", inGroup("a"), dedup("1"))
			e.send(t, url, "b", inGroup("b"), dedup("2"))
			try := func(in *sqs.ReceiveMessageInput) { in.ReceiveRequestAttemptId = aws.String("try-1") }
			first, second := e.one(t, url, try), e.one(t, url, try)
			equal(t, "the id", *first.MessageId, *second.MessageId)
		}},
		{"a handle of a FIFO queue expires with its visibility timeout", func(t *testing.T, e env) {
			url := e.fifo(t, nil)
			e.send(t, url, "x", inGroup("g"), dedup("d"))
			m := e.one(t, url)
			e.hold(t, url, m, 0)
			_, err := e.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle})
			e.refused(t, err, "InvalidParameterValue")
		}},
		{"a batch on a FIFO queue keeps its order", func(t *testing.T, e env) {
			url := e.fifo(t, attributes{"ContentBasedDeduplication": "true"})
			batch := entries("a", "b", "c")
			for i := range batch {
				batch[i].MessageGroupId = aws.String("g")
			}
			_, err := e.sendBatch(t, url, batch)
			must(t, err)
			equal(t, "the order", []string{"a", "b", "c"}, bodies(e.receive(t, url)))
		}},
		{"the attributes of a FIFO queue are answered", func(t *testing.T, e env) {
			url := e.fifo(t, nil)
			equal(t, "FifoQueue", "true", e.attribute(t, url, types.QueueAttributeNameFifoQueue))
			equal(t, "ContentBasedDeduplication", "false", e.attribute(t, url, types.QueueAttributeNameContentBasedDeduplication))
		}},
	}
}
