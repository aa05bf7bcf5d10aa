package standin

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// An Item is one record in one version. N counts all versions of an API, so that
// a version that arrived is known by its number.
type Item struct {
	ID      string
	N       int
	At      time.Time // as the API writes it, by its own clock
	Visible time.Time // from when it is shown
	Deleted bool
}

// A store is all that an API will ever have. What is not visible yet is there,
// too: a view is of an instant.
type store struct {
	items  []Item // by At, then N
	pool   int    // records that are put in while someone pages
	plan   plan
	rand   *rand.Rand
	issued time.Time // the last instant that was given out: nothing becomes visible at or before it any more
	last   map[string]time.Time
	names  []string
	next   int
}

// A plan is how the records of an API come about.
type plan struct {
	records   int
	page      int
	precision time.Duration
	changes   bool // records are changed, too
	deletes   bool
	noHistory bool
	late      time.Duration // how long some stay invisible
	begin     time.Time
	growing   time.Duration
}

// apart is the least between two changes of one record: its version is its time.
func (p plan) apart() time.Duration { return max(2*p.precision, 2*time.Second) }

func newStore(p plan, r *rand.Rand) *store {
	s := &store{plan: p, rand: r, last: map[string]time.Time{}}
	history := p.records * 7 / 10
	if p.noHistory {
		history = 0
	}
	s.pool = p.records / 10
	s.history(history)
	at := make([]time.Time, 0, p.records)
	for range p.records - history - s.pool {
		at = append(at, p.begin.Add(time.Duration(r.Float64()*float64(p.growing))))
	}
	slices.SortFunc(at, time.Time.Compare)
	for _, t := range at {
		s.put(t, true)
	}
	return s
}

// history are the 20 hours before: single records, ties of a few, and one tie
// that is larger than two pages.
func (s *store) history(n int) {
	const hours = 20 * time.Hour
	step := hours / time.Duration(max(n, 1)+1)
	large := n / 2
	for i := 0; i < n; {
		tie := 1
		switch {
		case i >= large && large > 0:
			tie, large = min(2*s.plan.page+s.plan.page/2, n/4), 0
		case s.rand.IntN(4) == 0:
			tie = 2 + s.rand.IntN(5)
		}
		at := s.plan.begin.Add(-hours).Add(time.Duration(i) * step)
		for ; tie > 0 && i < n; i, tie = i+1, tie-1 {
			s.put(at, false)
		}
	}
}

// put adds a record, a change or a removal at the time.
func (s *store) put(at time.Time, live bool) {
	it := Item{N: s.next, At: at.Truncate(max(s.plan.precision, time.Millisecond)), Visible: at}
	s.next++
	it.ID, it.Deleted = s.what(it.At, live)
	if live && s.plan.late > 0 && s.rand.IntN(5) == 0 {
		it.Visible = at.Add(time.Duration(s.rand.Float64() * float64(s.plan.late)))
	}
	s.last[it.ID] = it.At
	i, _ := slices.BinarySearchFunc(s.items, it, func(a, b Item) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return a.N - b.N
	})
	s.items = slices.Insert(s.items, i, it)
}

func (s *store) what(at time.Time, live bool) (id string, deleted bool) {
	if live && s.plan.changes && len(s.names) > 0 && s.rand.IntN(2) == 0 {
		i := s.rand.IntN(len(s.names))
		id = s.names[i]
		if at.Sub(s.last[id]) >= s.plan.apart() {
			if deleted = s.plan.deletes && s.rand.IntN(6) == 0; deleted {
				s.names = slices.Delete(s.names, i, i+1)
			}
			return id, deleted
		}
	}
	id = fmt.Sprintf("rec_%06d", s.next)
	s.names = append(s.names, id)
	return id, false
}

// insert puts some of the pool in now.
func (s *store) insert(n int, now time.Time) {
	for ; n > 0 && s.pool > 0; n-- {
		s.pool--
		s.put(now, false)
	}
}

// instant is now, later than any that was given out before.
func (s *store) instant(now time.Time) time.Time {
	if !now.After(s.issued) {
		now = s.issued.Add(1)
	}
	s.issued = now
	return now
}

// log are the items visible at the instant, all versions, by time.
func (s *store) log(at time.Time) []Item {
	out := make([]Item, 0, len(s.items))
	for _, it := range s.items {
		if !it.Visible.After(at) {
			out = append(out, it)
		}
	}
	return out
}

// current are the last visible versions at the instant, by their time.
func (s *store) current(at time.Time) []Item { return lasts(s.log(at)) }

// since are the last versions of what became visible after an instant, in the
// order in which it did.
func (s *store) since(from, at time.Time) []Item {
	changed := s.log(at)
	changed = slices.DeleteFunc(lasts(changed), func(it Item) bool { return !it.Visible.After(from) })
	slices.SortStableFunc(changed, func(a, b Item) int { return a.Visible.Compare(b.Visible) })
	return changed
}

func lasts(items []Item) []Item {
	last := make(map[string]int, len(items))
	for _, it := range items {
		if n, ok := last[it.ID]; !ok || it.N > n {
			last[it.ID] = it.N
		}
	}
	return slices.DeleteFunc(items, func(it Item) bool { return last[it.ID] != it.N })
}
