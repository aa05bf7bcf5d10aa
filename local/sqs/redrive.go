package sqs

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	bolt "go.etcd.io/bbolt"
)

const maxReceives = 1000

// A redrivePolicy says after how many receives a message goes to which queue.
type redrivePolicy struct {
	target string // ARN of the dead-letter queue
	max    int    // 0: there is no policy
}

// checkRedrive reads a RedrivePolicy; an empty one takes the policy away.
func checkRedrive(value string, s *settings) bool {
	if value == "" {
		s.redrive = redrivePolicy{}
		return true
	}
	var p struct {
		Target string          `json:"deadLetterTargetArn"`
		Max    json.RawMessage `json:"maxReceiveCount"` // a number, or one in quotes
	}
	if json.Unmarshal([]byte(value), &p) != nil {
		return false
	}
	n, err := strconv.Atoi(strings.Trim(string(p.Max), `"`))
	if err != nil || n < 1 || n > maxReceives || p.Target == "" {
		return false
	}
	s.redrive = redrivePolicy{target: p.Target, max: n}
	return true
}

// An allowPolicy says which queues may use this one as their dead-letter queue.
type allowPolicy struct {
	permission string // empty: all
	sources    []string
}

func checkAllow(value string, s *settings) bool {
	if value == "" {
		s.allow = allowPolicy{}
		return true
	}
	var p struct {
		Permission string   `json:"redrivePermission"`
		Sources    []string `json:"sourceQueueArns"`
	}
	if json.Unmarshal([]byte(value), &p) != nil {
		return false
	}
	s.allow = allowPolicy{permission: p.Permission, sources: p.Sources}
	switch p.Permission {
	case permitAll, permitNone:
		return len(p.Sources) == 0
	case permitByQueue:
		return len(p.Sources) > 0 && len(p.Sources) <= maxAllowSources
	}
	return false
}

func (p allowPolicy) permits(source string) bool {
	switch p.permission {
	case permitNone:
		return false
	case permitByQueue:
		return slices.Contains(p.sources, source)
	}
	return true
}

// checkDeadLetters proves that a queue's redrive policy can work: its target is
// there, of the same type, another queue, and allows it.
func (s *Server) checkDeadLetters(name string, set settings) *Error {
	if set.redrive.max == 0 {
		return nil
	}
	target := s.byARN(set.redrive.target)
	refuse := func(reason string, args ...any) *Error {
		return errValue(set.redrive.target, attrRedrive, reason, args...)
	}
	if target == nil {
		return refuse("Dead letter target does not exist.")
	}
	target.mu.Lock()
	defer target.mu.Unlock()
	switch {
	case target.name == name:
		return refuse("A queue cannot be its own dead letter queue.")
	case target.settings.fifo != set.fifo:
		return refuse("The dead letter queue of a FIFO queue must be a FIFO queue, and that of a standard queue a standard queue.")
	case !target.settings.allow.permits(s.arn(name)):
		return refuse("Queue %s may not use it as its dead letter queue: see its RedriveAllowPolicy.", name)
	}
	return nil
}

// restore gives back to the index what a move could not put anywhere. What was
// deleted meanwhile is found missing by the next receive.
func (q *queue) restore(entries []*entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range entries {
		q.insert(e, e.group.id, q.srv.now().UnixMilli())
	}
}

// A move takes messages from one queue to another in one transaction.
type move struct {
	from, to *queue
	entries  []*entry // no longer in from's index
	fresh    bool     // as new messages, with ids of their own; or as dead letters, that keep theirs
	ended    func(tx *bolt.Tx, moved int) error
}

// change is the durable half of a move, and then the index's. A message that was
// deleted meanwhile stays deleted.
func (m move) change(s *Server) *change {
	var arrived []*arrival
	return &change{
		size: 4096 * len(m.entries),
		write: func(tx *bolt.Tx) error {
			arrived = nil
			source := tx.Bucket(bucketMessages).Bucket(number(m.from.number))
			if source == nil {
				return nil // the queue was deleted
			}
			var sequences []uint64
			for _, e := range m.entries {
				raw := source.Get(number(e.sequence))
				if raw == nil {
					continue
				}
				a, err := m.put(tx, s, raw, e)
				if err != nil {
					return err
				}
				if a == nil {
					return nil // the target was deleted
				}
				arrived = append(arrived, a)
				sequences = append(sequences, e.sequence)
			}
			if err := dropMessages(tx, m.from.number, sequences); err != nil {
				return err
			}
			if m.ended == nil {
				return nil
			}
			return m.ended(tx, len(arrived))
		},
		apply: func(err error) {
			if err != nil {
				return // the index is built again
			}
			if arrived == nil {
				m.from.restore(m.entries)
				return
			}
			m.to.arrive(arrived)
		},
	}
}

func (m move) put(tx *bolt.Tx, s *Server, raw []byte, e *entry) (*arrival, error) {
	r, err := decodeRecord(raw)
	if err != nil {
		return nil, err
	}
	now := s.now().UnixMilli()
	r.visible = now
	if m.fresh {
		r.id, r.sent, r.prior, r.first, r.source = newID(), now, 0, 0, ""
	} else {
		r.prior, r.first, r.source = e.prior+e.receives, e.first, s.arn(m.from.name)
		if m.to.isFIFO() {
			r.sent = now // as AWS: only standard queues keep the first time
		}
	}
	return m.to.write(tx, &r)
}
