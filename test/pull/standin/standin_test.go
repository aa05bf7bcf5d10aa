package standin

import (
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEveryLimitIsSomeAPIs(t *testing.T) {
	t.Parallel()
	var used []string
	for _, d := range dialects {
		used = append(used, d.limit)
	}
	slices.Sort(used)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(limits)), slices.Compact(used)); diff != "" {
		t.Error(diff)
	}
}

func TestAWindowCountsWhatIsTooMuch(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	w := NewWindow(2, time.Second)
	for _, at := range []time.Duration{0, 500, 900, 1000, 1501, 1600} {
		w.Take(now.Add(at * time.Millisecond))
	}
	all, most, violations := w.Seen()
	if diff := cmp.Diff([]int{6, 4, 4}, []int{all, most, violations}); diff != "" {
		t.Error(diff)
	}
}

func TestAStoreKnowsWhatIsVisible(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	p := plan{records: 500, page: 20, precision: time.Second, changes: true, deletes: true, late: 2 * time.Second, begin: begin, growing: time.Minute}
	s := newStore(p, rand.New(rand.NewPCG(1, 1)))
	s.insert(s.pool, begin.Add(30*time.Second))
	end := begin.Add(2 * time.Minute)
	whole := s.log(end)
	if len(whole) != 500 {
		t.Fatalf("%d records are there in the end, want 500", len(whole))
	}
	ties := map[time.Time]int{}
	for _, it := range whole {
		ties[it.At]++
	}
	if most := slices.Max(slices.Collect(maps.Values(ties))); most < 2*p.page {
		t.Errorf("the largest tie has %d records, want more than two pages", most)
	}
	var seen []Item // in two steps, as a token does it
	middle := begin.Add(20 * time.Second)
	seen = append(seen, s.since(time.Time{}, middle)...)
	seen = append(seen, s.since(middle, end)...)
	last := map[string]int{}
	for _, it := range seen {
		last[it.ID] = it.N
	}
	for _, it := range s.current(end) {
		if last[it.ID] != it.N {
			t.Errorf("%s is told as %d, and is %d", it.ID, last[it.ID], it.N)
		}
	}
}

func TestAnAPISaysHowLongToWaitAndNotesWhoDoesNot(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		status int
		header string
	}{
		"seconds":     {429, "Retry-After"},
		"github":      {403, "X-Ratelimit-Reset"},
		"linear":      {400, "X-Ratelimit-Requests-Reset"},
		"bigcommerce": {429, "X-Rate-Limit-Time-Reset-Ms"},
		"draft 08":    {429, "Ratelimit"},
	} {
		w := httptest.NewRecorder()
		now := time.Now()
		limits[name].says(w, now, now.Add(90*time.Second))
		if w.Code != want.status || w.Header().Get(want.header) == "" {
			t.Errorf("%s: status %d, headers %v; want %d and %s", name, w.Code, w.Header(), want.status, want.header)
		}
	}
	a := newAPI(dialects[0], limits["seconds"], Options{Records: 10}, 0, "")
	a.until = a.Now().Add(time.Minute)
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/events", nil))
	if early := a.Counts().Early; w.Code != 429 || early != 1 {
		t.Errorf("a request before the time: status %d, %d noted; want 429 and one", w.Code, early)
	}
}
