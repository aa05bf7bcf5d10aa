package rate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"pushpull/shared/awslite"
)

// A period is the source's item in the table: a time in which its bucket was
// never full. Both times are Unix nanoseconds, and only ever grow.
type period struct {
	began int64
	full  int64 // when it ends, if nothing more is taken
}

// settle pays in at most two calls. It returns what is still owed, as where two
// other environments moved the bucket in between, and what the table said.
func (l *Limiter) settle(ctx context.Context, source string, limit Limit, now int64, p *payment) (payment, error) {
	ctx, cancel := context.WithTimeout(ctx, l.patience)
	defer cancel()
	for range 2 {
		if first := p.owed[0].at; first <= p.last.full && first < p.last.began {
			// Taken before the period began: added to it, they would be charged
			// at a time at which they had long flowed out.
			if p.owed = since(p.owed, p.last.began); len(p.owed) == 0 {
				break
			}
		}
		said, paid, err := l.pay(ctx, source, limit, now, p)
		if err != nil {
			return payment{}, err
		}
		p.last = said
		if paid {
			p.owed = nil
			break
		}
	}
	return *p, nil
}

// pay makes one call: it begins a period, or adds to the one that lasts,
// whichever fits what was known. Paid is false where the other would have.
func (l *Limiter) pay(ctx context.Context, source string, limit Limit, now int64, p *payment) (said period, paid bool, err error) {
	first, amount := p.owed[0].at, limit.flow(count(p.owed))
	in := update{
		TableName: l.table,
		Key:       map[string]value{"key": {S: "rate/" + source}},
		Names:     map[string]string{"#full": "full", "#began": "began", "#ttl": "ttl"},
		Values:    map[string]value{":first": number(first), ":ttl": number(expires(limit, now, amount))},
		Returns:   "ALL_NEW",
		Refused:   "ALL_OLD",
	}
	if p.last.full < first {
		in.Update = "SET #full = :full, #began = :first, #ttl = :ttl"
		in.Condition = "attribute_not_exists(#full) OR #full < :first"
		in.Values[":full"] = number(first + amount)
	} else {
		in.Update = "SET #full = #full + :amount, #ttl = :ttl"
		in.Condition = "#full >= :first AND #began <= :first"
		in.Values[":amount"] = number(amount)
	}
	body, err := json.Marshal(in)
	if err != nil {
		return period{}, false, err
	}
	var answer struct{ Attributes, Item map[string]value }
	err = l.caller.JSON(ctx, "dynamodb", "DynamoDB_20120810.UpdateItem", "1.0", body, &answer)
	if err == nil {
		said, err = read(answer.Attributes)
		return said, true, err
	}
	refused, ok := errors.AsType[*awslite.Error](err)
	if !ok || refused.Code != "ConditionalCheckFailedException" {
		return period{}, false, err
	}
	if err := json.Unmarshal(refused.Answer, &answer); err != nil {
		return period{}, false, errors.New("dynamodb: the item that refused the payment cannot be read")
	}
	if len(answer.Item) == 0 {
		return period{}, false, nil // it expired between two calls
	}
	said, err = read(answer.Item)
	return said, false, err
}

// expires is when nothing can depend on the item any more, in Unix seconds.
func expires(limit Limit, now, amount int64) int64 {
	const day = int64(24 * time.Hour)
	return (now+day)/1e9 + 2*(limit.flow(limit.Burst)+amount)/1e9
}

func read(item map[string]value) (period, error) {
	full, err := strconv.ParseInt(item["full"].N, 10, 64)
	if err != nil {
		return period{}, fmt.Errorf("the item of a rate in the table is damaged: delete it: %w", err)
	}
	began, err := strconv.ParseInt(item["began"].N, 10, 64)
	if err != nil {
		return period{}, fmt.Errorf("the item of a rate in the table is damaged: delete it: %w", err)
	}
	return period{began: began, full: full}, nil
}

// update is UpdateItem's input.
type update struct {
	TableName string
	Key       map[string]value
	Update    string            `json:"UpdateExpression"`
	Condition string            `json:"ConditionExpression"`
	Names     map[string]string `json:"ExpressionAttributeNames"`
	Values    map[string]value  `json:"ExpressionAttributeValues"`
	Returns   string            `json:"ReturnValues"`
	Refused   string            `json:"ReturnValuesOnConditionCheckFailure"`
}

// value is an attribute's value, of the two kinds in use.
type value struct {
	S string `json:",omitempty"`
	N string `json:",omitempty"`
}

func number(n int64) value { return value{N: strconv.FormatInt(n, 10)} }
