package sqs

// fairer orders the groups of a standard queue: the one with the fewest messages
// in flight first, so that a group whose backlog keeps every consumer busy does
// not hold up the others; between equals, the one that has waited longest for a
// turn, which is round robin.
func fairer(a, b *group) bool {
	if a.inFlight != b.inFlight {
		return a.inFlight < b.inFlight
	}
	return a.served < b.served
}

// older orders the groups of a FIFO queue by their oldest message.
func older(a, b *group) bool {
	return a.ready.first().sequence < b.ready.first().sequence
}

// A harvest is what one look at the queue brought.
type harvest struct {
	taken   []*entry
	expired []*entry // kept too long: to be deleted
	dead    []*entry // received too often: to go to the dead-letter queue
}

// Limits of one look, so that a transaction stays small however many messages are
// to go: dead letters are written again with their bodies, expired ones only deleted.
const (
	maxDead    = 10
	maxExpired = 1000
)

func (h *harvest) full(n int) bool {
	return len(h.taken) >= n || len(h.dead) >= maxDead || len(h.expired) >= maxExpired
}

// take takes up to n visible messages out of the index's ready side and puts those
// that will be delivered in flight until the given time. From a standard queue it
// takes one from each group in turn; from a FIFO queue as many of a group as there
// are, for the group is then locked.
func (q *queue) take(n int, now, until int64) harvest {
	var h harvest
	for !h.full(n) && q.open.Len() > 0 {
		g := q.open.first()
		before := len(h.taken)
		for g.ready.Len() > 0 && !h.full(n) {
			if done := q.takeOne(g, now, until, &h); done && !q.settings.fifo {
				break
			}
		}
		if len(h.taken) > before {
			q.served++
			g.served = q.served
		}
		q.settle(g, h.taken[before:])
	}
	return h
}

// takeOne takes the first message of a group, and says whether it will be delivered.
func (q *queue) takeOne(g *group, now, until int64, h *harvest) bool {
	e := g.ready.pop()
	switch {
	case q.expired(e, now):
		h.expired = append(h.expired, e)
	case q.settings.redrive.max > 0 && int(e.receives) >= q.settings.redrive.max:
		h.dead = append(h.dead, e)
	default:
		e.receives++
		if e.first == 0 {
			e.first = now
		}
		e.at = until
		h.taken = append(h.taken, e)
		return true
	}
	delete(q.entries, e.sequence)
	g.members--
	return false
}

// settle puts what was taken from a group in flight, or lets go of an empty group.
func (q *queue) settle(g *group, taken []*entry) {
	for _, e := range taken {
		e.where = inFlight
		q.inFlight++
		g.inFlight++
		q.waiting.add(e)
	}
	q.refresh(g)
	if g.members == 0 {
		delete(q.groups, g.id)
	}
}
