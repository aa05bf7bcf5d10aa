package sqs

import (
	"sync"
	"time"
)

// A queue is the index of one queue: what is visible, what is not and until when,
// and in which group. Bodies stay in the store. Every method but those that say so
// needs mu.
type queue struct {
	name   string
	number uint64
	srv    *Server

	mu       sync.Mutex
	settings settings
	record   queueRecord
	entries  map[uint64]*entry
	waiting  priority[*entry] // delayed or in flight, the next to become visible first
	groups   map[string]*group
	open     priority[*group] // those that can be received from, the next one first
	inFlight int
	delayed  int
	served   uint64 // counts receives, for round robin
	waiters  int
	wake     chan struct{} // closed when there may be something new to receive
	swept    int64         // unix milliseconds: when expired messages were last looked for
	deleted  bool
	again    []Message // duplicates that a fault asked for

	attempts map[string]attempt // by ReceiveRequestAttemptId

	dedup dedup // the writer's own: needs no lock
}

// An entry is what the index keeps of a message.
type entry struct {
	sequence uint64
	at       int64 // unix milliseconds: becomes, or became, visible
	sent     int64 // unix milliseconds
	first    int64 // unix milliseconds of the first receive, or 0
	receives uint32
	prior    uint32 // receives in earlier queues
	pos      int    // in group.ready or queue.waiting
	where    place
	group    *group
}

type place uint8

const (
	ready place = iota
	delayed
	inFlight
)

// A group is the messages of one message group. Those without one share one.
type group struct {
	id       string
	ready    priority[*entry]
	inFlight int
	members  int // ready, delayed and in flight
	tail     int64
	served   uint64
	pos      int // in queue.open, or -1
}

func newQueue(srv *Server, name string, rec queueRecord, set settings) *queue {
	q := &queue{
		name: name, number: rec.Number, srv: srv, settings: set, record: rec,
		attempts: map[string]attempt{}, wake: make(chan struct{}),
	}
	q.dedup.reset()
	q.reset()
	return q
}

// reset empties the index.
func (q *queue) reset() {
	q.entries = map[uint64]*entry{}
	q.groups = map[string]*group{}
	q.inFlight, q.delayed, q.again = 0, 0, nil
	q.waiting = priority[*entry]{less: earlier, place: func(e *entry) *int { return &e.pos }}
	q.open = priority[*group]{less: fairer, place: func(g *group) *int { return &g.pos }}
	if q.settings.fifo {
		q.open.less = older
	}
}

func earlier(a, b *entry) bool {
	return a.at < b.at || a.at == b.at && a.sequence < b.sequence
}

func inOrder(a, b *entry) bool { return a.sequence < b.sequence }

// insert puts a message into the index, where its time says that it belongs.
func (q *queue) insert(e *entry, groupID string, now int64) {
	g := q.groups[groupID]
	if g == nil {
		g = &group{id: groupID, pos: -1}
		g.ready = priority[*entry]{less: earlier, place: func(e *entry) *int { return &e.pos }}
		if q.settings.fifo {
			g.ready.less = inOrder
		}
		q.groups[groupID] = g
	}
	if q.settings.fifo && e.receives == 0 {
		// The queue's delay may have been shortened: nobody overtakes within a group.
		e.at = max(e.at, g.tail)
		g.tail = e.at
	}
	e.group = g
	g.members++
	q.entries[e.sequence] = e
	if e.at <= now {
		q.makeReady(e)
		return
	}
	where := delayed
	if e.receives > 0 {
		where = inFlight
	}
	q.makeWait(e, where)
}

func (q *queue) makeReady(e *entry) {
	e.where = ready
	e.group.ready.add(e)
	q.refresh(e.group)
	q.announce()
}

func (q *queue) makeWait(e *entry, where place) {
	e.where = where
	if where == inFlight {
		q.inFlight++
		e.group.inFlight++
	} else {
		q.delayed++
	}
	q.waiting.add(e)
	q.refresh(e.group)
	if q.waiting.first() == e {
		q.announce() // who waits must wake earlier than it meant to
	}
}

// detach takes a message out of its heap; the caller puts it elsewhere.
func (q *queue) detach(e *entry) {
	switch e.where {
	case ready:
		e.group.ready.remove(e)
	case inFlight:
		q.waiting.remove(e)
		q.inFlight--
		e.group.inFlight--
	case delayed:
		q.waiting.remove(e)
		q.delayed--
	}
}

// drop takes a message out of the index.
func (q *queue) drop(e *entry) {
	q.detach(e)
	delete(q.entries, e.sequence)
	g := e.group
	g.members--
	q.refresh(g)
	if g.members == 0 {
		delete(q.groups, g.id)
	} else if q.settings.fifo && g.pos >= 0 {
		q.announce() // the group may be free again
	}
}

// refresh says whether a group can be received from, and when its turn is.
func (q *queue) refresh(g *group) {
	open := g.ready.Len() > 0 && (!q.settings.fifo || g.inFlight == 0)
	switch {
	case open && g.pos >= 0:
		q.open.fix(g)
	case open:
		q.open.add(g)
	case g.pos >= 0:
		q.open.remove(g)
	}
}

// advance makes visible what is due.
func (q *queue) advance(now int64) {
	for q.waiting.Len() > 0 && q.waiting.first().at <= now {
		e := q.waiting.first()
		q.detach(e)
		q.makeReady(e)
	}
}

// announce wakes everyone who waits for a message.
func (q *queue) announce() {
	if q.waiters == 0 {
		return
	}
	close(q.wake)
	q.wake = make(chan struct{})
}

// nextAt is when the next message becomes visible by itself, or false.
func (q *queue) nextAt() (time.Time, bool) {
	if q.waiting.Len() == 0 {
		return time.Time{}, false
	}
	return time.UnixMilli(q.waiting.first().at), true
}

// expired says whether a message has been kept for as long as the queue keeps any.
func (q *queue) expired(e *entry, now int64) bool {
	return e.sent+q.settings.retention.Milliseconds() <= now
}
