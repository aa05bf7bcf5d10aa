// Package ledgertest is what every table that the ledger is put on must do,
// whoever serves it: the local endpoint, Amazon's DynamoDB Local, DynamoDB.
package ledgertest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"pushpull/shared/event"
	"pushpull/shared/ledger"
)

// A Clock is a time that a test moves.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// NewClock begins at a fixed time, five minutes into an hour.
func NewClock() *Clock { return &Clock{at: time.Date(2026, 11, 23, 8, 5, 0, 0, time.UTC)} }

// Now is the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Add moves it on.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// Open returns a fresh, empty table with its index, as template.yaml has it.
type Open func(t testing.TB) (api ledger.API, table string)

// Server opens fresh tables at an endpoint that speaks DynamoDB's protocol.
func Server(h http.Handler) Open {
	return func(t testing.TB) (ledger.API, string) {
		t.Helper()
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return At(s.URL)(t)
	}
}

// At opens fresh tables at the URL.
func At(url string) Open {
	return func(t testing.TB) (ledger.API, string) {
		t.Helper()
		client := Client(url)
		table := fmt.Sprintf("events-%s-%d", strings.Map(letters, t.Name()), time.Now().UnixNano())
		if len(table) > 250 {
			table = table[len(table)-250:]
		}
		CreateTable(t, client, table)
		return client, table
	}
}

func letters(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
		return r
	}
	return '-'
}

// Client is the SDK's own client for the endpoint.
func Client(url string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String(url),
		Region:       "eu-central-1",
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
}

// CreateTable makes the table of the ledger.
func CreateTable(t testing.TB, client *dynamodb.Client, table string) {
	t.Helper()
	key := func(name string, kind types.KeyType) types.KeySchemaElement {
		return types.KeySchemaElement{AttributeName: aws.String(name), KeyType: kind}
	}
	attr := func(name string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeS}
	}
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:            aws.String(table),
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{attr("id"), attr("bucket"), attr("at")},
		KeySchema:            []types.KeySchemaElement{key("id", types.KeyTypeHash)},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName:  aws.String("by-time"),
			KeySchema:  []types.KeySchemaElement{key("bucket", types.KeyTypeHash), key("at", types.KeyTypeRange)},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
		}},
	})
	if err != nil {
		t.Fatalf("create the table %s: %v", table, err)
	}
	t.Cleanup(func() {
		_, _ = client.DeleteTable(context.WithoutCancel(t.Context()), &dynamodb.DeleteTableInput{TableName: aws.String(table)})
	})
}

// Event is an event of the source with that identity, received at that time.
func Event(source, id string, at time.Time) event.Event {
	return event.Event{
		ID: id, Source: source, Type: "push", Time: at.Add(-time.Second), Subject: "issue 17", Version: "3",
		ContentType: "application/json", Data: []byte(`{"id": "` + id + `"}`), Transport: event.Webhook,
		ReceivedTime: at, VerifiedTime: at, CorrelationID: "c-" + id,
		TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	}
}

// modes are the ways to claim, which differ in nothing that a single event shows.
var modes = map[string]mode{"in no order": {}, "in order": {ordered: true}}

type mode struct{ ordered bool }

// options are those of a claim in the mode.
func (m mode) options(e event.Event, o ledger.Options) ledger.Options {
	if m.ordered {
		o.Version = event.VersionKey(e.Version)
	}
	return o
}

// Run runs the whole suite. Each test has a table of its own.
func Run(t *testing.T, open Open) {
	t.Helper()
	for name, m := range modes {
		t.Run("claim, "+name, func(t *testing.T) { t.Parallel(); claims(t, open, m) })
		t.Run("end, "+name, func(t *testing.T) { t.Parallel(); ends(t, open, m) })
		t.Run("replay, "+name, func(t *testing.T) { t.Parallel(); replays(t, open, m) })
		t.Run("erase, "+name, func(t *testing.T) { t.Parallel(); erases(t, open, m) })
		t.Run("any order of claims, ends and crashes, "+name, func(t *testing.T) { t.Parallel(); machine(t, open, m) })
	}
	t.Run("order", func(t *testing.T) { t.Parallel(); orders(t, open) })
	t.Run("quiet", func(t *testing.T) { t.Parallel(); quiets(t, open) })
	t.Run("conflict", func(t *testing.T) { t.Parallel(); conflicts(t, open) })
	t.Run("late", func(t *testing.T) { t.Parallel(); late(t, open) })
	t.Run("arrivals", func(t *testing.T) { t.Parallel(); arrivals(t, open) })
	t.Run("payload", func(t *testing.T) { t.Parallel(); payloads(t, open) })
	t.Run("read", func(t *testing.T) { t.Parallel(); reads(t, open) })
}

// A desk is a ledger with its clock, and what a test of it wants.
type desk struct {
	*ledger.Ledger
	t     testing.TB
	clock *Clock
	mode  mode
}

func newDesk(t testing.TB, open Open) desk {
	t.Helper()
	api, table := open(t)
	clock := NewClock()
	return desk{Ledger: ledger.New(api, table, nil, clock.Now), t: t, clock: clock}
}

func (m mode) desk(t testing.TB, open Open) desk {
	d := newDesk(t, open)
	d.mode = m
	return d
}

const lease = 5 * time.Minute

func (d desk) claim(e event.Event, message string) ledger.Claim {
	d.t.Helper()
	return d.claimWith(e, ledger.Options{Message: message, Lease: lease})
}

func (d desk) claimWith(e event.Event, o ledger.Options) ledger.Claim {
	d.t.Helper()
	c, err := d.Claim(d.t.Context(), e, d.mode.options(e, o))
	if err != nil {
		d.t.Fatal(err)
	}
	return c
}

func (d desk) mine(e event.Event, message string) ledger.Claim {
	d.t.Helper()
	c := d.claim(e, message)
	if c.Verdict != ledger.Mine {
		d.t.Fatalf("the claim by %s came to %v, want Mine", message, c.Verdict)
	}
	return c
}

func (d desk) get(key string) ledger.Record {
	d.t.Helper()
	r, err := d.Get(d.t.Context(), key)
	if err != nil {
		d.t.Fatal(err)
	}
	return r
}

func (d desk) do(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}
