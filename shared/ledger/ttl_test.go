package ledger_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"pushpull/shared/ledger"
	"pushpull/shared/ledger/ledgertest"
)

// While a message may bring an event back, forgetting who has it would deliver
// it to them again.
func TestAnItemOutlivesItsMessages(t *testing.T) {
	t.Parallel()
	const hour, days14 = time.Hour, 14 * 24 * time.Hour
	for _, test := range []struct {
		name        string
		window      time.Duration
		end         ledger.Status // "" is a release
		least, most time.Duration
	}{
		{"waiting for its retry", hour, "", days14, days14 + 48*hour},
		{"dead, as its letter may be redriven", hour, ledger.Dead, days14, days14 + 48*hour},
		{"delivered, and remembered for its window alone", hour, ledger.Delivered, hour, hour},
		{"delivered, with a window longer than any message lives", 2 * days14, ledger.Delivered, 2 * days14, 2 * days14},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			api, table := local(t)
			clock := ledgertest.NewClock()
			l := ledger.New(api, table, nil, clock.Now)
			e := ledgertest.Event("github", "1", clock.Now())
			c, err := l.Claim(t.Context(), e, ledger.Options{Message: "m1", Lease: time.Minute, Window: test.window})
			if err != nil {
				t.Fatal(err)
			}
			if test.end == "" {
				err = l.Release(t.Context(), c, []string{"crm"}, nil)
			} else {
				err = l.Complete(t.Context(), c, test.end, "why", []string{"crm"}, nil)
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := ttlOf(t, api, table, e.Key()).Sub(clock.Now()); got < test.least || got > test.most {
				t.Errorf("it is remembered for %v, want %v to %v", got, test.least, test.most)
			}
		})
	}
}

func ttlOf(t *testing.T, api ledger.API, table, key string) time.Time {
	t.Helper()
	out, err := api.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: aws.String(table), Key: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: key}},
	})
	if err != nil {
		t.Fatal(err)
	}
	n, ok := out.Item["ttl"].(*types.AttributeValueMemberN)
	if !ok {
		t.Fatalf("no ttl in %v", out.Item)
	}
	seconds, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Unix(seconds, 0)
}
