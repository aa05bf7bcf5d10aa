package breaker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	local "pushpull/local/dynamodb"
	"pushpull/shared/breaker"
)

// table counts the calls of the state table, and fails them where it is told to.
type table struct {
	*dynamodb.Client
	reads, writes atomic.Int32
	down          atomic.Bool
}

var errDown = errors.New("the table is down")

func (f *table) GetItem(ctx context.Context, in *dynamodb.GetItemInput, o ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	f.reads.Add(1)
	if f.down.Load() {
		return nil, errDown
	}
	return f.Client.GetItem(ctx, in, o...)
}

func (f *table) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, o ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	f.writes.Add(1)
	if f.down.Load() {
		return nil, errDown
	}
	return f.Client.UpdateItem(ctx, in, o...)
}

func open(t *testing.T) *table {
	t.Helper()
	s, err := local.Open(filepath.Join(t.TempDir(), "state.db"), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(func() { server.Close(); _ = s.Close() })
	f := &table{Client: dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String(server.URL), Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})}
	_, err = f.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("state"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("key"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("key"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

var policy = breaker.Policy{Share: 0.5, Least: 4, Window: time.Minute, Open: 30 * time.Second}

// world is one table and processes at one clock.
type world struct {
	t     *testing.T
	at    time.Time
	table *table
	procs map[byte]*breaker.Store
	tries map[byte]breaker.Try // that a process has begun
}

// step does one thing and says what came of it: "a+" and "a-" are deliveries of
// process a that succeed and fail, "a(" begins one and "a)+" ends it, and a
// duration lets time pass. It answers open, closed, or opened.
func (w *world) step(what string) string {
	w.t.Helper()
	if d, err := time.ParseDuration(what); err == nil {
		w.at = w.at.Add(d)
		return "-"
	}
	p := w.procs[what[0]]
	if p == nil {
		p = breaker.New(w.table, "state", slog.New(slog.DiscardHandler), func() time.Time { return w.at })
		w.procs[what[0]] = p
	}
	ctx := w.t.Context()
	if what[1] != ')' {
		try, err := p.Allow(ctx, "crm", policy)
		if blocked, ok := errors.AsType[*breaker.Open](err); ok {
			return fmt.Sprint("open ", blocked.Until.Sub(w.at))
		}
		if err != nil {
			w.t.Fatal(err)
		}
		w.tries[what[0]] = try
	}
	if what[1] == '(' {
		return "begun"
	}
	if p.Tell(ctx, w.tries[what[0]], what[len(what)-1] == '+') {
		return "opened"
	}
	return "closed"
}

func TestABreaker(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		steps, want []string
	}{
		{
			"it opens when the share of failures is reached, counted by all processes",
			[]string{"a-", "b-", "a-", "c-", "d+"},
			[]string{"closed", "closed", "closed", "opened", "open 30s"},
		},
		{
			"who knew it closed learns within a second of a failure that it is open",
			[]string{"b-", "a-", "a-", "a-", "1s", "b+"},
			[]string{"closed", "closed", "closed", "opened", "-", "open 29s"},
		},
		{
			"successes count against failures",
			[]string{"a-", "a-", "a-", "2s", "b+", "b+", "2s", "b+", "2s", "b+", "b(", "a-", "a+"},
			[]string{"closed", "closed", "closed", "-", "closed", "closed", "-", "closed", "-", "closed", "begun", "opened", "open 30s"},
		},
		{
			"failures of the window before do not count",
			[]string{"a-", "a-", "a-", "1m", "a-", "a+"},
			[]string{"closed", "closed", "closed", "-", "closed", "closed"},
		},
		{
			"one probe passes when its time is up, and closes it",
			[]string{"a-", "a-", "a-", "a-", "30s", "b(", "c+", "a+", "b)+", "1s", "c+", "a+"},
			[]string{"closed", "closed", "closed", "opened", "-", "begun", "open 7.5s", "open 7.5s", "closed", "-", "closed", "closed"},
		},
		{
			"a probe that fails keeps it open",
			[]string{"a-", "a-", "a-", "a-", "30s", "b-", "c+", "29s", "c+", "1s", "c+", "c+"},
			[]string{"closed", "closed", "closed", "opened", "-", "closed", "open 30s", "-", "open 1s", "-", "closed", "closed"},
		},
		{
			"a probe that is never heard of again makes way for another, and what it says later changes nothing",
			[]string{"a-", "a-", "a-", "a-", "30s", "b(", "30s", "c-", "b)+", "1s", "d+"},
			[]string{"closed", "closed", "closed", "opened", "-", "begun", "-", "closed", "closed", "-", "open 29s"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := &world{t: t, at: time.UnixMilli(1795420800000), table: open(t), procs: map[byte]*breaker.Store{}, tries: map[byte]breaker.Try{}}
			var got []string
			for _, step := range test.steps {
				got = append(got, w.step(step))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%v: %s", test.steps, diff)
			}
		})
	}
}

func TestADestinationThatIsWellCostsAReadNowAndThen(t *testing.T) {
	t.Parallel()
	w := &world{t: t, at: time.UnixMilli(1795420800000), table: open(t), procs: map[byte]*breaker.Store{}, tries: map[byte]breaker.Try{}}
	for range 600 {
		w.step("a+")
		w.step("100ms")
	}
	if reads, writes := w.table.reads.Load(), w.table.writes.Load(); reads != 6 || writes != 0 {
		t.Errorf("a minute of 600 deliveries cost %d reads and %d writes, want 6 and 0", reads, writes)
	}
}

func TestATableThatDoesNotAnswerLetsDeliveriesPass(t *testing.T) {
	t.Parallel()
	w := &world{t: t, at: time.UnixMilli(1795420800000), table: open(t), procs: map[byte]*breaker.Store{}, tries: map[byte]breaker.Try{}}
	w.table.down.Store(true)
	for range 10 {
		if got := w.step("a-"); got != "closed" {
			t.Fatalf("it is %s, want closed", got)
		}
	}
	if reads, writes := w.table.reads.Load(), w.table.writes.Load(); reads+writes != 1 {
		t.Errorf("it was asked %d times, want once", reads+writes)
	}
}
