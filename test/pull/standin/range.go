package standin

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"time"
)

// A Range is an API with so many records, evenly over a time, that they are
// reckoned rather than kept: three share each second at least.
type Range struct {
	Records  int
	From, To time.Time
	Latency  time.Duration

	Pages  atomic.Int64
	server *httptest.Server
}

// NewRange begins to serve.
func NewRange(records int, from, to time.Time, latency time.Duration) *Range {
	r := &Range{Records: records, From: from, To: to, Latency: latency}
	r.server = httptest.NewServer(r)
	return r
}

// Close ends it.
func (r *Range) Close() { r.server.Close() }

// Config is the poll that reads it; page is its size.
func (r *Range) Config(page int) string {
	return fmt.Sprintf(`    poll:
      every: 24h
      base_url: %s
      auth: { type: none }
      request: { path: /events }
      records: { path: data }
      pagination: { type: cursor, cursor_path: next, cursor_param: cursor, page_size: %d, page_size_param: limit, max_pages: 100000 }
      incremental: { cursor_path: at, start_param: since, end_param: until, precision: s, order: asc, window: %dh }
      event: { identity: "{body.id}", time: "{body.at}" }
`, r.server.URL, page, int(r.To.Sub(r.From)/time.Hour)/4+1)
}

func (r *Range) at(i int) time.Time {
	return r.From.Add(time.Duration(float64(r.To.Sub(r.From)) / float64(r.Records) * float64(i/3*3))).Truncate(time.Second)
}

// since is the first record at or after a time.
func (r *Range) since(t time.Time) int {
	low, high := 0, r.Records
	for low < high {
		if middle := (low + high) / 2; r.at(middle).Before(t) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

func (r *Range) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.Pages.Add(1)
	time.Sleep(r.Latency)
	q := req.URL.Query()
	since, err := time.Parse(time.RFC3339, q.Get("since"))
	until, err2 := time.Parse(time.RFC3339, q.Get("until"))
	size, err3 := strconv.Atoi(q.Get("limit"))
	if err != nil || err2 != nil || err3 != nil {
		fail(w, 400, `{"error":"since, until and limit are needed"}`)
		return
	}
	i := r.since(since)
	if text := q.Get("cursor"); text != "" {
		if i, err = strconv.Atoi(text); err != nil {
			fail(w, 400, `{"error":"bad cursor"}`)
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, `{"data":[`)
	end := min(r.Records, r.since(until.Add(time.Second)))
	for n := 0; n < size && i < end; n, i = n+1, i+1 {
		if n > 0 {
			fmt.Fprint(w, ",")
		}
		fmt.Fprintf(w, `{"id":"evt_%09d","n":%d,"at":"%s","text":"a line that is as long as that of a small event: %040d"}`, i, i, r.at(i).UTC().Format(time.RFC3339), i)
	}
	if i < end {
		fmt.Fprintf(w, `],"next":"%d"}`, i)
		return
	}
	fmt.Fprint(w, `],"next":null}`)
}
