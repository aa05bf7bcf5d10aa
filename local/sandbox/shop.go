package sandbox

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"
)

// A fate is what becomes of an event's webhook.
type fate string

const (
	onTime    fate = "on time"
	lost      fate = "lost"      // never sent
	repeated  fate = "repeated"  // sent twice
	delayed   fate = "delayed"   // sent seconds later
	reordered fate = "reordered" // sent after the event that follows
)

// An entry is one event, and all that came of it.
type entry struct {
	ID        string          `json:"id"`
	Number    uint64          `json:"number"`
	Created   time.Time       `json:"created"`
	Order     string          `json:"order"`
	Status    string          `json:"status"`
	Body      json.RawMessage `json:"body"` // the same bytes by both transports
	Fate      fate            `json:"fate"`
	Pushed    int             `json:"pushed,omitempty"`    // webhooks that were acknowledged
	GivenUp   bool            `json:"given_up,omitempty"`  // its webhook was not taken for so long that it never will be
	Delivered int             `json:"delivered,omitempty"` // arrivals at the inbox
}

// A shop is all there is, in memory; the store has the same on disk.
type shop struct {
	prefix  string // of event ids: a shop that begins anew has other events
	seed    uint64
	entries []*entry // by number, without gaps; the oldest are forgotten
	byID    map[string]*entry
	past    Stats // of those that were forgotten
	listed  bool  // the API was asked, by whoever polls
	showed  bool  // a webhook was lost after that
	wrong   wrong
}

// wrong counts what arrived at the inbox and should not have. It is not kept.
type wrong struct{ rejected, unknown, altered int }

// body is an event as the webhook and the API show it.
type body struct {
	ID      string    `json:"id"`
	Type    string    `json:"type"`
	Created time.Time `json:"created"`
	Order   order     `json:"order"`
}

type order struct {
	ID       string `json:"id"`
	Status   string `json:"status"`
	Total    int    `json:"total"`
	Currency string `json:"currency"`
}

// next makes the event that follows: of a new order, or the next step of one
// under way.
func (s *shop) next(now time.Time) (*entry, error) {
	number := uint64(1)
	created := now.UTC().Truncate(time.Millisecond)
	if n := len(s.entries); n > 0 {
		number = s.entries[n-1].Number + 1
		if last := s.entries[n-1].Created; created.Before(last) {
			created = last // the list is sorted, whatever the clock does
		}
	}
	// Seeded by the number, so that a restart goes on with the same history.
	rng := rand.New(rand.NewPCG(s.seed, number)) //nolint:gosec // mishaps need no secrecy
	id, status := s.step(number, rng)
	e := &entry{
		ID: fmt.Sprintf("evt_%s_%d", s.prefix, number), Number: number, Created: created,
		Order: id, Status: status, Fate: s.fate(number, rng),
	}
	var err error
	e.Body, err = json.Marshal(body{
		ID: e.ID, Type: "order." + status, Created: created,
		Order: order{ID: id, Status: status, Total: total(id), Currency: "EUR"},
	})
	return e, err
}

// step chooses an order and what happens to it: created, then paid, then shipped.
func (s *shop) step(number uint64, rng *rand.Rand) (id, status string) {
	following := map[string]string{"created": "paid", "paid": "shipped"}
	latest := map[string]string{}
	var ids []string
	for _, e := range s.entries[max(0, len(s.entries)-30):] {
		if latest[e.Order] == "" {
			ids = append(ids, e.Order)
		}
		latest[e.Order] = e.Status
	}
	for _, id := range ids {
		if status := following[latest[id]]; status != "" && rng.IntN(3) > 0 {
			return id, status
		}
	}
	return fmt.Sprintf("ord_%d", number), "created"
}

// total is the same for all events of an order.
func total(id string) int {
	n := 0
	for _, c := range id {
		n = (n*31 + int(c)) % 20000
	}
	return 500 + n
}

// fate draws what becomes of a webhook. The second event is always lost, and so
// is the first after the API was first asked: who watches sees soon how the poll
// heals it, and what happened before the first poll is not missed but read. The
// third is repeated, so that a duplicate is seen to vanish as soon.
func (s *shop) fate(number uint64, rng *rand.Rand) fate {
	if s.listed && !s.showed {
		s.showed = true
		return lost
	}
	switch drawn := rng.Float64(); {
	case number == 2:
		return lost
	case number == 3:
		return repeated
	case number == 1:
		return onTime
	case drawn < 0.10:
		return lost
	case drawn < 0.20:
		return repeated
	case drawn < 0.28:
		return delayed
	case drawn < 0.34:
		return reordered
	default:
		return onTime
	}
}

// add takes an entry that is on disk into memory.
func (s *shop) add(e *entry) {
	s.entries = append(s.entries, e)
	s.byID[e.ID] = e
}

// forget drops the oldest entry from memory, keeping its counts.
func (s *shop) forget() {
	s.past = s.past.with(*s.entries[0])
	delete(s.byID, s.entries[0].ID)
	s.entries[0] = nil
	s.entries = s.entries[1:]
}

// happen makes one event, durable before anyone can hear of it.
func (s *Sandbox) happen() (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.shop.next(s.now())
	if err != nil {
		return "", err
	}
	for len(s.shop.entries) >= keep {
		oldest := *s.shop.entries[0]
		if err := s.store.forget(oldest, s.shop.past.with(oldest)); err != nil {
			return "", err
		}
		s.shop.forget()
	}
	if err := s.store.put(*e); err != nil {
		return "", err
	}
	s.shop.add(e)
	return e.ID, nil
}

// change changes one entry, on disk before in memory. It does nothing to one that was forgotten.
func (s *Sandbox) change(id string, how func(e *entry)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.shop.byID[id]
	if e == nil {
		return nil
	}
	changed := *e
	how(&changed)
	if err := s.store.put(changed); err != nil {
		return err
	}
	*e = changed
	return nil
}
