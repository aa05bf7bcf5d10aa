// Package checkpoint keeps what is known of each poll source between runs: how
// far it was read, when it is due, who reads it now, and how the last run went.
// It is one item a source in the DynamoDB table `state` (partition key `key`).
//
// Its one invariant: of all who acquire a source, only the holder of the newest
// lease writes, and no write ever replaces a checkpoint with none.
package checkpoint

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
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
}

// ErrHeld is returned by Acquire while another run holds the source.
var ErrHeld = errors.New("another run holds the source")

// ErrLost is returned when the lease ran out and another run took the source:
// what this run would save is not saved.
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

// Status is all that is known of a poll source. Its zero is a source that was never polled.
type Status struct {
	Source     string     `json:"source"`
	Checkpoint pull.State `json:"checkpoint,omitzero"`
	Due        time.Time  `json:"due,omitzero"`     // when to poll next; zero: now
	Paused     bool       `json:"paused,omitempty"` // it is not polled by the schedule
	LeaseUntil time.Time  `json:"lease_until,omitzero"`
	Last       Last       `json:"last,omitzero"`        // the last run that came to its end
	Error      string     `json:"error,omitempty"`      // of the last run, where it failed
	ErrorSince time.Time  `json:"error_since,omitzero"` // when the first of the failures in a row was
	Failures   int        `json:"failures,omitempty"`   // in a row
}

// Last is how a run went.
type Last struct {
	Started time.Time `json:"started,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	Records int       `json:"records"` // read from the API
	New     int       `json:"new"`     // not in the ledger
	Missed  int       `json:"missed"`  // new, and the webhook should have brought them
}

// A Lease is the right to poll one source until Until. Save extends it.
type Lease struct {
	Status        // as it was when the lease was acquired
	Owner  string // the fence
	Until  time.Time
	length time.Duration
}

// Acquire takes the source for the length of a lease. The error is ErrHeld
// while another run has it.
func (s *Store) Acquire(ctx context.Context, source string, length time.Duration) (Lease, error) {
	now := s.now()
	owner, until := rand.Text(), now.Add(length)
	out, err := s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String(s.table), Key: key(source),
		UpdateExpression:          aws.String("SET #owner = :owner, #until = :until"),
		ConditionExpression:       aws.String("attribute_not_exists(#owner) OR #until < :now"),
		ExpressionAttributeNames:  map[string]string{"#owner": "owner", "#until": "until"},
		ExpressionAttributeValues: item{":owner": text(owner), ":until": instant(until), ":now": instant(now)},
		ReturnValues:              types.ReturnValueAllNew,
	})
	if failedCondition(err) {
		return Lease{}, ErrHeld
	}
	if err != nil {
		return Lease{}, fmt.Errorf("acquire the lease of %s: %w", source, err)
	}
	status, err := decode(out.Attributes)
	if err != nil {
		return Lease{}, err
	}
	return Lease{Status: status, Owner: owner, Until: until, length: length}, nil
}

// Save stores the checkpoint, and extends the lease. The error is ErrLost when
// the lease is no longer ours. A zero state is not saved over one that is there.
func (s *Store) Save(ctx context.Context, l *Lease, st pull.State) error {
	until := s.now().Add(l.length)
	set := newChange()
	set.put("until", instant(until))
	if err := set.checkpoint(st); err != nil {
		return fmt.Errorf("save the checkpoint of %s: %w", l.Source, err)
	}
	if err := s.fenced(ctx, l, set); err != nil {
		return fmt.Errorf("save the checkpoint of %s: %w", l.Source, err)
	}
	l.Until = until
	return nil
}

// Renew extends the lease by its length from now on, and changes nothing else.
// It may be called beside Save. The error is ErrLost when the lease is no longer ours.
func (s *Store) Renew(ctx context.Context, l Lease) error {
	set := newChange()
	set.put("until", instant(s.now().Add(l.length)))
	if err := s.fenced(ctx, &l, set); err != nil {
		return fmt.Errorf("renew the lease of %s: %w", l.Source, err)
	}
	return nil
}

// An Outcome is how a run ended. What is zero stays as it was.
type Outcome struct {
	Due        time.Time   // when to poll next
	Checkpoint *pull.State // of the last page, which needs no Save of its own
	Last       *Last       // of a run that came to its end; it clears the error
	Error      string      // of a run that failed
}

// Release gives the source back and records how the run ended. The error is
// ErrLost when the lease is no longer ours.
func (s *Store) Release(ctx context.Context, l Lease, o Outcome) error {
	set := newChange()
	set.remove("owner", "until")
	if o.Checkpoint != nil {
		if err := set.checkpoint(*o.Checkpoint); err != nil {
			return fmt.Errorf("save the checkpoint of %s: %w", l.Source, err)
		}
	}
	if !o.Due.IsZero() {
		set.put("due", instant(o.Due))
	}
	switch {
	case o.Error != "":
		set.put("error", text(o.Error))
		set.put("failures", count(l.Failures+1))
		set.putOnce("since", instant(s.now()))
	case o.Last != nil:
		set.put("started", instant(o.Last.Started))
		set.put("ended", instant(o.Last.Ended))
		set.put("records", count(o.Last.Records))
		set.put("new", count(o.Last.New))
		set.put("missed", count(o.Last.Missed))
		set.remove("error", "since", "failures")
	}
	if err := s.fenced(ctx, &l, set); err != nil {
		return fmt.Errorf("release %s: %w", l.Source, err)
	}
	return nil
}

// Pause stops the schedule from polling the source, or lets it go on.
func (s *Store) Pause(ctx context.Context, source string, paused bool) error {
	set := newChange()
	set.put("paused", &types.AttributeValueMemberBOOL{Value: paused})
	in := set.input(s.table, source)
	// Where it is so already there is nothing to write.
	in.ConditionExpression = aws.String("attribute_not_exists(#paused) OR #paused <> :paused")
	if _, err := s.api.UpdateItem(ctx, in); err != nil && !failedCondition(err) {
		return fmt.Errorf("pause %s: %w", source, err)
	}
	return nil
}

// fenced makes a change only while the lease is ours.
func (s *Store) fenced(ctx context.Context, l *Lease, set *change) error {
	in := set.input(s.table, l.Source)
	in.ConditionExpression = aws.String("#owner = :fence")
	in.ExpressionAttributeNames["#owner"] = "owner"
	if in.ExpressionAttributeValues == nil {
		in.ExpressionAttributeValues = item{}
	}
	in.ExpressionAttributeValues[":fence"] = text(l.Owner)
	_, err := s.api.UpdateItem(ctx, in)
	if failedCondition(err) {
		return ErrLost
	}
	return err
}

func failedCondition(err error) bool {
	_, failed := errors.AsType[*types.ConditionalCheckFailedException](err)
	return failed
}

// Load returns what is known of one source.
func (s *Store) Load(ctx context.Context, source string) (Status, error) {
	all, err := s.LoadAll(ctx, []string{source})
	return all[source], err
}

const (
	batch   = 100 // keys of one BatchGetItem
	retries = 5   // of keys that DynamoDB did not get to
)

// LoadAll returns what is known of the sources, each of them: one that was
// never polled has a Status of its name and nothing else.
func (s *Store) LoadAll(ctx context.Context, sources []string) (map[string]Status, error) {
	found := make(map[string]Status, len(sources))
	for _, source := range sources {
		found[source] = Status{Source: source}
	}
	for len(sources) > 0 {
		n := min(batch, len(sources))
		if err := s.loadSome(ctx, sources[:n], found); err != nil {
			return nil, fmt.Errorf("load the state of %d poll sources: %w", len(found), err)
		}
		sources = sources[n:]
	}
	return found, nil
}

func (s *Store) loadSome(ctx context.Context, sources []string, found map[string]Status) error {
	ask := types.KeysAndAttributes{ConsistentRead: aws.Bool(true)}
	for _, source := range sources {
		ask.Keys = append(ask.Keys, key(source))
	}
	for try := 0; len(ask.Keys) > 0; try++ {
		if try == retries {
			return fmt.Errorf("the table is throttled: %d keys unprocessed", len(ask.Keys))
		}
		if err := pauseBefore(ctx, try); err != nil {
			return err
		}
		out, err := s.api.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{s.table: ask}})
		if err != nil {
			return err
		}
		for _, it := range out.Responses[s.table] {
			status, err := decode(it)
			if err != nil {
				return err
			}
			found[status.Source] = status
		}
		ask.Keys = out.UnprocessedKeys[s.table].Keys
	}
	return nil
}

// pauseBefore waits a little before all tries but the first.
func pauseBefore(ctx context.Context, try int) error {
	if try == 0 {
		return nil
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

func count(n int) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.Itoa(n)}
}
