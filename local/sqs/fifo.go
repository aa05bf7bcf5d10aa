package sqs

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"
)

// dedupWindow is how long SQS remembers a deduplication id.
const dedupWindow = 5 * time.Minute

// sequenceBase makes sequence numbers of twenty digits, as AWS has them, so that
// they sort as text too.
const sequenceBase = 18_000_000_000_000_000_000

func sequenceNumber(sequence uint64) string { return fmt.Sprintf("%d", sequenceBase+sequence) }

// contentID is the deduplication id of a message that has none of its own: the
// hash of its body, not of its attributes.
func contentID(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

// A firstSent is the message that a duplicate is a duplicate of.
type firstSent struct {
	at       int64 // unix milliseconds
	sequence uint64
	id       string
}

// A dedup remembers what was sent to a FIFO queue in the last five minutes. Only
// the writer uses it, in memory and in the store.
type dedup struct {
	first map[string]firstSent
	order []dedupKey // oldest first
}

type dedupKey struct {
	key string
	at  int64
}

func (d *dedup) reset() { d.first, d.order = map[string]firstSent{}, nil }

func (d *dedup) key(m *outgoing, groupScope bool) string {
	if groupScope {
		return m.group + "\x00" + m.dedup
	}
	return m.dedup
}

func (d *dedup) seen(key string, now int64) (firstSent, bool) {
	f, ok := d.first[key]
	return f, ok && now-f.at < dedupWindow.Milliseconds()
}

// remember also drops, from the store as well, what is older than the window.
func (d *dedup) remember(tx *bolt.Tx, queue uint64, key string, f firstSent) error {
	b := tx.Bucket(bucketDedup).Bucket(number(queue))
	for len(d.order) > 0 && f.at-d.order[0].at >= dedupWindow.Milliseconds() {
		old := d.order[0]
		d.order = d.order[1:]
		if d.first[old.key].at != old.at {
			continue // sent again since
		}
		delete(d.first, old.key)
		if err := b.Delete([]byte(old.key)); err != nil {
			return err
		}
	}
	d.first[key] = f
	d.order = append(d.order, dedupKey{key, f.at})
	return putJSON(b, []byte(key), dedupRecord{At: f.at, Sequence: f.sequence, ID: f.id})
}

// forget takes back what a transaction that failed had remembered.
func (d *dedup) forget(arrived []*arrival) {
	for key, f := range d.first {
		for _, a := range arrived {
			if !a.duplicate && f.sequence == a.sequence {
				delete(d.first, key)
			}
		}
	}
}

type dedupRecord struct {
	At       int64  `json:"at"`
	Sequence uint64 `json:"sequence"`
	ID       string `json:"id"`
}

// load reads what the store remembers.
func (d *dedup) load(b *bolt.Bucket) error {
	d.reset()
	err := b.ForEach(func(k, v []byte) error {
		var r dedupRecord
		if err := json.Unmarshal(v, &r); err != nil {
			return err
		}
		d.first[string(k)] = firstSent{at: r.At, sequence: r.Sequence, id: r.ID}
		d.order = append(d.order, dedupKey{string(k), r.At})
		return nil
	})
	slices.SortFunc(d.order, func(a, b dedupKey) int { return cmp.Compare(a.at, b.at) })
	return err
}

// An attempt is what a receive with a ReceiveRequestAttemptId got, so that the
// same request again, after a broken connection, gets the same messages.
type attempt struct {
	until    int64 // unix milliseconds
	receipts []receipt
}

// repeat returns the messages of an earlier attempt, if all are still in flight
// under the receipts that it got. It needs the queue's lock.
func (q *queue) repeat(id string, now, until int64) ([]*entry, bool) {
	for old, a := range q.attempts {
		if a.until <= now {
			delete(q.attempts, old)
		}
	}
	a, ok := q.attempts[id]
	if id == "" || !ok {
		return nil, false
	}
	var entries []*entry
	for _, r := range a.receipts {
		e := q.entries[r.sequence]
		if e == nil || e.where != inFlight || e.receives != r.receives {
			return nil, false
		}
		entries = append(entries, e)
	}
	for _, e := range entries {
		q.detach(e)
		e.at = until
		q.makeWait(e, inFlight)
	}
	return entries, true
}

func (q *queue) rememberAttempt(id string, entries []*entry, now int64) {
	if id == "" {
		return
	}
	a := attempt{until: now + dedupWindow.Milliseconds()}
	for _, e := range entries {
		a.receipts = append(a.receipts, receipt{queue: q.number, sequence: e.sequence, receives: e.receives})
	}
	q.attempts[id] = a
}
