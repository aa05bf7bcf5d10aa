package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

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
//
// A quiet claim of a new event that every destination took at once is left as it
// is: its message is acknowledged, so that who finds the claim later, its lease
// run out, knows what came of it. Were the message to come back, it is ours again.
func (l *Ledger) Complete(ctx context.Context, c Claim, end Status, reason string, done []string, attempts []Attempt) error {
	if !end.Ended() {
		return fmt.Errorf("complete %s as %q: that is not an end: use Release", c.Key, end)
	}
	if c.quiet && end == Delivered && c.Status == "" && c.guard.entity == "" {
		return nil
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

// end is the fenced write that both have in common. Where order counts, it gives
// the entity back, too.
func (l *Ledger) end(ctx context.Context, c Claim, to Status, x *expression, done []string, attempts []Attempt) error {
	if err := record(x, c, to, done, attempts); err != nil {
		return fmt.Errorf("end the claim of %s: %w", c.Key, err)
	}
	x.set(attrStatus, text(string(to)))
	x.remove(attrUntil)
	x.remove(attrQuiet)
	status, owner := x.name(attrStatus), x.name(attrOwner)
	in := l.update(c.Key, x, owner+" = "+x.value(text(c.Owner))+" AND "+status+" = "+x.value(text(string(Claimed))))
	refused, taken, err := l.endWrite(ctx, c, in, len(c.Done)+len(done) > 0)
	switch {
	case err != nil:
		return fmt.Errorf("end the claim of %s as %s: %w", c.Key, to, err)
	case !taken && !c.has(refused, to): // else it was sent twice; the first was taken
		return fmt.Errorf("end the claim of %s as %s: %w", c.Key, to, ErrLost)
	}
	return nil
}

// endWrite makes the write, with its entity's where order counts; delivered is
// whether a destination has the event. Where a condition refuses, it returns the
// event's item.
func (l *Ledger) endWrite(ctx context.Context, c Claim, in *dynamodb.UpdateItemInput, delivered bool) (refused item, taken bool, err error) {
	if c.guard.entity != "" {
		r, err := l.both(ctx, in, l.letGo(c, delivered))
		return r.event, !r.refused(), err
	}
	_, err = l.api.UpdateItem(ctx, in)
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return failed.Item, false, nil
	}
	return nil, err == nil, err
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
