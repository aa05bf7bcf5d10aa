package budget

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// API is the part of DynamoDB that is called.
type API interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
}

// A state is a budget's item. Its times are Unix nanoseconds there, and only grow.
type state struct {
	turn  time.Time // of the next slot
	until time.Time // before which nobody takes
	read  time.Time // when the table said so; zero for what was only told here
}

// learn adds to what is known, and tells whether until became later.
func (s *Store) learn(key string, said state) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.known[key]
	later := said.until.After(k.until)
	if later {
		k.until = said.until
	}
	if !said.read.IsZero() {
		k.turn, k.read = said.turn, said.read
	}
	s.known[key] = k
	return later
}

func (s *Store) knows(key string) state {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known[key]
}

// told is the time before which nobody takes, as of the last second.
func (s *Store) told(ctx context.Context, key string) time.Time {
	k, now := s.knows(key), s.now()
	if now.Sub(k.read) < fresh || k.until.After(now) || !s.answers() {
		return k.until
	}
	asked, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out, err := s.api.GetItem(asked, &dynamodb.GetItemInput{TableName: &s.table, Key: itemKey(key)})
	if err != nil {
		if ctx.Err() == nil {
			s.failed(ctx, key, err)
		}
		return k.until
	}
	s.learn(key, read(out.Item, now))
	return s.knows(key).until
}

// reserve takes the next slot at or after at, in one write where what is known is
// true, and two or three where it is not. It returns the slot's own time.
func (s *Store) reserve(ctx context.Context, key string, p pace, at, end time.Time) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for range 2 * tries {
		k := s.knows(key)
		if k.until.After(at) {
			at = k.until
		}
		if at.After(end) {
			return time.Time{}, &Wait{Until: at}
		}
		queued := !k.turn.Before(at)
		if own := k.turn.Add(-p.slack); queued && own.After(end) && s.now().Sub(k.read) < fresh {
			return time.Time{}, &Wait{Until: own}
		}
		said, taken, err := s.advance(ctx, key, p, at, end, queued)
		if err != nil {
			return time.Time{}, err
		}
		s.learn(key, said)
		if own := said.turn.Add(-p.spacing - p.slack); taken && own.After(at) {
			return own, nil
		}
		if taken {
			return at, nil
		}
	}
	return time.Time{}, errors.New("the item is written to by too many at once")
}

// advance makes one write: it begins anew at at, or goes on from the last turn.
// Where its condition does not hold, taken is false and said is what the table has.
func (s *Store) advance(ctx context.Context, key string, p pace, at, end time.Time, queued bool) (said state, taken bool, err error) {
	in := &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: itemKey(key),
		UpdateExpression:         aws.String("SET #turn = :turn, #ttl = :ttl"),
		ConditionExpression:      aws.String("(attribute_not_exists(#turn) OR #turn < :at) AND (attribute_not_exists(#until) OR #until <= :at)"),
		ExpressionAttributeNames: map[string]string{"#turn": "turn", "#until": "until", "#ttl": "ttl"},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":at": nanos(at), ":turn": nanos(at.Add(p.spacing)), ":ttl": expires(end.Add(p.slack + p.spacing)),
		},
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if queued {
		in.UpdateExpression = aws.String("SET #turn = #turn + :spacing, #ttl = :ttl")
		in.ConditionExpression = aws.String("#turn >= :at AND #turn <= :last AND (attribute_not_exists(#until) OR #until <= :at)")
		delete(in.ExpressionAttributeValues, ":turn")
		in.ExpressionAttributeValues[":spacing"] = number(int64(p.spacing))
		in.ExpressionAttributeValues[":last"] = nanos(end.Add(p.slack))
	}
	out, err := s.api.UpdateItem(ctx, in)
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return read(failed.Item, s.now()), false, nil
	}
	if err != nil {
		return state{}, false, fmt.Errorf("budget: %w", err)
	}
	return read(out.Attributes, s.now()), true, nil
}

// write records until, unless a later one is there.
func (s *Store) write(ctx context.Context, key string, until time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: itemKey(key),
		UpdateExpression:          aws.String("SET #until = :until, #ttl = :ttl"),
		ConditionExpression:       aws.String("attribute_not_exists(#until) OR #until < :until"),
		ExpressionAttributeNames:  map[string]string{"#until": "until", "#ttl": "ttl"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":until": nanos(until), ":ttl": expires(until)},
	})
	if _, later := errors.AsType[*types.ConditionalCheckFailedException](err); later {
		return nil
	}
	return err
}

func itemKey(key string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"key": &types.AttributeValueMemberS{Value: "budget/" + key}}
}

// read takes an item that is not there, or expired, as one of long ago.
func read(item map[string]types.AttributeValue, now time.Time) state {
	return state{turn: when(item["turn"]), until: when(item["until"]), read: now}
}

func when(v types.AttributeValue) time.Time {
	n, ok := v.(*types.AttributeValueMemberN)
	if !ok {
		return time.Time{}
	}
	ns, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(0, ns)
}

func nanos(t time.Time) types.AttributeValue   { return number(t.UnixNano()) }
func expires(t time.Time) types.AttributeValue { return number(t.Add(keep).Unix()) }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}
