// Package queue puts messages on SQS: in batches, under its limits, with bodies
// that are too large for it left in a claim check. Its one invariant: Send
// returns nil only when the queue has durably taken every message.
package queue

import (
	"context"
	"errors"
	"time"

	"pushpull/shared/event"
)

// A Message is one message to send.
type Message struct {
	Body       string
	Group      string            // message group: fairness on a standard queue, order on a FIFO one
	Delay      time.Duration     // 0 to 15 minutes
	Attributes map[string]string // string attributes
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
type Queue struct{}

// New returns the queue at url. Bodies may be nil where messages are never large.
func New(api API, url string, bodies Bodies) *Queue { return &Queue{} }

// Send sends any number of messages, in as few calls as the limits allow. What
// the queue refused for a passing reason is tried again while ctx lasts.
func (q *Queue) Send(ctx context.Context, messages ...Message) error { return errors.ErrUnsupported }

// SendEvents encodes and sends events, each in the message group of its source.
// The data of an event over the queue's limit are put into the claim check first.
func (q *Queue) SendEvents(ctx context.Context, events ...event.Event) error {
	return errors.ErrUnsupported
}

// Bodies is the claim check: a store for bodies that are too large for the queue.
type Bodies interface {
	// Put stores a body and returns the reference to it. The same body twice is the same reference.
	Put(ctx context.Context, source string, body []byte) (ref string, err error)
	// Get returns the body of a reference.
	Get(ctx context.Context, ref string) ([]byte, error)
}

// Attribute names of a dead letter. A message that carries them and comes back
// to the queue was redriven: its event may be claimed although it is dead.
const (
	AttributeReason      = "pushpull.reason"      // why it is dead, for people
	AttributeDestination = "pushpull.destination" // the destinations that did not get it, separated by commas
	AttributeKey         = "pushpull.key"         // <source>/<identity>
)
