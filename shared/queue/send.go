package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"pushpull/shared/awslite"
)

// How hard Send tries. The API makes each call again itself where the call as a
// whole fails; these are for the messages that the queue refused one by one.
const (
	maxConcurrent = 4 // calls at once
	maxAttempts   = 6 // for each message
	firstDelay    = 50 * time.Millisecond
	longestDelay  = 2 * time.Second
)

// A RefusedError says which messages were not taken. All others were.
type RefusedError struct {
	Queue    string    // its name
	Total    int       // messages that were to be sent
	Failures []Failure // Index is that of the message in Send's arguments
	Err      error     // of a call that failed as a whole; nil where each message was refused on its own
}

func (e *RefusedError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "queue %s: did not take %d of %d messages", e.Queue, len(e.Failures), e.Total)
	const shown = 3
	for i, f := range e.Failures {
		if i == shown {
			fmt.Fprintf(&text, "; and %d more", len(e.Failures)-shown)
			break
		}
		fmt.Fprintf(&text, "; message %d: %s: %s", f.Index, f.Code, f.Message)
	}
	return text.String()
}

// Unwrap returns the error of the call that failed as a whole, if one did.
func (e *RefusedError) Unwrap() error { return e.Err }

// Send sends any number of messages, in as few calls as the limits allow. What
// the queue refused for a passing reason is tried again while ctx lasts. The
// error is a *RefusedError; what it does not list was taken.
//
// A message may be sent twice, where the answer to a call was lost.
func (q *Queue) Send(ctx context.Context, messages ...Message) error {
	if len(messages) == 0 {
		return nil
	}
	refused := &RefusedError{Queue: name(q.url), Total: len(messages)}
	batches := q.pack(messages, refused)
	if len(batches) == 1 { // the receiver's way: no goroutine for one event
		q.sendBatch(ctx, messages, batches[0], refused.add)
	} else {
		q.sendBatches(ctx, messages, batches, refused)
	}
	if len(refused.Failures) > 0 {
		return refused
	}
	return nil
}

// sendBatches sends several batches at once; those of a FIFO queue one after
// the other, as order is what it is for.
func (q *Queue) sendBatches(ctx context.Context, messages []Message, batches [][]int, refused *RefusedError) {
	slots := maxConcurrent
	if q.fifo {
		slots = 1
	}
	var (
		wait sync.WaitGroup
		mu   sync.Mutex
		next int
	)
	add := func(err error, failures ...Failure) {
		mu.Lock()
		defer mu.Unlock()
		refused.add(err, failures...)
	}
	take := func() []int {
		mu.Lock()
		defer mu.Unlock()
		if next == len(batches) {
			return nil
		}
		next++
		return batches[next-1]
	}
	for range min(slots, len(batches)) {
		wait.Go(func() {
			for batch := take(); batch != nil; batch = take() {
				q.sendBatch(ctx, messages, batch, add)
			}
		})
	}
	wait.Wait()
}

func (e *RefusedError) add(err error, failures ...Failure) {
	e.Failures = append(e.Failures, failures...)
	if e.Err == nil {
		e.Err = err
	}
}

// pack divides the messages into batches under the limits, in their order. A
// batch is the indexes of its messages. What no queue would take is refused here.
func (q *Queue) pack(messages []Message, refused *RefusedError) [][]int {
	batches := make([][]int, 0, len(messages)/maxBatch+1)
	var batch []int
	var bytes int
	for i, m := range messages {
		if f := check(m, q.fifo); f != nil {
			f.Index = i
			refused.add(nil, *f)
			continue
		}
		n := size(m)
		if len(batch) > 0 && (len(batch) == maxBatch || bytes+n > batchBytes) {
			batches = append(batches, batch)
			batch, bytes = nil, 0
		}
		batch = append(batch, i)
		bytes += n
	}
	if len(batch) > 0 {
		batches = append(batches, batch)
	}
	return batches
}

// sendBatch sends the messages with these indexes, and again those that were
// refused for a passing reason, and reports the ones that are left.
func (q *Queue) sendBatch(ctx context.Context, messages []Message, indexes []int, report func(error, ...Failure)) {
	for n := 1; ; n++ {
		batch := make([]Message, len(indexes))
		for i, index := range indexes {
			batch[i] = messages[index]
		}
		failures, err := q.api.SendBatch(ctx, q.url, batch)
		if err != nil {
			report(err, all(indexes, err)...)
			return
		}
		passing := failures[:0]
		for _, f := range failures {
			f.Index = indexes[f.Index]
			if f.Sender && !awslite.ThrottleCode(f.Code) {
				report(nil, f)
				continue
			}
			passing = append(passing, f)
		}
		if len(passing) == 0 {
			return
		}
		if n == maxAttempts || !q.wait(ctx, n) {
			report(ctx.Err(), passing...)
			return
		}
		indexes = make([]int, len(passing))
		for i, f := range passing {
			indexes[i] = f.Index
		}
	}
}

// all returns a failure for each message of a call that failed as a whole.
func all(indexes []int, err error) []Failure {
	code := "NoAnswer"
	sender := false
	if e, ok := errors.AsType[*awslite.Error](err); ok {
		code, sender = e.Code, !e.Passing()
	}
	failures := make([]Failure, len(indexes))
	for i, index := range indexes {
		failures[i] = Failure{Index: index, Code: code, Message: err.Error(), Sender: sender}
	}
	return failures
}

// wait waits before attempt n+1, with full jitter, and reports false where the
// caller's time would be up before.
func (q *Queue) wait(ctx context.Context, n int) bool {
	d := time.Duration(q.jitter() * float64(min(firstDelay<<(n-1), longestDelay)))
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// name returns the name of a queue for people, the end of its URL.
func name(url string) string { return url[strings.LastIndexByte(url, '/')+1:] }
