package checkpoint

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"pushpull/shared/pull"
)

// An item as DynamoDB has it: key (S) poll/<source>[.<poll>], or
// backfill/<source>[.<poll>]/<id>; checkpoint, run, last, recent, limits, range
// (S, JSON); owner, why, error, stopped, config (S); due, until, hinted, gap,
// since (N, Unix milliseconds); every, covered (N, milliseconds); missed,
// failures (N); paused, cancelled (BOOL); backfills (SS); ttl (N, Unix seconds).
type item = map[string]types.AttributeValue

const (
	pollPrefix     = "poll/"
	backfillPrefix = "backfill/"
	hourLayout     = "2006-01-02T15"
)

func isBackfill(key string) bool { return strings.Contains(key, "/") }

func itemName(key string) string {
	if isBackfill(key) {
		return backfillPrefix + key
	}
	return pollPrefix + key
}

func keyOf(name string) string { return name[strings.Index(name, "/")+1:] }

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func count(n int) types.AttributeValue          { return number(int64(n)) }
func instant(t time.Time) types.AttributeValue  { return number(t.UnixMilli()) }
func seconds(t time.Time) types.AttributeValue  { return number(t.Unix()) }
func span(d time.Duration) types.AttributeValue { return number(d.Milliseconds()) }
func spanOf(it item, name string) time.Duration {
	return time.Duration(numberOf(it, name)) * time.Millisecond
}
func countOf(it item, name string) int { return int(numberOf(it, name)) }

func decode(it item) (Status, error) {
	s := Status{
		Key: keyOf(textOf(it, "key")), Why: textOf(it, "why"), Error: textOf(it, "error"),
		Stopped: textOf(it, "stopped"), Config: textOf(it, "config"),
		Due: instantOf(it, "due"), LeaseUntil: instantOf(it, "until"), ErrorSince: instantOf(it, "since"),
		Hinted: instantOf(it, "hinted"), Gap: instantOf(it, "gap"),
		Every: spanOf(it, "every"), Covered: spanOf(it, "covered"),
		Failures: countOf(it, "failures"), Missed: countOf(it, "missed"),
		Paused: flagOf(it, "paused"), Cancelled: flagOf(it, "cancelled"),
	}
	if ids, ok := it["backfills"].(*types.AttributeValueMemberSS); ok {
		s.Backfills = slices.Sorted(slices.Values(ids.Value))
	}
	for _, d := range []struct {
		name string
		into any
	}{{"checkpoint", &s.Checkpoint}, {"run", &s.Run}, {"last", &s.Last}, {"recent", &s.Recent}, {"limits", &s.Limits}, {"range", &s.Range}} {
		saved := textOf(it, d.name)
		if saved == "" {
			continue
		}
		if err := json.Unmarshal([]byte(saved), d.into); err != nil {
			// Reading on from nothing would read everything again, or skip it.
			return Status{}, fmt.Errorf("the %s of %s in the table is damaged: mend or delete its item: %w", d.name, s.Key, err)
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

func flagOf(it item, name string) bool {
	v, ok := it[name].(*types.AttributeValueMemberBOOL)
	return ok && v.Value
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
	sets, removes, adds, deletes []string
	names                        map[string]string
	values                       item
}

func newChange() *change { return &change{names: map[string]string{}, values: item{}} }

func (c *change) use(name string, v types.AttributeValue) {
	c.names["#"+name], c.values[":"+name] = name, v
}

func (c *change) put(name string, v types.AttributeValue) {
	c.sets = append(c.sets, "#"+name+" = :"+name)
	c.use(name, v)
}

// putOnce sets an attribute only where it is not there.
func (c *change) putOnce(name string, v types.AttributeValue) {
	c.sets = append(c.sets, "#"+name+" = if_not_exists(#"+name+", :"+name+")")
	c.use(name, v)
}

func (c *change) document(name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	c.put(name, text(string(b)))
	return nil
}

// checkpoint stores how far the poll was read; nothing is never stored.
func (c *change) checkpoint(st pull.State) error {
	if st.IsZero() {
		return nil
	}
	return c.document("checkpoint", st)
}

func (c *change) remove(names ...string) {
	for _, name := range names {
		c.removes = append(c.removes, "#"+name)
		c.names["#"+name] = name
	}
}

// add adds to a number or a set.
func (c *change) add(name string, v types.AttributeValue) {
	c.adds = append(c.adds, "#"+name+" :"+name)
	c.use(name, v)
}

// deleteFrom takes members out of a set.
func (c *change) deleteFrom(name string, v types.AttributeValue) {
	c.deletes = append(c.deletes, "#"+name+" :"+name)
	c.use(name, v)
}

func (c *change) expression() string {
	var parts []string
	for _, p := range []struct {
		verb string
		of   []string
	}{{"SET", c.sets}, {"REMOVE", c.removes}, {"ADD", c.adds}, {"DELETE", c.deletes}} {
		if len(p.of) > 0 {
			parts = append(parts, p.verb+" "+strings.Join(p.of, ", "))
		}
	}
	return strings.Join(parts, " ")
}
