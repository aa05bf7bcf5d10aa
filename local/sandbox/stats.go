package sandbox

import (
	"encoding/json"
	"net/http"
)

// Stats are the counts since the sandbox's first run.
type Stats struct {
	Made           int `json:"made"`            // events
	Pushed         int `json:"pushed"`          // events whose webhook was acknowledged
	Lost           int `json:"lost"`            // events whose webhook was never sent, or never taken
	Repeated       int `json:"repeated"`        // webhooks that were acknowledged more than once
	Delayed        int `json:"delayed"`         // webhooks that were sent seconds late
	Reordered      int `json:"reordered"`       // webhooks that were sent after the next one
	Healed         int `json:"healed"`          // lost ones that were delivered all the same: the poll found them
	Delivered      int `json:"delivered"`       // events that arrived at the inbox
	DeliveredTwice int `json:"delivered_twice"` // those that arrived more than once
	Waiting        int `json:"waiting"`         // made and not delivered, so far

	Rejected int `json:"rejected,omitempty"` // deliveries without our signature, since the start
	Unknown  int `json:"unknown,omitempty"`  // deliveries of events that were not made here, or were forgotten
	Altered  int `json:"altered,omitempty"`  // deliveries whose bytes were not those of the event
}

// with counts one more event.
func (t Stats) with(e entry) Stats {
	is := func(yes bool) int {
		if yes {
			return 1
		}
		return 0
	}
	gone := e.Pushed == 0 && (e.Fate == lost || e.GivenUp)
	t.Made++
	t.Pushed += is(e.Pushed > 0)
	t.Lost += is(gone)
	t.Repeated += is(e.Pushed > 1)
	t.Delayed += is(e.Fate == delayed)
	t.Reordered += is(e.Fate == reordered)
	t.Healed += is(gone && e.Delivered > 0)
	t.Delivered += is(e.Delivered > 0)
	t.DeliveredTwice += is(e.Delivered > 1)
	t.Waiting += is(e.Delivered == 0)
	return t
}

// Stats tells the counts.
func (s *Sandbox) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.shop.past
	for _, e := range s.shop.entries {
		t = t.with(*e)
	}
	t.Rejected, t.Unknown, t.Altered = s.shop.wrong.rejected, s.shop.wrong.unknown, s.shop.wrong.altered
	return t
}

func (s *Sandbox) stats(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, s.Stats()) }

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that went away is no concern of ours
}

// problem is an error as the API tells it.
func problem(w http.ResponseWriter, status int, what string) {
	answer(w, status, map[string]string{"error": what})
}
