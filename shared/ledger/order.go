package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"pushpull/shared/event"
)

// A guard keeps the events of one entity in order. Its item has the key of the
// newest version that a destination has (version), and who is at work on an event
// of the entity (owner), until when (until). It is taken and given back in one
// transaction with the event's claim, so that neither is ever held alone.
type guard struct {
	entity  string // the item's id; "" where order does not count
	version string // of the event, as event.VersionKey writes it: its first letter says what it can be compared with
}

const (
	longEntity  = 1024 // bytes; DynamoDB's keys have 2048
	orderTries  = 8    // of a transaction that another's is in the way of, or a throttle
	claimRounds = 4    // of a claim whose item changes under it
)

func guardOf(e event.Event, o Options) guard {
	if e.Subject == "" || o.Version == "" {
		return guard{}
	}
	entity := e.Subject
	if len(entity) > longEntity {
		sum := sha256.Sum256([]byte(entity))
		entity = hex.EncodeToString(sum[:])
	}
	// No source's name begins with #, so it is no event's key.
	return guard{entity: "#entity/" + e.Source + "/" + entity, version: o.Version}
}

// claimInOrder claims the event and its entity. A transaction does not return what
// it changed: so the first try is for an event that is new, and a second one for
// the item that the first met, if it is free.
func (l *Ledger) claimInOrder(ctx context.Context, c Claim, e event.Event, o Options, now time.Time) (Claim, error) {
	var old item
	for range claimRounds {
		x := claimed(c, e, o, now)
		r, err := l.both(ctx, l.update(c.Key, x, unchanged(x, old)), l.hold(c, now))
		switch {
		case err != nil:
			return Claim{}, fmt.Errorf("claim %s: %w", c.Key, err)
		case !r.refused():
			return c.mine(old, received(e, now))
		case r.event == nil && newer(r.entity, c.guard.version):
			if r.event, err = l.supersede(ctx, c, e, o, now, old); err != nil {
				return Claim{}, fmt.Errorf("claim %s: %w", c.Key, err)
			}
			if r.event == nil {
				return Claim{Verdict: Outdated, Key: c.Key, FirstReceived: received(e, now)}, nil
			}
		case r.event == nil:
			return Claim{Verdict: Behind, Key: c.Key, Until: time.UnixMilli(getNumber(r.entity, attrUntil)).UTC()}, nil
		}
		switch {
		case c.has(r.event, Claimed):
			return c.mine(r.event, received(e, now)) // it was sent twice; the first was taken
		case !free(r.event, o, now):
			return l.refused(ctx, c, r.event, e, o)
		}
		old = r.event
	}
	return Claim{}, fmt.Errorf("claim %s: its item changed %d times under it", c.Key, claimRounds)
}

// unchanged is the condition that the event's item is still as it was read.
func unchanged(x *expression, old item) string {
	if len(old) == 0 {
		return "attribute_not_exists(" + x.name(attrID) + ")"
	}
	return x.name(attrOwner) + " = " + x.value(text(getText(old, attrOwner))) +
		" AND " + x.name(attrStatus) + " = " + x.value(text(getText(old, attrStatus)))
}

// newer tells whether the entity has a version that the other is older than.
// Versions of two kinds, such as a number and a time, cannot be compared.
func newer(entity item, version string) bool {
	has := getText(entity, attrVersion)
	return has != "" && has[0] == version[0] && has > version
}

// hold takes the entity: nobody is at work on it, and it has no newer version.
func (l *Ledger) hold(c Claim, now time.Time) *dynamodb.UpdateItemInput {
	x := newExpression()
	x.set(attrOwner, text(c.Owner))
	x.set(attrUntil, number(c.Until.UnixMilli()))
	x.set(attrTTL, number(now.Add(max(c.window, outlives)).Unix()))
	owner, until, version := x.name(attrOwner), x.name(attrUntil), x.name(attrVersion)
	return l.update(c.guard.entity, x, "(attribute_not_exists("+owner+") OR "+until+" <= "+x.value(number(now.UnixMilli()))+")"+
		" AND (attribute_not_exists("+version+") OR NOT begins_with("+version+", "+x.value(text(c.guard.version[:1]))+")"+
		" OR "+version+" <= "+x.value(text(c.guard.version))+")")
}

// letGo gives the entity back. That a destination has the event counts although
// others do not yet: it must get nothing older.
func (l *Ledger) letGo(c Claim, delivered bool) *dynamodb.UpdateItemInput {
	x := newExpression()
	x.remove(attrOwner)
	x.remove(attrUntil)
	if delivered {
		x.set(attrVersion, text(c.guard.version))
	}
	return l.update(c.guard.entity, x, x.name(attrOwner)+" = "+x.value(text(c.Owner)))
}

// supersede ends the event without a claim, as an entity's version only grows. It
// returns the item that is in the way, if there is one.
func (l *Ledger) supersede(ctx context.Context, c Claim, e event.Event, o Options, now time.Time, old item) (item, error) {
	x := newExpression()
	x.set(attrStatus, text(string(Superseded)))
	x.set(attrEnded, text(now.UTC().Format(time.RFC3339Nano)))
	x.set(attrReason, text("a newer version of "+cut(e.Subject, keptError)+" was delivered before"))
	x.remove(attrLease)
	x.remove(attrUntil)
	x.remove(attrQuiet)
	arrive(x, c, e, o, now)
	_, err := l.api.UpdateItem(ctx, l.update(c.Key, x, unchanged(x, old)))
	failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	if ok && c.has(failed.Item, Superseded) {
		return nil, nil // it was sent twice; the first was taken
	}
	if ok {
		return failed.Item, nil
	}
	return nil, err
}

// A refusal has the items whose conditions did not hold.
type refusal struct{ event, entity item }

func (r refusal) refused() bool { return r.event != nil || r.entity != nil }

// both makes the two writes or none. Another transaction in the way, and a
// throttle, are neither a refusal nor the end: they pass.
func (l *Ledger) both(ctx context.Context, ofEvent, ofEntity *dynamodb.UpdateItemInput) (refusal, error) {
	in := &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{inTransaction(ofEvent), inTransaction(ofEntity)}}
	for again := 0; ; again++ {
		_, err := l.api.TransactWriteItems(ctx, in)
		cancelled, ok := errors.AsType[*types.TransactionCanceledException](err)
		if !ok {
			return refusal{}, err
		}
		r, passes := reasons(cancelled)
		if r.refused() {
			return r, nil
		}
		if !passes || again == orderTries {
			return refusal{}, err
		}
		if paused := pause(ctx, again); paused != nil {
			return refusal{}, errors.Join(err, paused)
		}
	}
}

func inTransaction(in *dynamodb.UpdateItemInput) types.TransactWriteItem {
	return types.TransactWriteItem{Update: &types.Update{
		TableName: in.TableName, Key: in.Key,
		UpdateExpression: in.UpdateExpression, ConditionExpression: in.ConditionExpression,
		ExpressionAttributeNames: in.ExpressionAttributeNames, ExpressionAttributeValues: in.ExpressionAttributeValues,
		ReturnValuesOnConditionCheckFailure: in.ReturnValuesOnConditionCheckFailure,
	}}
}

// reasons reads why a transaction was cancelled: by conditions, or by what passes.
func reasons(cancelled *types.TransactionCanceledException) (r refusal, passes bool) {
	for i, reason := range cancelled.CancellationReasons {
		switch aws.ToString(reason.Code) {
		case "ConditionalCheckFailed":
			it := reason.Item
			if it == nil {
				it = item{} // it was not there
			}
			if i == 0 {
				r.event = it
			} else {
				r.entity = it
			}
		case "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
			passes = true
		}
	}
	return r, passes
}
