package budget

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type item = map[string]types.AttributeValue

// table is a table in memory that understands the three writes of a budget, and
// refuses all others.
type table struct {
	mu      sync.Mutex
	items   map[string]item
	reads   int
	writes  int
	fail    error                // what every call answers, if anything
	hang    bool                 // calls answer only when their time is up
	latency func() time.Duration // before and after the table decides
}

func (f *table) wait() {
	if f.latency != nil {
		if d := f.latency(); d > 0 {
			<-time.After(d)
		}
	}
}

func (f *table) GetItem(_ context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	f.wait()
	defer f.wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	return &dynamodb.GetItemOutput{Item: maps.Clone(f.items[id(in.Key)])}, f.fail
}

func (f *table) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	if f.hang {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	f.wait()
	defer f.wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes++
	if f.fail != nil {
		return nil, f.fail
	}
	old := f.items[id(in.Key)]
	turn, hasTurn := old["turn"]
	until, hasUntil := old["until"]
	v := in.ExpressionAttributeValues
	next := maps.Clone(old)
	if next == nil {
		next = item{"key": in.Key["key"]}
	}
	next["ttl"] = v[":ttl"]
	allowed := !hasUntil || num(until) <= num(v[":at"])
	var holds bool
	switch *in.ConditionExpression {
	case "(attribute_not_exists(#turn) OR #turn < :at) AND (attribute_not_exists(#until) OR #until <= :at)":
		holds = (!hasTurn || num(turn) < num(v[":at"])) && allowed
		next["turn"] = v[":turn"]
	case "#turn >= :at AND #turn <= :last AND (attribute_not_exists(#until) OR #until <= :at)":
		holds = hasTurn && num(turn) >= num(v[":at"]) && num(turn) <= num(v[":last"]) && allowed
		next["turn"] = number(num(turn) + num(v[":spacing"]))
	case "attribute_not_exists(#until) OR #until < :until":
		holds = !hasUntil || num(until) < num(v[":until"])
		next["until"] = v[":until"]
	default:
		return nil, fmt.Errorf("the condition %q is not one the table knows", *in.ConditionExpression)
	}
	if !holds {
		return nil, &types.ConditionalCheckFailedException{Item: maps.Clone(old)}
	}
	if f.items == nil {
		f.items = map[string]item{}
	}
	f.items[id(in.Key)] = next
	return &dynamodb.UpdateItemOutput{Attributes: maps.Clone(next)}, nil
}

func (f *table) counts() (reads, writes int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reads, f.writes
}

func (f *table) answer(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = err
}

func id(key item) string { return key["key"].(*types.AttributeValueMemberS).Value }

func num(v types.AttributeValue) int64 {
	n, ok := v.(*types.AttributeValueMemberN)
	if !ok {
		return 0
	}
	i, _ := strconv.ParseInt(n.Value, 10, 64)
	return i
}
