// Package ledger remembers every event by its identity: who works on it, what
// came of it, and so which arrivals are duplicates. It is one DynamoDB table,
// accessed by conditional writes only, never scanned. Its one invariant: of all
// who claim an identity, one at a time holds the claim.
package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/klauspost/compress/zstd"

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

// Ended tells whether the event has reached one of the four ends.
func (s Status) Ended() bool {
	switch s {
	case Delivered, Filtered, Superseded, Dead:
		return true
	case Claimed, Waiting:
	}
	return false
}

// A Verdict is what a claim came to.
type Verdict int

// The verdicts.
const (
	Mine      Verdict = iota // the claim is ours: process the event
	Duplicate                // another message carries or carried it: acknowledge this one
	InFlight                 // another worker holds this same message, or what it was redriven from: come back after Until
	Behind                   // another event of its entity is under way: come back soon
	Outdated                 // a newer version of its entity was delivered, and it is recorded as superseded: acknowledge
)

// A Claim is the right to process one event until its lease runs out.
type Claim struct {
	Verdict       Verdict
	Key           string
	Owner         string         // the fence: only this claim's writes are taken
	Until         time.Time      // the lease's end (ours, or with InFlight the other's)
	Done          []string       // destinations that have it already
	Attempts      map[string]int // by destination, of earlier claims; begins anew after a dead letter
	FirstReceived time.Time
	// Status is where the event stood before: "" where it is new.
	Status Status
	// Conflict says of a duplicate that its data differ from those of the first arrival.
	Conflict bool
	// Keep says of a conflict that its data may be kept: they are noted on the item, so
	// that they can be found, and there are not too many.
	Keep bool
	// Late says of a duplicate that it is one of a webhook and a poll that had counted
	// the event as missed: push was late, not silent.
	Late bool
	// Uncounted says why a duplicate could not be counted. It is a duplicate all the same.
	Uncounted error

	window  time.Duration // how long the identity is remembered
	quiet   bool          // a delivery without failure is not recorded
	guard   guard         // of its entity; zero where order does not count
	history []Attempt     // what is on the item, so that Release and Complete can write it anew, bounded
}

// An Attempt is one try to deliver to one destination.
type Attempt struct {
	Destination string        `json:"destination"`
	At          time.Time     `json:"at"`
	Number      int           `json:"number"`
	Status      int           `json:"status,omitempty"` // HTTP status, where there is one
	Took        time.Duration `json:"took_ns"`
	Error       string        `json:"error,omitempty"`
	Next        time.Time     `json:"next,omitzero"`   // when it failed for a while: no attempt before then
	Final       bool          `json:"final,omitempty"` // it failed for good: no more attempts but after a redrive
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
	Conflicts     int                     `json:"conflicts,omitempty"` // duplicates with other data than the first arrival had
	Conflict      string                  `json:"conflict,omitempty"`  // hash of the data of the last of them, for ConflictPayload
	Differing     []string                `json:"differing,omitempty"` // hashes of those that may be kept
	Done          []string                `json:"done,omitempty"`
	Attempts      []Attempt               `json:"attempts,omitempty"` // the last of them, oldest first
	Reason        string                  `json:"reason,omitempty"`
	Replays       []Replay                `json:"replays,omitempty"` // Get knows all of them, Records their ids
	Erased        time.Time               `json:"erased,omitzero"`   // when what was kept of its data was erased
	Erasure       string                  `json:"erasure,omitempty"` // by whom and why
	CorrelationID string                  `json:"correlationid,omitempty"`
}

// API is the calls of DynamoDB that the ledger makes. The SDK's client has them.
type API interface {
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
	BatchWriteItem(context.Context, *dynamodb.BatchWriteItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error)
	TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
}

// Bodies is the claim check, for payloads that are too large for an item.
type Bodies interface {
	Put(ctx context.Context, source string, body []byte) (ref string, err error)
	Get(ctx context.Context, ref string) ([]byte, error)
}

// A Ledger is the table. It is safe for concurrent use.
type Ledger struct {
	api    API
	table  string
	bodies Bodies
	now    func() time.Time
	owner  func() string
	zip    func() (*zstd.Encoder, error) // made when first needed, and kept: it is far dearer than one use of it
}

// New returns the ledger in the table. Bodies may be nil where payloads are
// never kept nor read; now is time.Now but in tests.
func New(api API, table string, bodies Bodies, now func() time.Time) *Ledger {
	return &Ledger{api: api, table: table, bodies: bodies, now: now, owner: rand.Text, zip: sync.OnceValues(newEncoder)}
}

// ErrLost is returned when the claim is no longer ours: its lease ran out and
// another took it. What was delivered meanwhile may be delivered again.
var ErrLost = errors.New("the claim was lost")

// ErrErased is returned for an event whose data were erased.
var ErrErased = errors.New("its data were erased")

// ErrNotFound is returned for a key that the ledger does not have.
var ErrNotFound = errors.New("not in the ledger")
