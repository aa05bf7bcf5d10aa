package main

import (
	"context"
	"crypto/md5" // SQS answers with it, and the SDK checks it
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// serve serves on a free port of this machine until ctx is done.
func serve(ctx context.Context, handler http.Handler) (address string, err error) {
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() { _ = server.Serve(listener) }() // ends with ctx
	return listener.Addr().String(), nil
}

// kept counts what the services were given.
type kept struct{ messages, bodies atomic.Int64 }

func (k *kept) reset() {
	k.messages.Store(0)
	k.bodies.Store(0)
}

func (k *kept) counts() (messages, bodies int) {
	return int(k.messages.Load()), int(k.bodies.Load())
}

// ServeHTTP is an SQS and an S3 that take everything at once and keep nothing but its number.
func (k *kept) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut {
		k.bodies.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		return
	}
	k.queue(w, r)
}

func (k *kept) queue(w http.ResponseWriter, r *http.Request) {
	type entry struct {
		ID          string `json:"Id,omitempty"`
		MessageBody string `json:"MessageBody"`
	}
	type taken struct {
		ID        string `json:"Id,omitempty"`
		MessageID string `json:"MessageId"`
		MD5       string `json:"MD5OfMessageBody"`
	}
	var call struct {
		entry
		Entries []entry
	}
	if err := json.NewDecoder(r.Body).Decode(&call); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	take := func(e entry) taken {
		k.messages.Add(1)
		sum := md5.Sum([]byte(e.MessageBody))
		return taken{ID: e.ID, MessageID: "5fea7756-0ea4-451a-a703-a558b933e274", MD5: hex.EncodeToString(sum[:])}
	}
	var answer any
	if r.Header.Get("X-Amz-Target") == "AmazonSQS.SendMessageBatch" {
		var batch struct{ Successful []taken }
		for _, e := range call.Entries {
			batch.Successful = append(batch.Successful, take(e))
		}
		answer = batch
	} else {
		answer = take(call.entry)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_ = json.NewEncoder(w).Encode(answer) // what is wrong with it is the caller's to say
}

// A runtimeAPI is the side of Lambda that a function talks to. It hands out one
// invocation so many times and notes when each was taken and answered.
type runtimeAPI struct {
	job job

	ready    chan time.Time // when the function first asked for one
	done     chan struct{}  // closed when all are answered
	failed   chan error
	handed   int // touched by one request at a time, as the function makes them
	at       time.Time
	first    time.Time // when the first was answered
	duration []time.Duration
	status   int // of the last answer
}

func newRuntimeAPI(j job) *runtimeAPI {
	if j.patience == 0 {
		j.patience = 10 * time.Second
	}
	return &runtimeAPI{
		job:   j,
		ready: make(chan time.Time, 1), done: make(chan struct{}), failed: make(chan error, 1),
		duration: make([]time.Duration, 0, j.events),
	}
}

const runtimePath = "/2018-06-01/runtime/"

func (a *runtimeAPI) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+runtimePath+"invocation/next", a.next)
	mux.HandleFunc("POST "+runtimePath+"invocation/{id}/response", a.response)
	mux.HandleFunc("POST "+runtimePath+"invocation/{id}/error", a.fault)
	mux.HandleFunc("POST "+runtimePath+"init/error", a.fault)
	return mux
}

func (a *runtimeAPI) next(w http.ResponseWriter, r *http.Request) {
	if a.handed == 0 {
		a.ready <- time.Now()
	}
	if a.handed == a.job.events {
		<-r.Context().Done() // there is no more: wait as Lambda would, until the function is ended
		return
	}
	a.handed++
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Lambda-Runtime-Aws-Request-Id", fmt.Sprintf("8476a536-e9f4-11e8-9739-%012d", a.handed))
	header.Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(a.job.patience).UnixMilli()))
	header.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:123456789012:function:receiver")
	header.Set("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0")
	a.at = time.Now()
	_, _ = w.Write(a.job.payload)
}

func (a *runtimeAPI) response(w http.ResponseWriter, r *http.Request) {
	answer, err := io.ReadAll(r.Body)
	at := time.Now()
	a.duration = append(a.duration, at.Sub(a.at))
	if a.first.IsZero() {
		a.first = at
	}
	w.WriteHeader(http.StatusAccepted)
	var status struct {
		StatusCode int `json:"statusCode"`
	}
	if err == nil {
		err = json.Unmarshal(answer, &status)
	}
	a.status = status.StatusCode
	if err != nil || a.status/100 != 2 && !a.job.any {
		a.fail(fmt.Errorf("the function answered %.256s, %w", answer, err))
		return
	}
	if len(a.duration) == a.job.events {
		close(a.done)
	}
}

func (a *runtimeAPI) fault(w http.ResponseWriter, r *http.Request) {
	text, _ := io.ReadAll(io.LimitReader(r.Body, 4<<10))
	w.WriteHeader(http.StatusAccepted)
	a.fail(fmt.Errorf("the function failed: %s", text))
}

func (a *runtimeAPI) fail(err error) {
	select {
	case a.failed <- err:
	default: // the first says what is wrong
	}
}
