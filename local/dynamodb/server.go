// Package dynamodb is a DynamoDB-compatible endpoint in one file on disk, for
// developing: what the SDKs, boto3 and the aws command line send over HTTP is
// answered as AWS answers it, and what is not supported is refused by name,
// never answered wrongly.
//
// Its one invariant: an answered write is in the file, with its index entries,
// in one transaction; kill -9 loses nothing that was answered.
package dynamodb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"
)

// Options are what a Server may be told; the zero value is good.
type Options struct {
	Now       func() time.Time // the clock; time.Now where nil
	Rand      func() float64   // at least 0 and below 1, for the faults' rates; math/rand where nil
	Region    string           // in ARNs; us-east-1 where empty
	AccountID string           // in ARNs; 000000000000 where empty
	Logger    *slog.Logger     // discards where nil
	SweepTTL  time.Duration    // between two sweeps of expired items; 10 s where 0
}

// A Server is the endpoint. It may be used by many goroutines at once.
type Server struct {
	db      *bbolt.DB
	commits *committer
	opts    Options
	faults  faults

	mu     sync.RWMutex
	tables map[string]*table

	stop       context.CancelFunc
	background sync.WaitGroup
}

// Open opens or makes the file at path, and goes on with what a kill cut off.
// Close must be called.
func Open(path string, opts Options) (*Server, error) {
	opts = opts.withDefaults()
	db, err := openFile(path)
	if err != nil {
		return nil, err
	}
	tables, err := loadTables(db)
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Server{db: db, commits: newCommitter(db), opts: opts, tables: tables, stop: stop}
	s.resumeBackfills(ctx)
	s.background.Go(func() { s.sweepLoop(ctx) })
	return s, nil
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.AccountID == "" {
		o.AccountID = "000000000000"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.SweepTTL == 0 {
		o.SweepTTL = 10 * time.Second
	}
	return o
}

// Close ends the background work, writes all to the disk and closes the file.
// Calls that are under way fail.
func (s *Server) Close() error {
	s.stop()
	s.commits.close()
	s.background.Wait()
	return errors.Join(s.db.Sync(), s.db.Close())
}

func (s *Server) now() time.Time { return s.opts.Now() }

func (s *Server) table(name string) (*table, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t, found := s.tables[name]
	if !found {
		return nil, tableNotFound()
	}
	return t, nil
}

// tableOf is the table that a request names, by name or ARN.
func (s *Server) tableOf(q *request) (*table, error) {
	if q.table == "" {
		return nil, missingMember("tableName")
	}
	return s.table(nameOf(q.table))
}

// nameOf is the name in a table's ARN, or the name itself.
func nameOf(nameOrARN string) string {
	if strings.HasPrefix(nameOrARN, "arn:") {
		_, name, _ := strings.Cut(nameOrARN, ":table/")
		return name
	}
	return nameOrARN
}

// ServeHTTP answers the AWS JSON 1.0 protocol at /, whatever the signature,
// and the faults at /_faults.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/_faults" {
		s.serveFaults(w, r)
		return
	}
	if r.Method == http.MethodGet {
		_, _ = fmt.Fprintf(w, "healthy: dynamodb.%s\n", s.opts.Region)
		return
	}
	name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "DynamoDB_20120810.")
	if r.Method != http.MethodPost || !ok {
		s.refuse(w, r, failf(codeUnknownOperation, "expected a POST with the header X-Amz-Target: DynamoDB_20120810.<operation>"))
		return
	}
	answer, err := s.call(w, r, name)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	send(w, http.StatusOK, answer)
}

func (s *Server) call(w http.ResponseWriter, r *http.Request, name string) ([]byte, error) {
	body, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	if op, found := itemOperations[name]; found {
		return s.callItems(name, op, body)
	}
	if run, found := tableOperations[name]; found {
		return s.callTables(name, run, body)
	}
	return nil, unknownOperation(name)
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	reader := http.MaxBytesReader(w, r.Body, maxRequestBytes)
	var body []byte
	var err error
	if n := r.ContentLength; n > 0 && n <= maxRequestBytes {
		body = make([]byte, n)
		_, err = io.ReadFull(reader, body)
	} else {
		body, err = io.ReadAll(reader)
	}
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, &apiError{status: http.StatusRequestEntityTooLarge, code: "RequestEntityTooLarge", message: "the request is larger than " + strconv.Itoa(maxRequestBytes) + " bytes"}
	}
	if err != nil {
		return nil, failf(codeSerialization, "the request body ended early: %v", err)
	}
	return body, nil
}

// callItems runs a call that reads or writes items.
func (s *Server) callItems(name string, op itemOperation, body []byte) ([]byte, error) {
	r := &reader{data: body}
	q, err := readRequest(r, op.fields, op.special)
	if err == nil {
		err = r.end()
	}
	if err != nil {
		return nil, err
	}
	if err := s.faults.check(name, q.tables(), s.opts.Rand); err != nil {
		return nil, err
	}
	return op.run(s, q)
}

// callTables runs a call about tables as a whole; there are few of them.
func (s *Server) callTables(name string, run func(*Server, []byte) (any, error), body []byte) ([]byte, error) {
	var named struct{ TableName string }
	_ = json.Unmarshal(body, &named) // the call itself says what is wrong
	if err := s.faults.check(name, []string{named.TableName}, s.opts.Rand); err != nil {
		return nil, err
	}
	answer, err := run(s, body)
	if err != nil {
		return nil, err
	}
	return json.Marshal(answer)
}

// refuse answers with an error; what is not meant for the client is logged and
// not shown.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var e *apiError
	if !errors.As(err, &e) {
		s.opts.Logger.ErrorContext(r.Context(), "a DynamoDB call failed", "target", r.Header.Get("X-Amz-Target"), "error", err)
		e = &apiError{status: http.StatusInternalServerError, code: codeInternal, message: "Internal server error"}
	}
	o := beginObject(nil)
	o.text("__type", qualified(e.code))
	message := "message"
	if e.code == codeCancelled {
		message = "Message"
	}
	o.text(message, e.message)
	if e.item != nil {
		o.item("Item", e.item)
	}
	if e.reasons != nil {
		o.list("CancellationReasons", len(e.reasons), func(b []byte, i int) []byte { return e.reasons[i].appendJSON(b) })
	}
	send(w, e.status, o.close())
}

func (c cancellationReason) appendJSON(b []byte) []byte {
	o := beginObject(b)
	o.text("Code", c.code)
	if c.message != "" {
		o.text("Message", c.message)
	}
	if c.item != nil {
		o.item("Item", c.item)
	}
	return o.close()
}

func send(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/x-amz-json-1.0")
	h.Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10))
	h.Set("X-Amzn-Requestid", uuid.NewString())
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec // the client may be gone; JSON with its content type is no page
}
