package sqs

import (
	"time"

	"github.com/google/uuid"
	bolt "go.etcd.io/bbolt"
)

func newID() string { return uuid.NewString() }

// An outgoing is one message that someone sends, checked.
type outgoing struct {
	body       string
	attributes map[string]MessageAttribute
	trace      string
	group      string
	dedup      string
	delay      time.Duration
	sender     string
}

// An arrival is a message that the store has, on its way into the index.
type arrival struct {
	sequence  uint64
	record    record // without body and attributes
	duplicate bool   // nothing was stored: record is of the first one
}

// send stores messages and returns when they are durable. The order is kept.
func (q *queue) send(messages []outgoing) ([]*arrival, error) {
	var arrived []*arrival
	var gone bool
	now := q.srv.now().UnixMilli()
	size := 0
	for _, m := range messages {
		size += len(m.body) + 512
	}
	c := &change{
		size: size,
		write: func(tx *bolt.Tx) error {
			arrived, gone = nil, false
			for i := range messages {
				a, err := q.writeOne(tx, &messages[i], now)
				if err != nil {
					return err
				}
				if gone = a == nil; gone {
					return nil
				}
				arrived = append(arrived, a)
			}
			return nil
		},
		apply: func(err error) {
			if err != nil {
				q.dedup.forget(arrived)
				return
			}
			q.arrive(arrived)
		},
	}
	q.srv.store.submit(c)
	if err := c.wait(); err != nil {
		return nil, err
	}
	if gone {
		return nil, errNoQueue()
	}
	return arrived, nil
}

// writeOne runs in the writer. It returns nil where the queue was deleted.
func (q *queue) writeOne(tx *bolt.Tx, m *outgoing, now int64) (*arrival, error) {
	key := ""
	if m.dedup != "" {
		key = q.dedup.key(m, q.groupScope())
		if first, ok := q.dedup.seen(key, now); ok {
			return &arrival{sequence: first.sequence, record: record{id: first.id}, duplicate: true}, nil
		}
	}
	r := record{
		sent: now, visible: now + m.delay.Milliseconds(), id: newID(), bodyMD5: md5Hex(m.body),
		group: m.group, dedup: m.dedup, sender: m.sender, trace: m.trace,
		attributes: m.attributes, body: m.body,
	}
	a, err := q.write(tx, &r)
	if a == nil || err != nil || key == "" {
		return a, err
	}
	return a, q.dedup.remember(tx, q.number, key, firstSent{at: now, sequence: a.sequence, id: r.id})
}

// fillPercent is how full a page gets before it is split. Messages are added at the
// end only, so what a split leaves free in the page before it would stay free.
const fillPercent = 0.95

// write stores a record under the next sequence number. It runs in the writer,
// and returns nil where the queue was deleted.
func (q *queue) write(tx *bolt.Tx, r *record) (*arrival, error) {
	messages := tx.Bucket(bucketMessages).Bucket(number(q.number))
	if messages == nil {
		return nil, nil
	}
	messages.FillPercent = fillPercent
	seq, err := messages.NextSequence()
	if err != nil {
		return nil, err
	}
	if err := messages.Put(number(seq), r.encode()); err != nil {
		return nil, err
	}
	kept := *r
	kept.body, kept.attributes = "", nil
	return &arrival{sequence: seq, record: kept}, nil
}

// arrive lets stored messages into the index. It takes the lock.
func (q *queue) arrive(arrived []*arrival) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.srv.now().UnixMilli()
	for _, a := range arrived {
		if !a.duplicate {
			q.insert(a.entry(), a.record.group, now)
		}
	}
}

func (a *arrival) entry() *entry {
	return &entry{
		sequence: a.sequence, at: a.record.visible, sent: a.record.sent,
		first: a.record.first, prior: a.record.prior, pos: -1,
	}
}

func (q *queue) isFIFO() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.settings.fifo
}

func (q *queue) groupScope() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.settings.groupScope
}
