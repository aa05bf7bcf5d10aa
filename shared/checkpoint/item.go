package checkpoint

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"pushpull/shared/pull"
)

// An item as DynamoDB has it: key (S) poll/<source>; checkpoint (S, JSON);
// owner, error (S); due, until, started, ended, since (N, Unix milliseconds);
// records, new, missed, failures (N); paused (BOOL).
type item = map[string]types.AttributeValue

const keyPrefix = "poll/"

func key(source string) item { return item{"key": text(keyPrefix + source)} }

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func instant(t time.Time) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(t.UnixMilli(), 10)}
}

func decode(it item) (Status, error) {
	source := strings.TrimPrefix(textOf(it, "key"), keyPrefix)
	s := Status{
		Source: source, Error: textOf(it, "error"),
		Due: instantOf(it, "due"), LeaseUntil: instantOf(it, "until"), ErrorSince: instantOf(it, "since"),
		Failures: int(numberOf(it, "failures")),
		Last: Last{
			Started: instantOf(it, "started"), Ended: instantOf(it, "ended"), Records: int(numberOf(it, "records")),
			New: int(numberOf(it, "new")), Missed: int(numberOf(it, "missed")),
		},
	}
	if paused, ok := it["paused"].(*types.AttributeValueMemberBOOL); ok {
		s.Paused = paused.Value
	}
	if saved := textOf(it, "checkpoint"); saved != "" {
		if err := json.Unmarshal([]byte(saved), &s.Checkpoint); err != nil {
			// Reading on from nothing would read everything again, or skip it.
			return Status{}, fmt.Errorf("the checkpoint of %s in the table is damaged: mend or delete its item: %w", source, err)
		}
	}
	return s, nil
}

func textOf(it item, name string) string {
	if v, ok := it[name].(*types.AttributeValueMemberS); ok {
		return v.Value
	}
	return ""
}

func numberOf(it item, name string) int64 {
	v, ok := it[name].(*types.AttributeValueMemberN)
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(v.Value, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func instantOf(it item, name string) time.Time {
	if ms := numberOf(it, name); ms != 0 {
		return time.UnixMilli(ms).UTC()
	}
	return time.Time{}
}

// A change is one UpdateItem in the making.
type change struct {
	sets, removes []string
	names         map[string]string
	values        item
}

func newChange() *change { return &change{names: map[string]string{}, values: item{}} }

func (c *change) put(name string, v types.AttributeValue) {
	c.sets = append(c.sets, "#"+name+" = :"+name)
	c.names["#"+name], c.values[":"+name] = name, v
}

// checkpoint stores how far the source was read; nothing is never stored.
func (c *change) checkpoint(st pull.State) error {
	if st.IsZero() {
		return nil
	}
	b, err := json.Marshal(st)
	if err != nil {
		return err
	}
	c.put("checkpoint", text(string(b)))
	return nil
}

// putOnce sets an attribute only where it is not there.
func (c *change) putOnce(name string, v types.AttributeValue) {
	c.sets = append(c.sets, "#"+name+" = if_not_exists(#"+name+", :"+name+")")
	c.names["#"+name], c.values[":"+name] = name, v
}

func (c *change) remove(names ...string) {
	for _, name := range names {
		c.removes = append(c.removes, "#"+name)
		c.names["#"+name] = name
	}
}

func (c *change) input(table, source string) *dynamodb.UpdateItemInput {
	var expression []string
	if len(c.sets) > 0 {
		expression = append(expression, "SET "+strings.Join(c.sets, ", "))
	}
	if len(c.removes) > 0 {
		expression = append(expression, "REMOVE "+strings.Join(c.removes, ", "))
	}
	in := &dynamodb.UpdateItemInput{
		TableName: aws.String(table), Key: key(source),
		UpdateExpression: aws.String(strings.Join(expression, " ")), ExpressionAttributeNames: c.names,
	}
	if len(c.values) > 0 {
		in.ExpressionAttributeValues = c.values
	}
	return in
}
