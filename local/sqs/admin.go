package sqs

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	bolt "go.etcd.io/bbolt"
)

// CreateQueue makes a queue, and returns the one that is there if its attributes
// are those given. Other attributes are a QueueNameExists error.
func (s *Server) CreateQueue(name string, attributes map[string]string) (url, arn string, err error) {
	if err := s.create(name, attributes, nil); err != nil {
		return "", "", err
	}
	return s.QueueURL(name), s.arn(name), nil
}

// EnsureQueue makes a queue or gives the one that is there these attributes; those
// that it has and that are not named go back to their defaults. A dead-letter queue
// must be made before the queues that use it.
func (s *Server) EnsureQueue(name string, attributes map[string]string) (url, arn string, err error) {
	if q := s.queue(name); q != nil {
		err = q.replaceAttributes(attributes)
	} else {
		err = s.create(name, attributes, nil)
	}
	if err != nil {
		return "", "", err
	}
	return s.QueueURL(name), s.arn(name), nil
}

func (s *Server) create(name string, attributes, tags map[string]string) error {
	_, fifo := attributes[attrFifo]
	if err := checkQueueName(name, fifo); err != nil {
		return err
	}
	set, refused := understand(attributes)
	if refused != nil {
		return refused
	}
	if q := s.queue(name); q != nil {
		return q.sameAttributes(attributes)
	}
	if refused := s.checkDeadLetters(name, set); refused != nil {
		return refused
	}
	if set.wantsCipher {
		s.log.Warn("the queue asks for encryption, which there is none of on one machine", "queue", name)
	}
	now := s.now().Unix()
	rec := queueRecord{Attributes: present(attributes), Tags: maps.Clone(tags), Created: now, Modified: now}
	return s.add(name, rec, set)
}

// add stores a queue and lets it into the list. Where someone else was quicker,
// theirs stays.
func (s *Server) add(name string, rec queueRecord, set settings) error {
	exists := false
	c := &change{
		size: 4096,
		write: func(tx *bolt.Tx) error {
			b := tx.Bucket(bucketQueues)
			if exists = b.Get([]byte(name)) != nil; exists {
				return nil
			}
			n, err := b.NextSequence()
			if err != nil {
				return err
			}
			rec.Number = n
			if err := createBuckets(tx, n); err != nil {
				return err
			}
			return putJSON(b, []byte(name), rec)
		},
		apply: func(err error) {
			if err != nil || exists {
				return
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			s.queues[name] = newQueue(s, name, rec, set)
		},
	}
	s.store.submit(c)
	if err := c.wait(); err != nil || !exists {
		return err
	}
	if q := s.queue(name); q != nil {
		return q.sameAttributes(rec.Attributes)
	}
	return nil
}

// present leaves out what is empty, which is how an attribute is taken away.
func present(attributes map[string]string) map[string]string {
	kept := maps.Clone(attributes)
	maps.DeleteFunc(kept, func(_, v string) bool { return v == "" })
	return kept
}

func (q *queue) sameAttributes(attributes map[string]string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if have, _ := effective(q.record.Attributes, name); have != attributes[name] {
			return errQueueExists(name)
		}
	}
	return nil
}

// setAttributes changes some attributes; an empty value takes one away.
func (q *queue) setAttributes(attributes map[string]string) error {
	q.mu.Lock()
	merged := maps.Clone(q.record.Attributes)
	q.mu.Unlock()
	if merged == nil {
		merged = map[string]string{}
	}
	maps.Copy(merged, attributes)
	return q.replaceAttributes(merged)
}

func (q *queue) replaceAttributes(attributes map[string]string) error {
	set, refused := understand(attributes)
	if refused != nil {
		return refused
	}
	q.mu.Lock()
	wasFIFO := q.settings.fifo
	q.mu.Unlock()
	if set.fifo != wasFIFO {
		return errAttributeName(attrFifo)
	}
	if refused := q.srv.checkDeadLetters(q.name, set); refused != nil {
		return refused
	}
	return q.update(func(rec *queueRecord) { rec.Attributes = present(attributes) }, func() { q.settings = set })
}

// update changes what the store keeps of the queue and then, under the lock, what
// the index has of it.
func (q *queue) update(edit func(*queueRecord), apply func()) error {
	var rec queueRecord
	var gone bool
	c := &change{
		size: 4096,
		write: func(tx *bolt.Tx) error {
			// As stored, not as in the index: an earlier change may be in this transaction.
			var there bool
			rec, there = q.stored(tx)
			if gone = !there; gone {
				return nil
			}
			edit(&rec)
			rec.Modified = q.srv.now().Unix()
			return putJSON(tx.Bucket(bucketQueues), []byte(q.name), rec)
		},
		apply: func(err error) {
			if err != nil || gone {
				return
			}
			q.mu.Lock()
			defer q.mu.Unlock()
			q.record = rec
			apply()
			q.announce()
		},
	}
	q.srv.store.submit(c)
	if err := c.wait(); err != nil {
		return err
	}
	if gone {
		return errNoQueue()
	}
	return nil
}

// stored is what the transaction has of this very queue; false where it is gone,
// or another has its name.
func (q *queue) stored(tx *bolt.Tx) (queueRecord, bool) {
	var rec queueRecord
	raw := tx.Bucket(bucketQueues).Get([]byte(q.name))
	if raw == nil || json.Unmarshal(raw, &rec) != nil || rec.Number != q.number {
		return queueRecord{}, false
	}
	return rec, true
}

// DeleteQueue deletes a queue and what is in it.
func (s *Server) DeleteQueue(name string) error {
	q := s.queue(name)
	if q == nil {
		return errNoQueue()
	}
	c := &change{
		size: 4096,
		write: func(tx *bolt.Tx) error {
			if _, there := q.stored(tx); !there {
				return nil
			}
			if err := deleteBuckets(tx, q.number); err != nil {
				return err
			}
			return tx.Bucket(bucketQueues).Delete([]byte(name))
		},
		apply: func(err error) {
			if err != nil {
				return
			}
			s.mu.Lock()
			if s.queues[name] == q {
				delete(s.queues, name)
			}
			s.mu.Unlock()
			q.mu.Lock()
			defer q.mu.Unlock()
			q.deleted = true
			q.reset()
			q.announce()
		},
	}
	s.store.submit(c)
	return c.wait()
}

// PurgeQueue deletes every message that was sent before; it is done when it returns.
func (s *Server) PurgeQueue(name string) error {
	q := s.queue(name)
	if q == nil {
		return errNoQueue()
	}
	c := &change{
		size: 4096,
		write: func(tx *bolt.Tx) error {
			for _, kind := range [][]byte{bucketMessages, bucketStates} {
				if err := emptyBucket(tx.Bucket(kind), number(q.number)); err != nil {
					return err
				}
			}
			return nil
		},
		apply: func(err error) {
			if err != nil {
				return
			}
			q.mu.Lock()
			defer q.mu.Unlock()
			q.reset()
		},
	}
	s.store.submit(c)
	return c.wait()
}

// emptyBucket keeps the sequence: a number that was given out is never given again,
// so that an old receipt handle cannot hit a new message.
func emptyBucket(parent *bolt.Bucket, name []byte) error {
	b := parent.Bucket(name)
	if b == nil {
		return nil // deleted meanwhile
	}
	sequence := b.Sequence()
	if err := parent.DeleteBucket(name); err != nil {
		return err
	}
	b, err := parent.CreateBucket(name)
	if err != nil {
		return err
	}
	return b.SetSequence(sequence)
}

// page cuts one page out of sorted names: those with the prefix, after the token.
func page(names []string, prefix, token string, size int) (some []string, next string) {
	for _, name := range names {
		if !strings.HasPrefix(name, prefix) || token != "" && name <= token {
			continue
		}
		if len(some) == size {
			return some, some[size-1]
		}
		some = append(some, name)
	}
	return some, ""
}

// deadLetterSources are the queues whose dead letters come to this one, by name.
func (s *Server) deadLetterSources(arn string) []string {
	var names []string
	for _, q := range s.all() {
		q.mu.Lock()
		if q.settings.redrive.target == arn {
			names = append(names, q.name)
		}
		q.mu.Unlock()
	}
	slices.Sort(names)
	return names
}
