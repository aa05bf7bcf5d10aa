package pull

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/config"
)

// bodies collects what was sent.
func bodies(list *[]string, answers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		*list = append(*list, r.Method+" "+r.URL.RequestURI()+" "+string(b))
		_, _ = w.Write([]byte(answers[min(len(*list), len(answers))-1]))
	}
}

func TestARequestIsFilledIn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*config.Poll)
		want   []string
	}{
		{"a parameter whose placeholder has nothing yet is left out", func(p *config.Poll) {
			p.Pagination.CursorParam = ""
			p.Request.Params = map[string]string{"after": "{cursor}", "n": "{page_size}", "who": "{owner}"}
			p.Pagination.PageSize = 2
			p.With = map[string]string{"owner": "a b"}
		}, []string{"GET /things?n=2&since=2026-11-23T10%3A00%3A01Z&who=a+b ", "GET /things?after=c2&n=2&since=2026-11-23T10%3A00%3A01Z&who=a+b "}},
		{"first_only parameters stay off the later pages", func(p *config.Poll) {
			p.Request.Params = map[string]string{"sort": "at"}
			p.Request.FirstOnly = config.Names{"sort", "since"}
		}, []string{"GET /things?since=2026-11-23T10%3A00%3A01Z&sort=at ", "GET /things?cursor=c2 "}},
		{"members of json that have nothing are left out, and so is what they leave empty", func(p *config.Poll) {
			p.Incremental.StartParam, p.Pagination.CursorParam = "", ""
			p.Incremental.Format = "unix"
			p.Pagination.PageSize = 50
			p.Request.JSON = map[string]any{
				"limit": "{page_size}", "page": map[string]any{"after": "{cursor}"}, "fixed": map[string]any{},
				"filters": []any{map[string]any{"gte": "{start}", "text": "since {start}"}},
			}
		}, []string{
			`POST /things {"filters":[{"gte":1795428001,"text":"since 1795428001"}],"fixed":{},"limit":50}`,
			`POST /things {"filters":[{"gte":1795428001,"text":"since 1795428001"}],"fixed":{},"limit":50,"page":{"after":"c2"}}`,
		}},
		{"a form", func(p *config.Poll) {
			p.Pagination.CursorParam = ""
			p.Request.Form = map[string]string{"cursor": "{cursor}", "kind": "all"}
		}, []string{"POST /things?since=2026-11-23T10%3A00%3A01Z kind=all", "POST /things?since=2026-11-23T10%3A00%3A01Z cursor=c2&kind=all"}},
		{"graphql variables", func(p *config.Poll) {
			p.Pagination.CursorParam, p.Incremental.StartParam = "", ""
			p.Pagination.PageSize = 10
			p.Request.GraphQL = &config.GraphQL{Query: "query($after: String) { things { id } }", Variables: map[string]string{
				"after": "{cursor}", "first": "{page_size}", "q": "updated_at:>='{start}'",
			}}
		}, []string{
			`POST /things {"query":"query($after: String) { things { id } }","variables":{"first":10,"q":"updated_at:\u003e='2026-11-23T10:00:01Z'"}}`,
			`POST /things {"query":"query($after: String) { things { id } }","variables":{"after":"c2","first":10,"q":"updated_at:\u003e='2026-11-23T10:00:01Z'"}}`,
		}},
		{"a number in json is a text where the placeholder says so", func(p *config.Poll) {
			p.Incremental.StartParam = ""
			p.Pagination = &config.Pagination{Type: "offset", PageSize: 1}
			p.Request.JSON = map[string]any{"from": "{cursor|text}"}
		}, []string{`POST /things {"from":"0"}`, `POST /things {"from":"1"}`, `POST /things {"from":"2"}`}},
		{"an offset in json is a number, from the first page on", func(p *config.Poll) {
			p.Incremental.StartParam = ""
			p.Pagination = &config.Pagination{Type: "offset", PageSize: 1}
			p.Request.JSON = map[string]any{"from": "{cursor}"}
		}, []string{`POST /things {"from":0}`, `POST /things {"from":1}`, `POST /things {"from":2}`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			poll := cursorPoll("asc")
			tt.change(&poll)
			var got []string
			a := serve(t, bodies(&got, things(`"c2"`, "a@1"), things(`null`, "b@2"), things(`null`)))
			mustRead(t, source(t, a, poll, Options{}), State{Watermark: at(1), Settled: settled(1)})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAPlaceholderThatNothingFillsIsAMistake(t *testing.T) {
	t.Parallel()
	poll := cursorPoll("asc")
	poll.BaseURL = "https://api.example.com"
	poll.Request.JSON = map[string]any{"a": []any{"{ownr}"}}
	_, err := New(poll, Options{})
	if err == nil || err.Error() != "poll.request: {ownr} has no value: give it one in poll.with" {
		t.Errorf("the error is %v", err)
	}
}

func TestBoundsAreWrittenAsTheAPIReadsThem(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		change    func(*config.Incremental)
		mark      string
		from, end string
	}{
		{"rfc 3339 as the records have it", func(*config.Incremental) {}, "2026-11-23T10:00:01.500Z", "2026-11-23T10:00:01.500Z", "2026-11-23T10:10:00Z"},
		{"unix seconds are rounded down", func(i *config.Incremental) { i.Format = "unix" }, "2026-11-23T10:00:01.500Z", "1795428001", "1795428600"},
		{"milliseconds", func(i *config.Incremental) { i.Format = "unix_ms" }, "2026-11-23T10:00:01.500Z", "1795428001500", "1795428600000"},
		{"dates in a time zone", func(i *config.Incremental) { i.Format, i.TimeZone = "date", "Pacific/Auckland" }, "2026-11-23T10:59:00Z", "2026-11-23", "2026-11-23"},
		{"dates after its midnight", func(i *config.Incremental) { i.Format, i.TimeZone = "date", "Pacific/Auckland" }, "2026-11-23T11:01:00Z", "2026-11-24", "2026-11-24"},
		{"a layout of minutes in a time zone, and the minute before", func(i *config.Incremental) {
			i.Format, i.Layout, i.TimeZone, i.Precision = "layout", "2006-01-02 15:04", "Asia/Kolkata", "m"
		}, "2026-11-23T10:00:31Z", "2026-11-23 15:29", "2026-11-23 15:40"},
		{"an exclusive bound is a unit lower", func(i *config.Incremental) { i.Format, i.Exclusive = "unix", true }, "2026-11-23T10:00:01Z", "1795428000", "1795428600"},
		{"precision reads one unit again", func(i *config.Incremental) { i.Precision = "s" }, "2026-11-23T10:00:01Z", "2026-11-23T10:00:00Z", "2026-11-23T10:10:00Z"},
		{"an end is rounded up", func(i *config.Incremental) {
			i.Precision, i.Settle = "m", config.Duration(30_000_000_000)
		}, "2026-11-23T10:00:00Z", "2026-11-23T09:59:00Z", "2026-11-23T10:10:00Z"},
		{"a number that is no time", func(i *config.Incremental) { i.Format = "text" }, "18446744073709551616", "18446744073709551616", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			poll := cursorPoll("asc")
			poll.Incremental.EndParam = "until"
			tt.change(poll.Incremental)
			a := serve(t, says(`{"data":[]}`))
			mustRead(t, source(t, a, poll, Options{}), State{Watermark: tt.mark})
			if got := a.query(0); got.Get("since") != tt.from || got.Get("until") != tt.end {
				t.Errorf("it asked for %v, want %s to %s", got, tt.from, tt.end)
			}
		})
	}
}

func TestDetails(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		detail config.Detail
		known  map[string]bool
		want   []string
		asked  int
	}{
		{"the answer is the record", config.Detail{Path: "item"}, nil, []string{`{"id":"a","full":1}`, `{"id":"b","full":1}`, `{"id":"gone","at":"2026-11-23T10:00:03Z"}`}, 4},
		{"or a member of it", config.Detail{Into: "more", Path: "item.full"}, nil, []string{`{"id":"a","at":"2026-11-23T10:00:01Z","more":1}`, `{"id":"b","at":"2026-11-23T10:00:02Z","more":1}`, `{"id":"gone","at":"2026-11-23T10:00:03Z"}`}, 4},
		{"what is missing is dropped", config.Detail{Path: "item", Missing: "drop"}, nil, []string{`{"id":"a","full":1}`, `{"id":"b","full":1}`}, 4},
		{"only some need one", config.Detail{Path: "item", When: `.id == "b"`}, nil, []string{`{"id":"a","at":"2026-11-23T10:00:01Z"}`, `{"id":"b","full":1}`, `{"id":"gone","at":"2026-11-23T10:00:03Z"}`}, 2},
		{"what the ledger has needs none", config.Detail{Path: "item"}, map[string]bool{"a": true, "gone": true}, []string{`{"id":"a","at":"2026-11-23T10:00:01Z"}`, `{"id":"b","full":1}`, `{"id":"gone","at":"2026-11-23T10:00:03Z"}`}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := serve(t, func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/things":
					_, _ = w.Write([]byte(things(`null`, "a@1", "b@2", "gone@3")))
				case "/things/gone":
					w.WriteHeader(http.StatusNotFound)
				default:
					_, _ = w.Write([]byte(`{"item":{"id":"` + r.URL.Path[len("/things/"):] + `","full":1}}`))
				}
			})
			poll := cursorPoll("asc")
			tt.detail.Request = &config.Request{Path: "/things/{record.id}"}
			poll.Detail = &tt.detail
			o := Options{Identity: feedID, Known: func(context.Context, []string) (map[string]bool, error) { return tt.known, nil }}
			var got []string
			for page, err := range source(t, a, poll, o).Run(t.Context(), State{}) {
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range page.Records {
					got = append(got, string(r.Data))
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if len(a.asked()) != tt.asked {
				t.Errorf("%d requests, want %d", len(a.asked()), tt.asked)
			}
		})
	}
}

func TestWhatWasCompletedIsGivenOutBeforeTheLimitOfDetails(t *testing.T) {
	t.Parallel()
	left := 2
	a := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/things" {
			_, _ = w.Write([]byte(things(`null`, "a@1", "b@2", "c@3", "d@4", "e@5")))
			return
		}
		if left--; left < 0 {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		_, _ = w.Write([]byte(`{"id":"` + r.URL.Path[1:] + `"}`))
	})
	poll := cursorPoll("asc")
	poll.Detail = &config.Detail{Request: &config.Request{Path: "/{record.id}"}}
	s := source(t, a, poll, Options{Identity: feedID})
	var ids []string
	st := State{}
	for range 3 {
		r, err := read(t.Context(), s, st)
		ids, st = append(ids, r.ids...), r.state
		if err == nil {
			break
		}
		left = 2
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "d", "e"}, ids); diff != "" {
		t.Error(diff)
	}
	if st.Watermark != at(5) || st.Run != nil {
		b, _ := json.Marshal(st)
		t.Errorf("the state is %s", b)
	}
}
