package pull

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"testing"
	"time"

	"pushpull/shared/api"
	"pushpull/shared/config"
)

// A service is an API of one of many kinds. Records have times of whole seconds,
// many at once; they become visible late; its positions die, its answers break.
type service struct {
	random    *rand.Rand
	now       time.Time
	all       []feedRecord
	order     string
	size      int
	depth     int // records of a query that it gives out
	exclusive bool
	calm      bool
}

func (f *service) query(q url.Values) []feedRecord {
	var list []feedRecord
	since, _ := strconv.ParseInt(q.Get("since"), 10, 64)
	until, err := strconv.ParseInt(q.Get("until"), 10, 64)
	for _, r := range f.all {
		at := r.At.Unix()
		late := r.visible.After(f.now)
		if late || at < since || f.exclusive && at == since || err == nil && at > until {
			continue
		}
		list = append(list, r)
	}
	slices.SortStableFunc(list, func(a, b feedRecord) int { return a.At.Compare(b.At) })
	switch f.order {
	case "desc":
		slices.Reverse(list)
	case "none":
		// An order of its own, the same for all queries.
		slices.SortFunc(list, func(a, b feedRecord) int { return cmpHash(a.ID, b.ID) })
	}
	return list
}

func cmpHash(a, b string) int {
	if shortHash(a) < shortHash(b) {
		return -1
	}
	return 1
}

func (f *service) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", f.now.Format(http.TimeFormat))
	q := r.URL.Query()
	if !f.calm && q.Get("cursor") != "" && f.random.IntN(12) == 0 {
		w.WriteHeader(http.StatusGone)
		return
	}
	list := f.query(q)
	from := 0
	switch {
	case q.Get("cursor") != "":
		from = 1 + slices.IndexFunc(list, func(r feedRecord) bool { return r.ID == q.Get("cursor") })
	case q.Get("offset") != "":
		from, _ = strconv.Atoi(q.Get("offset"))
	case q.Get("page") != "":
		n, _ := strconv.Atoi(q.Get("page"))
		from = (n - 1) * f.size
	}
	from = min(from, len(list))
	to := min(len(list), from+f.size)
	if f.depth > 0 && to > f.depth {
		if from >= f.depth {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		to = f.depth
	}
	answer := map[string]any{"data": slices.Concat([]feedRecord{}, list[from:to]), "more": to < len(list) && to != f.depth}
	if answer["more"] == true {
		answer["next"] = list[to-1].ID
		next := *r.URL
		q.Set("cursor", list[to-1].ID)
		next.RawQuery = q.Encode()
		answer["link"] = next.RequestURI()
	}
	b, _ := json.Marshal(answer)
	if !f.calm && f.random.IntN(10) == 0 {
		b = b[:f.random.IntN(len(b))]
	}
	_, _ = w.Write(b)
}

func (f *service) happen(late time.Duration) {
	for range f.random.IntN(6) {
		f.now = f.now.Add(time.Duration(f.random.IntN(2)) * time.Second)
		visible := f.now
		if late > 0 {
			visible = visible.Add(time.Duration(f.random.Int64N(int64(late))).Truncate(time.Second))
		}
		f.all = append(f.all, feedRecord{fmt.Sprint("e", len(f.all)), f.now, visible})
	}
	f.now = f.now.Add(time.Duration(f.random.IntN(8)) * time.Second)
}

// polled is a service of a random kind, and the poll that fits it.
func polled(seed uint64) (*service, config.Poll, time.Duration) {
	random := rand.New(rand.NewPCG(seed, 7))
	pick := func(kinds ...string) string { return kinds[random.IntN(len(kinds))] }
	f := &service{
		random: random, now: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC),
		size: 1 + random.IntN(6), order: pick("asc", "desc", "none"), exclusive: random.IntN(3) == 0,
	}
	poll := config.Poll{
		Request: &config.Request{Path: "/things"},
		Records: &config.Records{Path: "data"},
		Incremental: &config.Incremental{
			CursorPath: "at", StartParam: "since", Format: "unix", Order: f.order, Exclusive: f.exclusive,
			Initial: long(5 * time.Minute),
		},
	}
	p := &config.Pagination{Type: pick("cursor", "keyset", "next_url", "offset", "page"), MaxPages: 1 + random.IntN(20)}
	poll.Pagination = p
	switch p.Type {
	case "cursor":
		p.CursorPath, p.CursorParam = "next", "cursor"
	case "keyset":
		p.CursorPath, p.CursorParam, p.HasMorePath = "id", "cursor", "more"
	case "next_url":
		p.CursorPath = "link"
	default:
		p.CursorParam, p.PageSize = p.Type, f.size
	}
	inc := poll.Incremental
	var late time.Duration
	switch random.IntN(3) {
	case 0:
		late = 20 * time.Second
		inc.Lookback = config.Duration(late)
	case 1:
		late = 20 * time.Second
		inc.Settle = config.Duration(late)
	}
	if random.IntN(2) == 0 {
		inc.EndParam = "until"
		inc.Window = config.Duration(time.Duration(random.IntN(3)) * 20 * time.Second)
		if random.IntN(3) == 0 {
			f.depth = 14 + random.IntN(6)
			if p.Type == "page" {
				f.depth -= f.depth % f.size
			}
			p.MaxDepth = f.depth
		}
	}
	return f, poll, late
}

func TestNoServiceLosesARecordHoweverItIsReadAndWhateverBreaks(t *testing.T) {
	t.Parallel()
	for seed := range uint64(100) {
		f, poll, late := polled(seed)
		s := source(t, serve(t, f.serve), poll, Options{API: api.Options{Now: func() time.Time { return f.now }}, Identity: feedID})
		s.chunk = 1 + f.random.IntN(4)
		st, got, trouble := State{}, map[string]int{}, error(nil)
		run := func(pages int) {
			for page, err := range s.Run(t.Context(), st) {
				if err != nil {
					trouble = err
					return
				}
				for _, r := range page.Records {
					id, _ := feedID(r.Data)
					got[id]++
				}
				if !f.calm && f.random.IntN(10) == 0 {
					return // killed before the state is saved
				}
				if st, pages = saved(page.Next), pages-1; pages == 0 {
					return
				}
			}
		}
		for range 25 {
			f.happen(late)
			run(1 + f.random.IntN(8))
		}
		f.now, f.calm, trouble = f.now.Add(time.Minute), true, nil
		for range 1000 {
			if len(got) == len(f.all) {
				break
			}
			run(1000)
		}
		inc, _ := json.Marshal(poll.Incremental)
		for _, r := range f.all {
			if got[r.ID] == 0 {
				t.Errorf("seed %d: %s of %s is lost; %s, %s, %s: %v", seed, r.ID, r.At, f.order, poll.Pagination.Type, inc, trouble)
				break
			}
		}
	}
}
