package pull

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/api"
	"pushpull/shared/config"
)

// shelf is a list of n records, t0 … that is given out by offset, page or cursor.
type shelf struct {
	n, most int
	extra   func(from, to int) string // members of the page
}

func (s shelf) serve(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	size := s.most
	if n, err := strconv.Atoi(q.Get("limit")); err == nil {
		size = min(n, s.most)
	}
	from, _ := strconv.Atoi(q.Get("offset"))
	if page, err := strconv.Atoi(q.Get("page")); err == nil {
		from = (page - 1) * size
	}
	from = min(from, s.n)
	to := min(from+size, s.n)
	var list []string
	for i := from; i < to; i++ {
		list = append(list, fmt.Sprintf(`{"id":"t%d","at":%q}`, i, at(i)))
	}
	extra := ""
	if s.extra != nil {
		extra = "," + s.extra(from, to)
	}
	_, _ = fmt.Fprintf(w, `{"data":[%s]%s}`, strings.Join(list, ","), extra)
}

func TestPagesLeadOn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		shelf shelf
		pages config.Pagination
		want  int // records
		asked int
	}{
		{"an offset ends at a short page", shelf{n: 5, most: 2}, config.Pagination{Type: "offset", CursorParam: "offset", PageSize: 2}, 5, 3},
		{"at an empty page where the last is full", shelf{n: 4, most: 2}, config.Pagination{Type: "offset", CursorParam: "offset", PageSize: 2}, 4, 3},
		{"at an empty page where the size is not known", shelf{n: 5, most: 2}, config.Pagination{Type: "offset", CursorParam: "offset"}, 5, 4},
		{"at the total, although pages are shorter than asked for", shelf{n: 5, most: 2, extra: func(int, int) string { return `"total":5` }}, config.Pagination{Type: "offset", CursorParam: "offset", PageSize: 100, PageSizeParam: "limit", TotalPath: "total"}, 5, 3},
		{"at the flag, whatever the total says", shelf{n: 5, most: 2, extra: func(_, to int) string { return fmt.Sprintf(`"more":%t,"total":2`, to < 4) }}, config.Pagination{Type: "offset", CursorParam: "offset", HasMorePath: "more", TotalPath: "total"}, 4, 2},
		{"at the condition", shelf{n: 9, most: 2, extra: func(_, to int) string { return fmt.Sprintf(`"last":%t`, to >= 4) }}, config.Pagination{Type: "offset", CursorParam: "offset", PageSize: 100, StopWhen: ".body.last or .count < 2"}, 4, 2},
		{"pages from 1 on", shelf{n: 5, most: 2}, config.Pagination{Type: "page", CursorParam: "page", PageSize: 2}, 5, 3},
		{"to the last of them", shelf{n: 4, most: 2, extra: func(int, int) string { return `"pages":2` }}, config.Pagination{Type: "page", CursorParam: "page", PageSize: 2, TotalPagesPath: "pages"}, 4, 2},
		{"an address in the body", shelf{n: 3, most: 1, extra: func(_, to int) string {
			return fmt.Sprintf(`"next":%q`, map[bool]string{true: fmt.Sprintf("/things?offset=%d", to)}[to < 3])
		}}, config.Pagination{Type: "next_url", CursorPath: "next"}, 3, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			poll := cursorPoll("asc")
			poll.Pagination = &tt.pages
			poll.Incremental = nil
			a := serve(t, tt.shelf.serve)
			r := mustRead(t, source(t, a, poll, Options{}), State{})
			if len(r.ids) != tt.want || len(a.asked()) != tt.asked {
				t.Errorf("%v in %d requests, want %d in %d", r.ids, len(a.asked()), tt.want, tt.asked)
			}
		})
	}
}

func TestACursorMayStandInAHeader(t *testing.T) {
	t.Parallel()
	poll := cursorPoll("asc")
	poll.Pagination = &config.Pagination{Type: "cursor", CursorHeader: "X-Next", CursorParam: "cursor"}
	a := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Next", map[string]string{"": "2", "2": "null"}[r.URL.Query().Get("cursor")])
		_, _ = w.Write([]byte(things(`"ignored"`, "a@1")))
	})
	if r := mustRead(t, source(t, a, poll, Options{}), State{}); r.pages != 2 {
		t.Errorf("%d pages", r.pages)
	}
}

func TestListsWithoutAnEnd(t *testing.T) {
	t.Parallel()
	n := 0
	for _, tt := range []struct {
		name   string
		pages  config.Pagination
		answer http.HandlerFunc
		want   string // of the error
		most   int    // requests
	}{
		{"an offset that the api ignores", config.Pagination{Type: "offset", CursorParam: "offset"}, says(things(`null`, "a@1", "b@2")), "same page again", 4},
		{"a cursor that is always new and the page the same", config.Pagination{Type: "cursor", CursorPath: "next", CursorParam: "cursor"}, func(w http.ResponseWriter, _ *http.Request) {
			n++
			_, _ = w.Write([]byte(things(fmt.Sprintf("%d", n), "a@1", "b@2")))
		}, "same page again", 4},
		{"a cycle of 300 pages", config.Pagination{Type: "cursor", CursorPath: "next", CursorParam: "cursor"}, func(w http.ResponseWriter, r *http.Request) {
			at, _ := strconv.Atoi(r.URL.Query().Get("cursor"))
			_, _ = w.Write([]byte(things(fmt.Sprint((at+1)%300), fmt.Sprintf("r%d@%d", at, at))))
		}, "leads back", 900},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			poll := cursorPoll("none")
			poll.Pagination = &tt.pages
			poll.Pagination.MaxPages = 100
			a := serve(t, tt.answer)
			s := source(t, a, poll, Options{})
			st, err := State{}, error(nil)
			for range 20 {
				var r result
				if r, err = read(t.Context(), s, st); err != nil {
					break
				}
				st = r.state
			}
			if _, final := errors.AsType[*api.Permanent](err); !final || !strings.Contains(err.Error(), tt.want) || len(a.asked()) > tt.most {
				t.Errorf("after %d requests: %v", len(a.asked()), err)
			}
		})
	}
}

func TestAListThatMovedByAPageIsNoLoop(t *testing.T) {
	t.Parallel()
	poll := cursorPoll("desc")
	poll.Pagination = &config.Pagination{Type: "offset", CursorParam: "offset", PageSize: 1}
	a := serve(t, says(things(`null`, "b@2")), says(things(`null`, "b@2")), says(things(`null`, "a@1")), says(things(`null`)))
	r := mustRead(t, source(t, a, poll, Options{}), State{})
	if diff := cmp.Diff([]string{"b", "b", "a"}, r.ids); diff != "" {
		t.Error(diff)
	}
}

// capped gives out the first of a query's records only.
func capped(n, most, size int, asc bool, tie func(i int) int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		var list []string
		for i := range n {
			if !asc {
				i = n - 1 - i
			}
			if v := at(tie(i)); v >= q.Get("since") && (q.Get("until") == "" || v <= q.Get("until")) {
				list = append(list, fmt.Sprintf("t%d@%d", i, tie(i)))
			}
		}
		from, _ := strconv.Atoi(q.Get("offset"))
		if from >= most {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		list = list[:min(len(list), most)]
		_, _ = w.Write([]byte(things(`null`, list[min(from, len(list)):min(from+size, len(list))]...)))
	}
}

func TestAQueryThatReachesTheDepthOfTheAPIIsMadeAnew(t *testing.T) {
	t.Parallel()
	same := func(i int) int { return i }
	for _, tt := range []struct {
		name  string
		order string
		tie   func(int) int
		want  int
		err   string
	}{
		{"ascending from the last value", "asc", same, 50, ""},
		{"with ties at the edge", "asc", func(i int) int { return i / 3 }, 50, ""},
		{"newest first below the last value", "desc", same, 50, ""},
		{"unsorted over half the range", "none", same, 50, ""},
		{"a tie larger than the depth is an error, not a cut", "asc", func(i int) int { return i / 30 }, 0, "have one value"},
		{"so is one of a feed that is newest first", "desc", func(i int) int { return i / 30 }, 0, "have one value"},
		{"and a second that is too full to divide", "none", func(i int) int { return i / 30 }, 0, "more than max_depth"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			poll := cursorPoll(tt.order)
			poll.Pagination = &config.Pagination{Type: "offset", CursorParam: "offset", PageSize: 5, MaxDepth: 10}
			poll.Incremental.EndParam = "until"
			a := serve(t, capped(50, 10, 5, tt.order == "asc", tt.tie))
			r, err := read(t.Context(), source(t, a, poll, Options{}), State{Watermark: at(0), Settled: settled(0)})
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Fatalf("the error is %v", err)
			}
			ids := map[string]bool{}
			for _, id := range r.ids {
				ids[id] = true
			}
			if tt.err == "" && len(ids) != tt.want {
				t.Errorf("%d records came in %d requests", len(ids), len(a.asked()))
			}
		})
	}
}

func TestAPageThatIsTooLargeIsHalvedAndThatIsRemembered(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"offset", "page"} {
		sizes := []string{}
		a := serve(t, func(w http.ResponseWriter, r *http.Request) {
			sizes = append(sizes, r.URL.Query().Get("limit"))
			if n, _ := strconv.Atoi(r.URL.Query().Get("limit")); n > 30 && r.URL.Query().Get(kind) != map[string]string{"offset": "0", "page": "1"}[kind] {
				w.WriteHeader(http.StatusGatewayTimeout)
				return
			}
			shelf{n: 150, most: 1000}.serve(w, r)
		})
		poll := cursorPoll("none")
		poll.Incremental = nil
		poll.Pagination = &config.Pagination{Type: kind, CursorParam: kind, PageSize: 100, PageSizeParam: "limit"}
		poll.Retry = &config.RequestRetry{ShrinkPageOn: []int{504}}
		r := mustRead(t, source(t, a, poll, Options{}), State{})
		ids := map[string]bool{}
		for _, id := range r.ids {
			ids[id] = true
		}
		if len(ids) != 150 || r.state.PageSize != 25 {
			t.Errorf("%s: %d records, by pages of %v, then %d", kind, len(ids), sizes, r.state.PageSize)
		}
	}
}

func TestAPageTellsItsTotalAndWhereItLeads(t *testing.T) {
	t.Parallel()
	poll := cursorPoll("asc")
	poll.Pagination.TotalPath = "meta.total"
	a := serve(t, says(`{"data":[{"id":"a","at":"2026-11-23T10:00:01Z"}],"next":"c2","meta":{"total":41}}`))
	for page, err := range source(t, a, poll, Options{}).Run(t.Context(), State{}) {
		if err != nil || page.Total != 41 || page.Token != "c2" || page.Read != 1 {
			t.Errorf("%+v, %v", page, err)
		}
		break
	}
}

func TestALinkMayLeadToAHostThatIsListed(t *testing.T) {
	t.Parallel()
	other := serve(t, says(`[{"id":"b"}]`))
	host := strings.TrimPrefix(other.URL, "http://")
	a := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", `<`+other.URL+`/p2>; rel=next`)
		_, _ = w.Write([]byte(`[{"id":"a"}]`))
	})
	poll := config.Poll{
		Request: &config.Request{Path: "/", Hosts: config.Names{host}}, Pagination: &config.Pagination{Type: "link_header"},
		Auth: &config.APIAuth{Type: "bearer"}, Token: config.Secrets{"env:tok"},
	}
	r := mustRead(t, source(t, a, poll, Options{}), State{})
	if diff := cmp.Diff([]string{"a", "b"}, r.ids); diff != "" || other.asked()[0].Header.Get("Authorization") != "Bearer tok" {
		t.Error(diff)
	}
}
