package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// comesBack is how long the message of a released claim may come back: no SQS
// queue keeps one longer. After that any message may take the event.
const comesBack = 14 * 24 * time.Hour

// outlives is how long an item is remembered at least while a message or a dead
// letter may bring its event back: forgotten, it would be delivered again to
// those who have it. The day is for the retries before the letter was sent.
const outlives = comesBack + 24*time.Hour

// Complete ends the event (Delivered, Filtered, Superseded or Dead), fenced by
// the claim's owner; ErrLost where another has taken it. Done are destinations
// that have the event and attempts those made under this claim; both are added
// to what the item has. The reason is for people.
func (l *Ledger) Complete(ctx context.Context, c Claim, end Status, reason string, done []string, attempts []Attempt) error {
	if !end.Ended() {
		return fmt.Errorf("complete %s as %q: that is not an end: use Release", c.Key, end)
	}
	x := newExpression()
	x.set(attrEnded, text(l.now().UTC().Format(time.RFC3339Nano)))
	x.remove(attrLease)
	if end != Dead && c.window < outlives {
		x.set(attrTTL, number(l.now().Add(c.window).Unix()))
	}
	if reason == "" {
		x.remove(attrReason)
	} else {
		x.set(attrReason, text(cut(reason, keptReason)))
	}
	return l.end(ctx, c, end, x, done, attempts)
}

// Release gives the claim back after a failure, so that its message may claim
// it again. Done and attempts are as for Complete.
func (l *Ledger) Release(ctx context.Context, c Claim, done []string, attempts []Attempt) error {
	x := newExpression()
	x.set(attrLease, number(l.now().Add(comesBack).UnixMilli()))
	return l.end(ctx, c, Waiting, x, done, attempts)
}

// end is the fenced write that both have in common.
func (l *Ledger) end(ctx context.Context, c Claim, to Status, x *expression, done []string, attempts []Attempt) error {
	if err := record(x, c, to, done, attempts); err != nil {
		return fmt.Errorf("end the claim of %s: %w", c.Key, err)
	}
	x.set(attrStatus, text(string(to)))
	status, owner := x.name(attrStatus), x.name(attrOwner)
	_, err := l.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                           aws.String(l.table),
		Key:                                 item{attrID: text(c.Key)},
		UpdateExpression:                    aws.String(x.update()),
		ConditionExpression:                 aws.String(owner + " = " + x.value(text(c.Owner)) + " AND " + status + " = " + x.value(text(string(Claimed)))),
		ExpressionAttributeNames:            x.names,
		ExpressionAttributeValues:           x.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		if getText(failed.Item, attrOwner) == c.Owner && Status(getText(failed.Item, attrStatus)) == to {
			return nil // the SDK sent the write twice; the first was taken
		}
		return fmt.Errorf("end the claim of %s as %s: %w", c.Key, to, ErrLost)
	}
	if err != nil {
		return fmt.Errorf("end the claim of %s as %s: %w", c.Key, to, err)
	}
	return nil
}

// record adds what was tried and done. Only the claim's owner writes attempts,
// so they are written whole; done is a set that is only ever added to.
func record(x *expression, c Claim, to Status, done []string, attempts []Attempt) error {
	if done = slices.Compact(slices.Sorted(slices.Values(done))); len(done) > 0 {
		x.add(attrDone, set(done))
	}
	if to == Dead {
		x.remove(attrTries)
	}
	if len(attempts) == 0 {
		return nil
	}
	last, err := json.Marshal(bounded(slices.Concat(c.history, attempts)))
	if err != nil {
		return err
	}
	x.set(attrAttempts, text(string(last)))
	if to != Dead {
		x.set(attrTries, triesValue(tried(c.Attempts, attempts)))
	}
	return nil
}

func tried(before map[string]int, attempts []Attempt) map[string]int {
	tries := maps.Clone(before)
	if tries == nil {
		tries = map[string]int{}
	}
	for _, a := range attempts {
		tries[a.Destination] = max(tries[a.Destination], a.Number)
	}
	return tries
}
