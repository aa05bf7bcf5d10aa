// Package slots lets so many of a kind be under way at once, whichever processes
// they are in. Its one invariant: as long as the table answers, a slot has one
// holder until it is given back or its lease runs out.
//
// The slots of a name are one item, slots/<name>, of the state table: a number for
// each that is held, which is when its lease ends, in Unix nanoseconds; that no
// two holders have the same is what fences them. A slot costs two writes. A table
// that does not answer lets all pass: what is limited is spared, not guarded.
package slots

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	patience = 2 * time.Second        // with the table
	again    = 200 * time.Millisecond // before a slot is looked for again
	keep     = 24 * time.Hour         // that an item is kept after its last use
)

// Full is that all slots are held. Come back at Until.
type Full struct {
	Slots int
	Until time.Time
}

func (e *Full) Error() string {
	return fmt.Sprintf("all %d that may be under way at once are", e.Slots)
}

// API is the part of DynamoDB that is called.
type API interface {
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
}

// A Slot is held until it is given back; the zero one holds nothing.
type Slot struct {
	name, attr string
	end        int64
}

// A Store keeps slots in a table. It is safe for concurrent use.
type Store struct {
	api   API
	table string
	log   *slog.Logger
	now   func() time.Time

	mu    sync.Mutex
	known map[string]map[string]int64 // by name and slot, as the table said last
}

// New returns a store over the state table.
func New(api API, table string, log *slog.Logger, now func() time.Time) *Store {
	return &Store{api: api, table: table, log: log, now: now, known: map[string]map[string]int64{}}
}

// Take holds one of n slots for as long as the lease, if one becomes free within
// most; else the error is a *Full, or the context's.
func (s *Store) Take(ctx context.Context, name string, n int, lease, most time.Duration) (Slot, error) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	for {
		slot, err := s.try(ctx, name, n, lease)
		if _, full := errors.AsType[*Full](err); !full {
			return slot, err
		}
		select {
		case <-ctx.Done():
			return Slot{}, ctx.Err()
		case <-timer.C:
			return Slot{}, err
		case <-time.After(again/2 + rand.N(again)): //nolint:gosec // it spreads load, and guards nothing
		}
	}
}

// try looks for a slot once: at one that was free when the table last said so, and
// then at those that it says are.
func (s *Store) try(ctx context.Context, name string, n int, lease time.Duration) (Slot, error) {
	held := s.knows(name)
	for range n + 1 {
		now := s.now()
		attr, ok := free(held, n, now)
		if !ok {
			attr = slotName(rand.IntN(n)) //nolint:gosec // what is known may be old: any of them is asked for
		}
		slot := Slot{name: name, attr: attr, end: now.Add(lease).UnixNano()/1000*1000 + rand.Int64N(1000)} //nolint:gosec // as above
		said, taken, err := s.write(ctx, slot, "SET #slot = :end, #ttl = :ttl", "attribute_not_exists(#slot) OR #slot <= :now", now)
		switch {
		case ctx.Err() != nil:
			return Slot{}, ctx.Err()
		case err != nil:
			s.log.WarnContext(ctx, "concurrency not kept to: its table does not answer", "name", name, "error", err)
			return Slot{}, nil
		}
		s.learn(name, said)
		if taken {
			return slot, nil
		}
		if _, ok := free(said, n, now); !ok {
			return Slot{}, &Full{Slots: n, Until: now.Add(time.Second)}
		}
		held = said
	}
	return Slot{}, &Full{Slots: n, Until: s.now().Add(time.Second)}
}

// free is one of those that are not held, any of them, so that those who look at
// once do not all look at the same.
func free(held map[string]int64, n int, now time.Time) (string, bool) {
	first := rand.IntN(n) //nolint:gosec // it spreads load, and guards nothing
	for i := range n {
		if attr := slotName((first + i) % n); held[attr] <= now.UnixNano() {
			return attr, true
		}
	}
	return "", false
}

func slotName(i int) string { return "s" + strconv.Itoa(i) }

// Give gives a slot back. One that another took when its lease had run out stays
// the other's.
func (s *Store) Give(ctx context.Context, slot Slot) {
	if slot.attr == "" {
		return
	}
	said, _, err := s.write(context.WithoutCancel(ctx), slot, "REMOVE #slot", "#slot = :end", s.now())
	if err != nil {
		s.log.WarnContext(ctx, "slot not given back: it is free when its lease runs out", "name", slot.name, "error", err)
		return
	}
	s.learn(slot.name, said)
}

func (s *Store) write(ctx context.Context, slot Slot, update, condition string, now time.Time) (held map[string]int64, taken bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	in := &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: map[string]types.AttributeValue{"key": &types.AttributeValueMemberS{Value: "slots/" + slot.name}},
		UpdateExpression: aws.String(update), ConditionExpression: aws.String(condition),
		ExpressionAttributeNames:            map[string]string{"#slot": slot.attr},
		ExpressionAttributeValues:           map[string]types.AttributeValue{":end": number(slot.end)},
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if update != "REMOVE #slot" {
		in.ExpressionAttributeNames["#ttl"] = "ttl"
		in.ExpressionAttributeValues[":now"], in.ExpressionAttributeValues[":ttl"] = number(now.UnixNano()), number(now.Add(keep).Unix())
	}
	out, err := s.api.UpdateItem(ctx, in)
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return read(failed.Item), false, nil
	}
	if err != nil {
		return nil, false, err
	}
	return read(out.Attributes), true, nil
}

func read(it map[string]types.AttributeValue) map[string]int64 {
	held := map[string]int64{}
	for attr, v := range it {
		if n, ok := v.(*types.AttributeValueMemberN); ok && attr[0] == 's' {
			held[attr], _ = strconv.ParseInt(n.Value, 10, 64) // we wrote it
		}
	}
	return held
}

func (s *Store) knows(name string) map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.known[name])
}

func (s *Store) learn(name string, held map[string]int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[name] = held
}

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}
