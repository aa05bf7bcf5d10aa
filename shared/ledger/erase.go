package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"pushpull/shared/event"
)

// Kept is one thing that is kept of an event: what came first, or what conflicts with it.
type Kept struct {
	Conflict string      // the hash of its data; "" of what came first
	Event    event.Event // without data where those were in the claim check and are there no more
}

// Kept returns all data that are kept of an event.
func (l *Ledger) Kept(ctx context.Context, r Record) ([]Kept, error) {
	var all []Kept
	for _, hash := range append([]string{""}, r.Differing...) {
		id := payloadID(r.Key)
		if hash != "" {
			id = conflictID(r.Key, hash)
		}
		e, err := l.payload(ctx, r.Key, id)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		all = append(all, Kept{hash, e})
	}
	return all, nil
}

// ErrInFlight is returned for an event that is still under way, so that its
// message has its data, too.
var ErrInFlight = errors.New("it is still under way")

// Erase deletes what is kept of an event, and of its claim what a person may have
// written: entity, reason, the texts of errors. What stays is that it came, under
// its key, and the note. It is never claimed again, and nothing of it kept.
// Body deletes one from the claim check. An erasure that was cut off is made whole
// by the next.
func (l *Ledger) Erase(ctx context.Context, r Record, note string, body func(ctx context.Context, source string, data []byte) error) error {
	for _, one := range r.Replays {
		if err := l.scrub(ctx, replayKey(r.Key, one.ID), note); err != nil && !errors.Is(err, ErrNotFound) {
			return fmt.Errorf("erase the replay %s of %s: %w", one.ID, r.Key, err)
		}
	}
	if err := l.scrub(ctx, r.Key, note); err != nil {
		return fmt.Errorf("erase %s: %w", r.Key, err)
	}
	// Only now: until its item said so, another conflict could have come.
	r, err := l.Get(ctx, r.Key)
	if err != nil {
		return err
	}
	kept, err := l.Kept(ctx, r)
	if err != nil {
		return err
	}
	for _, one := range kept {
		if one.Event.Data != nil {
			if err := body(ctx, r.Source, one.Event.Data); err != nil {
				return fmt.Errorf("erase %s: %w", r.Key, err)
			}
		}
		id := payloadID(r.Key)
		if one.Conflict != "" {
			id = conflictID(r.Key, one.Conflict)
		}
		gone := types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: item{attrID: text(id)}}}
		if err := l.write(ctx, []types.WriteRequest{gone}); err != nil {
			return fmt.Errorf("erase %s: %w", r.Key, err)
		}
	}
	return nil
}

// scrub takes from a claim's item what a person may have written. A new owner is
// set, so that who is about to claim it anew looks at it again.
func (l *Ledger) scrub(ctx context.Context, id, note string) error {
	it, err := l.get(ctx, id)
	if err != nil {
		return err
	}
	now := l.now()
	if underWay(it, now) {
		return ErrInFlight
	}
	x := newExpression()
	condition := unchanged(x, it)
	attempts, err := getAttempts(it)
	if err != nil {
		return err
	}
	for i := range attempts {
		attempts[i].Error = ""
	}
	if len(attempts) > 0 {
		without, err := json.Marshal(attempts)
		if err != nil {
			return err
		}
		x.set(attrAttempts, text(string(without)))
	}
	switch Status(getText(it, attrStatus)) {
	case Claimed, Waiting: // no message will end it any more
		end := Dead
		if getBool(it, attrQuiet) {
			end = Delivered
		}
		x.set(attrStatus, text(string(end)))
	case Delivered, Filtered, Superseded, Dead:
	}
	x.set(attrOwner, text(l.owner()))
	x.set(attrErased, text(now.UTC().Format(time.RFC3339Nano)))
	x.set(attrErasure, text(cut(note, keptReason)))
	x.remove(attrEntity)
	x.remove(attrReason)
	_, err = l.api.UpdateItem(ctx, l.update(id, x, condition))
	if _, refused := errors.AsType[*types.ConditionalCheckFailedException](err); refused {
		return ErrInFlight
	}
	return err
}

// underWay tells whether a message may still have the event's data.
func underWay(it item, now time.Time) bool {
	switch Status(getText(it, attrStatus)) {
	case Claimed:
		delivered := getBool(it, attrQuiet) && getNumber(it, attrUntil) <= now.UnixMilli()
		return !delivered && getNumber(it, attrLease) > now.UnixMilli()
	case Waiting:
		return getNumber(it, attrLease) > now.UnixMilli()
	case Delivered, Filtered, Superseded, Dead:
	}
	return false
}
