package sqstest

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const mebibyte = 1 << 20

func limitCases() []testCase {
	return []testCase{
		{"a message of a mebibyte is taken, and one byte more is refused", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			e.send(t, url, strings.Repeat("x", mebibyte))
			equal(t, "bytes", mebibyte, len(*e.one(t, url).Body))
			_, err := e.trySend(t, url, strings.Repeat("x", mebibyte+1))
			e.refused(t, err, "InvalidParameterValue")
		}},
		{"the attributes of a message count towards its size", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			a := map[string]types.MessageAttributeValue{"name": text("value")} // 4 + 6 + 5 bytes
			e.send(t, url, strings.Repeat("x", mebibyte-15), with(a))
			_, err := e.trySend(t, url, strings.Repeat("x", mebibyte-14), with(a))
			e.refused(t, err, "InvalidParameterValue")
		}},
		{"the size is counted in bytes, not in characters", func(t *testing.T, e env) {
			url := e.queue(t, attributes{"MaximumMessageSize": "1024"})
			e.send(t, url, strings.Repeat("é", 512))
			_, err := e.trySend(t, url, strings.Repeat("é", 513))
			e.refused(t, err, "InvalidParameterValue")
		}},
		{"the queue's own limit holds", func(t *testing.T, e env) {
			url := e.queue(t, attributes{"MaximumMessageSize": "1024"})
			e.send(t, url, strings.Repeat("x", 1024))
			_, err := e.trySend(t, url, strings.Repeat("x", 1025))
			e.refused(t, err, "InvalidParameterValue")
		}},
		{"an empty body is refused", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			_, err := e.trySend(t, url, "")
			e.refused(t, err, "MissingParameter", "MissingRequiredParameter", "InvalidParameterValue")
		}},
		{"control characters are refused", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			for _, body := range []string{"\x00", "a\x0bb", "\x1f", "\uFFFE", "\uFFFF"} {
				_, err := e.trySend(t, url, body)
				e.refused(t, err, "InvalidMessageContents")
			}
		}},
		{"the characters at the edges of what is allowed are taken", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			for _, body := range []string{"\t", "\n", "\r", " ", "\x7f", "\uD7FF", "\uE000", "\uFFFD", "\U00010000", "\U0010FFFF"} {
				e.send(t, url, body)
			}
		}},
		{"a visibility timeout is at most twelve hours", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			e.send(t, url, "x")
			m := e.one(t, url)
			e.hold(t, url, m, 43_000)
			_, err := e.changeVisibility(t, url, m, 43_201)
			e.refused(t, err, "InvalidParameterValue")
		}},
		{"a wait is at most twenty seconds", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			in := receiveInput(url)
			in.WaitTimeSeconds = 21
			_, err := e.ReceiveMessage(t.Context(), in)
			e.refused(t, err, "InvalidParameterValue")
		}},
		{"a deduplication id on a standard queue is refused", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			_, err := e.trySend(t, url, "x", dedup("d"))
			e.refused(t, err, "InvalidParameterValue")
		}},
		{"a list-queues page has at most a thousand queues", func(t *testing.T, e env) {
			_, err := e.ListQueues(t.Context(), listInput(aws.Int32(1001)))
			e.refused(t, err, "InvalidParameterValue")
		}},
	}
}
