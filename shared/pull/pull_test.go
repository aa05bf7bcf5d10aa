package pull

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/api"
	"pushpull/shared/apiauth"
	"pushpull/shared/config"
)

// A peer answers the requests of one test in turn; the last answer repeats.
type peer struct {
	mu       sync.Mutex
	requests []*http.Request
	answers  []http.HandlerFunc
	*httptest.Server
}

func serve(t *testing.T, answers ...http.HandlerFunc) *peer {
	t.Helper()
	a := &peer{answers: answers}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		n := min(len(a.requests), len(a.answers)-1)
		a.requests = append(a.requests, r)
		a.mu.Unlock()
		w.Header().Set("Date", settled(600).Format(http.TimeFormat))
		a.answers[n](w, r)
	}))
	t.Cleanup(a.Close)
	return a
}

// asked is the requests so far.
func (a *peer) asked() []*http.Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.requests)
}

// query tells the query of request n.
func (a *peer) query(n int) url.Values { return a.asked()[n].URL.Query() }

func says(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
}

func status(code int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
	}
}

func cursorPoll(order string) config.Poll {
	return config.Poll{
		Request:    &config.Request{Path: "/things"},
		Records:    &config.Records{Path: "data"},
		Pagination: &config.Pagination{Type: "cursor", CursorPath: "next", CursorParam: "cursor"},
		Incremental: &config.Incremental{
			CursorPath: "at", StartParam: "since", Format: "rfc3339", Order: order,
		},
	}
}

func long(d time.Duration) *config.Duration {
	c := config.Duration(d)
	return &c
}

func source(t *testing.T, a *peer, poll config.Poll, o Options) *Source {
	t.Helper()
	poll.BaseURL = a.URL
	if o.API.Sleep == nil {
		o.API.Sleep = func(context.Context, time.Duration) error { return nil }
	}
	if o.API.Now == nil {
		o.API.Now = func() time.Time { return settled(600) }
	}
	if poll.Auth != nil {
		auth, err := apiauth.New(poll.Auth, apiauth.Options{Token: poll.Token, With: poll.With, Store: vault{}})
		if err != nil {
			t.Fatal(err)
		}
		o.API.Auth = auth
	}
	s, err := New(poll, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A vault holds under env:x the secret x.
type vault struct{}

func (vault) All(_ context.Context, refs []string) ([]string, error) {
	values := make([]string, len(refs))
	for i, ref := range refs {
		values[i] = strings.TrimPrefix(ref, "env:")
	}
	return values, nil
}

func (v vault) Fresh(ctx context.Context, refs []string) ([]string, error) { return v.All(ctx, refs) }

func (vault) Anew(_ context.Context, ref string) (string, error) {
	return strings.TrimPrefix(ref, "env:"), nil
}

func (vault) Put(context.Context, string, string, bool) error { return errors.New("nothing is put") }

// result is all of one run: the ids it gave out and the last state to save.
type result struct {
	ids   []string
	state State
	pages int
	more  bool
}

func read(ctx context.Context, s *Source, st State) (result, error) {
	r := result{state: st}
	for page, err := range s.Run(ctx, st) {
		if err != nil {
			return r, err
		}
		r.pages++
		r.state, r.more = saved(page.Next), page.More
		for _, record := range page.Records {
			var v struct{ ID string }
			if err := json.Unmarshal(record.Data, &v); err != nil {
				return r, err
			}
			r.ids = append(r.ids, v.ID)
		}
	}
	return r, nil
}

// saved is the state as it comes back from where it was kept.
func saved(st State) State {
	b, err := json.Marshal(st)
	if err != nil {
		panic(err)
	}
	var back State
	if err := json.Unmarshal(b, &back); err != nil {
		panic(err)
	}
	return back
}

func mustRead(t *testing.T, s *Source, st State) result {
	t.Helper()
	r, err := read(t.Context(), s, st)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const t0 = "2026-11-23T10:00:00Z"

func at(second int) string {
	v, _ := time.Parse(time.RFC3339, t0)
	return v.Add(time.Duration(second) * time.Second).Format(time.RFC3339)
}

func settled(second int) time.Time {
	v, _ := time.Parse(time.RFC3339, at(second))
	return v
}

// things writes {"data":[…],"next":…}: "a@3" is a record with id a at second 3.
func things(next string, list ...string) string {
	records := make([]string, len(list))
	for i, item := range list {
		id, sec, _ := strings.Cut(item, "@")
		var n int
		_, _ = fmt.Sscan(sec, &n)
		records[i] = fmt.Sprintf(`{"id":%q,"at":%q}`, id, at(n))
	}
	return fmt.Sprintf(`{"data":[%s],"next":%s}`, strings.Join(records, ","), next)
}

func TestAnAscendingFeedMovesTheWatermarkWithEachPage(t *testing.T) {
	t.Parallel()
	a := serve(t, says(things(`"c2"`, "a@1", "b@2")), says(things(`"c3"`, "c@2", "d@3")), status(http.StatusBadGateway))
	s := source(t, a, cursorPoll("asc"), Options{})
	r, err := read(t.Context(), s, State{})
	if err == nil {
		t.Fatal("the third page failed, and so should the run")
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "d"}, r.ids); diff != "" {
		t.Error(diff)
	}
	if r.state.Watermark != at(3) || r.state.Run == nil || r.state.Run.Position != "c3" {
		t.Errorf("the state is %+v", r.state)
	}
}

func TestADescendingFeedCutAfterItsFirstPageLosesNothing(t *testing.T) {
	t.Parallel()
	before := State{Watermark: at(1), Settled: settled(1)}
	a := serve(t, says(things(`"c2"`, "d@4", "c@3")), status(http.StatusBadGateway))
	s := source(t, a, cursorPoll("desc"), Options{})
	r, err := read(t.Context(), s, before)
	if err == nil {
		t.Fatal("want the error of page two")
	}
	if r.state.Watermark != at(1) {
		t.Errorf("the watermark moved to %s before the older pages were read", r.state.Watermark)
	}
	again := serve(t, says(things(`null`, "b@2")))
	s = source(t, again, cursorPoll("desc"), Options{})
	r = mustRead(t, s, r.state)
	if got := again.query(0).Get("cursor"); got != "c2" {
		t.Errorf("it went on at %q, not where it was", got)
	}
	if diff := cmp.Diff([]string{"b"}, r.ids); diff != "" {
		t.Error(diff)
	}
	if r.state.Watermark != at(4) || r.state.Run != nil {
		t.Errorf("the state is %+v", r.state)
	}
}

func TestAPositionThatDiedBetweenRunsStartsTheRunAnew(t *testing.T) {
	t.Parallel()
	for _, code := range []int{400, 404, 409, 410, 412, 422} {
		a := serve(t, status(code), says(things(`null`, "b@2", "a@1")))
		s := source(t, a, cursorPoll("desc"), Options{})
		st := State{Watermark: at(1), Run: &Progress{Low: at(1), High: at(9), Query: Query{Start: at(1), Position: "dead"}}}
		r := mustRead(t, s, st)
		if diff := cmp.Diff([]string{"b", "a"}, r.ids); diff != "" {
			t.Errorf("%d: %s", code, diff)
		}
		if r.state.Watermark != at(2) {
			t.Errorf("%d: the watermark is %s", code, r.state.Watermark)
		}
	}
}

func TestTiesAtThePageEdgeAreGivenOutOnceAndLateOnesStillCome(t *testing.T) {
	t.Parallel()
	poll := cursorPoll("asc")
	a := serve(t, says(things(`null`, "a@1", "b@2")), says(things(`null`, "b@2", "c@2")), says(things(`null`, "b@2", "c@2")))
	s := source(t, a, poll, Options{})
	r := mustRead(t, s, State{})
	r = mustRead(t, s, r.state)
	if got := a.query(1).Get("since"); got != at(2) {
		t.Errorf("it asked since %q: a strict bound would lose c", got)
	}
	if diff := cmp.Diff([]string{"c"}, r.ids); diff != "" {
		t.Error(diff)
	}
	if r = mustRead(t, s, r.state); r.ids != nil {
		t.Errorf("%v came again", r.ids)
	}
}

func TestATieLargerThanAPageIsPagedThroughAndResumedWithin(t *testing.T) {
	t.Parallel()
	poll := cursorPoll("asc")
	poll.Pagination.MaxPages = 2
	a := serve(t, says(things(`"2"`, "a@5", "b@5")), says(things(`"3"`, "c@5", "d@5")), says(things(`null`, "e@5")))
	s := source(t, a, poll, Options{})
	r := mustRead(t, s, State{})
	if !r.more || r.pages != 2 {
		t.Fatalf("max_pages ends a run, and says there is more: %+v", r)
	}
	r2 := mustRead(t, s, r.state)
	if diff := cmp.Diff([]string{"a", "b", "c", "d", "e"}, append(r.ids, r2.ids...)); diff != "" {
		t.Error(diff)
	}
	if a.query(2).Get("cursor") != "3" || r2.more {
		t.Errorf("it went on at %v", a.query(2))
	}
}

func TestLookbackReadsAgainUntilARunSawEverythingThatLate(t *testing.T) {
	t.Parallel()
	poll := cursorPoll("asc")
	poll.Incremental.Lookback = config.Duration(10 * time.Second)
	a := serve(t, says(things(`null`)))
	s := source(t, a, poll, Options{})
	mustRead(t, s, State{Watermark: at(60), Settled: settled(65)})
	mustRead(t, s, State{Watermark: at(60), Settled: settled(70)})
	if diff := cmp.Diff([]string{at(50), at(60)}, []string{a.query(0).Get("since"), a.query(1).Get("since")}); diff != "" {
		t.Error(diff)
	}
}

func TestAFeedWithoutAFilterStopsAtTheFirstPageThatIsAllKnown(t *testing.T) {
	t.Parallel()
	poll := cursorPoll("desc")
	poll.Incremental.StartParam = ""
	a := serve(t, says(things(`"2"`, "e@5", "d@4")), says(things(`"3"`, "c@3", "b@2")), says(things(`"4"`, "a@1", "z@0")), status(500))
	s := source(t, a, poll, Options{})
	r := mustRead(t, s, State{Watermark: at(3), Settled: settled(3), Ties: []string{shortHash("c")}})
	if diff := cmp.Diff([]string{"e", "d", "c"}, r.ids); diff != "" {
		t.Error(diff) // c is not known by its bytes' hash, and so comes again for the ledger to judge
	}
	if r.pages != 3 || r.state.Watermark != at(5) {
		t.Errorf("%d pages, %+v", r.pages, r.state)
	}
}

func TestTheVeryFirstRun(t *testing.T) {
	t.Parallel()
	server := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	dated := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", server.Format(http.TimeFormat))
		_, _ = w.Write([]byte(things(`null`)))
	}
	t.Run("takes its bound from the api's clock where ours is an hour ahead", func(t *testing.T) {
		t.Parallel()
		poll := cursorPoll("asc")
		poll.Incremental.Initial = long(time.Minute)
		a := serve(t, dated)
		s := source(t, a, poll, Options{API: api.Options{Now: func() time.Time { return server.Add(time.Hour) }}})
		r := mustRead(t, s, State{})
		want := server.Add(-time.Minute).Format(time.RFC3339)
		if got := a.query(len(a.asked()) - 1).Get("since"); got != want {
			t.Errorf("it asked since %s, want %s", got, want)
		}
		if r.state.Watermark != want || r.state.First() {
			t.Errorf("with nothing there, the bound is the watermark: %+v", r.state)
		}
	})
	t.Run("leaves out what is older than initial", func(t *testing.T) {
		t.Parallel()
		poll := cursorPoll("desc")
		poll.Incremental.StartParam, poll.Incremental.Initial = "", long(30*time.Second)
		a := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", server.Add(60*time.Second).Format(http.TimeFormat))
			_, _ = w.Write([]byte(things(`"2"`, "b@50", "a@10")))
		}, status(500))
		s := source(t, a, poll, Options{API: api.Options{Now: func() time.Time { return server.Add(60 * time.Second) }}})
		r, _ := read(t.Context(), s, State{})
		if diff := cmp.Diff([]string{"b"}, r.ids); diff != "" {
			t.Error(diff)
		}
	})
}

func TestARecordOfTheFutureDoesNotMoveTheWatermark(t *testing.T) {
	t.Parallel()
	a := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", settled(10).Format(http.TimeFormat))
		_, _ = w.Write([]byte(things(`null`, "a@5", "f@99999")))
	})
	r := mustRead(t, source(t, a, cursorPoll("asc"), Options{API: api.Options{Now: func() time.Time { return settled(10) }}}), State{})
	if diff := cmp.Diff([]string{"a", "f"}, r.ids); diff != "" {
		t.Error(diff)
	}
	if r.state.Watermark != at(5) {
		t.Errorf("the watermark is %s", r.state.Watermark)
	}
}

func TestRepeatedCursors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		answers []http.HandlerFunc
		want    []string
		loop    bool
	}{
		{"the same cursor with an empty page is the live tail", []http.HandlerFunc{says(things(`"x"`, "a@1")), says(things(`"x"`))}, []string{"a"}, false},
		{"the same cursor with records is a loop", []http.HandlerFunc{says(things(`"x"`, "a@1")), says(things(`"x"`, "b@2"))}, []string{"a", "b"}, true},
		{"A, B, A is a loop", []http.HandlerFunc{says(things(`"A"`, "a@1")), says(things(`"B"`, "b@2")), says(things(`"A"`, "c@3"))}, []string{"a", "b", "c"}, true},
		{"an empty page with a next is not the end", []http.HandlerFunc{says(things(`"x"`)), says(things(`""`, "a@1"))}, []string{"a"}, false},
		{"an empty cursor is the end", []http.HandlerFunc{says(things(`""`, "a@1")), status(500)}, []string{"a"}, false},
		{"a null cursor is the end", []http.HandlerFunc{says(things(`null`, "a@1")), status(500)}, []string{"a"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := serve(t, tt.answers...)
			r, err := read(t.Context(), source(t, a, cursorPoll("asc"), Options{}), State{})
			if diff := cmp.Diff(tt.want, r.ids); diff != "" {
				t.Error(diff)
			}
			if _, final := errors.AsType[*api.Permanent](err); final != tt.loop {
				t.Errorf("the error is %v", err)
			}
			if tt.loop && (r.state.Run != nil || r.state.Watermark == "") {
				t.Errorf("what was read is committed, the looping position is not: %+v", r.state)
			}
		})
	}
}

func TestKeysetFollowsTheLastRecordWhileThereIsMore(t *testing.T) {
	t.Parallel()
	poll := config.Poll{
		Request:     &config.Request{Path: "/v1/events", Params: map[string]string{"limit": "2"}},
		Records:     &config.Records{Path: "data"},
		Auth:        &config.APIAuth{Type: "basic"},
		Pagination:  &config.Pagination{Type: "keyset", CursorPath: "id", CursorParam: "starting_after", HasMorePath: "has_more"},
		Incremental: &config.Incremental{CursorPath: "created", StartParam: "created[gte]", Format: "unix", Order: "desc"},
	}
	a := serve(t,
		says(`{"data":[{"id":"evt_3","created":1763892003},{"id":"evt_2","created":1763892002}],"has_more":true}`),
		says(`{"data":[{"id":"evt_1","created":1763892001}],"has_more":false}`), status(500))
	poll.Token = config.Secrets{"env:sk"}
	s := source(t, a, poll, Options{})
	r := mustRead(t, s, State{Watermark: "1763892000", Settled: time.Unix(1763892000, 0)})
	if diff := cmp.Diff([]string{"evt_3", "evt_2", "evt_1"}, r.ids); diff != "" {
		t.Error(diff)
	}
	want := url.Values{"limit": {"2"}, "created[gte]": {"1763892000"}, "starting_after": {"evt_2"}}
	if diff := cmp.Diff(want, a.query(1)); diff != "" {
		t.Error(diff)
	}
	if user, pass, _ := a.asked()[1].BasicAuth(); user != "sk" || pass != "" {
		t.Errorf("page two was asked for as %q, %q", user, pass)
	}
	if r.state.Watermark != "1763892003" {
		t.Errorf("the watermark is %q, not as the api writes it", r.state.Watermark)
	}
}

func TestLinksLeadOnWithinTheHostOnly(t *testing.T) {
	t.Parallel()
	poll := config.Poll{
		With:       map[string]string{"owner": "a/b"},
		Request:    &config.Request{Path: "/repos/{owner}/events"},
		Auth:       &config.APIAuth{Type: "bearer"},
		Token:      config.Secrets{"env:tok"},
		Pagination: &config.Pagination{Type: "link_header"},
	}
	t.Run("the credential goes to page two of the same host", func(t *testing.T) {
		t.Parallel()
		var a *peer
		a = serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", `<`+a.URL+`/p2?x=1>; rel="next last"`)
			_, _ = w.Write([]byte(`[{"id":"a"}]`))
		}, says(`[{"id":"b"}]`))
		r := mustRead(t, source(t, a, poll, Options{}), State{})
		if diff := cmp.Diff([]string{"a", "b"}, r.ids); diff != "" {
			t.Error(diff)
		}
		if got := a.asked()[0].URL.EscapedPath(); got != "/repos/a%2Fb/events" {
			t.Errorf("the path is %s", got)
		}
		if got := a.asked()[1].Header.Get("Authorization"); got != "Bearer tok" {
			t.Errorf("page two was asked for with %q", got)
		}
	})
	t.Run("neither a link nor a redirect takes it to another host", func(t *testing.T) {
		t.Parallel()
		other := serve(t, says(`[]`))
		for _, answer := range []http.HandlerFunc{
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Link", `<`+other.URL+`>; rel=next`)
				_, _ = w.Write([]byte(`[{"id":"a"}]`))
			},
			status(302, "Location", other.URL),
		} {
			a := serve(t, answer)
			_, err := read(t.Context(), source(t, a, poll, Options{}), State{})
			if _, final := errors.AsType[*api.Permanent](err); !final || !strings.Contains(err.Error(), "another host") {
				t.Errorf("the error is %v", err)
			}
		}
		if len(other.asked()) > 0 {
			t.Error("the other host was asked")
		}
	})
}

func TestAnApiKeyInTheQueryStaysOutOfTheStateAndTheErrors(t *testing.T) {
	t.Parallel()
	poll := cursorPoll("asc")
	poll.Auth = &config.APIAuth{Type: "api_key", In: "query", Name: "key"}
	poll.Pagination.CursorParam = "" // the cursor is the next page's address
	a := serve(t, says(things(`"/things?page=2&key=s3cret"`, "a@1")), func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	poll.Token = config.Secrets{"env:s3cret"}
	s := source(t, a, poll, Options{})
	r, err := read(t.Context(), s, State{})
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("the error is %v", err)
	}
	if b, _ := json.Marshal(r.state); strings.Contains(string(b), "s3cret") {
		t.Errorf("the state is %s", b)
	}
	if a.query(1).Get("key") != "s3cret" || a.query(1).Get("page") != "2" {
		t.Errorf("page two was asked for by %v", a.query(1))
	}
}

func TestConditionalRequests(t *testing.T) {
	t.Parallel()
	poll := cursorPoll("desc")
	poll.Incremental.StartParam = ""
	poll.Conditional = "etag"
	tagged := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Poll-Interval", "60")
		if r.Header.Get("If-None-Match") == `W/"v1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", `W/"v1"`)
		_, _ = w.Write([]byte(things(`"2"`, "b@2", "a@1")))
	}
	a := serve(t, tagged, status(500), status(500), status(500), tagged, says(things(`null`)), tagged)
	s := source(t, a, poll, Options{API: api.Options{Now: func() time.Time { return settled(9) }}})
	first, err := read(t.Context(), s, State{})
	if err == nil || first.state.ETag != "" {
		t.Fatalf("a run that failed keeps no validator: %v, %+v", err, first.state)
	}
	second := mustRead(t, s, State{})
	for page, err := range s.Run(t.Context(), second.state) {
		if err != nil {
			t.Fatal(err)
		}
		if !page.Unchanged || page.More || page.Interval != time.Minute {
			t.Errorf("the page is %+v", page)
		}
		if diff := cmp.Diff(second.state, saved(page.Next)); diff != "" {
			t.Errorf("a 304 moved the state: %s", diff)
		}
	}
}

func TestAPageOfAnySuccessfulStatusIsRead(t *testing.T) {
	t.Parallel()
	for _, code := range []int{200, 203, 206} {
		a := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = w.Write([]byte(things(`null`, "a@1")))
		})
		if r := mustRead(t, source(t, a, cursorPoll("asc"), Options{}), State{}); len(r.ids) != 1 {
			t.Errorf("of a page with status %d it gives out %v", code, r.ids)
		}
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	const exactRecord = `{"id":"a",  "n":12345678901234567890.10, "at":"2026-11-23T10:00:01Z"}`
	zip := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = z.Write([]byte("\xef\xbb\xbf" + `{"data":[` + exactRecord + `]}`))
		_ = z.Close()
	}
	a := serve(t, zip)
	for page, err := range source(t, a, cursorPoll("asc"), Options{}).Run(t.Context(), State{}) {
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(exactRecord, string(page.Records[0].Data)); diff != "" {
			t.Error(diff)
		}
	}
	for _, tt := range []struct {
		name, body string
		change     func(*config.Poll)
		want       string
	}{
		{"a record over max_bytes", things(`null`, "a@1"), func(p *config.Poll) { p.Request.MaxBytes = 10 }, "larger than 10 bytes"},
		{"not json", "<html>", nil, "no valid JSON"},
		{"no list where it should be", `{"items":[]}`, nil, "there is no list at data"},
		{"a list that may be left out", `{}`, func(p *config.Poll) { p.Records.Optional = true }, ""},
		{"a null list", `{"data":null}`, nil, ""},
		{"records without the value to go on by", `{"data":[{"id":"a"}]}`, nil, `no record has a value at "at"`},
		{"a value that is no time", `{"data":[{"id":"a","at":"soon"}]}`, nil, "is not a time"},
		{"more without a cursor", `{"data":[],"more":true}`, func(p *config.Poll) { p.Pagination.HasMorePath = "more" }, "has no cursor"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			poll := cursorPoll("asc")
			if tt.change != nil {
				tt.change(&poll)
			}
			_, err := read(t.Context(), source(t, serve(t, says(tt.body)), poll, Options{}), State{})
			if (err == nil) != (tt.want == "") || (err != nil && !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("the error is %v", err)
			}
		})
	}
	if r := mustRead(t, source(t, serve(t, status(http.StatusNoContent)), cursorPoll("asc"), Options{}), State{}); r.ids != nil || r.more {
		t.Errorf("204 is an empty run: %+v", r)
	}
}
