package checkpoint

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"pushpull/shared/pull"
)

// A Lease is the right to read one poll until Until. Save extends it.
type Lease struct {
	Status        // as it was when the lease was acquired
	Owner  string // the fence
	Until  time.Time
	length time.Duration
}

// Acquire takes the poll for the length of a lease. The error is ErrHeld while
// another run has it, and for a backfill that is not there.
func (s *Store) Acquire(ctx context.Context, key string, length time.Duration) (Lease, error) {
	now := s.now()
	owner, until := rand.Text(), now.Add(length)
	set := newChange()
	set.put("owner", text(owner))
	set.put("until", instant(until))
	set.values[":now"] = instant(now)
	condition := "attribute_not_exists(#owner) OR #until < :now"
	if isBackfill(key) {
		condition = "attribute_exists(#range) AND (" + condition + ")"
		set.names["#range"] = "range"
	}
	status, err := s.write(ctx, key, set, condition)
	if failedCondition(err) {
		return Lease{}, ErrHeld
	}
	if err != nil {
		return Lease{}, fmt.Errorf("acquire the lease of %s: %w", key, err)
	}
	return Lease{Status: status, Owner: owner, Until: until, length: length}, nil
}

// Progress is what a run did so far.
type Progress struct {
	Checkpoint pull.State
	Run        Tally
	Covered    time.Duration // of a backfill's range
}

// Save stores the progress, and extends the lease; Paused is then as it is now.
// The error is ErrLost when the lease is no longer ours.
func (s *Store) Save(ctx context.Context, l *Lease, p Progress) error {
	until := s.now().Add(l.length)
	set := newChange()
	set.put("until", instant(until))
	err := errors.Join(set.checkpoint(p.Checkpoint), set.document("run", p.Run))
	if p.Covered > 0 {
		set.put("covered", span(p.Covered))
	}
	if err == nil {
		var now Status
		now, err = s.fenced(ctx, l, set)
		l.Paused = now.Paused
	}
	if err != nil {
		return fmt.Errorf("save the checkpoint of %s: %w", l.Key, err)
	}
	l.Until = until
	return nil
}

// Renew extends the lease by its length from now on, and changes nothing else.
// It may be called beside Save. The error is ErrLost when the lease is no longer ours.
func (s *Store) Renew(ctx context.Context, l Lease) error {
	set := newChange()
	set.put("until", instant(s.now().Add(l.length)))
	if _, err := s.fenced(ctx, &l, set); err != nil {
		return fmt.Errorf("renew the lease of %s: %w", l.Key, err)
	}
	return nil
}

// An Outcome is how a job ended. What is zero stays as it was.
type Outcome struct {
	Checkpoint *pull.State // of the last page, which needs no Save of its own
	Due        time.Time   // when to poll next
	Why        string      // it is due then
	Every      time.Duration
	Last       *Tally // of a run that came to its end; it clears the error, and what stopped it
	Run        *Tally // of one that goes on
	Covered    time.Duration
	Limits     *Limits
	Gap        bool
	Error      string // of a run that failed
	Stopped    string // why it will fail again
	Config     string // the hash of the configuration that stopped it
}

// Release gives the poll back and records how the job ended. It returns what is
// known then: a hint may have come meanwhile. The error is ErrLost when the lease
// is no longer ours.
func (s *Store) Release(ctx context.Context, l Lease, o Outcome) (Status, error) {
	set := newChange()
	set.remove("owner", "until")
	if err := s.record(set, l, o); err != nil {
		return Status{}, fmt.Errorf("release %s: %w", l.Key, err)
	}
	status, err := s.fenced(ctx, &l, set)
	if err != nil {
		return Status{}, fmt.Errorf("release %s: %w", l.Key, err)
	}
	return status, nil
}

func (s *Store) record(set *change, l Lease, o Outcome) error {
	var errs []error
	if o.Checkpoint != nil {
		errs = append(errs, set.checkpoint(*o.Checkpoint))
	}
	if !o.Due.IsZero() {
		set.put("due", instant(o.Due))
		set.put("why", text(o.Why))
	}
	if o.Every > 0 {
		set.put("every", span(o.Every))
	}
	if o.Covered > 0 {
		set.put("covered", span(o.Covered))
	}
	if o.Limits != nil {
		errs = append(errs, set.document("limits", *o.Limits))
	}
	if o.Gap {
		set.put("gap", instant(s.now()))
	}
	if o.Run != nil {
		errs = append(errs, set.document("run", *o.Run))
	}
	switch {
	case o.Error != "":
		set.put("error", text(o.Error))
		set.put("failures", count(l.Failures+1))
		set.putOnce("since", instant(s.now()))
		if o.Stopped != "" {
			set.put("stopped", text(o.Stopped))
			set.put("config", text(o.Config))
		}
	case o.Last != nil:
		errs = append(errs, set.document("last", *o.Last))
		set.remove("run", "error", "since", "failures", "stopped", "config")
		errs = append(errs, s.missed(set, l, o.Last.Missed))
		if isBackfill(l.Key) {
			set.put("ttl", seconds(s.now().Add(keepBackfill)))
		}
	}
	return errors.Join(errs...)
}

// missed adds up what runs found that push should have brought.
func (s *Store) missed(set *change, l Lease, n int) error {
	now := s.now().UTC()
	recent := map[string]int{}
	for hour, missed := range l.Recent {
		if begin, err := time.Parse(hourLayout, hour); err == nil && now.Sub(begin) < 25*time.Hour {
			recent[hour] = missed
		}
	}
	if n == 0 && len(recent) == len(l.Recent) {
		return nil
	}
	if n > 0 {
		recent[now.Format(hourLayout)] += n
		set.put("missed", count(l.Missed+n))
	}
	return set.document("recent", recent)
}

// fenced makes a change only while the lease is ours.
func (s *Store) fenced(ctx context.Context, l *Lease, set *change) (Status, error) {
	set.names["#owner"] = "owner"
	set.values[":fence"] = text(l.Owner)
	status, err := s.write(ctx, l.Key, set, "#owner = :fence")
	if failedCondition(err) {
		return Status{}, ErrLost
	}
	return status, err
}

// write makes a change where the condition holds, and returns what there is then.
func (s *Store) write(ctx context.Context, key string, set *change, condition string) (Status, error) {
	in := &dynamodb.UpdateItemInput{
		TableName: aws.String(s.table), Key: item{"key": text(itemName(key))},
		UpdateExpression: aws.String(set.expression()), ExpressionAttributeNames: set.names,
		ReturnValues: types.ReturnValueAllNew,
	}
	if len(set.values) > 0 {
		in.ExpressionAttributeValues = set.values
	}
	if condition != "" {
		in.ConditionExpression = aws.String(condition)
	}
	out, err := s.api.UpdateItem(ctx, in)
	if err != nil {
		return Status{}, err
	}
	return decode(out.Attributes)
}

func failedCondition(err error) bool {
	_, failed := errors.AsType[*types.ConditionalCheckFailedException](err)
	return failed
}
