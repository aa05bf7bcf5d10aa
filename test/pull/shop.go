package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	shopSecret = "a secret that the shop signs with"
	shopToken  = "a token of the shop's api"
	senders    = 16 // at once
)

// A shop pushes each event to two sources when it happens, loses some of the
// webhooks in spells, repeats others, and lists all of them.
type shop struct {
	events []shopEvent
	lost   int
	twice  int

	server   *httptest.Server
	client   *http.Client
	begun    atomic.Int64 // Unix nanoseconds; 0: nothing has happened
	mu       sync.Mutex
	requests map[string]int // of each source's poll
}

type shopEvent struct {
	id    string
	after time.Duration // since it begun
	lost  bool
	twice bool
}

// newShop plans so many events over a time, of which 3 % are lost, in two spells,
// and 5 % are pushed twice.
func newShop(events int, lasts time.Duration, seed uint64) *shop {
	r := rand.New(rand.NewPCG(seed, 3))
	s := &shop{client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: senders}}, requests: map[string]int{}}
	for i := range events {
		share := float64(i) / float64(events)
		e := shopEvent{id: fmt.Sprintf("evt_%06d", i), after: time.Duration(share * float64(lasts))}
		spell := share > 0.3 && share < 0.35 || share > 0.7 && share < 0.75
		e.lost = spell && r.IntN(10) < 3
		e.twice = !e.lost && r.IntN(20) == 0
		if e.lost {
			s.lost++
		}
		if e.twice {
			s.twice++
		}
		s.events = append(s.events, e)
	}
	s.server = httptest.NewServer(s)
	return s
}

func (s *shop) happened(e shopEvent) (time.Time, bool) {
	begun := s.begun.Load()
	at := time.Unix(0, begun).Add(e.after).UTC()
	return at, begun > 0 && !at.After(time.Now())
}

func (s *shop) body(e shopEvent) []byte {
	at, _ := s.happened(e)
	return fmt.Appendf(nil, `{"id":%q,"type":"order.paid","created":%q,"order":{"id":"ord_%s"}}`, e.id, at.Format(time.RFC3339Nano), e.id[4:])
}

// push pushes to the sources, each event when it happens.
func (s *shop) push(ctx context.Context, gateway string, sources ...string) error {
	s.begun.Store(time.Now().UnixNano())
	work := make(chan shopEvent)
	errs := make(chan error, senders)
	for range senders {
		go func() {
			var err error
			for e := range work {
				for _, source := range sources {
					if err == nil {
						err = s.pushOne(ctx, gateway+"/webhooks/"+source, e)
					}
				}
			}
			errs <- err
		}()
	}
	for _, e := range s.events {
		at, _ := s.happened(e)
		pause(ctx, time.Until(at))
		work <- e
	}
	close(work)
	var failed error
	for range senders {
		if err := <-errs; err != nil {
			failed = err
		}
	}
	return failed
}

func (s *shop) pushOne(ctx context.Context, address string, e shopEvent) error {
	times := 1
	switch {
	case e.lost:
		return nil
	case e.twice:
		times = 2
	}
	for range times {
		if err := s.deliver(ctx, address, s.body(e)); err != nil {
			return fmt.Errorf("push %s: %w", e.id, err)
		}
	}
	return nil
}

// deliver tries until it is acknowledged, a second apart.
func (s *shop) deliver(ctx context.Context, address string, body []byte) error {
	mac := hmac.New(sha256.New, []byte(shopSecret))
	mac.Write(body)
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Shop-Signature", hex.EncodeToString(mac.Sum(nil)))
		if res, err := s.client.Do(req); err == nil {
			res.Body.Close()
			if res.StatusCode/100 == 2 {
				return nil
			}
			if res.StatusCode/100 == 4 && res.StatusCode != http.StatusTooManyRequests {
				return fmt.Errorf("refused with %d", res.StatusCode)
			}
		}
		if pause(ctx, time.Second); ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// ServeHTTP is the API: /SOURCE/events, oldest first.
func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+shopToken {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	s.mu.Lock()
	s.requests[r.URL.Path]++
	s.mu.Unlock()
	const size = 1000
	q := r.URL.Query()
	since, _ := time.Parse(time.RFC3339, q.Get("since")) // absent: from the beginning
	i, _ := strconv.Atoi(q.Get("cursor"))                // absent: 0
	if !q.Has("cursor") {
		i, _ = slices.BinarySearchFunc(s.events, since, func(e shopEvent, t time.Time) int {
			at, _ := s.happened(e)
			return at.Compare(t)
		})
	}
	page := struct {
		Data []json.RawMessage `json:"data"`
		Next string            `json:"next,omitempty"`
	}{Data: []json.RawMessage{}}
	for ; i < len(s.events); i++ {
		if _, there := s.happened(s.events[i]); !there {
			break
		}
		if len(page.Data) == size {
			page.Next = strconv.Itoa(i)
			break
		}
		page.Data = append(page.Data, s.body(s.events[i]))
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(page) // the poller asks again
}

func (s *shop) asked(source string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests["/"+source+"/events"]
}

// config is a source that the shop pushes to, and that polls it.
func (s *shop) config(source, rhythm string) string {
	return fmt.Sprintf(`  %s:
    grace: 4s
    webhook:
      secret: ssm:/shop/webhook
      auth: { scheme: hmac, algorithm: sha256, signature: { header: X-Shop-Signature }, encoding: hex }
      event: { identity: "{body.id}", type: "{body.type}", time: "{body.created}", entity: "{body.order.id}" }
    poll:
      %s
      base_url: %s/%s
      token: ssm:/shop/token
      auth: { type: bearer }
      request: { path: /events }
      records: { path: data }
      pagination: { type: cursor, cursor_path: next, cursor_param: cursor }
      incremental: { cursor_path: created, start_param: since, order: asc, initial: 0s, settle: 5s }
      event: { identity: "{body.id}", type: "{body.type}", time: "{body.created}", entity: "{body.order.id}" }
`, source, rhythm, s.server.URL, source)
}
