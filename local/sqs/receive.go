package sqs

import (
	"context"
	"strconv"
	"time"

	bolt "go.etcd.io/bbolt"
)

// A receiveRequest is a ReceiveMessage call, checked.
type receiveRequest struct {
	max        int
	wait       time.Duration
	visibility time.Duration
	attempt    string
}

// A delivery is an entry as it was when it was taken.
type delivery struct {
	sequence uint64
	receives uint32
	prior    uint32
	first    int64
}

// receive waits for messages as long as the request says, and returns when their
// receives are durable. None is no error.
func (q *queue) receive(ctx context.Context, r receiveRequest) ([]Message, error) {
	deadline := q.srv.now().Add(r.wait)
	for {
		messages, wait, err := q.receiveNow(r)
		if err != nil || len(messages) > 0 {
			return messages, err
		}
		now := q.srv.now()
		// Where nobody is there any more to take a message, none is taken.
		again := now.Before(deadline) && wait.sleep(ctx, q.srv.closed, until(deadline, wait.next).Sub(now))
		q.stopWaiting()
		if !again {
			return nil, nil
		}
	}
}

// A pause is what to wait for when there is nothing to receive.
type pause struct {
	wake <-chan struct{}
	next time.Time // when a message becomes visible by itself, or zero
}

// until is the earlier of a deadline and the time that a message is due, if any is.
func until(deadline, next time.Time) time.Time {
	if !next.IsZero() && next.Before(deadline) {
		return next
	}
	return deadline
}

// sleep waits for at most d, and says whether it is worth looking again.
func (p pause) sleep(ctx context.Context, closed <-chan struct{}, d time.Duration) bool {
	// A message is due at a whole millisecond, which the timer must not be short of.
	timer := time.NewTimer(d + time.Millisecond/2)
	defer timer.Stop()
	select {
	case <-p.wake:
	case <-timer.C:
	case <-closed:
		return false
	case <-ctx.Done():
		return false
	}
	return true
}

func (q *queue) stopWaiting() {
	q.mu.Lock()
	q.waiters--
	q.mu.Unlock()
}

// receiveNow takes what is visible. Where that is nothing, the caller is counted
// as a waiter, so that nothing that arrives from then on goes unnoticed.
func (q *queue) receiveNow(r receiveRequest) ([]Message, pause, error) {
	now := q.srv.now().UnixMilli()
	until := now + r.visibility.Milliseconds()

	q.mu.Lock()
	if q.deleted {
		q.mu.Unlock()
		return nil, pause{}, errNoQueue()
	}
	q.advance(now)
	if again := q.takeAgain(r.max); len(again) > 0 {
		q.mu.Unlock()
		return again, pause{}, nil
	}
	if q.inFlight >= maxInFlight {
		fifo := q.settings.fifo
		if !fifo && r.wait == 0 {
			q.mu.Unlock()
			return nil, pause{}, clientError("OverLimit", "%d messages of the queue are in flight, which is as many as may be: delete some.", maxInFlight)
		}
		return nil, q.pause(), nil
	}
	var h harvest
	var repeated bool
	if h.taken, repeated = q.repeat(r.attempt, now, until); !repeated {
		h = q.take(min(r.max, maxInFlight-q.inFlight), now, until)
	}
	pending := q.submitHarvest(h)
	if len(h.taken) == 0 && len(pending) == 0 {
		return nil, q.pause(), nil
	}
	q.rememberAttempt(r.attempt, h.taken, now)
	deliveries := make([]delivery, len(h.taken))
	for i, e := range h.taken {
		deliveries[i] = delivery{e.sequence, e.receives, e.prior, e.first}
	}
	q.mu.Unlock()

	messages, err := q.load(deliveries)
	for _, c := range pending {
		if failed := c.wait(); failed != nil && err == nil {
			err = failed
		}
	}
	if err == nil && len(messages) == 0 {
		return q.receiveNow(r) // all of it was expired or dead
	}
	q.srv.maybeRepeat(q, messages)
	return messages, pause{}, err
}

// pause counts the caller as a waiter and lets go of the lock.
func (q *queue) pause() pause {
	p := pause{wake: q.wake}
	p.next, _ = q.nextAt()
	q.waiters++
	q.mu.Unlock()
	return p
}

// submitHarvest hands the durable half of a harvest to the writer, under the
// lock, so that it comes before whatever the receivers of these messages do next.
func (q *queue) submitHarvest(h harvest) []*change {
	var pending []*change
	submit := func(c *change) {
		q.srv.store.submit(c)
		pending = append(pending, c)
	}
	if len(h.taken) > 0 {
		states := make([]stateChange, len(h.taken))
		for i, e := range h.taken {
			states[i] = e.state()
		}
		submit(&change{size: 64 * len(states), write: func(tx *bolt.Tx) error {
			return putStates(tx, q.number, states)
		}})
	}
	if len(h.expired) > 0 {
		submit(q.dropChange(h.expired))
	}
	if len(h.dead) > 0 {
		submit(move{from: q, to: q.srv.byARN(q.settings.redrive.target), entries: h.dead}.change(q.srv))
	}
	return pending
}

func (e *entry) state() stateChange {
	return stateChange{e.sequence, state{visible: e.at, first: e.first, receives: e.receives}}
}

func (q *queue) dropChange(entries []*entry) *change {
	sequences := make([]uint64, len(entries))
	for i, e := range entries {
		sequences[i] = e.sequence
	}
	return &change{size: 64 * len(entries), write: func(tx *bolt.Tx) error {
		return dropMessages(tx, q.number, sequences)
	}}
}

// load reads the messages of deliveries. One that was deleted meanwhile is left out.
func (q *queue) load(deliveries []delivery) ([]Message, error) {
	if len(deliveries) == 0 {
		return nil, nil
	}
	messages := make([]Message, 0, len(deliveries))
	err := q.srv.store.db.View(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketMessages).Bucket(number(q.number))
		if b == nil {
			return errNoQueue()
		}
		for _, d := range deliveries {
			raw := b.Get(number(d.sequence))
			if raw == nil {
				q.discard(d.sequence)
				continue
			}
			r, err := decodeRecord(raw)
			if err != nil {
				return err
			}
			messages = append(messages, q.message(d, &r))
		}
		return nil
	})
	return messages, err
}

// discard takes out of the index what the store does not have.
func (q *queue) discard(sequence uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if e := q.entries[sequence]; e != nil {
		q.drop(e)
	}
}

func (q *queue) message(d delivery, r *record) Message {
	handle := receipt{queue: q.number, sequence: d.sequence, receives: d.receives}.handle()
	m := Message{
		MessageID: r.id, ReceiptHandle: handle, Body: r.body, MD5OfBody: r.bodyMD5,
		MessageAttributes: r.attributes,
		Attributes: map[string]string{
			attrSenderID:     r.sender,
			attrSent:         strconv.FormatInt(r.sent, 10),
			attrReceiveCount: strconv.FormatUint(uint64(d.prior)+uint64(d.receives), 10),
			attrFirstReceive: strconv.FormatInt(d.first, 10),
		},
	}
	for name, value := range map[string]string{attrGroup: r.group, attrDedup: r.dedup, attrTrace: r.trace, attrDLQSource: r.source} {
		if value != "" {
			m.Attributes[name] = value
		}
	}
	if r.dedup != "" { // only FIFO queues have deduplication ids
		m.Attributes[attrSequence] = sequenceNumber(d.sequence)
	}
	return m
}
