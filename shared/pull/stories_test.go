package pull

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/config"
)

func TestAListThatStopsAtItsDepthIsNotAtItsEnd(t *testing.T) {
	t.Parallel()
	for _, order := range []string{"asc", "desc"} {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			poll := cursorPoll(order)
			poll.Pagination = &config.Pagination{Type: "offset", CursorParam: "offset", PageSize: 5, MaxDepth: 10, TotalPath: "total"}
			poll.Incremental.EndParam = "until"
			whole := capped(30, 10, 5, order == "asc", func(i int) int { return i })
			a := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if n, _ := strconv.Atoi(r.URL.Query().Get("offset")); n >= 10 {
					_, _ = w.Write([]byte(things(`null`))) // nothing, as if that were all
					return
				}
				whole(w, r)
			})
			r := mustRead(t, source(t, a, poll, Options{Identity: feedID}), State{Watermark: at(0), Settled: settled(0)})
			ids := map[string]bool{}
			for _, id := range r.ids {
				ids[id] = true
			}
			if len(ids) != 30 {
				t.Errorf("%d records in %d requests", len(ids), len(a.asked()))
			}
		})
	}
}

func TestAPageOfWhichAFilterLeavesNothingIsNotShort(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"offset", "page"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			a := serve(t, shelf{n: 9, most: 2}.serve)
			r := mustRead(t, source(t, a, config.Poll{
				Request:    &config.Request{Path: "/things"},
				Records:    &config.Records{Path: "data", Each: `select(.id == "t0" or .id == "t8")`},
				Pagination: &config.Pagination{Type: kind, CursorParam: kind, PageSize: 2},
			}, Options{}), State{})
			if diff := cmp.Diff([]string{"t0", "t8"}, r.ids); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestARunThatFindsNothingForgetsNothing(t *testing.T) {
	t.Parallel()
	for _, order := range []string{"asc", "desc", "none"} {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			s := source(t, serve(t, says(things(`null`))), cursorPoll(order), Options{})
			r := mustRead(t, s, State{Watermark: at(5), Ties: []string{"x"}, Settled: settled(9)})
			if diff := cmp.Diff(State{Watermark: at(5), Ties: []string{"x"}, Settled: settled(600)}, r.state); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestATokenThatTheAPIRefusesIsNeverAnEmptyAnswer(t *testing.T) {
	t.Parallel()
	for _, code := range []int{400, 404, 409, 410, 412} {
		t.Run(strconv.Itoa(code), func(t *testing.T) {
			t.Parallel()
			poll := config.Poll{
				Request: &config.Request{Path: "/changes"}, Records: &config.Records{Path: "data"},
				Pagination:  &config.Pagination{Type: "sync_token", CursorPath: "page", CursorParam: "page", TokenPath: "token", TokenParam: "token"},
				Incremental: &config.Incremental{OnExpired: &config.OnExpired{Status: []int{code}}},
			}
			a := serve(t, status(code), says(`{"data":[{"id":"a"},{"id":"b"}],"token":"new"}`))
			r := mustRead(t, source(t, a, poll, Options{}), State{Token: "old", Settled: settled(1)})
			if diff := cmp.Diff([]string{"a", "b"}, r.ids); diff != "" || r.state.Token != "new" || len(a.asked()) != 2 {
				t.Errorf("%d requests, token %q: %s", len(a.asked()), r.state.Token, diff)
			}
		})
	}
}

func TestTheTailOfALogIsNotChased(t *testing.T) {
	t.Parallel()
	// Each request finds one more: a log that never stands still.
	a := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("from"))
		w.Header().Set("Link", fmt.Sprintf(`</logs?from=%d>; rel="next"`, n+1))
		_, _ = fmt.Fprintf(w, `[{"id":"%d"}]`, n)
	})
	poll := config.Poll{
		Request:    &config.Request{Path: "/logs"},
		Pagination: &config.Pagination{Type: "sync_token", CursorHeader: "Link", PageSize: 100, PageSizeParam: "limit"},
	}
	s := source(t, a, poll, Options{})
	r := mustRead(t, s, State{})
	if len(a.asked()) != 1 || r.more || r.state.Token != a.URL+"/logs?from=1" {
		t.Errorf("%d requests, %+v", len(a.asked()), r.state)
	}
	if r = mustRead(t, s, r.state); len(r.ids) != 1 || r.ids[0] != "1" {
		t.Errorf("the next run began with %v", r.ids)
	}
}

func TestAPageThatJQMakesMayBeLarge(t *testing.T) {
	t.Parallel()
	const n = 25_000
	a := serve(t, says(`{"data":[{"id":"a"}`+strings.Repeat(`,{"id":"b"}`, n-1)+`]}`))
	r := mustRead(t, source(t, a, config.Poll{
		Request: &config.Request{Path: "/things"}, Records: &config.Records{JQ: ".data[]"},
	}, Options{}), State{})
	if len(r.ids) != n {
		t.Errorf("%d records", len(r.ids))
	}
}
