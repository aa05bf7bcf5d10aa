package pull

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/api"
	"pushpull/shared/config"
)

func numbered(from, to int) []string {
	var list []string
	for i := from; i < to; i++ {
		list = append(list, fmt.Sprintf("r%d@%d", i, i/100))
	}
	return list
}

func TestALargePageIsGivenOutInChunks(t *testing.T) {
	t.Parallel()
	for _, order := range []string{"asc", "desc", "none"} {
		a := serve(t, says(things(`null`, numbered(0, 2500)...)))
		s := source(t, a, cursorPoll(order), Options{Identity: feedID})
		st, got, chunks := State{}, map[string]int{}, []int{}
		for more := true; more; {
			for page, err := range s.Run(t.Context(), st) {
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range page.Records {
					got[r.ID]++
				}
				chunks = append(chunks, page.Read)
				if page.More && page.Next.Watermark != "" {
					t.Errorf("%s: the watermark moved within a page", order)
				}
				st, more = saved(page.Next), page.More
				break // killed after each chunk
			}
		}
		if diff := cmp.Diff([]int{1000, 1000, 500}, chunks); diff != "" {
			t.Errorf("%s: %s", order, diff)
		}
		for id, n := range got {
			if n != 1 {
				t.Fatalf("%s: %s came %d times", order, id, n)
			}
		}
		if len(got) != 2500 || st.Watermark != at(24) || len(st.Ties) != 100 {
			t.Errorf("%s: %d records, watermark %s with %d ties", order, len(got), st.Watermark, len(st.Ties))
		}
	}
}

func TestAPageThatHasOthersByThenIsGivenOutFromItsStart(t *testing.T) {
	t.Parallel()
	for name, second := range map[string][]string{
		"one of the records that were given out is gone": numbered(1, 2500),
		"the page is shorter than that":                  numbered(0, 900),
		"others stand there":                             numbered(5000, 7500),
	} {
		a := serve(t, says(things(`null`, numbered(0, 2500)...)), says(things(`null`, second...)))
		s := source(t, a, cursorPoll("asc"), Options{Identity: feedID})
		st, got := State{}, map[string]bool{}
		for page, err := range s.Run(t.Context(), st) {
			if err != nil {
				t.Fatal(err)
			}
			st = saved(page.Next)
			break
		}
		for page, err := range s.Run(t.Context(), st) {
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Records {
				got[r.ID] = true
			}
		}
		if len(got) != len(second) {
			t.Errorf("%s: %d records of %d", name, len(got), len(second))
		}
	}
}

func TestAnAnswerThatBreaksIsReadOnWhereItBroke(t *testing.T) {
	t.Parallel()
	whole := things(`null`, numbered(0, 40)...)
	a := serve(t, says(whole[:len(whole)/2]), says(whole[:len(whole)-5]), says(whole))
	r := mustRead(t, source(t, a, cursorPoll("asc"), Options{Identity: feedID}), State{})
	if len(r.ids) != 40 || r.state.Run != nil {
		t.Errorf("%d records: %v", len(r.ids), r.ids)
	}
	always := serve(t, says(whole[:len(whole)-5]))
	r, err := read(t.Context(), source(t, always, cursorPoll("asc"), Options{Identity: feedID}), State{})
	if err == nil || len(r.ids) != 40 || r.state.Watermark != "" || len(always.asked()) != tries {
		t.Errorf("after %d requests: %d records, %+v, %v", len(always.asked()), len(r.ids), r.state, err)
	}
}

// endless writes a page of so many records without holding it.
func endless(n, size int) http.HandlerFunc {
	filler := strings.Repeat("x", size)
	return func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"data":[`)
		for i := range n {
			if i > 0 {
				_, _ = io.WriteString(w, ",")
			}
			_, _ = fmt.Fprintf(w, `{"id":"r%d","at":%q,"filler":%q}`, i, at(i/100), filler)
		}
		_, _ = io.WriteString(w, `],"next":null}`)
	}
}

//nolint:paralleltest // it measures the heap
func TestMemoryDoesNotGrowWithThePage(t *testing.T) {
	const records, size = 50_000, 1000 // 50 MB
	a := serve(t, endless(records, size))
	s := source(t, a, cursorPoll("asc"), Options{Identity: feedID})
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	peak, n := uint64(0), 0
	for page, err := range s.Run(t.Context(), State{}) {
		if err != nil {
			t.Fatal(err)
		}
		n += len(page.Records)
		runtime.GC() // what lives, not what is not collected yet
		runtime.ReadMemStats(&now)
		peak = max(peak, now.HeapAlloc)
	}
	if grown := int64(peak) - int64(before.HeapAlloc); n != records || grown > 12<<20 {
		t.Errorf("%d records, %d MiB more on the heap", n, grown>>20)
	}
}

func TestWhatRecordsAreMadeOf(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		records config.Records
		body    string
		want    []string
	}{
		{"a filter over a record makes none or several", config.Records{Path: "data", Each: `.items[]? | {id, at: "x"}`}, `{"data":[{"at":"2026-11-23T10:00:01Z","items":[{"id":1},{"id":12345678901234567890}]},{"at":"2026-11-23T10:00:02Z"}]}`, []string{`{"at":"x","id":1}`, `{"at":"x","id":12345678901234567890}`}},
		{"one over the page makes them all", config.Records{JQ: `.added[], (.removed[] | .deleted = true)`, DeletedWhen: ".deleted"}, `{"added":[{"id":"a","at":"2026-11-23T10:00:01Z"}],"removed":[{"id":"b","at":"2026-11-23T10:00:01Z"}]}`, []string{`{"at":"2026-11-23T10:00:01Z","id":"a"}`, `deleted {"at":"2026-11-23T10:00:01Z","deleted":true,"id":"b"}`}},
		{"a condition knows the bounds", config.Records{Path: "data", DeletedWhen: ".at <= $start"}, things(`null`, "a@1", "b@2"), []string{`deleted {"id":"a","at":"2026-11-23T10:00:01Z"}`, `{"id":"b","at":"2026-11-23T10:00:02Z"}`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			poll := cursorPoll("asc")
			poll.Records = &tt.records
			var got []string
			for page, err := range source(t, serve(t, says(tt.body)), poll, Options{}).Run(t.Context(), State{Watermark: at(1)}) {
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range page.Records {
					got = append(got, map[bool]string{true: "deleted "}[r.Deleted]+string(r.Data))
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnswersTellWhenToComeBack(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		headers []string
		body    string
		want    time.Duration
	}{
		{"nothing", nil, `{"data":[]}`, 0},
		{"X-Poll-Interval", []string{"X-Poll-Interval", "60"}, `{"data":[]}`, time.Minute},
		{"max-age, less the age", []string{"Cache-Control", "private, max-age=100", "Age", "40"}, `{"data":[]}`, time.Minute},
		{"not max-age of what must be asked for", []string{"Cache-Control", "no-cache, max-age=100"}, `{"data":[]}`, 0},
		{"Retry-After of a 200", []string{"Retry-After", "30"}, `{"data":[]}`, 30 * time.Second},
		{"a feed's ttl in minutes", nil, `{"data":[],"ttl":"5"}`, 5 * time.Minute},
		{"a year is a day", []string{"Cache-Control", "max-age=31536000"}, `{"data":[]}`, day},
	} {
		a := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i+1 < len(tt.headers); i += 2 {
				w.Header().Set(tt.headers[i], tt.headers[i+1])
			}
			_, _ = w.Write([]byte(tt.body))
		})
		for page, err := range source(t, a, cursorPoll("asc"), Options{}).Run(t.Context(), State{}) {
			if err != nil || page.Interval != tt.want {
				t.Errorf("%s: %v, %v", tt.name, page.Interval, err)
			}
		}
	}
}

func TestValidatorsOfAListOfSeveralPagesAreKeptOnlyWhereTheNewestIsFirst(t *testing.T) {
	t.Parallel()
	for order, want := range map[string]bool{"asc": false, "desc": true, "none": false} {
		poll := cursorPoll(order)
		poll.Conditional = "both"
		n := 0
		a := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			n++
			w.Header().Set("ETag", fmt.Sprintf(`"%d"`, n))
			w.Header().Set("Last-Modified", settled(5).Format(http.TimeFormat))
			_, _ = w.Write([]byte(things(map[int]string{1: `"2"`, 2: `null`}[n], "a@1")))
		})
		r := mustRead(t, source(t, a, poll, Options{}), State{Watermark: at(0)})
		if kept := r.state.ETag == `"1"` && r.state.LastModified != ""; kept != want {
			t.Errorf("%s: %+v", order, r.state)
		}
	}
}

func TestACursorThatIsTooOldIsNotSent(t *testing.T) {
	t.Parallel()
	poll := cursorPoll("desc")
	poll.Pagination.CursorTTL = config.Duration(time.Minute)
	a := serve(t, says(things(`null`, "a@1")))
	s := source(t, a, poll, Options{})
	for _, age := range []int{30, 90} {
		mustRead(t, s, State{Watermark: at(0), Run: &Progress{Started: settled(0), Low: at(0), Query: Query{Start: at(0), Position: "c", At: settled(600 - age)}}})
	}
	if a.query(0).Get("cursor") != "c" || a.query(1).Has("cursor") {
		t.Errorf("it asked %v, %v", a.query(0), a.query(1))
	}
}

func TestARangeWithoutAWidthIsAskedForToo(t *testing.T) {
	t.Parallel()
	poll := cursorPoll("asc")
	poll.Incremental.EndParam = "until"
	a := serve(t, says(things(`null`, "a@600", "late@600")))
	s := source(t, a, poll, Options{Identity: feedID})
	r := mustRead(t, s, State{Watermark: at(600), Settled: settled(600), Ties: []string{shortHash("a")}})
	if diff := cmp.Diff([]string{"late"}, r.ids); diff != "" {
		t.Error(diff)
	}
}

func TestALimitEndsTheRunWithItsStateKept(t *testing.T) {
	t.Parallel()
	a := serve(t, says(things(`"2"`, "a@1")), status(429, "Retry-After", "3600"), says(things(`null`, "b@2")))
	s := source(t, a, cursorPoll("desc"), Options{API: api.Options{Sleep: func(context.Context, time.Duration) error { return nil }}})
	r, err := read(t.Context(), s, State{})
	if err == nil || r.state.Run == nil {
		t.Fatalf("%+v, %v", r.state, err)
	}
	r = mustRead(t, s, r.state)
	if a.query(2).Get("cursor") != "2" || r.state.Watermark != at(2) {
		t.Errorf("%v, %+v", a.query(2), r.state)
	}
}

func TestAValidatorIsSentWithTheRequestThatItIsOfOnly(t *testing.T) {
	t.Parallel()
	poll := cursorPoll("asc")
	poll.Conditional = "etag"
	a := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `"1"`)
		_, _ = w.Write([]byte(things(`null`)))
	})
	s := source(t, a, poll, Options{})
	r := mustRead(t, s, State{Watermark: at(1), Settled: settled(1)})
	mustRead(t, s, r.state)
	r.state.Watermark = at(2)
	mustRead(t, s, r.state)
	asked := a.asked()
	if asked[1].Header.Get("If-None-Match") != `"1"` || asked[2].Header.Get("If-None-Match") != "" {
		t.Errorf("%v, %v", asked[1].Header, asked[2].Header)
	}
}

func TestAGraphQLAnswerWithErrorsIsNoPage(t *testing.T) {
	t.Parallel()
	poll := cursorPoll("asc")
	poll.Request.GraphQL = &config.GraphQL{Query: "{ things { id } }"}
	poll.Pagination = nil
	a := serve(t, says(`{"errors":[{"message":"timed out"}],"data":[{"id":"a","at":"2026-11-23T10:00:01Z"}]}`))
	r, err := read(t.Context(), source(t, a, poll, Options{}), State{Watermark: at(0)})
	if err == nil || !strings.Contains(err.Error(), "timed out") || r.state.Watermark != at(0) || len(a.asked()) != tries {
		t.Errorf("%v, %+v after %d requests", err, r.state, len(a.asked()))
	}
}

func TestAFeedIsItsOwnWindow(t *testing.T) {
	t.Parallel()
	poll := config.Poll{
		Request: &config.Request{Path: "/feed.atom"}, Records: &config.Records{Format: "feed"}, Conditional: "both",
		Incremental: &config.Incremental{CursorPath: "updated", Order: "none", Initial: long(time.Hour)},
	}
	entry := func(id string, second int) string {
		return fmt.Sprintf(`<entry><id>%s</id><title>t</title><updated>%s</updated></entry>`, id, at(second))
	}
	body := entry("b", 20) + entry("a", 10)
	a := serve(t, func(w http.ResponseWriter, r *http.Request) {
		tag := fmt.Sprintf(`"%d"`, len(body))
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", tag)
		w.Header().Set("Content-Type", "application/atom+xml")
		_, _ = io.WriteString(w, `<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>f</title>`+body+`</feed>`)
	})
	s := source(t, a, poll, Options{Identity: feedID})
	r := mustRead(t, s, State{})
	r2 := mustRead(t, s, r.state)
	body = entry("c", 30) + body
	r3 := mustRead(t, s, r2.state)
	if diff := cmp.Diff([][]string{{"b", "a"}, nil, {"c"}}, [][]string{r.ids, r2.ids, r3.ids}); diff != "" {
		t.Error(diff)
	}
}
