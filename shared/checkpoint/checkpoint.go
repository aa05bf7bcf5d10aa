// Package checkpoint keeps what is known of each poll between runs: how far it
// was read, when it is due and why, who reads it now, how the last run went. It
// is one item a poll in the DynamoDB table `state` (partition key `key`), and one
// a backfill; the entities of a snapshot are items there, too.
//
// Its one invariant: of all who acquire a poll, only the holder of the newest
// lease writes its progress, and no such write replaces a checkpoint with none.
package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"pushpull/shared/pull"
)

// API is the part of the DynamoDB client that is used.
type API interface {
	UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
	BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error)
}

// ErrHeld is returned by Acquire while another run holds the poll.
var ErrHeld = errors.New("another run holds the poll")

// ErrLost is returned when the lease ran out and another run took the poll, or
// it was reset or cancelled: what this run would save is not saved.
var ErrLost = errors.New("the lease was lost")

// A Store is the table. It is safe for concurrent use.
type Store struct {
	api   API
	table string
	now   func() time.Time
}

// New returns the store in the table of that name.
func New(api API, table string, now func() time.Time) *Store {
	return &Store{api: api, table: table, now: now}
}

// Status is all that is known of a poll or a backfill. Its zero is one that was never polled.
type Status struct {
	Key        string        `json:"key"` // of its jobs, as job.Job.Key has it
	Checkpoint pull.State    `json:"checkpoint,omitzero"`
	Due        time.Time     `json:"due,omitzero"`     // when to poll next; zero: now
	Why        string        `json:"why,omitempty"`    // it is due then
	Every      time.Duration `json:"every,omitempty"`  // the interval as it was adapted, in nanoseconds; 0: as configured
	Hinted     time.Time     `json:"hinted,omitzero"`  // when a webhook last said that there is something
	Paused     bool          `json:"paused,omitempty"` // nothing but a person polls it
	// Stopped is why it is hardly asked for any more: an error that does not heal by
	// itself. Config is the hash of the configuration that had it.
	Stopped    string         `json:"stopped,omitempty"`
	Config     string         `json:"config,omitempty"`
	LeaseUntil time.Time      `json:"lease_until,omitzero"`
	Run        *Tally         `json:"run,omitempty"`        // the run under way, or cut short
	Last       Tally          `json:"last,omitzero"`        // the last run that came to its end
	Missed     int            `json:"missed,omitempty"`     // by push, of all runs
	Recent     map[string]int `json:"recent,omitempty"`     // the same of the last day, by the hour's beginning
	Limits     *Limits        `json:"limits,omitempty"`     // as the API last told
	Gap        time.Time      `json:"gap,omitzero"`         // when history may last have been lost
	Error      string         `json:"error,omitempty"`      // of the last run, where it failed
	ErrorSince time.Time      `json:"error_since,omitzero"` // when the first of the failures in a row was
	Failures   int            `json:"failures,omitempty"`   // in a row
	Backfills  []string       `json:"backfills,omitempty"`  // ids of the poll's

	// Of a backfill:
	Range     *Range        `json:"range,omitempty"`
	Covered   time.Duration `json:"covered,omitempty"` // of the range, in nanoseconds
	Cancelled bool          `json:"cancelled,omitempty"`
}

// A Tally counts what a run did.
type Tally struct {
	Started time.Time `json:"started,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	// Span is the time since the run before began: what the records are of.
	Span        time.Duration `json:"span,omitempty"`
	Pages       int           `json:"pages"`
	Requests    int           `json:"requests"`
	NotModified int           `json:"not_modified"`
	Bytes       int64         `json:"bytes"`   // of answers
	Records     int           `json:"records"` // read from the API
	New         int           `json:"new"`     // not in the ledger
	Missed      int           `json:"missed"`  // new, and the webhook should have brought them
}

// Limits are how the credential stands, as the API last told. Remaining and Limit
// are -1 where it did not say.
type Limits struct {
	Remaining int       `json:"remaining"`
	Limit     int       `json:"limit"`
	Reset     time.Time `json:"reset,omitzero"`
	At        time.Time `json:"at"`
}

// A Range is what a backfill reads: [From, To).
type Range struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Share   float64   `json:"share,omitempty"` // of rate_limit; 0: as configured
	Created time.Time `json:"created"`
}

// Pending tells whether a hint came that no run has followed yet: one that began
// after it.
func (s Status) Pending() bool {
	return s.Hinted.After(s.Last.Started) && (s.Run == nil || s.Hinted.After(s.Run.Started))
}

// Held tells whether a run has the poll at that time.
func (s Status) Held(at time.Time) bool { return !s.LeaseUntil.Before(at) }

// MissedSince is how many of the last day were missed after a time, by whole hours.
func (s Status) MissedSince(at time.Time) int {
	n := 0
	for hour, missed := range s.Recent {
		if begin, err := time.Parse(hourLayout, hour); err == nil && begin.Add(time.Hour).After(at) {
			n += missed
		}
	}
	return n
}

// Load returns what is known of one poll or backfill.
func (s *Store) Load(ctx context.Context, key string) (Status, error) {
	all, err := s.LoadAll(ctx, []string{key})
	return all[key], err
}

// LoadAll returns what is known of the polls and backfills, each of them: one
// that was never polled has a Status of its key and nothing else.
func (s *Store) LoadAll(ctx context.Context, keys []string) (map[string]Status, error) {
	found := make(map[string]Status, len(keys))
	names := make([]string, len(keys))
	for i, key := range keys {
		found[key] = Status{Key: key}
		names[i] = itemName(key)
	}
	err := s.each(ctx, names, func(it item) error {
		status, err := decode(it)
		found[status.Key] = status
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load the state of %d polls: %w", len(found), err)
	}
	return found, nil
}

const (
	batch   = 100 // keys of one BatchGetItem
	retries = 5   // of keys that DynamoDB did not get to
)

// each reads the items of that name that are there.
func (s *Store) each(ctx context.Context, names []string, do func(item) error) error {
	for len(names) > 0 {
		n := min(batch, len(names))
		if err := s.some(ctx, names[:n], do); err != nil {
			return err
		}
		names = names[n:]
	}
	return nil
}

func (s *Store) some(ctx context.Context, names []string, do func(item) error) error {
	ask := types.KeysAndAttributes{ConsistentRead: aws.Bool(true)}
	for _, name := range names {
		ask.Keys = append(ask.Keys, item{"key": text(name)})
	}
	for try := 0; len(ask.Keys) > 0; try++ {
		if err := pauseBefore(ctx, try, len(ask.Keys)); err != nil {
			return err
		}
		out, err := s.api.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{s.table: ask}})
		if err != nil {
			return err
		}
		for _, it := range out.Responses[s.table] {
			if err := do(it); err != nil {
				return err
			}
		}
		ask.Keys = out.UnprocessedKeys[s.table].Keys
	}
	return nil
}

// pauseBefore waits a little before all tries but the first.
func pauseBefore(ctx context.Context, try, left int) error {
	if try == 0 {
		return nil
	}
	if try == retries {
		return fmt.Errorf("the table is throttled: %d items unprocessed", left)
	}
	t := time.NewTimer(50 * time.Millisecond << try)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
