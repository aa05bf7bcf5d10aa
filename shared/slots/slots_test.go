package slots_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	local "pushpull/local/dynamodb"
	"pushpull/shared/slots"
)

func open(t *testing.T) *dynamodb.Client {
	t.Helper()
	s, err := local.Open(filepath.Join(t.TempDir(), "state.db"), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(func() { server.Close(); _ = s.Close() })
	client := dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String(server.URL), Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
	_, err = client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("state"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("key"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("key"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// clock is a time that a test moves.
type clock struct{ ms atomic.Int64 }

func (c *clock) now() time.Time { return time.UnixMilli(1795420800000 + c.ms.Load()) }

func process(client slots.API, c *clock) *slots.Store {
	return slots.New(client, "state", slog.New(slog.DiscardHandler), c.now)
}

const lease = time.Minute

func TestSlots(t *testing.T) {
	t.Parallel()
	type step struct {
		do     string // "take", "give" the slot of that step, or "wait" for a lease
		by, of int    // the process; the step
		full   bool
	}
	for _, test := range []struct {
		name  string
		n     int
		steps []step
	}{
		{"as many as there are can be held, by whichever process", 2, []step{{do: "take"}, {do: "take", by: 1}, {do: "take", full: true}, {do: "take", by: 1, full: true}}},
		{"one that is given back can be taken", 1, []step{{do: "take"}, {do: "take", by: 1, full: true}, {do: "give"}, {do: "take", by: 1}}},
		{"one whose lease ran out can be taken", 1, []step{{do: "take"}, {do: "wait"}, {do: "take", by: 1}}},
		{"who comes back after that takes nothing from who has it now", 1, []step{{do: "take"}, {do: "wait"}, {do: "take", by: 1}, {do: "give"}, {do: "take", full: true}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			client, c := open(t), &clock{}
			processes := []*slots.Store{process(client, c), process(client, c)}
			held := make([]slots.Slot, len(test.steps))
			for i, s := range test.steps {
				switch s.do {
				case "wait":
					c.ms.Add(lease.Milliseconds() + 1)
				case "give":
					processes[s.by].Give(t.Context(), held[s.of])
				case "take":
					slot, err := processes[s.by].Take(t.Context(), "crm", test.n, lease, time.Millisecond)
					_, full := errors.AsType[*slots.Full](err)
					if full != s.full || err != nil && !full {
						t.Fatalf("step %d: full %v (%v), want %v", i, full, err, s.full)
					}
					held[i] = slot
				}
			}
		})
	}
}

func TestOfManyAtOnceNoMoreAreUnderWayThanMayBe(t *testing.T) {
	t.Parallel()
	client, c := open(t), &clock{}
	const n = 3
	var under, most atomic.Int32
	var wg sync.WaitGroup
	for range 4 {
		p := process(client, c)
		for range 5 {
			wg.Go(func() {
				slot, err := p.Take(t.Context(), "crm", n, lease, time.Minute)
				if err != nil {
					t.Error(err)
					return
				}
				now := under.Add(1)
				for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
				}
				under.Add(-1)
				p.Give(t.Context(), slot)
			})
		}
	}
	wg.Wait()
	if m := most.Load(); m > n || m < 1 {
		t.Errorf("%d were under way at once, want %d at most", m, n)
	}
}

type down struct{}

func (down) UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	return nil, errors.New("the table is down")
}

func TestATableThatDoesNotAnswerLetsAllPass(t *testing.T) {
	t.Parallel()
	p := process(down{}, &clock{})
	slot, err := p.Take(t.Context(), "crm", 1, lease, time.Millisecond)
	if err != nil {
		t.Error(err)
	}
	p.Give(t.Context(), slot)
}
