package sqs

import (
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"
)

// remove deletes messages by their receipt handles. The answer has an error, or
// nil, for each handle; the second error says that the store did not take it.
// A handle of a message that is gone, or was received again since, is no error.
func (q *queue) remove(handles []string) ([]*Error, error) {
	refused := make([]*Error, len(handles))
	var gone []*entry
	q.mu.Lock()
	now := q.srv.now().UnixMilli()
	for i, handle := range handles {
		e, err := q.held(handle)
		switch {
		case err != nil:
			refused[i] = err
		case e == nil:
		case q.settings.fifo && e.at <= now:
			refused[i] = errValue(shorten(handle), "ReceiptHandle", "The receipt handle has expired.")
		default:
			q.drop(e)
			gone = append(gone, e)
		}
	}
	if len(gone) == 0 {
		q.mu.Unlock()
		return refused, nil
	}
	c := q.dropChange(gone)
	q.srv.store.submit(c)
	q.mu.Unlock()
	return refused, c.wait()
}

// held finds the message of a handle: nil where it is gone or was received again.
// It needs the lock.
func (q *queue) held(handle string) (*entry, *Error) {
	if q.deleted {
		return nil, errNoQueue()
	}
	r, ok := parseReceipt(handle, q.number)
	if !ok {
		return nil, errHandle(handle)
	}
	e := q.entries[r.sequence]
	if e == nil || e.receives != r.receives {
		return nil, nil
	}
	return e, nil
}

// A hold is a new visibility timeout for a message in flight.
type hold struct {
	handle  string
	timeout time.Duration
}

// extend changes how long messages in flight stay invisible; zero gives one back
// at once. The answer is as remove's.
func (q *queue) extend(holds []hold) ([]*Error, error) {
	refused := make([]*Error, len(holds))
	var states []stateChange
	q.mu.Lock()
	now := q.srv.now().UnixMilli()
	q.advance(now)
	for i, h := range holds {
		e, err := q.held(h.handle)
		switch {
		case err != nil:
			refused[i] = err
		case e == nil:
			refused[i] = errValue(shorten(h.handle), "ReceiptHandle", "Message does not exist or is not available for visibility timeout change.")
		case e.where != inFlight:
			refused[i] = serviceError("MessageNotInflight", "The message is not in flight: its visibility timeout ran out.")
		default:
			q.rehold(e, now+h.timeout.Milliseconds(), now)
			states = append(states, e.state())
		}
	}
	if len(states) == 0 {
		q.mu.Unlock()
		return refused, nil
	}
	c := &change{size: 64 * len(states), write: func(tx *bolt.Tx) error { return putStates(tx, q.number, states) }}
	q.srv.store.submit(c)
	q.mu.Unlock()
	return refused, c.wait()
}

// giveBack makes every message in flight visible. It is not written down: who
// opens the queue anew gives back anew.
func (q *queue) giveBack() {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.srv.now().UnixMilli()
	for _, e := range q.entries {
		if e.where == inFlight {
			q.rehold(e, now, now)
		}
	}
	q.announce()
}

func (q *queue) rehold(e *entry, until, now int64) {
	q.detach(e)
	e.at = until
	if until > now {
		q.makeWait(e, inFlight)
		return
	}
	q.makeReady(e)
}

// sweepEvery is how often expired messages that nobody receives are looked for.
const sweepEvery = time.Minute

// sweep deletes what the queue has kept for too long. It takes the lock.
func (q *queue) sweep(now time.Time) {
	ms := now.UnixMilli()
	q.mu.Lock()
	if q.deleted || ms-q.swept < sweepEvery.Milliseconds() {
		q.mu.Unlock()
		return
	}
	q.swept = ms
	var old []*entry
	for _, e := range q.entries {
		if q.expired(e, ms) {
			old = append(old, e)
		}
	}
	for _, e := range old {
		q.drop(e)
	}
	var pending []*change
	for some := range slices.Chunk(old, maxExpired) {
		c := q.dropChange(some)
		q.srv.store.submit(c)
		pending = append(pending, c)
	}
	q.mu.Unlock()
	for _, c := range pending {
		_ = c.wait() // a failure is logged, and the index built again
	}
}
