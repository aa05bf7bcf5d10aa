package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"pushpull/shared/api"
	"pushpull/shared/config/load"
	"pushpull/shared/pull"
)

// The first answer of a run may come long after the run began: after a limit, or
// several attempts. What happened meanwhile is not passed over.
func TestWhatHappensWhileTheFirstAnswerIsWaitedForIsRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ parent, order, path string }{
		"oldest first": {"", "asc", "/events"},
		"newest first": {"", "desc", "/events"},
		"unsorted":     {"", "none", "/events"},
		"of parents":   {"      parent: { request: { path: /projects }, values: { project: id } }\n", "asc", "/projects/{parent.project}"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &slow{now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC), desc: c.order == "desc"}
			server := httptest.NewServer(s)
			t.Cleanup(server.Close)
			text := fmt.Sprintf(`sources:
  slow:
    poll:
      base_url: %s
      auth: { type: none }
%s      request: { path: "%s" }
      incremental: { cursor_path: at, start_param: since, precision: s, order: %s, settle: 5s }
      event: { identity: "{body.at}" }
`, server.URL, c.parent, c.path, c.order)
			cfg, problems := load.Load([]load.File{{Name: "slow.yaml", Data: []byte(text)}})
			if wrong := load.Errors(problems); len(wrong) > 0 {
				t.Fatal(wrong)
			}
			source, err := pull.New(cfg.Sources["slow"].Poll[0], pull.Options{API: api.Options{Client: &http.Client{}, Now: s.clock}})
			if err != nil {
				t.Fatal(err)
			}
			var st pull.State
			seen := map[string]bool{}
			for range 6 {
				for page, err := range source.Run(t.Context(), st) {
					if err != nil {
						t.Fatal(err)
					}
					for _, r := range page.Records {
						seen[string(r.Data)] = true
					}
					st = page.Next
				}
				s.begin()
			}
			for _, at := range s.records(time.Time{}) {
				if s.clock().Sub(at) > 2*time.Minute && !seen[s.write(at)] {
					t.Errorf("what happened at %s was never given out", at.Format(time.TimeOnly))
				}
			}
		})
	}
}

// A slow API has a record each second, and answers the first request of a run 40 s late.
type slow struct {
	mu   sync.Mutex
	now  time.Time
	late bool
	desc bool
}

func (s *slow) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// begin lets a minute pass until the next run.
func (s *slow) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now, s.late = s.now.Add(time.Minute), true
}

func (s *slow) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if s.late {
		s.now, s.late = s.now.Add(40*time.Second), false
	}
	now := s.now
	s.mu.Unlock()
	w.Header().Set("Date", now.Format(http.TimeFormat))
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path == "/projects" {
		fmt.Fprint(w, `[{"id":1}]`)
		return
	}
	since, _ := time.Parse(time.RFC3339, r.URL.Query().Get("since"))
	fmt.Fprint(w, "[")
	for i, at := range s.records(since) {
		if i > 0 {
			fmt.Fprint(w, ",")
		}
		fmt.Fprint(w, s.write(at))
	}
	fmt.Fprint(w, "]")
}

// records are those from a time on, of this day from a minute before noon.
func (s *slow) records(since time.Time) (at []time.Time) {
	now := s.clock()
	for t := time.Date(2026, 11, 25, 11, 59, 0, 0, time.UTC); !t.After(now); t = t.Add(time.Second) {
		if !t.Before(since) {
			at = append(at, t)
		}
	}
	if s.desc {
		slices.Reverse(at)
	}
	return at
}

func (s *slow) write(at time.Time) string { return fmt.Sprintf(`{"at":%q}`, at.Format(time.RFC3339)) }
