package sqstest

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func entries(bodies ...string) []types.SendMessageBatchRequestEntry {
	var all []types.SendMessageBatchRequestEntry
	for i, body := range bodies {
		all = append(all, types.SendMessageBatchRequestEntry{Id: aws.String("e" + strconv.Itoa(i)), MessageBody: &body})
	}
	return all
}

func (e env) sendBatch(t *testing.T, url string, batch []types.SendMessageBatchRequestEntry) (*sqs.SendMessageBatchOutput, error) {
	t.Helper()
	return e.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: batch})
}

func batchCases() []testCase {
	return []testCase{
		{"a batch sends all of its messages, each under its id", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			out, err := e.sendBatch(t, url, entries("a", "b", "c"))
			must(t, err)
			var ids []string
			for _, s := range out.Successful {
				ids = append(ids, *s.Id)
			}
			slices.Sort(ids)
			equal(t, "the ids", []string{"e0", "e1", "e2"}, ids)
			got := e.drain(t, url, 3)
			slices.Sort(got)
			equal(t, "the bodies", []string{"a", "b", "c"}, got)
		}},
		{"a bad message in a batch fails alone", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			out, err := e.sendBatch(t, url, entries("a", "bad\x01", "c"))
			must(t, err)
			equal(t, "successes", 2, len(out.Successful))
			equal(t, "failures", 1, len(out.Failed))
			equal(t, "the failed id", "e1", *out.Failed[0].Id)
			equal(t, "whose fault", true, out.Failed[0].SenderFault)
			equal(t, "why", "InvalidMessageContents", *out.Failed[0].Code)
		}},
		{"an empty batch is refused", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			_, err := e.sendBatch(t, url, []types.SendMessageBatchRequestEntry{})
			refusedAs[*types.EmptyBatchRequest](t, err)
		}},
		{"a batch of eleven is refused", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			_, err := e.sendBatch(t, url, entries(strings.Split(strings.Repeat("x", 11), "")...))
			refusedAs[*types.TooManyEntriesInBatchRequest](t, err)
		}},
		{"the same id twice in a batch is refused", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			batch := entries("a", "b")
			batch[1].Id = batch[0].Id
			_, err := e.sendBatch(t, url, batch)
			refusedAs[*types.BatchEntryIdsNotDistinct](t, err)
		}},
		{"an id of a batch has letters, digits, hyphens and underscores, up to 80", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			for _, id := range []string{"", "with space", "a.b", strings.Repeat("x", 81)} {
				batch := entries("a")
				batch[0].Id = &id
				_, err := e.sendBatch(t, url, batch)
				refusedAs[*types.InvalidBatchEntryId](t, err)
			}
		}},
		{"a batch is at most a mebibyte altogether", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			half := strings.Repeat("x", mebibyte/2)
			out, err := e.sendBatch(t, url, entries(half, half))
			must(t, err)
			equal(t, "successes", 2, len(out.Successful))
			_, err = e.sendBatch(t, url, entries(half, half+"x"))
			refusedAs[*types.BatchRequestTooLong](t, err)
		}},
		{"each message of a batch has its own delay", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			batch := entries("now", "later")
			batch[1].DelaySeconds = 100
			_, err := e.sendBatch(t, url, batch)
			must(t, err)
			equal(t, "the bodies", []string{"now"}, bodies(e.receive(t, url)))
		}},
		{"a batch deletes what it can and says what it cannot", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			e.send(t, url, "a")
			m := e.one(t, url)
			out, err := e.DeleteMessageBatch(t.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: []types.DeleteMessageBatchRequestEntry{
				{Id: aws.String("good"), ReceiptHandle: m.ReceiptHandle}, {Id: aws.String("bad"), ReceiptHandle: aws.String("nonsense")},
			}})
			must(t, err)
			equal(t, "successes", 1, len(out.Successful))
			equal(t, "the deleted", "good", *out.Successful[0].Id)
			equal(t, "failures", 1, len(out.Failed))
			equal(t, "why", "ReceiptHandleIsInvalid", *out.Failed[0].Code)
		}},
		{"a batch gives back messages at once", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			_, err := e.sendBatch(t, url, entries("a", "b"))
			must(t, err)
			var batch []types.ChangeMessageVisibilityBatchRequestEntry
			for i, m := range e.receive(t, url) {
				batch = append(batch, types.ChangeMessageVisibilityBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: m.ReceiptHandle})
			}
			equal(t, "received", 2, len(batch))
			out, err := e.ChangeMessageVisibilityBatch(t.Context(), &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &url, Entries: batch})
			must(t, err)
			equal(t, "successes", 2, len(out.Successful))
			equal(t, "received again", 2, len(e.receive(t, url)))
		}},
		{"an empty batch of deletions is refused", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			_, err := e.DeleteMessageBatch(t.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: []types.DeleteMessageBatchRequestEntry{}})
			refusedAs[*types.EmptyBatchRequest](t, err)
		}},
	}
}
