package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"pushpull/shared/event"
	"pushpull/shared/ledger"
	"pushpull/shared/ledger/ledgertest"
)

// faulty is a table that counts its calls, loses answers and does half of what
// it is asked, as DynamoDB may.
type faulty struct {
	ledger.API
	calls atomic.Int32
	lose  func(call int32) error // what the call answers although it was done
	half  bool                   // batches leave half undone
}

func (f *faulty) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, o ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	n := f.calls.Add(1)
	out, err := f.API.UpdateItem(ctx, in, o...)
	if f.lose != nil {
		if lost := f.lose(n); lost != nil {
			return nil, lost
		}
	}
	return out, err
}

func (f *faulty) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, o ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	f.calls.Add(1)
	return f.API.TransactWriteItems(ctx, in, o...)
}

func (f *faulty) GetItem(ctx context.Context, in *dynamodb.GetItemInput, o ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	f.calls.Add(1)
	return f.API.GetItem(ctx, in, o...)
}

func (f *faulty) Query(ctx context.Context, in *dynamodb.QueryInput, o ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	f.calls.Add(1)
	return f.API.Query(ctx, in, o...)
}

func (f *faulty) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, o ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	f.calls.Add(1)
	for table, want := range in.RequestItems {
		if n := len(want.Keys); f.half && n > 1 {
			first, rest := want, want
			first.Keys, rest.Keys = want.Keys[:n/2], want.Keys[n/2:]
			out, err := f.API.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{table: first}}, o...)
			if err == nil {
				out.UnprocessedKeys = map[string]types.KeysAndAttributes{table: rest}
			}
			return out, err
		}
	}
	return f.API.BatchGetItem(ctx, in, o...)
}

func (f *faulty) BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput, o ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	f.calls.Add(1)
	for table, writes := range in.RequestItems {
		if n := len(writes); f.half && n > 1 {
			out, err := f.API.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: writes[:n/2]}}, o...)
			if err == nil {
				out.UnprocessedItems = map[string][]types.WriteRequest{table: writes[n/2:]}
			}
			return out, err
		}
	}
	return f.API.BatchWriteItem(ctx, in, o...)
}

func open(t *testing.T) (*ledger.Ledger, *faulty, *ledgertest.Clock) {
	t.Helper()
	api, table := local(t)
	f, clock := &faulty{API: api}, ledgertest.NewClock()
	return ledger.New(f, table, nil, clock.Now), f, clock
}

var options = ledger.Options{Message: "m1", Lease: time.Minute}

func TestAnEventCostsTwoCallsAndADuplicateTwo(t *testing.T) {
	t.Parallel()
	l, f, clock := open(t)
	e := ledgertest.Event("github", "1", clock.Now())
	first := options
	first.Hash = "00000000000000aa"
	c, err := l.Claim(t.Context(), e, first)
	if err != nil {
		t.Fatal(err)
	}
	attempts := []ledger.Attempt{{Destination: "crm", Number: 1, At: clock.Now()}}
	if err := l.Complete(t.Context(), c, ledger.Delivered, "", []string{"crm"}, attempts); err != nil {
		t.Fatal(err)
	}
	if n := f.calls.Swap(0); n != 2 {
		t.Errorf("a delivered event cost %d calls, want 2", n)
	}
	for _, hash := range []string{"00000000000000aa", "00000000000000bb"} {
		c, err := l.Claim(t.Context(), e, ledger.Options{Message: "m-" + hash, Lease: time.Minute, Hash: hash})
		if err != nil || c.Conflict != (hash != first.Hash) {
			t.Fatalf("conflict %v, %v", c.Conflict, err)
		}
		if n := f.calls.Swap(0); n != 2 {
			t.Errorf("a duplicate cost %d calls, want 2: the claim and the count; conflict %v", n, c.Conflict)
		}
	}
}

func TestAThrottleIsNoVerdict(t *testing.T) {
	t.Parallel()
	l, f, clock := open(t)
	throttled := &types.ProvisionedThroughputExceededException{Message: aws.String("slow down")}
	e := ledgertest.Event("github", "1", clock.Now())
	f.lose = func(n int32) error {
		if n == 1 {
			return throttled
		}
		return nil
	}
	if _, err := l.Claim(t.Context(), e, options); !errors.Is(err, throttled) {
		t.Errorf("the claim of a throttled table: %v, want the throttle", err)
	}
}

func TestADuplicateThatCannotBeCountedIsADuplicate(t *testing.T) {
	t.Parallel()
	l, f, clock := open(t)
	throttled := &types.ThrottlingException{Message: aws.String("slow down")}
	f.lose = func(n int32) error {
		if n == 3 {
			return throttled
		}
		return nil
	}
	e := ledgertest.Event("github", "1", clock.Now())
	if _, err := l.Claim(t.Context(), e, options); err != nil {
		t.Fatal(err)
	}
	c, err := l.Claim(t.Context(), e, ledger.Options{Message: "m2", Lease: time.Minute})
	if err != nil || c.Verdict != ledger.Duplicate || !errors.Is(c.Uncounted, throttled) {
		t.Errorf("%v (uncounted: %v), %v; want a duplicate that was not counted", c.Verdict, c.Uncounted, err)
	}
}

// twice sends every update twice and answers as the second was answered, as
// the SDK does whose first answer was lost on the way.
type twice struct{ ledger.API }

func (f twice) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, o ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	_, _ = f.API.UpdateItem(ctx, in, o...)
	return f.API.UpdateItem(ctx, in, o...)
}

func (f twice) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, o ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	_, _ = f.API.TransactWriteItems(ctx, in, o...)
	return f.API.TransactWriteItems(ctx, in, o...)
}

func TestAWriteWhoseAnswerWasLostIsStillOurs(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"", event.VersionKey("3")} {
		stillOurs(t, version)
	}
}

func stillOurs(t *testing.T, version string) {
	t.Helper()
	api, table := local(t)
	clock := ledgertest.NewClock()
	l := ledger.New(twice{api}, table, nil, clock.Now)
	e := ledgertest.Event("github", "1", clock.Now())
	for _, end := range []func(ledger.Claim) error{
		func(c ledger.Claim) error { return l.Release(t.Context(), c, []string{"archive"}, nil) },
		func(c ledger.Claim) error {
			return l.Complete(t.Context(), c, ledger.Delivered, "", []string{"crm"}, nil)
		},
	} {
		o := options
		o.Version = version
		c, err := l.Claim(t.Context(), e, o)
		if err != nil || c.Verdict != ledger.Mine || !c.FirstReceived.Equal(e.ReceivedTime) {
			t.Fatalf("the claim is %+v, %v; want Mine", c, err)
		}
		if err := end(c); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBatchesThatDynamoDBLeavesHalfDoneAreFinished(t *testing.T) {
	t.Parallel()
	l, f, clock := open(t)
	f.half = true
	var events []event.Event
	var keys []string
	for i := range 20 {
		e := ledgertest.Event("github", fmt.Sprint(i), clock.Now())
		if _, err := l.Claim(t.Context(), e, options); err != nil {
			t.Fatal(err)
		}
		events, keys = append(events, e), append(keys, e.Key())
	}
	if err := l.KeepPayloads(t.Context(), events, time.Hour); err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if _, err := l.Payload(t.Context(), key); err != nil {
			t.Error(err)
		}
	}
	seen, err := l.Seen(t.Context(), keys)
	if err != nil || len(seen) != len(keys) {
		t.Errorf("%d of %d are seen, %v", len(seen), len(keys), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Seen(ctx, keys); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that ended: %v", err)
	}
}

func TestAnEventInOrderCostsTwoCallsAndASupersededOneTwo(t *testing.T) {
	t.Parallel()
	l, f, clock := open(t)
	for _, step := range []struct {
		version string
		want    ledger.Verdict
	}{{"9", ledger.Mine}, {"10", ledger.Mine}, {"8", ledger.Outdated}} {
		e := ledgertest.Event("github", step.version, clock.Now())
		c, err := l.Claim(t.Context(), e, ledger.Options{Message: "m1", Lease: time.Minute, Version: event.VersionKey(step.version)})
		if err != nil || c.Verdict != step.want {
			t.Fatalf("version %s came to %v, %v; want %v", step.version, c.Verdict, err, step.want)
		}
		if c.Verdict == ledger.Mine {
			if err := l.Complete(t.Context(), c, ledger.Delivered, "", []string{"crm"}, nil); err != nil {
				t.Fatal(err)
			}
		}
		if n := f.calls.Swap(0); n != 2 {
			t.Errorf("version %s cost %d calls, want 2", step.version, n)
		}
	}
}

func TestAQuietDeliveryCostsOneCall(t *testing.T) {
	t.Parallel()
	l, f, clock := open(t)
	c, err := l.Claim(t.Context(), ledgertest.Event("github", "1", clock.Now()), ledger.Options{Message: "m1", Lease: time.Minute, Quiet: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Complete(t.Context(), c, ledger.Delivered, "", []string{"crm"}, nil); err != nil {
		t.Fatal(err)
	}
	if n := f.calls.Load(); n != 1 {
		t.Errorf("it cost %d calls, want 1", n)
	}
}

func TestAUsualItemIsSmallerThanAKilobyte(t *testing.T) {
	t.Parallel()
	api, table := local(t)
	clock := ledgertest.NewClock()
	l := ledger.New(api, table, nil, clock.Now)
	e := ledgertest.Event("github", "evt_1PxYzK2eZvKYlo2C0aBcDeFg", clock.Now())
	c, err := l.Claim(t.Context(), e, ledger.Options{Message: "5fea7756-0ea4-451a-a703-a558b933e274", Lease: time.Minute, Hash: "00000000000000aa"})
	if err != nil {
		t.Fatal(err)
	}
	var attempts []ledger.Attempt
	for _, d := range []string{"warehouse", "crm", "archive"} {
		attempts = append(attempts, ledger.Attempt{Destination: d, At: clock.Now(), Number: 1, Status: 200, Took: 12 * time.Millisecond})
	}
	if err := l.Complete(t.Context(), c, ledger.Delivered, "", []string{"warehouse", "crm", "archive"}, attempts); err != nil {
		t.Fatal(err)
	}
	out, err := api.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &table, Key: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: e.Key()}},
		UpdateExpression: aws.String("REMOVE unused"), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		t.Fatal(err)
	}
	if units := *out.ConsumedCapacity.CapacityUnits; units != 1 {
		t.Errorf("a write of it costs %v units, want 1", units)
	}
}

// busy cancels transactions as DynamoDB does where another is in the way.
type busy struct {
	ledger.API
	code string
	n    atomic.Int32
}

func (f *busy) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, o ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	if f.n.Add(-1) >= 0 {
		return nil, &types.TransactionCanceledException{CancellationReasons: []types.CancellationReason{{Code: aws.String("None")}, {Code: aws.String(f.code)}}}
	}
	return f.API.TransactWriteItems(ctx, in, o...)
}

func TestATransactionInTheWayAndAThrottleAreNoVerdict(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		code    string
		times   int32
		wantErr bool
	}{
		{"TransactionConflict", 2, false},
		{"ThrottlingError", 2, false},
		{"ProvisionedThroughputExceeded", 2, false},
		{"TransactionConflict", 1000, true},
		{"ValidationError", 1, true},
	} {
		t.Run(fmt.Sprint(test.code, " ", test.times, " times"), func(t *testing.T) {
			t.Parallel()
			api, table := local(t)
			clock := ledgertest.NewClock()
			f := &busy{API: api, code: test.code}
			f.n.Store(test.times)
			l := ledger.New(f, table, nil, clock.Now)
			c, err := l.Claim(t.Context(), ledgertest.Event("github", "1", clock.Now()), ledger.Options{Message: "m1", Lease: time.Minute, Version: "n10001" + "3"})
			if (err != nil) != test.wantErr || err == nil && c.Verdict != ledger.Mine {
				t.Errorf("it came to %v, %v; want an error: %v", c.Verdict, err, test.wantErr)
			}
		})
	}
}
