// Package ledger remembers every event by its identity: who works on it, what
// came of it, and so which arrivals are duplicates. It is one DynamoDB table,
// accessed by conditional writes only, never scanned. Its one invariant: of all
// who claim an identity, one at a time holds the claim.
package ledger

import (
	"context"
	"errors"
	"iter"
	"time"

	"pushpull/shared/event"
)

// A Status is where an event stands.
type Status string

// The statuses. The last four are ends: every event reaches one of them.
const (
	Claimed    Status = "claimed"    // a worker holds it
	Waiting    Status = "waiting"    // released after a failure; its message comes back
	Delivered  Status = "delivered"  // every destination has it
	Filtered   Status = "filtered"   // no route took it
	Superseded Status = "superseded" // a newer version was delivered before
	Dead       Status = "dead"       // in the dead letters, with the reason
)

// A Verdict is what a claim came to.
type Verdict int

// The verdicts.
const (
	Mine      Verdict = iota // the claim is ours: process the event
	Duplicate                // another message carries or carried it: acknowledge this one
	InFlight                 // another worker holds this same message: come back after Until
)

// A Claim is the right to process one event until its lease runs out.
type Claim struct {
	Verdict       Verdict
	Key           string
	Owner         string         // the fence: only this claim's writes are taken
	Until         time.Time      // the lease's end (ours, or with InFlight the other's)
	Done          []string       // destinations that have it already
	Attempts      map[string]int // by destination, of earlier claims
	FirstReceived time.Time
}

// An Attempt is one try to deliver to one destination.
type Attempt struct {
	Destination string        `json:"destination"`
	At          time.Time     `json:"at"`
	Number      int           `json:"number"`
	Status      int           `json:"status,omitempty"` // HTTP status, where there is one
	Took        time.Duration `json:"took"`
	Error       string        `json:"error,omitempty"`
}

// A Record is all the ledger knows of one event.
type Record struct {
	Key           string                  `json:"key"`
	ID            string                  `json:"id"`
	Source        string                  `json:"source"`
	Type          string                  `json:"type"`
	Transport     event.Transport         `json:"transport"`
	Status        Status                  `json:"status"`
	Time          time.Time               `json:"time,omitzero"`
	Received      time.Time               `json:"received"`
	Ended         time.Time               `json:"ended,omitzero"`
	Entity        string                  `json:"entity,omitempty"`
	Version       string                  `json:"version,omitempty"`
	Missed        bool                    `json:"missed,omitempty"`
	Duplicates    map[event.Transport]int `json:"duplicates,omitempty"`
	Done          []string                `json:"done,omitempty"`
	Attempts      []Attempt               `json:"attempts,omitempty"`
	Reason        string                  `json:"reason,omitempty"`
	CorrelationID string                  `json:"correlationid,omitempty"`
}

// A Ledger is the table. It is safe for concurrent use.
type Ledger struct{}

// Options of a claim.
type Options struct {
	Message  string        // the id of the SQS message that carries the event
	Redriven bool          // it came back from the dead letters
	Lease    time.Duration // how long the claim is ours
	Window   time.Duration // how long the identity is remembered
}

// Claim tries to take the event's identity with one conditional write.
func (l *Ledger) Claim(ctx context.Context, e event.Event, o Options) (Claim, error) {
	return Claim{}, errors.ErrUnsupported
}

// ErrLost is returned when the claim is no longer ours: its lease ran out and
// another took it. What was delivered meanwhile may be delivered again.
var ErrLost = errors.New("the claim was lost")

// Complete ends the event (Delivered, Filtered, Superseded or Dead), fenced by the claim's owner.
func (l *Ledger) Complete(ctx context.Context, c Claim, end Status, reason string, done []string, attempts []Attempt) error {
	return errors.ErrUnsupported
}

// Release gives the claim back after a failure, so that its message may claim it again.
func (l *Ledger) Release(ctx context.Context, c Claim, done []string, attempts []Attempt) error {
	return errors.ErrUnsupported
}

// KeepPayloads stores the bytes of events beside their claims, in batches; what is there already stays.
func (l *Ledger) KeepPayloads(ctx context.Context, events []event.Event, window time.Duration) error {
	return errors.ErrUnsupported
}

// Payload returns the event with its bytes, as it was kept.
func (l *Ledger) Payload(ctx context.Context, key string) (event.Event, error) {
	return event.Event{}, errors.ErrUnsupported
}

// Seen tells which of the keys the ledger has (BatchGetItem), and confirms
// nothing: an event that is queued but not yet claimed is not seen.
func (l *Ledger) Seen(ctx context.Context, keys []string) (map[string]bool, error) {
	return nil, errors.ErrUnsupported
}

// ErrNotFound is returned for a key that the ledger does not have.
var ErrNotFound = errors.New("not in the ledger")

// Get returns one record.
func (l *Ledger) Get(ctx context.Context, key string) (Record, error) { return Record{}, ErrNotFound }

// A Filter chooses records by when they were received, newest first.
type Filter struct {
	Sources      []string // at least one
	Since, Until time.Time
	Status       Status // "" is any
	Type         string // "" is any
	Transport    event.Transport
	Entity       string
	Missed       bool
}

// Records yields the records that the filter takes, newest first, by the time
// index: it reads only as far as the caller takes.
func (l *Ledger) Records(ctx context.Context, f Filter) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) { yield(Record{}, errors.ErrUnsupported) }
}
