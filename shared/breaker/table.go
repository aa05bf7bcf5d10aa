package breaker

import (
	"context"
	"errors"
	"regexp"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// API is the part of DynamoDB that is called.
type API interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
}

// A state is a breaker's item. Its times are Unix milliseconds there.
type state struct {
	until   time.Time // when it may be probed; zero where it is closed
	probe   time.Time // until when a probe is under way
	since   time.Time // when the window began
	ok, bad int       // deliveries of the window
	read    time.Time // when the table said so
}

func (s *Store) get(ctx context.Context, name string) (state, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out, err := s.api.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.table, Key: itemKey(name)})
	if err != nil {
		return state{}, err
	}
	return s.state(out.Item), nil
}

// count adds to the window, or begins the next, and opens the breaker where that
// is enough. Of an open one it only learns.
func (s *Store) count(ctx context.Context, t Try, ok, bad int, now time.Time) (state, bool, error) {
	values := map[string]types.AttributeValue{
		":ok": number(int64(ok)), ":bad": number(int64(bad)), ":ttl": expires(now), ":floor": millis(now.Add(-t.policy.Window)),
	}
	said, taken, err := s.write(ctx, t.name, "SET #ttl = :ttl ADD #ok :ok, #bad :bad", "attribute_not_exists(#until) AND #since > :floor", values)
	if err == nil && !taken && said.until.IsZero() {
		values[":now"] = millis(now)
		said, taken, err = s.write(ctx, t.name, "SET #ttl = :ttl, #since = :now, #ok = :ok, #bad = :bad",
			"attribute_not_exists(#until) AND (attribute_not_exists(#since) OR #since <= :floor)", values)
	}
	all := said.ok + said.bad
	if err != nil || !taken || bad == 0 || all < t.policy.Least || float64(said.bad) < t.policy.Share*float64(all) {
		return said, false, err
	}
	return s.write(ctx, t.name, "SET #until = :until, #ttl = :ttl REMOVE #since, #ok, #bad, #probe", "attribute_not_exists(#until)",
		map[string]types.AttributeValue{":until": millis(now.Add(t.policy.Open)), ":ttl": expires(now)})
}

// hold takes the lease of the one probe of a breaker that was open until then.
func (s *Store) hold(ctx context.Context, name string, until, end time.Time) (state, bool, error) {
	return s.write(ctx, name, "SET #probe = :end, #ttl = :ttl", "#until = :until AND (attribute_not_exists(#probe) OR #probe <= :now)",
		map[string]types.AttributeValue{":until": millis(until), ":end": millis(end), ":now": millis(s.now()), ":ttl": expires(end)})
}

// judge ends a probe. One that another was allowed after changes nothing.
func (s *Store) judge(ctx context.Context, t Try, well bool, now time.Time) (state, error) {
	update, values := "SET #ttl = :ttl REMOVE #until, #probe", map[string]types.AttributeValue{":was": millis(t.probe), ":ttl": expires(now)}
	if !well {
		update = "SET #until = :until, #ttl = :ttl REMOVE #probe"
		values[":until"] = millis(now.Add(t.policy.Open))
	}
	said, _, err := s.write(ctx, t.name, update, "#until = :was", values)
	return said, err
}

var attribute = regexp.MustCompile(`#[a-z]+`)

// write makes one conditional write. Where its condition does not hold, taken is
// false, and said is what the table has.
func (s *Store) write(ctx context.Context, name, update, condition string, values map[string]types.AttributeValue) (said state, taken bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience) // what was found out counts, although time is up
	defer cancel()
	names := map[string]string{}
	for _, name := range attribute.FindAllString(update+" "+condition, -1) {
		names[name] = name[1:]
	}
	out, err := s.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: itemKey(name), UpdateExpression: &update, ConditionExpression: &condition,
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return s.state(failed.Item), false, nil
	}
	if err != nil {
		return state{}, false, err
	}
	return s.state(out.Attributes), true, nil
}

// state reads an item; one that is not there is a closed breaker.
func (s *Store) state(it map[string]types.AttributeValue) state {
	return state{
		until: when(it["until"]), probe: when(it["probe"]), since: when(it["since"]),
		ok: int(whole(it["ok"])), bad: int(whole(it["bad"])), read: s.now(),
	}
}

func itemKey(name string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"key": &types.AttributeValueMemberS{Value: "breaker/" + name}}
}

func when(v types.AttributeValue) time.Time {
	if ms := whole(v); ms != 0 {
		return time.UnixMilli(ms)
	}
	return time.Time{}
}

func whole(v types.AttributeValue) int64 {
	n, ok := v.(*types.AttributeValueMemberN)
	if !ok {
		return 0
	}
	i, _ := strconv.ParseInt(n.Value, 10, 64) // we wrote it
	return i
}

func millis(t time.Time) types.AttributeValue  { return number(t.UnixMilli()) }
func expires(t time.Time) types.AttributeValue { return number(t.Add(keep).Unix()) }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}
