package sqs

import (
	"encoding/json"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// rebuild reads every queue and its index. It runs before the writer does.
func (s *Server) rebuild() error {
	return s.store.db.View(func(tx *bolt.Tx) error {
		s.last = tx.Bucket(bucketQueues).Sequence()
		return tx.Bucket(bucketQueues).ForEach(func(name, raw []byte) error {
			var rec queueRecord
			if err := json.Unmarshal(raw, &rec); err != nil {
				return fmt.Errorf("queue %s: %w", name, err)
			}
			set, refused := understand(rec.Attributes)
			if refused != nil {
				return fmt.Errorf("queue %s: %w", name, refused)
			}
			q := newQueue(s, string(name), rec, set)
			s.queues[q.name] = q
			return q.rebuild(tx)
		})
	})
}

// rebuildIndexes reads the indexes again. It runs in the writer.
func (s *Server) rebuildIndexes() error {
	return s.store.db.View(func(tx *bolt.Tx) error {
		for _, q := range s.all() {
			if err := q.rebuild(tx); err != nil {
				return err
			}
		}
		return nil
	})
}

// rebuild reads the index of a queue: the beginning of each message and, beside
// it, its state. It takes the lock.
func (q *queue) rebuild(tx *bolt.Tx) error {
	messages := tx.Bucket(bucketMessages).Bucket(number(q.number))
	states := tx.Bucket(bucketStates).Bucket(number(q.number))
	remembered := tx.Bucket(bucketDedup).Bucket(number(q.number))
	q.mu.Lock()
	defer q.mu.Unlock()
	q.reset()
	if messages == nil || states == nil || remembered == nil {
		return nil // deleted, and about to leave the list of queues
	}
	now := q.srv.now().UnixMilli()
	err := messages.ForEach(func(key, raw []byte) error {
		e, groupID, err := readEntry(key, raw, states.Get(key))
		if err != nil {
			return fmt.Errorf("queue %s: message %x: %w", q.name, key, err)
		}
		q.insert(e, groupID, now)
		return nil
	})
	if err != nil {
		return err
	}
	q.announce()
	return q.dedup.load(remembered)
}

func readEntry(key, raw, rawState []byte) (*entry, string, error) {
	in := &reader{rest: key}
	sequence := in.uint64()
	head, err := decodeHead(raw)
	if err != nil || in.short {
		return nil, "", errRecord
	}
	a := arrival{sequence: sequence, record: head}
	e := a.entry()
	if rawState != nil {
		st, err := decodeState(rawState)
		if err != nil {
			return nil, "", err
		}
		e.at, e.first, e.receives = st.visible, st.first, st.receives
	}
	return e, head.group, nil
}
