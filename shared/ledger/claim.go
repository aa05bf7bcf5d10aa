package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"pushpull/shared/event"
)

// Options of a claim.
type Options struct {
	Message  string        // the id of the SQS message that carries the event
	Redriven bool          // it came back from the dead letters
	Lease    time.Duration // how long the claim is ours
	Window   time.Duration // how long the identity is remembered; 0 is 30 days
	Hash     string        // of the data, 16 hex digits: tells whether a duplicate conflicts; "" where it is not known
	// Version is the key of the event's version (event.VersionKey), where an event
	// of its entity that is older than the newest delivered one is not to be
	// delivered; "" where it is.
	Version string
	// Quiet leaves a delivery without any failure unrecorded: see Complete.
	Quiet bool
}

const defaultWindow = 30 * 24 * time.Hour

// Claim tries to take the event's identity with one conditional write. It is
// taken where nobody has it, where this same message had it and released it or let
// its lease run out, and where it is dead and this message was redriven.
// A duplicate is counted with a second write, which touches nothing of the claim.
//
// With a version, the same write takes the event's entity, so that one event of it
// is under way at a time, and none after a newer one.
//
// A duplicate conflicts where its data are not those of the first arrival. The
// transports write the same event differently, so only arrivals by the same one
// are compared; and only where the hash of both is known.
//
// An error is never a verdict: the message must come back.
func (l *Ledger) Claim(ctx context.Context, e event.Event, o Options) (Claim, error) {
	now := l.now()
	c := Claim{
		Key: claimKey(e), Owner: l.owner(), Until: now.Add(o.Lease).Truncate(time.Millisecond),
		window: o.Window, quiet: o.Quiet, guard: guardOf(e, o),
	}
	if c.window <= 0 {
		c.window = defaultWindow
	}
	if c.guard.entity != "" {
		return l.claimInOrder(ctx, c, e, o, now)
	}
	x := claimed(c, e, o, now)
	in := l.update(c.Key, x, claimCondition(x, o, now))
	in.ReturnValues = types.ReturnValueAllOld
	out, err := l.api.UpdateItem(ctx, in)
	if err == nil {
		return c.mine(out.Attributes, received(e, now))
	}
	failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	if !ok {
		return Claim{}, fmt.Errorf("claim %s: %w", c.Key, err)
	}
	if len(failed.Item) == 0 {
		return Claim{}, fmt.Errorf("claim %s: the table did not return the item that refused it: %w", c.Key, err)
	}
	if c.has(failed.Item, Claimed) {
		return c.mine(failed.Item, received(e, now)) // the SDK sent the write twice; the first was taken
	}
	return l.refused(ctx, c, failed.Item, e, o)
}

// has tells whether the item is as a write of this claim left it.
func (c Claim) has(it item, status Status) bool {
	return getText(it, attrOwner) == c.Owner && Status(getText(it, attrStatus)) == status
}

// claimed is the write of a claim. Everything of the first arrival is set once, so
// that the keys of the index never change and a claim costs no index write again.
func claimed(c Claim, e event.Event, o Options, now time.Time) *expression {
	x := newExpression()
	x.set(attrStatus, text(string(Claimed)))
	x.set(attrUntil, number(c.Until.UnixMilli()))
	if c.quiet {
		x.set(attrLease, number(now.Add(max(c.window, outlives)).UnixMilli()))
		x.set(attrQuiet, &types.AttributeValueMemberBOOL{Value: true})
	} else {
		x.set(attrLease, number(c.Until.Add(comesBack).UnixMilli()))
		x.remove(attrQuiet)
	}
	arrive(x, c, e, o, now)
	return x
}

// arrive is what every claim writes of the event, whatever it comes to.
func arrive(x *expression, c Claim, e event.Event, o Options, now time.Time) {
	at := received(e, now)
	x.set(attrOwner, text(c.Owner))
	x.set(attrMessage, text(o.Message))
	x.set(attrTTL, number(now.Add(max(c.window, outlives)).Unix()))
	x.setOnce(attrAt, text(at.Format(atLayout)))
	if e.Replay == "" { // a replay is found by its event
		x.setOnce(attrBucket, text(bucket(c.Key, at)))
	}
	x.setOnce(attrMissed, &types.AttributeValueMemberBOOL{Value: e.Missed})
	x.setTextOnce(attrTransport, string(e.Transport))
	x.setOnce(attrHash, text(cmp.Or(o.Hash, noHash))) // once and always: a later claim may be by the other transport
	x.setTextOnce(attrType, e.Type)
	x.setTextOnce(attrEntity, e.Subject)
	x.setTextOnce(attrVersion, e.Version)
	x.setTextOnce(attrCorrelation, e.CorrelationID)
	if !e.Time.IsZero() {
		x.setOnce(attrTime, text(e.Time.UTC().Format(time.RFC3339Nano)))
	}
}

// update is a conditional write of one item, which comes back where it refuses.
func (l *Ledger) update(key string, x *expression, condition string) *dynamodb.UpdateItemInput {
	return &dynamodb.UpdateItemInput{
		TableName:                           aws.String(l.table),
		Key:                                 item{attrID: text(key)},
		UpdateExpression:                    aws.String(x.update()),
		ConditionExpression:                 aws.String(condition),
		ExpressionAttributeNames:            x.names,
		ExpressionAttributeValues:           x.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
}

// claimCondition is what free says, for the table to decide.
func claimCondition(x *expression, o Options, now time.Time) string {
	id, status, lease, until, message := x.name(attrID), x.name(attrStatus), x.name(attrLease), x.name(attrUntil), x.name(attrMessage)
	claimed, waiting := x.value(text(string(Claimed))), x.value(text(string(Waiting)))
	at, mine := x.value(number(now.UnixMilli())), x.value(text(o.Message))

	mayComeBack := status + " = " + waiting + " OR (" + status + " = " + claimed + " AND " + until + " <= " + at + ")"
	cond := "attribute_not_exists(" + id + ")" +
		" OR (" + status + " IN (" + claimed + ", " + waiting + ") AND " + lease + " <= " + at + ")"
	if o.Redriven {
		return cond + " OR " + mayComeBack + " OR (" + status + " = " + x.value(text(string(Dead))) + " AND " + message + " <> " + mine +
			" AND attribute_not_exists(" + x.name(attrErased) + "))"
	}
	return cond + " OR (" + message + " = " + mine + " AND (" + mayComeBack + "))"
}

// free tells whether a claim may take the item. It is for the message that carries
// the event, or for one that was redriven: SQS itself moves a message that was
// received too often to the dead letters, and it comes back from there under a new
// id. Any other message is acknowledged, and would leave the event to nobody if it
// had taken it while another worker still had that same message. What is dead is
// not for the message that died: its letter is. What was erased is for none.
func free(it item, o Options, now time.Time) bool {
	if len(it) == 0 {
		return true
	}
	same := getText(it, attrMessage) == o.Message
	forgotten := getNumber(it, attrLease) <= now.UnixMilli()
	switch Status(getText(it, attrStatus)) {
	case Claimed:
		return forgotten || (same || o.Redriven) && getNumber(it, attrUntil) <= now.UnixMilli()
	case Waiting:
		return forgotten || same || o.Redriven
	case Dead:
		return o.Redriven && !same && getText(it, attrErased) == ""
	case Delivered, Filtered, Superseded:
	}
	return false
}

// received is when the event came, never in the zone or the precision of its writer.
func received(e event.Event, now time.Time) time.Time {
	if e.ReceivedTime.IsZero() {
		return now.UTC()
	}
	return e.ReceivedTime.UTC()
}

// mine fills the claim with what was on the item before.
func (c Claim) mine(old item, received time.Time) (Claim, error) {
	history, err := getAttempts(old)
	if err != nil {
		return Claim{}, err
	}
	c.Verdict = Mine
	c.Status = Status(getText(old, attrStatus))
	c.Done = getSet(old, attrDone)
	c.Attempts = getTries(old)
	c.history = history
	c.FirstReceived = received
	if first := getTime(old, attrAt); !first.IsZero() {
		c.FirstReceived = first
	}
	return c, nil
}

// Last is the last attempt to deliver to the destination, of earlier claims.
func (c Claim) Last(destination string) (Attempt, bool) {
	for _, a := range slices.Backward(c.history) {
		if a.Destination == destination {
			return a, true
		}
	}
	return Attempt{}, false
}

// First is the first attempt to deliver to the destination since it began anew.
func (c Claim) First(destination string) (Attempt, bool) {
	for _, a := range slices.Backward(c.history) {
		if a.Destination == destination && a.Number == 1 {
			return a, true
		}
	}
	return Attempt{}, false
}

// refused decides from the item that refused the claim.
func (l *Ledger) refused(ctx context.Context, c Claim, old item, e event.Event, o Options) (Claim, error) {
	status := Status(getText(old, attrStatus))
	same := getText(old, attrMessage) == o.Message
	c = Claim{
		Verdict:       Duplicate,
		Key:           c.Key,
		Status:        status,
		Done:          getSet(old, attrDone),
		Attempts:      getTries(old),
		FirstReceived: getTime(old, attrAt),
	}
	// Of a redriven message, who is at work may be about to say that the event is
	// dead: then there would be no letter of it any more.
	if status == Claimed && (same || o.Redriven) {
		c.Verdict = InFlight
		c.Until = time.UnixMilli(getNumber(old, attrUntil)).UTC()
		return c, nil
	}
	if !same { // the same message again is SQS's doing, not another arrival
		c.Conflict = conflicts(old, e, o)
		noted := getSet(old, attrDiffering)
		c.Keep = c.Conflict && getText(old, attrErased) == "" && (len(noted) < keptDiffer || slices.Contains(noted, o.Hash))
		c.Late, c.Uncounted = l.count(ctx, c, e, late(old, e), o.Hash)
	}
	return c, nil
}

// conflicts tells whether the data are known to differ from those of the first
// arrival by the same transport.
func conflicts(first item, e event.Event, o Options) bool {
	hash := getText(first, attrHash)
	known := o.Hash != "" && hash != "" && hash != noHash
	return known && hash != o.Hash && getText(first, attrTransport) == string(e.Transport)
}

// late tells whether a webhook comes after a poll that missed it, or such a poll
// comes after the webhook, which it did not see because it was still queued.
func late(first item, e event.Event) bool {
	if e.Transport == event.Webhook {
		return getBool(first, attrMissed)
	}
	return e.Missed && getText(first, attrTransport) == string(event.Webhook)
}

// count adds one duplicate of the transport to the item, if it is still there,
// and whether it conflicts. A late webhook clears the mark of what was missed: of
// several, the one that finds the mark is the late one.
func (l *Ledger) count(ctx context.Context, c Claim, e event.Event, late bool, hash string) (wasLate bool, err error) {
	x := newExpression()
	x.add(duplicateAttr(e.Transport), number(1))
	if late && e.Transport == event.Webhook {
		x.set(attrMissed, &types.AttributeValueMemberBOOL{Value: false})
	}
	if c.Conflict {
		x.add(attrConflicts, number(1))
		x.set(attrConflict, text(hash))
	}
	if c.Keep {
		x.add(attrDiffering, set([]string{hash}))
	}
	out, err := l.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 aws.String(l.table),
		Key:                       item{attrID: text(c.Key)},
		UpdateExpression:          aws.String(x.update()),
		ConditionExpression:       aws.String("attribute_exists(" + x.name(attrID) + ")"),
		ExpressionAttributeNames:  x.names,
		ExpressionAttributeValues: x.values,
		ReturnValues:              types.ReturnValueUpdatedOld,
	})
	if err != nil {
		return false, fmt.Errorf("count the duplicate of %s: %w", c.Key, err)
	}
	return late && (e.Transport == event.Poll || getBool(out.Attributes, attrMissed)), nil
}
