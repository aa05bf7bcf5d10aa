package rate

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"pushpull/shared/awslite"
)

// table is a table in memory that understands the two writes of a payment, and
// refuses all others.
type table struct {
	mu      sync.Mutex
	items   map[string]map[string]value
	calls   int
	periods int                             // that were begun
	fail    error                           // what every call answers, if anything
	hang    bool                            // calls answer only when their time is up
	before  func(call int, in update) error // called without the lock
}

func (f *table) JSON(ctx context.Context, service, target, version string, in []byte, out any) error {
	var u update
	if err := json.Unmarshal(in, &u); err != nil {
		return err
	}
	f.mu.Lock()
	f.calls++
	calls, hang, fail := f.calls, f.hang, f.fail
	f.mu.Unlock()
	if hang {
		<-ctx.Done()
		return ctx.Err()
	}
	if fail != nil {
		return fail
	}
	if f.before != nil {
		if err := f.before(calls, u); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if service != "dynamodb" || target != "DynamoDB_20120810.UpdateItem" || version != "1.0" || u.TableName != "state" {
		return fmt.Errorf("a call of %s %s %s on %s", service, target, version, u.TableName)
	}
	return f.update(u, out)
}

func (f *table) update(u update, out any) error {
	key := u.Key["key"].S
	it, there := f.items[key]
	at := func(m map[string]value, name string) int64 { n, _ := strconv.ParseInt(m[name].N, 10, 64); return n }
	first := at(u.Values, ":first")
	next := map[string]value{"ttl": u.Values[":ttl"]}
	var holds bool
	switch u.Condition {
	case "attribute_not_exists(#full) OR #full < :first":
		holds = !there || at(it, "full") < first
		next["full"], next["began"] = u.Values[":full"], u.Values[":first"]
	case "#full >= :first AND #began <= :first":
		holds = there && at(it, "full") >= first && at(it, "began") <= first
		next["full"], next["began"] = number(at(it, "full")+at(u.Values, ":amount")), it["began"]
	default:
		return fmt.Errorf("the condition %q is not one the table knows", u.Condition)
	}
	if !holds {
		answer, err := json.Marshal(map[string]any{"Item": it})
		if err != nil {
			return err
		}
		return &awslite.Error{Service: "dynamodb", Code: "ConditionalCheckFailedException", Status: 400, Answer: answer}
	}
	if next["began"] == u.Values[":first"] && next["full"] == u.Values[":full"] {
		f.periods++
	}
	if f.items == nil {
		f.items = map[string]map[string]value{}
	}
	f.items[key] = next
	answer, err := json.Marshal(map[string]any{"Attributes": next})
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, out)
}

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 11, 23, 8, 5, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// fleet is n environments that share a table and a clock.
func fleet(n int, caller Caller, c *clock) []*Limiter {
	log := slog.New(slog.DiscardHandler)
	limiters := make([]*Limiter, n)
	for i := range limiters {
		limiters[i] = New(caller, "state", log, c.now)
	}
	return limiters
}
