package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	local "pushpull/local/dynamodb"
	"pushpull/shared/budget"
	"pushpull/shared/checkpoint"
	"pushpull/shared/checkpoint/checkpointtest"
	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/job"
	"pushpull/shared/privacy"
	"pushpull/shared/queue"
	"pushpull/shared/telemetry"
)

// A world is a poller with everything around it in memory.
type world struct {
	*handler
	mu      sync.Mutex
	at      time.Time
	records []record // what the API has, by time
	size    int      // of a page
	fail    int      // the status of the next answers; 0 is well
	header  http.Header
	asked   int

	sources    map[string]config.Source
	table      *table
	seen       map[string]bool
	pushed     time.Time // when the last webhook came
	queued     []event.Event
	refuse     error
	beforeSend func()
	sent, dead []queue.Message
	metrics    lines
	hidden     []time.Duration
}

// A table is the state's, whose writes the test may let fail.
type table struct {
	*dynamodb.Client
	name string
	fail func() error // nil never fails
}

func (t *table) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	if t.fail != nil {
		if err := t.fail(); err != nil {
			return nil, err
		}
	}
	return t.Client.UpdateItem(ctx, in, opts...)
}

type record struct {
	ID string    `json:"id"`
	At time.Time `json:"at"`
}

func newWorld(t *testing.T, size int) *world {
	t.Helper()
	w := &world{at: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), size: size, table: &table{}, seen: map[string]bool{}}
	tables, err := local.Open(filepath.Join(t.TempDir(), "dynamodb.db"), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tables.Close() })
	w.table.Client, w.table.name = checkpointtest.Serve(t, tables)
	api := httptest.NewServer(w)
	t.Cleanup(api.Close)
	w.sources = map[string]config.Source{
		"push": {Webhook: &config.Webhook{}},
		"shop": {
			Grace:   config.Duration(time.Minute),
			Webhook: &config.Webhook{},
			Poll: config.Polls{{
				Every: config.Duration(15 * time.Minute), BaseURL: api.URL,
				Request:     &config.Request{Path: "/events"},
				Records:     &config.Records{Path: "data"},
				Pagination:  &config.Pagination{Type: "cursor", CursorPath: "next", CursorParam: "after", MaxPages: 3},
				Incremental: &config.Incremental{CursorPath: "at", StartParam: "since", Order: "asc", Initial: new(config.Duration(time.Hour))},
				Event:       &event.Spec{Identity: event.Choices{{Value: "{body.id}"}}, Time: event.Choices{{Value: "{body.at}"}}},
			}},
		},
	}
	w.handler = w.poller(api.Client())
	return w
}

// poller is one more poller in the same world.
func (w *world) poller(client *http.Client) *handler {
	log, states := slog.New(slog.DiscardHandler), checkpoint.New(w.table, w.table.name, w.clock)
	return &handler{
		config: w, states: states, ledger: w, events: w, jobs: outbox{w, &w.sent}, dead: outbox{w, &w.dead}, visibility: w, queueURL: "q",
		credentials: &credentials{locker: states, now: w.clock}, budget: budget.New(w.table, w.table.name, log, w.clock), client: client,
		hides: privacy.NewEnv(privacy.Options{Secrets: w, Now: w.clock}),
		log:   log, metrics: telemetry.NewMetrics(&w.metrics, w.clock), now: w.clock,
		sleep: func(context.Context, time.Duration) error { return nil },
	}
}

// lines are what was written, for many writers.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *world) Sources() iter.Seq[string] { return slices.Values(slices.Sorted(maps.Keys(w.sources))) }

func (w *world) Source(name string) (config.Source, error) {
	if s, ok := w.sources[name]; ok {
		return s, nil
	}
	return config.Source{}, config.ErrUnknown
}

// All gives every reference one value.
func (w *world) All(_ context.Context, refs []string) ([]string, error) {
	return slices.Repeat([]string{"a key"}, len(refs)), nil
}

func (w *world) Seen(_ context.Context, keys []string) (map[string]bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := map[string]bool{}
	for _, k := range keys {
		seen[k] = w.seen[k]
	}
	return seen, nil
}

// Arrived tells of webhooks: pushed is when the last of them came.
func (w *world) Arrived(_ context.Context, _ string, since time.Time) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.pushed.Before(since), nil
}

func (w *world) SendEvents(_ context.Context, es ...event.Event) error {
	if w.beforeSend != nil {
		w.beforeSend()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuse != nil {
		return w.refuse
	}
	w.queued = append(w.queued, es...)
	return nil
}

func (w *world) Visibility(_ context.Context, _, _ string, d time.Duration) error {
	w.hidden = append(w.hidden, d)
	return nil
}

type outbox struct {
	w  *world
	to *[]queue.Message
}

func (o outbox) Send(_ context.Context, ms ...queue.Message) error {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	*o.to = append(*o.to, ms...)
	return nil
}

// ServeHTTP is the provider's API: ascending, from `since` on, after `after`.
func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	rw.Header().Set("Date", w.at.Format(http.TimeFormat))
	maps.Copy(rw.Header(), w.header)
	if w.fail != 0 {
		rw.WriteHeader(w.fail)
		return
	}
	since, _ := time.Parse(time.RFC3339, r.URL.Query().Get("since"))
	until, bounded := time.Parse(time.RFC3339Nano, r.URL.Query().Get("until"))
	after := 0
	_, _ = fmt.Sscan(r.URL.Query().Get("after"), &after)
	page := []record{}
	next := ""
	for i, rec := range w.records {
		if rec.At.Before(since) || i < after || bounded == nil && rec.At.After(until) {
			continue
		}
		if len(page) == w.size {
			next = fmt.Sprint(i)
			break
		}
		page = append(page, rec)
	}
	_ = json.NewEncoder(rw).Encode(map[string]any{"data": page, "next": next})
}

// happen adds records, each a second after the one before, up to now.
func (w *world) happen(n int) {
	for range n {
		w.at = w.at.Add(time.Second)
		w.records = append(w.records, record{fmt.Sprint("e", len(w.records)), w.at})
	}
}

// ids are the distinct events that were queued, and how many came twice.
func (w *world) ids() (distinct []string, repeated int) {
	seen := map[string]bool{}
	for _, e := range w.queued {
		if seen[e.ID] {
			repeated++
		}
		seen[e.ID] = true
	}
	return slices.Sorted(maps.Keys(seen)), repeated
}

// complete fails the test unless every record was queued.
func (w *world) complete(t *testing.T, wantRepeated int) {
	t.Helper()
	var want []string
	for _, r := range w.records {
		want = append(want, r.ID)
	}
	slices.Sort(want)
	got, repeated := w.ids()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if repeated != wantRepeated {
		t.Errorf("%d repeated, want %d", repeated, wantRepeated)
	}
}

func scheduled(due time.Time) job.Job {
	return job.Job{Source: "shop", Reason: job.Scheduled, Due: due}
}

// deliver gives the handler one message, as SQS does for the n-th time, and
// tells whether it was acknowledged.
func deliver(ctx context.Context, t *testing.T, h *handler, body string, receives int) bool {
	t.Helper()
	payload, err := json.Marshal(events.SQSEvent{Records: []events.SQSMessage{{
		MessageId: "m", ReceiptHandle: "r", Body: body, EventSource: "aws:sqs",
		Attributes: map[string]string{"ApproximateReceiveCount": fmt.Sprint(receives)},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	out, err := h.handle(ctx, payload)
	if err != nil {
		t.Fatal(err)
	}
	return len(out.(events.SQSEventResponse).BatchItemFailures) == 0
}

func (w *world) status(t *testing.T) checkpoint.Status {
	t.Helper()
	return w.load(t, "shop")
}

// do delivers a job that must be acknowledged.
func (w *world) do(t *testing.T, j job.Job) {
	t.Helper()
	w.again(t, j, 1)
}

// again is do for a job that is received for the n-th time.
func (w *world) again(t *testing.T, j job.Job, receives int) {
	t.Helper()
	if !deliver(t.Context(), t, w.handler, j.Encode(), receives) {
		t.Fatalf("the job %s failed", j.Encode())
	}
}

// drain does the jobs that were queued, and those that follow, each when it is due.
func (w *world) drain(t *testing.T) {
	t.Helper()
	for n := 0; len(w.sent) > 0; n++ {
		if n > 1000 {
			t.Fatal("there is no end of jobs")
		}
		m := w.sent[0]
		w.sent = w.sent[1:]
		w.pass(m.Delay)
		if !deliver(t.Context(), t, w.handler, m.Body, 1) {
			t.Fatalf("the job %s failed", m.Body)
		}
	}
}

// tick is a call of the schedule.
func (w *world) tick(t *testing.T) {
	t.Helper()
	if err := w.schedule(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// pass moves the clock.
func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

// requests is how many the API had.
func (w *world) requests() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked
}

func (w *world) store() *checkpoint.Store { return w.states.(*checkpoint.Store) }

func (w *world) load(t *testing.T, key string) checkpoint.Status {
	t.Helper()
	s, err := w.store().Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// redrive delivers a dead letter as it comes back from where it lay.
func redrive(t *testing.T, w *world, letter queue.Message) {
	t.Helper()
	in := events.SQSMessage{MessageId: "m", Body: letter.Body, MessageAttributes: map[string]events.SQSMessageAttribute{}}
	for name, value := range letter.Attributes {
		in.MessageAttributes[name] = events.SQSMessageAttribute{DataType: "String", StringValue: &value}
	}
	if out := w.batch(t.Context(), events.SQSEvent{Records: []events.SQSMessage{in}}); len(out.BatchItemFailures) > 0 {
		t.Fatalf("the redriven job failed: %s", letter.Body)
	}
}

// metricsFlushed writes what was measured to metrics.
func (w *world) metricsFlushed() error { return w.handler.metrics.Flush() }

// killAt has the n-th of the writes to come fail, and all after it; -1 none.
func (t *table) killAt(n int) {
	if n < 0 {
		t.fail = nil
		return
	}
	writes := 0
	t.fail = func() error {
		if writes++; writes > n {
			return errKilled
		}
		return nil
	}
}

var errKilled = errors.New("killed")

// BatchWriteItem is a write, too.
func (t *table) BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	if t.fail != nil {
		if err := t.fail(); err != nil {
			return nil, err
		}
	}
	return t.Client.BatchWriteItem(ctx, in, opts...)
}
