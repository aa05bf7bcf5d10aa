// Package queue puts messages on SQS: in batches, under its limits, with bodies
// that are too large for it left in a claim check. Its one invariant: Send
// returns nil only when the queue has durably taken every message.
package queue

import (
	"context"
	"math/rand/v2"
	"strings"
	"time"
)

// A Message is one message to send.
type Message struct {
	Body       string
	Group      string            // message group: fairness on a standard queue, order on a FIFO one
	Delay      time.Duration     // 0 to 15 minutes, in whole seconds; not on a FIFO queue
	Attributes map[string]string // string attributes, at most 10
}

// A Failure is a message of a batch that the queue refused.
type Failure struct {
	Index   int // in the batch
	Code    string
	Message string
	Sender  bool // our fault: sending it again will not help
}

// An API makes one SendMessageBatch call: at most 10 messages, at most 1 MiB.
type API interface {
	SendBatch(ctx context.Context, queueURL string, batch []Message) ([]Failure, error)
}

// A Queue is one SQS queue to send to. It is safe for concurrent use.
type Queue struct {
	api    API
	url    string
	bodies Bodies
	fifo   bool
	only   string         // the one destination of what is sent; "" is all
	jitter func() float64 // 0 ≤ jitter < 1
}

// New returns the queue at url. Bodies may be nil where messages are never large.
func New(api API, url string, bodies Bodies) *Queue {
	return &Queue{api: api, url: url, bodies: bodies, fifo: isFIFO(url), jitter: rand.Float64}
}

// Only returns the queue, for events that are for that one destination.
func (q *Queue) Only(destination string) *Queue {
	only := *q
	only.only = destination
	return &only
}

// isFIFO reports whether a queue is a FIFO one: SQS demands this ending of them,
// and of no other.
func isFIFO(url string) bool { return strings.HasSuffix(url, ".fifo") }
