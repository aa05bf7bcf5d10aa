// Package checkpointtest is what every table that poll state is kept in must
// do, whoever serves it, and a table in memory for the tests of those who keep
// it. The table evaluates the expressions that package checkpoint writes, and
// refuses all others.
package checkpointtest

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type item = map[string]types.AttributeValue

// Table is one DynamoDB table in memory. It is safe for concurrent use.
type Table struct {
	// Fail is asked before each write; its error is the write's. Nil never fails.
	Fail func(in *dynamodb.UpdateItemInput) error
	// Skip leaves this many keys of the next BatchGetItem unprocessed.
	Skip int

	mu    sync.Mutex
	items map[string]item
}

// UpdateItem makes one conditional write.
func (t *Table) UpdateItem(_ context.Context, in *dynamodb.UpdateItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.Fail != nil {
		if err := t.Fail(in); err != nil {
			return nil, err
		}
	}
	if in.ConditionExpression == nil {
		return nil, fmt.Errorf("an unconditional write: %s", *in.UpdateExpression)
	}
	id := scalar(in.Key["key"])
	it := maps.Clone(t.items[id])
	if it == nil {
		it = maps.Clone(in.Key)
	}
	e := expression{in: in, it: it}
	if ok, err := e.holds(*in.ConditionExpression); err != nil || !ok {
		if err == nil {
			err = &types.ConditionalCheckFailedException{}
		}
		return nil, err
	}
	if err := e.apply(*in.UpdateExpression); err != nil {
		return nil, err
	}
	if t.items == nil {
		t.items = map[string]item{}
	}
	t.items[id] = it
	return &dynamodb.UpdateItemOutput{Attributes: maps.Clone(it)}, nil
}

// BatchGetItem reads up to 100 items.
func (t *Table) BatchGetItem(_ context.Context, in *dynamodb.BatchGetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := &dynamodb.BatchGetItemOutput{Responses: map[string][]item{}, UnprocessedKeys: map[string]types.KeysAndAttributes{}}
	for table, ask := range in.RequestItems {
		if len(ask.Keys) > 100 {
			return nil, fmt.Errorf("%d keys in one BatchGetItem", len(ask.Keys))
		}
		for i, key := range ask.Keys {
			if i < t.Skip {
				left := out.UnprocessedKeys[table]
				left.Keys = append(left.Keys, key)
				out.UnprocessedKeys[table] = left
				continue
			}
			if it, ok := t.items[scalar(key["key"])]; ok {
				out.Responses[table] = append(out.Responses[table], maps.Clone(it))
			}
		}
	}
	t.Skip = 0
	return out, nil
}

type expression struct {
	in *dynamodb.UpdateItemInput
	it item
}

func (e expression) name(s string) string { return e.in.ExpressionAttributeNames[s] }

// holds evaluates a condition of comparisons joined by OR.
func (e expression) holds(condition string) (bool, error) {
	for part := range strings.SplitSeq(condition, " OR ") {
		if inner, ok := strings.CutPrefix(part, "attribute_not_exists("); ok {
			if _, there := e.it[e.name(strings.TrimSuffix(inner, ")"))]; !there {
				return true, nil
			}
			continue
		}
		f := strings.Fields(part)
		if len(f) != 3 {
			return false, fmt.Errorf("the condition %q is not one the table knows", part)
		}
		have, there := e.it[e.name(f[0])]
		a, b := scalar(have), scalar(e.in.ExpressionAttributeValues[f[2]])
		switch {
		case !there:
		case f[1] == "=" && a == b, f[1] == "<>" && a != b, f[1] == "<" && less(a, b):
			return true, nil
		}
	}
	return false, nil
}

// apply makes the changes of SET and REMOVE.
func (e expression) apply(update string) error {
	set, remove, _ := strings.Cut(update, "REMOVE ")
	set = strings.TrimSpace(strings.TrimPrefix(set, "SET "))
	for part := range strings.SplitSeq(strings.ReplaceAll(set, ", :", "|:"), ", ") {
		if part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, " = ")
		if !ok {
			return fmt.Errorf("the change %q is not one the table knows", part)
		}
		name = e.name(name)
		if once, ok := strings.CutPrefix(value, "if_not_exists("); ok {
			if _, there := e.it[name]; there {
				continue
			}
			_, value, _ = strings.Cut(strings.TrimSuffix(once, ")"), "|")
		}
		v, ok := e.in.ExpressionAttributeValues[value]
		if !ok {
			return fmt.Errorf("the value %q is not given", value)
		}
		e.it[name] = v
	}
	for part := range strings.SplitSeq(remove, ", ") {
		delete(e.it, e.name(part))
	}
	return nil
}

func scalar(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return v.Value
	case *types.AttributeValueMemberBOOL:
		return strconv.FormatBool(v.Value)
	default:
		return ""
	}
}

func less(a, b string) bool {
	x, errX := strconv.ParseInt(a, 10, 64)
	y, errY := strconv.ParseInt(b, 10, 64)
	return errX == nil && errY == nil && x < y
}
