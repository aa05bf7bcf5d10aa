package pull

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/api"
	"pushpull/shared/config"
)

// spans are the ranges that were asked for.
func spans(a *peer) []string {
	var list []string
	for _, r := range a.asked() {
		q := r.URL.Query()
		list = append(list, strings.TrimPrefix(q.Get("since"), "2026-11-23T")+" "+strings.TrimPrefix(q.Get("until"), "2026-11-23T"))
	}
	return list
}

func TestALongRangeIsReadInSlicesThatAreCommittedEach(t *testing.T) {
	t.Parallel()
	for _, order := range []string{"asc", "desc", "none"} {
		poll := cursorPoll(order)
		poll.Incremental.EndParam = "until"
		poll.Incremental.Window = config.Duration(4 * time.Minute)
		a := serve(t, says(things(`null`, "a@30")), says(things(`null`)), status(http.StatusBadRequest))
		s := source(t, a, poll, Options{})
		r, err := read(t.Context(), s, State{Watermark: at(0), Settled: settled(0)})
		if err == nil || r.state.Watermark != at(480) || r.state.Run == nil || r.state.Run.Start != at(480) {
			t.Errorf("%s: after two slices the state is %+v (%v)", order, r.state, err)
		}
		want := []string{"10:00:00Z 10:04:00Z", "10:04:00Z 10:08:00Z", "10:08:00Z 10:10:00Z"}
		if diff := cmp.Diff(want, spans(a)); diff != "" {
			t.Errorf("%s: %s", order, diff)
		}
	}
}

func TestWhatIsYoungerThanSettleIsLeftForTheNextRun(t *testing.T) {
	t.Parallel()
	for _, order := range []string{"asc", "desc", "none"} {
		poll := cursorPoll(order)
		poll.Incremental.Settle = config.Duration(time.Minute)
		poll.Conditional = "etag"
		a := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"1"`)
			list := []string{"a@500", "b@540", "c@541"}
			if order == "desc" {
				slices.Reverse(list)
			}
			_, _ = w.Write([]byte(things(`null`, list...)))
		})
		r := mustRead(t, source(t, a, poll, Options{}), State{Watermark: at(0), Settled: settled(0)})
		slices.Sort(r.ids)
		if diff := cmp.Diff([]string{"a", "b"}, r.ids); diff != "" {
			t.Errorf("%s: %s", order, diff)
		}
		if r.state.Watermark != at(540) || r.state.ETag != "" {
			t.Errorf("%s: the state is %+v: c would be hidden", order, r.state)
		}
	}
}

func TestAnUnsortedFeedDoesNotPassWhereItsRunBegan(t *testing.T) {
	t.Parallel()
	a := serve(t, says(things(`"2"`, "a@5")), says(things(`null`, "b@660")))
	r := mustRead(t, source(t, a, cursorPoll("none"), Options{}), State{Watermark: at(0), Settled: settled(0)})
	if r.state.Watermark != at(600) || len(r.ids) != 2 {
		t.Errorf("%v, %+v: what came to page one meanwhile would be lost", r.ids, r.state)
	}
}

func TestTheAPISaysUpToWhenItIsComplete(t *testing.T) {
	t.Parallel()
	poll := cursorPoll("asc")
	poll.Incremental.MarkPath = "covered"
	a := serve(t, says(`{"data":[{"id":"a","at":"2026-11-23T10:00:05Z"}],"covered":"2026-11-23T10:00:03Z"}`))
	if r := mustRead(t, source(t, a, poll, Options{}), State{Watermark: at(0)}); r.state.Watermark != at(3) {
		t.Errorf("the state is %+v", r.state)
	}
}

func TestAClockThatIsWrongByMinutesHarmsNothing(t *testing.T) {
	t.Parallel()
	for _, wrong := range []time.Duration{-5 * time.Minute, 5 * time.Minute} {
		poll := cursorPoll("asc")
		poll.Incremental.EndParam = "until"
		poll.Incremental.Settle = config.Duration(time.Minute)
		a := serve(t, says(things(`null`, "a@100")))
		s := source(t, a, poll, Options{API: api.Options{Now: func() time.Time { return settled(600).Add(wrong) }}})
		r := mustRead(t, s, State{Watermark: at(0), Settled: settled(0)})
		mustRead(t, s, r.state)
		asked := a.asked()
		if got := asked[len(asked)-1].URL.Query().Get("until"); got != at(540) || len(asked) != 3 {
			t.Errorf("%v: %d requests, the last until %s", wrong, len(asked), got)
		}
	}
}

func TestACheckpointOlderThanTheHistoryIsAGapNotAnError(t *testing.T) {
	t.Parallel()
	poll := cursorPoll("asc")
	poll.Incremental.Retention = config.Duration(time.Minute)
	a := serve(t, says(things(`null`, "a@500")))
	s := source(t, a, poll, Options{})
	st := State{Watermark: at(0), Settled: settled(0)}
	if age, keeps := s.Age(st); age != 10*time.Minute || keeps != time.Minute {
		t.Errorf("it is %v old, and %v are kept", age, keeps)
	}
	for page, err := range s.Run(t.Context(), st) {
		if err != nil || !page.Gap || len(page.Records) != 1 {
			t.Errorf("%+v, %v", page, err)
		}
	}
	if got := a.query(0).Get("since"); got != at(0) {
		t.Errorf("it asked since %s: what the api still has must not be left out", got)
	}
}

func TestABoundThatExpired(t *testing.T) {
	t.Parallel()
	poll := cursorPoll("asc")
	poll.Incremental.OnExpired = &config.OnExpired{Status: []int{400}}
	t.Run("is dropped, and all is read, whatever initial says", func(t *testing.T) {
		t.Parallel()
		poll.Incremental.Initial = long(0)
		a := serve(t, status(400), says(things(`"2"`, "old@-900000", "a@5")), says(things(`null`, "b@6")))
		s := source(t, a, poll, Options{})
		resync := 0
		st := State{Watermark: at(0), Settled: settled(0)}
		for page, err := range s.Run(t.Context(), st) {
			if err != nil {
				t.Fatal(err)
			}
			if page.Resync {
				resync += len(page.Records)
			}
			st = saved(page.Next)
		}
		if resync != 3 || st.Watermark != at(6) || a.query(1).Has("since") {
			t.Errorf("%d records, %v, %+v", resync, spans(a), st)
		}
	})
	t.Run("fails where that is wanted", func(t *testing.T) {
		t.Parallel()
		poll := cursorPoll("asc")
		poll.Incremental.OnExpired = &config.OnExpired{Status: []int{400}, Action: "fail"}
		_, err := read(t.Context(), source(t, serve(t, status(400)), poll, Options{}), State{Watermark: at(0)})
		if _, final := errors.AsType[*api.Permanent](err); !final || !strings.Contains(err.Error(), "may be lost") {
			t.Errorf("the error is %v", err)
		}
	})
}

func TestABackfillReadsItsRangeOnly(t *testing.T) {
	t.Parallel()
	for _, order := range []string{"asc", "desc", "none"} {
		for _, filtered := range []bool{true, false} {
			poll := cursorPoll(order)
			poll.Incremental.Lookback, poll.Incremental.Settle = config.Duration(time.Hour), config.Duration(time.Hour)
			poll.Pagination = &config.Pagination{Type: "offset", CursorParam: "offset", PageSize: 5}
			poll.Backfill = &config.Backfill{Window: config.Duration(20 * time.Second)}
			if filtered {
				poll.Incremental.EndParam = "until"
			} else {
				poll.Incremental.StartParam = ""
			}
			a := serve(t, capped(100, 1000, 5, order == "asc", func(i int) int { return i }))
			s := source(t, a, poll, Options{Identity: feedID}).Range(settled(10), settled(60))
			st, ids, before := State{}, map[string]bool{}, time.Duration(-1)
			for more := true; more; {
				for page, err := range s.Run(t.Context(), st) {
					if err != nil {
						t.Fatal(err)
					}
					for _, r := range page.Records {
						ids[r.ID] = true
					}
					st, more = saved(page.Next), page.More
					done, total := s.Covered(st)
					if done < before || total != 50*time.Second {
						t.Errorf("%s: after %v it is at %v of %v", order, before, done, total)
					}
					before = done
					break // killed after each page
				}
			}
			if len(ids) != 50 || ids["t9"] || ids["t60"] || before != 50*time.Second {
				t.Errorf("%s, filtered %t: %d records, %v covered", order, filtered, len(ids), before)
			}
		}
	}
}

func TestSyncTokens(t *testing.T) {
	t.Parallel()
	calendar := func() config.Poll {
		return config.Poll{
			Request: &config.Request{Path: "/events"}, Records: &config.Records{Path: "data", DeletedWhen: `.status == "cancelled"`},
			Pagination:  &config.Pagination{Type: "sync_token", CursorPath: "next", CursorParam: "pageToken", TokenPath: "sync", TokenParam: "syncToken"},
			Incremental: &config.Incremental{Initial: long(0)},
		}
	}
	t.Run("the list is walked for its token, which is sent the next time", func(t *testing.T) {
		t.Parallel()
		a := serve(t, says(`{"data":[{"id":"old"}],"next":"p2"}`), says(`{"data":[{"id":"old2"}],"sync":"s1"}`),
			says(`{"data":[],"next":"p2b"}`), says(`{"data":[{"id":"n"},{"id":"d","status":"cancelled"}],"sync":"s2"}`))
		s := source(t, a, calendar(), Options{})
		first := mustRead(t, s, State{})
		if first.ids != nil || first.state.Token != "s1" || first.state.First() {
			t.Errorf("from now on nothing of before comes: %v, %+v", first.ids, first.state)
		}
		deleted := 0
		st := first.state
		for page, err := range s.Run(t.Context(), st) {
			if err != nil {
				t.Fatal(err)
			}
			if page.More && page.Next.Token != "s1" {
				t.Error("the token moved before the last page")
			}
			for _, r := range page.Records {
				if r.Deleted {
					deleted++
				}
			}
			st = saved(page.Next)
		}
		if st.Token != "s2" || deleted != 1 || a.query(2).Get("syncToken") != "s1" || a.query(3).Get("pageToken") != "p2b" {
			t.Errorf("%+v, %d deleted, %v, %v", st, deleted, a.query(2), a.query(3))
		}
	})
	t.Run("one that expired is a resync of all", func(t *testing.T) {
		t.Parallel()
		a := serve(t, status(410), says(`{"data":[{"id":"a"},{"id":"b"}],"sync":"s9"}`))
		r := mustRead(t, source(t, a, calendar(), Options{}), State{Token: "s1", Settled: settled(0)})
		if diff := cmp.Diff([]string{"a", "b"}, r.ids); diff != "" || r.state.Token != "s9" || a.query(1).Has("syncToken") {
			t.Errorf("%s %+v %v", diff, r.state, a.query(1))
		}
	})
	t.Run("the first comes from a refusal, and an expired one leaves a gap", func(t *testing.T) {
		t.Parallel()
		poll := config.Poll{
			Request: &config.Request{Path: "/events"}, Records: &config.Records{Path: "data"},
			Pagination: &config.Pagination{
				Type: "sync_token", CursorPath: "sync", CursorParam: "sync", HasMorePath: "more",
				Seed: &config.Seed{Request: config.Request{Path: "/events"}, TokenPath: "sync", Status: 412},
			},
			Incremental: &config.Incremental{OnExpired: &config.OnExpired{Status: []int{412}}},
		}
		next := 0
		a := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if got := r.URL.Query().Get("sync"); got != fmt.Sprintf("t%d", next) {
				next += 10
				w.WriteHeader(http.StatusPreconditionFailed)
				_, _ = fmt.Fprintf(w, `{"sync":"t%d"}`, next)
				return
			}
			next++
			_, _ = fmt.Fprintf(w, `{"data":[{"id":"e%d"}],"sync":"t%d","more":false}`, next, next)
		})
		s := source(t, a, poll, Options{})
		r := mustRead(t, s, State{})
		if r.state.Token != "t11" {
			t.Fatalf("the state is %+v", r.state)
		}
		r.state.Token = "dead"
		gap := false
		st := r.state
		for page, err := range s.Run(t.Context(), st) {
			if err != nil {
				t.Fatal(err)
			}
			gap = gap || page.Gap
			st = saved(page.Next)
		}
		if !gap || !strings.HasPrefix(st.Token, "t") {
			t.Errorf("gap %t, %+v", gap, st)
		}
	})
	t.Run("a log's next link is kept at the live tail", func(t *testing.T) {
		t.Parallel()
		poll := config.Poll{
			Request:    &config.Request{Path: "/logs", Params: map[string]string{"take": "2"}},
			Pagination: &config.Pagination{Type: "sync_token", CursorHeader: "Link"},
		}
		all := []string{"a", "b", "c"}
		a := serve(t, func(w http.ResponseWriter, r *http.Request) {
			from := 0
			_, _ = fmt.Sscan(r.URL.Query().Get("from"), &from)
			to := min(from+2, len(all))
			w.Header().Set("Link", fmt.Sprintf(`</logs?take=2&from=%d>; rel="next"`, to))
			list := []map[string]string{}
			for _, id := range all[from:to] {
				list = append(list, map[string]string{"id": id})
			}
			_ = json.NewEncoder(w).Encode(list)
		})
		s := source(t, a, poll, Options{})
		r := mustRead(t, s, State{})
		all = append(all, "d")
		r2 := mustRead(t, s, r.state)
		if diff := cmp.Diff([]string{"a", "b", "c", "d"}, append(r.ids, r2.ids...)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("one that is seeded by a time is given with each page, and nothing is left behind it", func(t *testing.T) {
		t.Parallel()
		poll := config.Poll{
			Request: &config.Request{Path: "/tickets", Params: map[string]string{"per_page": "2"}, FirstOnly: config.Names{"start_time"}},
			Records: &config.Records{Path: "data"},
			Pagination: &config.Pagination{
				Type: "sync_token", CursorPath: "next", CursorParam: "cursor", StopWhen: ".body.end_of_stream",
			},
			Incremental: &config.Incremental{CursorPath: "at", StartParam: "start_time", Format: "unix", Initial: long(time.Hour), Settle: config.Duration(time.Minute)},
		}
		a := serve(t, says(`{"data":[{"id":"a","at":"2026-11-23T10:00:01Z"}],"next":"c1","end_of_stream":false}`),
			says(`{"data":[{"id":"young","at":"2026-11-23T10:09:59Z"}],"next":"c2","end_of_stream":true}`),
			says(`{"data":[{"id":"old","at":"2026-11-20T10:00:00Z"}],"next":"c3","end_of_stream":true}`))
		s := source(t, a, poll, Options{})
		r := mustRead(t, s, State{})
		r2 := mustRead(t, s, r.state)
		if diff := cmp.Diff([]string{"a", "young", "old"}, append(r.ids, r2.ids...)); diff != "" || r2.state.Token != "c3" {
			t.Errorf("%s, %+v", diff, r2.state)
		}
		want := []string{"per_page=2&start_time=1795425000", "cursor=c1&per_page=2", "cursor=c2&per_page=2"}
		for i, r := range a.asked() {
			if r.URL.RawQuery != want[i] {
				t.Errorf("request %d: %s, want %s", i, r.URL.RawQuery, want[i])
			}
		}
	})
	t.Run("a page that changed the list begins again from the token of the run", func(t *testing.T) {
		t.Parallel()
		poll := calendar()
		poll.Incremental.OnExpired = &config.OnExpired{Status: []int{400}, When: `.body.code == "MUTATION"`}
		bad := func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(400)
			_, _ = w.Write([]byte(`{"code":"MUTATION"}`))
		}
		a := serve(t, says(`{"data":[{"id":"a"}],"next":"p2"}`), bad, says(`{"data":[{"id":"a"}],"next":"p3"}`), says(`{"data":[{"id":"b"}],"sync":"s2"}`))
		r := mustRead(t, source(t, a, poll, Options{}), State{Token: "s1", Settled: settled(0)})
		if diff := cmp.Diff([]string{"a", "a", "b"}, r.ids); diff != "" || r.state.Token != "s2" || a.query(2).Get("syncToken") != "s1" || a.query(2).Has("pageToken") {
			t.Errorf("%s %+v %v", diff, r.state, a.query(2))
		}
	})
}

func TestAUnitOfPrecisionIsReadAgainAsAWhole(t *testing.T) {
	t.Parallel()
	poll := cursorPoll("asc")
	poll.Incremental.Precision = "m"
	a := serve(t, says(things(`null`, "early@239", "late@241", "seen@330")))
	r := mustRead(t, source(t, a, poll, Options{Identity: feedID}), State{Watermark: at(330), Settled: settled(331), Ties: []string{shortHash("seen")}})
	if diff := cmp.Diff([]string{"late"}, r.ids); diff != "" || a.query(0).Get("since") != at(240) {
		t.Errorf("%s, since %s", diff, a.query(0).Get("since"))
	}
}
