package pull

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"pushpull/shared/api"
	"pushpull/shared/config"
)

// A feed is an API whose records come late, whose pages are small, and whose
// positions die; a poller of it is killed now and then, before it saves.
type feed struct {
	random *rand.Rand
	now    time.Time
	all    []feedRecord
	size   int
	order  string
	keyset bool // the cursor is the last record, not a count
	die    bool
}

type feedRecord struct {
	ID      string    `json:"id"`
	At      time.Time `json:"at"`
	visible time.Time
}

func (f *feed) list(since time.Time) []feedRecord {
	var list []feedRecord
	for _, r := range f.all {
		if !r.visible.After(f.now) && !r.At.Before(since) {
			list = append(list, r)
		}
	}
	slices.SortStableFunc(list, func(a, b feedRecord) int { return a.At.Compare(b.At) })
	if f.order == "desc" {
		slices.Reverse(list)
	}
	return list
}

func (f *feed) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", f.now.Format(http.TimeFormat))
	since, _ := time.Parse(time.RFC3339, r.URL.Query().Get("since"))
	list, from := f.list(since), 0
	if cursor := r.URL.Query().Get("cursor"); cursor != "" {
		if f.die && f.random.IntN(8) == 0 {
			w.WriteHeader(http.StatusGone)
			return
		}
		if from, _ = strconv.Atoi(cursor); f.keyset {
			from = slices.IndexFunc(list, func(r feedRecord) bool { return r.ID == cursor }) + 1
		}
	}
	to := min(len(list), from+f.size)
	answer := map[string]any{"data": slices.Concat([]feedRecord{}, list[min(from, to):to])}
	if to < len(list) {
		answer["next"] = cmp.Or(map[bool]string{true: list[to-1].ID}[f.keyset], strconv.Itoa(to))
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// happen adds a few records, some in the same second, some not visible yet.
func (f *feed) happen(late time.Duration) {
	for range f.random.IntN(5) {
		f.now = f.now.Add(time.Duration(f.random.IntN(2)) * time.Second)
		visible := f.now
		if late > 0 {
			visible = visible.Add(time.Duration(f.random.Int64N(int64(late))).Truncate(time.Second))
		}
		f.all = append(f.all, feedRecord{fmt.Sprint("e", len(f.all)), f.now, visible})
	}
	f.now = f.now.Add(time.Duration(f.random.IntN(8)) * time.Second)
}

func feedID(record []byte) (string, error) {
	var r feedRecord
	err := json.Unmarshal(record, &r)
	return r.ID, err
}

func TestNoFeedLosesARecordHoweverItsRunsAreCutShort(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		kind := random.IntN(4)
		f := &feed{
			random: random, now: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), size: 1 + random.IntN(4),
			order: "desc", keyset: kind != 2, die: random.IntN(3) == 0,
		}
		if kind == 0 {
			f.order = "asc"
		}
		late := time.Duration(random.IntN(2)) * 30 * time.Second
		poll := cursorPoll(f.order)
		poll.Incremental.Lookback = config.Duration(late)
		poll.Pagination.MaxPages = 1 + random.IntN(50)
		if kind >= 2 {
			poll.Incremental.StartParam = ""
		}
		s := source(t, serve(t, f.serve), poll, Options{API: api.Options{Now: func() time.Time { return f.now }}, Identity: feedID})
		if lost := pollFeed(t, f, s, late); len(lost) > 0 {
			t.Errorf("seed %d, kind %d, late by %v: lost %v", seed, kind, late, lost)
		}
	}
}

// pollFeed polls with trouble for a while, then without, and tells what never came.
func pollFeed(t *testing.T, f *feed, s *Source, late time.Duration) (lost []string) {
	t.Helper()
	st, got, calm := State{}, map[string]bool{}, false
	run := func(pages int) {
		for page, err := range s.Run(t.Context(), st) {
			if err != nil {
				return
			}
			for _, r := range page.Records {
				id, _ := feedID(r.Data)
				got[id] = true
			}
			if !calm && f.random.IntN(10) == 0 {
				return // killed
			}
			if st, pages = saved(page.Next), pages-1; pages == 0 {
				return
			}
		}
	}
	for range 25 {
		f.happen(late)
		run(1 + f.random.IntN(6))
	}
	f.now, f.die, calm = f.now.Add(time.Minute), false, true
	for i := 0; i < 100 && len(got) < len(f.all); i++ {
		run(1000)
	}
	for _, r := range f.all {
		if !got[r.ID] {
			lost = append(lost, r.ID)
		}
	}
	return lost
}
