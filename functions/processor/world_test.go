package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"pushpull/local/dynamodb"
	"pushpull/local/sqs"
	"pushpull/shared/awslite"
	"pushpull/shared/breaker"
	"pushpull/shared/budget"
	"pushpull/shared/config"
	"pushpull/shared/destination"
	"pushpull/shared/event"
	"pushpull/shared/hydrate"
	"pushpull/shared/ledger"
	"pushpull/shared/ledger/ledgertest"
	"pushpull/shared/privacy"
	"pushpull/shared/queue"
	"pushpull/shared/slots"
	"pushpull/shared/telemetry"
)

// world is the processor with what is around it: the local queues and table, a
// server that is every destination, and the part of Lambda that feeds a queue
// to a function.
type world struct {
	t      *testing.T
	clock  *ledgertest.Clock
	queues *sqs.Server
	client *queue.SQS
	ledger *ledger.Ledger
	sink   *sink
	log    *bytes.Buffer
	config string
	bodies queue.Bodies
	state  *awsdynamodb.Client
	table  string // of the ledger

	apis    hydrate.Options
	aws     func() (aws.Config, error) // for destinations in AWS
	handler *handler
	late    latecount
}

const (
	visibility  = 6 * time.Minute
	eventQueue  = "events"
	deadQueue   = "dead"
	strictQueue = "strict.fifo"
)

// standard is what most tests are configured with: SINK is the sink's address.
const standard = `destination crm {"kind":"http","url":"SINK/crm","allow_private":true,"retry":{"attempts":3,"first":"5s","max":"1h"}}
destination mail {"kind":"http","url":"SINK/mail","allow_private":true,"retry":{"attempts":3,"first":"5s","max":"1h"}}
destination off {"kind":"none"}
route 0000 {"from":["github"],"to":["crm","mail"]}
route 0001 {"from":["stripe"],"to":["crm"]}
route 0002 {"from":["slack"],"to":["off"]}
source github {"window":"30d"}
source private {"keep_payload":false}
source stripe {"window":"2d"}
`

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: ledgertest.NewClock(), log: &bytes.Buffer{}}
	w.serveQueues()
	w.sink = newSink(t)
	w.config = config.Header + "test\n" + strings.ReplaceAll(standard, "SINK", w.sink.url)
	var err error
	if w.bodies, err = queue.OpenBodies("file://"+filepath.ToSlash(t.TempDir()), nil); err != nil {
		t.Fatal(err)
	}
	tables, err := dynamodb.Open(filepath.Join(t.TempDir(), "tables.db"), dynamodb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tables.Close() })
	server := httptest.NewServer(tables)
	t.Cleanup(server.Close)
	api, table := ledgertest.At(server.URL)(t)
	w.table = table
	w.ledger = ledger.New(api, table, w.bodies, w.clock.Now)
	w.state = ledgertest.Client(server.URL)
	createState(t, w.state)
	w.start()
	return w
}

// count has all calls of DynamoDB go through the transport.
func (w *world) count(transport http.RoundTripper) {
	w.t.Helper()
	o := w.state.Options()
	o.HTTPClient = &http.Client{Transport: transport}
	w.state = awsdynamodb.New(o)
	w.ledger = ledger.New(w.state, w.table, w.bodies, w.clock.Now)
	w.start()
}

func createState(t *testing.T, client *awsdynamodb.Client) {
	t.Helper()
	_, err := client.CreateTable(t.Context(), &awsdynamodb.CreateTableInput{
		TableName: aws.String("state"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("key"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("key"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) serveQueues() {
	w.t.Helper()
	s, err := sqs.Open(filepath.Join(w.t.TempDir(), "queues.db"), sqs.Options{Now: w.clock.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	server := httptest.NewServer(s)
	w.t.Cleanup(func() { server.Close(); _ = s.Close() })
	s.SetBaseURL(server.URL)
	for _, name := range []string{eventQueue, deadQueue} {
		attributes := map[string]string{"VisibilityTimeout": "360", "MessageRetentionPeriod": "1209600"}
		if _, _, err := s.CreateQueue(name, attributes); err != nil {
			w.t.Fatal(err)
		}
	}
	client, err := awslite.New(func(name string) string {
		return map[string]string{
			"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_ENDPOINT_URL": server.URL,
		}[name]
	}, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.queues, w.client = s, queue.Direct(client)
}

// start makes a new handler, as a new environment would.
func (w *world) start() {
	w.t.Helper()
	compiled, err := config.Parse(w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	w.apis.Now, w.apis.Sleep = w.clock.Now, func(context.Context, time.Duration) error { return nil }
	c, err := newCatalog(compiled, destination.NewEnv(destination.Options{Data: w.t.TempDir(), Now: w.clock.Now, AWS: w.aws}), hydrate.NewEnv(w.apis), privacy.NewEnv(privacy.Options{Secrets: testSecrets{}, Now: w.clock.Now}))
	if err != nil {
		w.t.Fatal(err)
	}
	log := telemetry.NewLogger(w.log, "DEBUG")
	w.handler = &handler{
		queueURL:  w.queues.QueueURL(eventQueue),
		strictURL: w.queues.QueueURL(strictQueue),
		hider:     w.client,
		letters:   queue.New(w.client, w.queues.QueueURL(deadQueue), nil),
		bodies:    w.bodies,
		ledger:    w.ledger,
		catalog:   c,
		late:      &w.late,
		gates: gates{
			breakers: breaker.New(w.state, "state", log, w.clock.Now),
			budgets:  budget.New(w.state, "state", log, w.clock.Now),
			places:   slots.New(w.state, "state", log, w.clock.Now),
		},
		log:     log,
		metrics: telemetry.NewMetrics(io.Discard, w.clock.Now),
		now:     w.clock.Now,
		jitter:  func(d time.Duration) time.Duration { return d },
	}
}

// testSecrets gives every reference but one a value.
type testSecrets struct{}

func (testSecrets) All(_ context.Context, refs []string) ([]string, error) {
	values := make([]string, len(refs))
	for i, ref := range refs {
		if ref == "ssm:/none" {
			return nil, errors.New("the store does not answer")
		}
		values[i] = "a key"
	}
	return values, nil
}

// send puts an event on the queue, as the receiver would.
func (w *world) send(e event.Event) {
	w.t.Helper()
	q := queue.New(w.client, w.queues.QueueURL(eventQueue), w.bodies)
	if err := q.SendEvents(w.t.Context(), e); err != nil {
		w.t.Fatal(err)
	}
}

// receive takes up to 10 messages from a queue, in the form that Lambda hands on.
func (w *world) receive(name string) []events.SQSMessage {
	w.t.Helper()
	got, err := w.queues.Receive(w.t.Context(), name, 10, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	var messages []events.SQSMessage
	for _, m := range got {
		attributes := map[string]events.SQSMessageAttribute{}
		for name, a := range m.MessageAttributes {
			attributes[name] = events.SQSMessageAttribute{StringValue: &a.StringValue, DataType: a.DataType}
		}
		messages = append(messages, events.SQSMessage{
			MessageId: m.MessageID, ReceiptHandle: m.ReceiptHandle, Body: m.Body, Attributes: m.Attributes, MessageAttributes: attributes,
			EventSourceARN: "arn:aws:sqs:us-east-1:000000000000:" + name,
		})
	}
	return messages
}

// invoke hands one batch to the function and deletes what it does not report;
// it tells how many messages there were, and how many come back.
func (w *world) invoke() (received, back int) {
	w.t.Helper()
	return w.invokeWith(eventQueue)
}

func (w *world) invokeWith(name string) (received, back int) {
	w.t.Helper()
	batch := w.receive(name)
	if len(batch) == 0 {
		return 0, 0
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	out, err := w.handler.handle(ctx, events.SQSEvent{Records: batch})
	if err != nil {
		w.t.Fatal(err)
	}
	w.remove(name, batch, out)
	return len(batch), len(out.BatchItemFailures)
}

func (w *world) remove(name string, batch []events.SQSMessage, out events.SQSEventResponse) {
	w.t.Helper()
	failed := map[string]bool{}
	for _, f := range out.BatchItemFailures {
		failed[f.ItemIdentifier] = true
	}
	for _, m := range batch {
		if failed[m.MessageId] {
			continue
		}
		if err := w.queues.Delete(w.t.Context(), name, []string{m.ReceiptHandle}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// drain invokes until nothing has come for longer than anything is hidden.
func (w *world) drain() {
	w.t.Helper()
	for quiet := 0; quiet < 40; {
		if n, _ := w.invoke(); n > 0 {
			quiet = 0
			continue
		}
		quiet++
		w.clock.Add(visibility)
	}
}

// redrive puts what is dead back on the event queue, as `pushpull dead redrive` does.
func (w *world) redrive() (letters []events.SQSMessage) { return w.redriveTo("") }

// redriveTo redrives to one destination, as --only does; "" is all.
func (w *world) redriveTo(only string) (letters []events.SQSMessage) {
	w.t.Helper()
	letters = w.receive(deadQueue)
	for _, m := range letters {
		attributes := map[string]string{}
		for name, a := range m.MessageAttributes {
			attributes[name] = *a.StringValue
		}
		if only != "" {
			attributes[queue.AttributeTo] = only
		}
		if _, err := w.queues.Send(w.t.Context(), eventQueue, m.Body, attributes); err != nil {
			w.t.Fatal(err)
		}
		if err := w.queues.Delete(w.t.Context(), deadQueue, []string{m.ReceiptHandle}); err != nil {
			w.t.Fatal(err)
		}
	}
	return letters
}

func (w *world) record(key string) ledger.Record {
	w.t.Helper()
	r, err := w.ledger.Get(w.t.Context(), key)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// want fails unless the event stands so.
func (w *world) want(key string, status ledger.Status, done ...string) ledger.Record {
	w.t.Helper()
	r := w.record(key)
	if r.Status != status || strings.Join(r.Done, ",") != strings.Join(done, ",") {
		w.t.Errorf("%s is %s, done %v; want %s, done %v", key, r.Status, r.Done, status, done)
	}
	return r
}

// sink is every destination; it counts what it gets, by path and id.
type sink struct {
	url string

	mu      sync.Mutex
	got     map[string]int                                      // deliveries that were answered 2xx, by <path>/<id>
	asked   map[string]int                                      // all deliveries
	bodies  map[string]string                                   // the last body
	headers map[string]http.Header                              // the last ones
	ids     map[string][]string                                 // that were answered 2xx, by path, in their order
	now     map[string]int                                      // deliveries under way, by path
	peak    map[string]int                                      // the most of them
	answer  func(path string, n int) (status int, retry string) // to the nth delivery of an id; 200 where nil
	before  func(path string) bool                              // false breaks the connection
}

func newSink(t *testing.T) *sink {
	s := &sink{
		got: map[string]int{}, asked: map[string]int{}, bodies: map[string]string{}, headers: map[string]http.Header{},
		ids: map[string][]string{}, now: map[string]int{}, peak: map[string]int{},
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	s.enter(path, 1)
	defer s.enter(path, -1)
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	if s.before != nil && !s.before(path) {
		panic(http.ErrAbortHandler)
	}
	key := path + "/" + r.Header.Get("ce-id")
	s.asked[key]++
	s.bodies[key] = string(body)
	s.headers[key] = r.Header.Clone()
	status, retry := 200, ""
	if s.answer != nil {
		status, retry = s.answer(path, s.asked[key])
	}
	if retry != "" {
		w.Header().Set("Retry-After", retry)
	}
	if status < 300 {
		s.got[key]++
		s.ids[path] = append(s.ids[path], r.Header.Get("ce-id"))
	}
	w.WriteHeader(status)
}

// enter counts deliveries that begin, and those that end.
func (s *sink) enter(path string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now[path] += n
	s.peak[path] = max(s.peak[path], s.now[path])
}

// most is how many deliveries were under way at once.
func (s *sink) most(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.peak[path]
}

// order is what a path was given.
func (s *sink) order(path string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ids[path]
}

func (s *sink) answers(f func(path string, n int) (int, string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = f
}

func (s *sink) count(key string) (asked, got int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[key], s.got[key]
}
