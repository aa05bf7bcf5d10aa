package path

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"
)

// key is the credential of the provider's API.
const key = "a key of the provider's api"

// A provider is an API with five things, two a page. It shows the credential in
// the address of its next page, as some do.
type provider struct {
	*httptest.Server

	// An answer to who asks /ranged for an older range, from its second page on, waits at the gate.
	reached, gate chan struct{}
	ranged        atomic.Int32 // pages of that range
}

func newProvider() *provider {
	type thing struct {
		ID string    `json:"id"`
		At time.Time `json:"at"`
	}
	var things []thing
	for i := range 5 {
		things = append(things, thing{fmt.Sprintf("thing_%d", i), time.Now().UTC().Truncate(time.Second).Add(time.Duration(i-120) * time.Minute)})
	}
	p := &provider{reached: make(chan struct{}), gate: make(chan struct{})}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		if query.Get("key") != key {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		since, err := time.Parse(time.RFC3339, query.Get("since"))
		if err != nil {
			http.Error(w, "since when?", http.StatusBadRequest)
			return
		}
		if until, err := time.Parse(time.RFC3339, query.Get("until")); err == nil && time.Since(until) > time.Minute && r.URL.Path == "/ranged" && p.ranged.Add(1) > 1 {
			select {
			case p.reached <- struct{}{}:
			case <-p.gate:
			}
			<-p.gate
		}
		page := []thing{}
		for _, one := range things {
			if !one.At.Before(since) && one.ID > query.Get("after") {
				page = append(page, one)
			}
		}
		if len(page) > 2 {
			page = page[:2]
			query.Set("after", page[1].ID)
			w.Header().Set("Link", fmt.Sprintf(`<http://%s%s?%s>; rel="next"`, r.Host, r.URL.Path, query.Encode()))
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-RateLimit-Limit", "5000")
		w.Header().Set("X-RateLimit-Remaining", "4990")
		_ = json.NewEncoder(w).Encode(page)
	}))
	return p
}
