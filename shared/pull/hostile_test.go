package pull

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/api"
	"pushpull/shared/config"
)

func TestARangeDoesNotEndBeforeItBegins(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		st   State
	}{
		{"where the first run begins now, and nothing has settled yet", State{}},
		{"where the watermark is younger than what has settled", State{Watermark: at(599), Settled: settled(599)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			poll := cursorPoll("asc")
			poll.Incremental.EndParam, poll.Incremental.Initial = "until", long(0)
			poll.Incremental.Settle = config.Duration(time.Minute)
			a := serve(t, says(things(`null`)))
			mustRead(t, source(t, a, poll, Options{}), tt.st)
			if q := a.query(0); q.Get("since") > q.Get("until") {
				t.Errorf("it asked for %v", q)
			}
		})
	}
}

func TestARecordAheadOfTheClockHidesNoneThatFollows(t *testing.T) {
	t.Parallel()
	for _, order := range []string{"asc", "desc", "none"} {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			now, body := 600, things(`null`, "early@590", "ahead@660")
			a := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", settled(now).Format(http.TimeFormat))
				_, _ = w.Write([]byte(body))
			})
			s := source(t, a, cursorPoll(order), Options{Identity: feedID, API: api.Options{Now: func() time.Time { return settled(now) }}})
			r := mustRead(t, s, State{})
			now, body = 640, things(`null`, "behind@630", "ahead@660")
			if r = mustRead(t, s, r.state); !slices.Contains(r.ids, "behind") || a.query(1).Get("since") > at(630) {
				t.Errorf("it asked since %s, and gave out %v", a.query(1).Get("since"), r.ids)
			}
		})
	}
}

func TestATimeThatLooksLikeANumber(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, layout, text, want string }{
		{"is read by the layout first", "20060102150405", "20261123100000", "20261123100000"},
		{"a day, too", "20060102", "20261123", "20261123"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := scale{format: "layout", layout: tt.layout, zone: time.UTC}
			v, err := c.parse(tt.text)
			if got := c.start(v).text; err != nil || got != tt.want || v.at.Year() != 2026 {
				t.Errorf("%s is %v, and sent as %s (%v)", tt.text, v.at, got, err)
			}
		})
	}
	for _, text := range []string{"20261123", "20261123100000", "2026112310"} {
		if v, err := (scale{zone: time.UTC}).parse(text); err == nil && v.at.Year() != 2026 && v.at.Year() != 2034 {
			t.Errorf("without a layout %s is taken for %v", text, v.at)
		}
	}
}

func TestDataOfARecordLeadNowhereElse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, id, path string }{
		{"a slash is one of a name", "a/b", "/things/a%2Fb/more"},
		{"steps between slashes are asked for nowhere, as some servers unescape them first", "a/../../admin", ""},
		{"a host is a name", "//evil.example/", "/things/%2F%2Fevil.example%2F/more"},
		{"a query is a name", "a?all=1#x", "/things/a%3Fall=1%23x/more"},
		{"a step up is asked for nowhere", "..", ""},
		{"nor is a step to the same place", ".", ""},
		{"nor one with parameters", "..;a=1", ""},
		{"nor one that is escaped twice", "%2e%2e", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			poll := cursorPoll("asc")
			poll.Detail = &config.Detail{Request: &config.Request{Path: "/things/{record.id}/more"}}
			a := serve(t, says(`{"data":[{"id":`+strconv.Quote(tt.id)+`,"at":"`+at(1)+`"},{"id":"b","at":"`+at(2)+`"}]}`), says(`{"id":"full"}`))
			r := mustRead(t, source(t, a, poll, Options{}), State{})
			var paths []string
			for _, req := range a.asked()[1:] {
				paths = append(paths, req.URL.EscapedPath())
			}
			want := []string{"/things/b/more"}
			if tt.path != "" {
				want = []string{tt.path, "/things/b/more"}
			}
			if diff := cmp.Diff(want, paths); diff != "" || len(r.ids) != 2 {
				t.Error(r.ids, diff)
			}
		})
	}
}

func TestNoStepOfAParentLeadsElsewhere(t *testing.T) {
	t.Parallel()
	a := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.EscapedPath() {
		case "/groups":
			_, _ = w.Write([]byte(`[{"id":".."},{"id":"b"}]`))
		case "/groups/b/things":
			_, _ = w.Write([]byte(`[{"id":"b1"}]`))
		default:
			t.Errorf("it asked for %s", r.URL)
		}
	})
	r := mustRead(t, source(t, a, config.Poll{
		Request: &config.Request{Path: "/groups/{parent.id}/things"},
		Parent:  &config.Parent{Request: &config.Request{Path: "/groups"}, Values: map[string]string{"id": "id"}},
	}, Options{}), State{})
	if diff := cmp.Diff([]string{"b1"}, r.ids); diff != "" {
		t.Error(diff)
	}
}

func TestAnErrorShowsNoAddress(t *testing.T) {
	t.Parallel()
	const link = "/p2?sig=s3cret%zz\x7f"
	t.Run("of the next page", func(t *testing.T) {
		t.Parallel()
		poll := config.Poll{Request: &config.Request{Path: "/things"}, Pagination: &config.Pagination{Type: "link_header"}}
		a := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Link"] = []string{`<http://[::1/p2?sig=s3cret>; rel=next`}
			_, _ = w.Write([]byte(`[{"id":"a"}]`))
		})
		_, err := read(t.Context(), source(t, a, poll, Options{}), State{})
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("of a saved page", func(t *testing.T) {
		t.Parallel()
		poll := config.Poll{Request: &config.Request{Path: "/things"}, Pagination: &config.Pagination{Type: "link_header"}}
		_, err := source(t, serve(t, says(`[]`)), poll, Options{}).list.form.at(link, none)
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("of a detail", func(t *testing.T) {
		t.Parallel()
		poll := cursorPoll("asc")
		poll.Detail = &config.Detail{Request: &config.Request{Path: "{record.url}"}}
		a := serve(t, says(`{"data":[{"id":"a","at":"`+at(1)+`","url":"https://[::1/?sig=s3cret"}]}`))
		_, err := read(t.Context(), source(t, a, poll, Options{}), State{})
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error is %v", err)
		}
	})
}

func TestAnErrorIsShortWhateverTheAPISays(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300<<10)
	for _, tt := range []struct {
		name  string
		pages config.Pagination
		body  string
	}{
		{"the host of a next link", config.Pagination{Type: "next_url", CursorPath: "next"}, `{"data":[{"id":"a","at":"` + at(1) + `"}],"next":"https://` + long + `.example/"}`},
		{"the scheme of a next link", config.Pagination{Type: "next_url", CursorPath: "next"}, `{"data":[{"id":"a","at":"` + at(1) + `"}],"next":"` + long + `://example.com/"}`},
		{"a name among the records", config.Pagination{Type: "none"}, `{"data":{"` + long + `":1}}`},
		{"a value", config.Pagination{Type: "none"}, `{"data":[{"id":"a","at":"` + long + `"}]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			poll := cursorPoll("asc")
			poll.Pagination = &tt.pages
			_, err := read(t.Context(), source(t, serve(t, says(tt.body)), poll, Options{}), State{})
			if err == nil || len(err.Error()) > 500 {
				t.Errorf("the error is %.600v", err)
			}
		})
	}
}

func TestAPositionOfAnotherConfigurationIsNotGoneOnFrom(t *testing.T) {
	t.Parallel()
	poll := cursorPoll("none")
	a := serve(t, says(things(`"100"`, "c@3")), says(things(`null`)))
	s := source(t, a, poll, Options{Identity: feedID})
	var st State
	for page, err := range s.Run(t.Context(), State{}) {
		if err != nil {
			t.Fatal(err)
		}
		st = saved(page.Next)
		break
	}
	for _, tt := range []struct {
		name   string
		change func(*config.Poll)
	}{
		{"whose pages have numbers", func(p *config.Poll) {
			p.Pagination = &config.Pagination{Type: "page", CursorParam: "page", PageSize: 1}
		}},
		{"whose path is another", func(p *config.Poll) { p.Request = &config.Request{Path: "/others"} }},
		{"whose parameters are others", func(p *config.Poll) {
			p.Request = &config.Request{Path: "/things", Params: map[string]string{"kind": "x"}}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			poll := cursorPoll("none")
			tt.change(&poll)
			a := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if n := r.URL.Query().Get("page"); r.URL.Query().Has("cursor") || n != "" && n != "1" {
					_, _ = w.Write([]byte(things(`null`)))
					return
				}
				_, _ = w.Write([]byte(things(`null`, "a@1")))
			})
			if r := mustRead(t, source(t, a, poll, Options{Identity: feedID}), st); !slices.Contains(r.ids, "a") {
				t.Errorf("it asked for %s and gave out %v", a.asked()[0].URL, r.ids)
			}
		})
	}
}

func TestARowThatShiftedPastALinkWasNotDeleted(t *testing.T) {
	t.Parallel()
	rows := []string{"a", "b", "c", "d"}
	shift := false
	var a *peer
	a = serve(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("page"))
		var list []string
		for _, id := range rows[min(2*n, len(rows)):min(2*n+2, len(rows))] {
			list = append(list, `{"id":"`+id+`"}`)
		}
		if 2*n+2 < len(rows) {
			w.Header().Set("Link", `<`+a.URL+`/things?page=`+strconv.Itoa(n+1)+`>; rel=next`)
		}
		if shift {
			rows, shift = rows[1:], false // one of the first page goes as the second is asked for
		}
		_, _ = w.Write([]byte(`{"data":[` + strings.Join(list, ",") + `]}`))
	})
	poll := snapshotPoll("")
	poll.Pagination = &config.Pagination{Type: "link_header"}
	s := source(t, a, poll, Options{Entity: entity, Snapshot: newAlbum()})
	_, st := compared(t, s, State{})
	shift = true
	got, st := compared(t, s, st)
	if got != nil {
		t.Errorf("in the run that it shifted past: %v", got)
	}
	got, st = compared(t, s, st)
	if got != nil {
		t.Errorf("in the next: %v", got)
	}
	if got, _ = compared(t, s, st); !slices.Equal(got, []string{"a#2 deleted=true"}) {
		t.Errorf("what did go is deleted after two runs without it: %v", got)
	}
}

func TestWhatIsKeptOfAnAPIIsBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 400<<10)
	t.Run("a cursor of parents, the name of an export, and the token of a seed", func(t *testing.T) {
		t.Parallel()
		body := says(`{"data":[{"id":"a"}],"next":"` + long + `"}`)
		list, cursor := &config.Records{Path: "data"}, &config.Pagination{Type: "cursor", CursorPath: "next", CursorParam: "cursor"}
		for _, poll := range []config.Poll{
			{Request: &config.Request{Path: "/{parent.id}"}, Parent: &config.Parent{Request: &config.Request{Path: "/"}, Records: list, Pagination: cursor, Values: map[string]string{"id": "id"}}},
			{Request: &config.Request{Path: "/"}, Export: &config.Export{JobPath: "next", Status: &config.Request{Path: "/{job}"}, StatusPath: "x", URLPath: "y", Done: config.Names{"z"}}},
			{Request: &config.Request{Path: "/"}, Records: list, Pagination: &config.Pagination{Type: "sync_token", CursorPath: "none", CursorParam: "cursor", Seed: &config.Seed{Request: config.Request{Path: "/"}, TokenPath: "next"}}},
		} {
			_, err := read(t.Context(), source(t, serve(t, body), poll, Options{}), State{})
			if _, final := errors.AsType[*api.Permanent](err); !final || !strings.Contains(err.Error(), "cannot be kept") {
				t.Errorf("the error is %.300v", err)
			}
		}
	})
	for _, tt := range []struct{ name, format, body string }{
		{"a cursor", "rfc3339", things(`"`+long+`"`, "a@1")},
		{"a value that sorts", "text", `{"data":[{"id":"a","at":"` + long + `"}]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			poll := cursorPoll("asc")
			poll.Incremental.Format = tt.format
			a := serve(t, says(tt.body), says(things(`null`)))
			r, err := read(t.Context(), source(t, a, poll, Options{}), State{})
			if _, final := errors.AsType[*api.Permanent](err); !final || len(err.Error()) > 300 {
				t.Errorf("the error is %.300v", err)
			}
			if run := r.state.Run; len(r.state.Watermark) > 1000 || run != nil && len(run.Position)+len(run.Last) > 1000 {
				t.Error("the state is too large to be kept")
			}
		})
	}
}

func TestARowThatMovedToTheEndHidesNone(t *testing.T) {
	t.Parallel()
	// An API that sorts by the time of the last change: as the first page is read, a
	// row of it changes, and the first of the second page moves to the first.
	for _, kind := range []string{"offset", "page", "link_header"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			rows, moved := []string{"a@1", "b@2", "c@3", "d@4", "e@5"}, false
			var a *peer
			a = serve(t, func(w http.ResponseWriter, r *http.Request) {
				q := r.URL.Query()
				var list []string
				for _, row := range rows {
					_, second, _ := strings.Cut(row, "@")
					if n, _ := strconv.Atoi(second); at(n) >= q.Get("since") {
						list = append(list, row)
					}
				}
				from, _ := strconv.Atoi(q.Get("offset"))
				if n, err := strconv.Atoi(q.Get("page")); err == nil {
					from = 2 * (n - 1)
				}
				from, to := min(from, len(list)), min(from+2, len(list))
				if to < len(list) {
					w.Header().Set("Link", `<`+a.URL+`/things?since=`+q.Get("since")+`&offset=`+strconv.Itoa(to)+`>; rel=next`)
				}
				_, _ = w.Write([]byte(things(`null`, list[from:to]...)))
				if !moved {
					rows, moved = append(slices.Clone(rows[1:]), "a@500"), true
				}
			})
			poll := cursorPoll("asc")
			poll.Pagination = &config.Pagination{Type: kind, PageSize: 2}
			if kind != "link_header" {
				poll.Pagination.CursorParam = kind
			}
			poll.Incremental.Initial = long(time.Hour)
			s := source(t, a, poll, Options{})
			r := mustRead(t, s, State{})
			ids := slices.Compact(slices.Sorted(slices.Values(append(r.ids, mustRead(t, s, r.state).ids...))))
			if diff := cmp.Diff([]string{"a", "b", "c", "d", "e"}, ids); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheHourThatComesTwiceIsReadWhole(t *testing.T) {
	t.Parallel()
	vienna, err := time.LoadLocation("Europe/Vienna")
	if err != nil {
		t.Fatal(err)
	}
	c := scale{format: "layout", layout: "2006-01-02 15:04", zone: vienna}
	for _, tt := range []struct{ name, mark, want string }{
		{"the first time, an hour before it", "2026-10-25T00:30:00Z", "2026-10-25 01:30"},
		{"the second time, its beginning is early enough", "2026-10-25T01:30:00Z", "2026-10-25 02:30"},
		{"the hour before is as ever", "2026-10-24T23:30:00Z", "2026-10-25 01:30"},
		{"and so is the hour behind", "2026-10-25T02:30:00Z", "2026-10-25 03:30"},
		{"the hour that is left out is as ever", "2026-03-29T01:30:00Z", "2026-03-29 03:30"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v, err := c.parse(tt.mark)
			if got := c.start(v).text; err != nil || got != tt.want {
				t.Errorf("it asks from %s (%v), want %s", got, err, tt.want)
			}
		})
	}
}

func TestATimeOfTheHourThatComesTwiceIsOfItsSecond(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ zone, text, want string }{
		{"Europe/Vienna", "2026-10-25 02:30:00", "2026-10-25T01:30:00Z"},
		{"America/New_York", "2026-11-01 01:30:00", "2026-11-01T06:30:00Z"},
		{"America/New_York", "2026-11-01 00:59:00", "2026-11-01T04:59:00Z"},
		{"America/New_York", "2026-11-01T01:30:00-04:00", "2026-11-01T05:30:00Z"},
		{"Australia/Lord_Howe", "2026-04-05 01:40:00", "2026-04-04T15:10:00Z"},
	} {
		t.Run(tt.zone+" "+tt.text, func(t *testing.T) {
			t.Parallel()
			zone, err := time.LoadLocation(tt.zone)
			if err != nil {
				t.Fatal(err)
			}
			v, err := (scale{zone: zone}).parse(tt.text)
			if got := v.at.Format(time.RFC3339); err != nil || got != tt.want {
				t.Errorf("it is %s (%v), want %s", got, err, tt.want)
			}
		})
	}
}

func TestWhatIsGoneIsNotThere(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		poll config.Poll
		want []string
	}{
		{"a detail", config.Poll{
			Request: &config.Request{Path: "/list"},
			Detail:  &config.Detail{Request: &config.Request{Path: "/list/{record.id}"}},
		}, []string{"a", "full"}},
		{"a parent", config.Poll{
			Request: &config.Request{Path: "/list/{parent.id}"}, Records: &config.Records{JQ: "."},
			Parent: &config.Parent{Request: &config.Request{Path: "/list"}, Values: map[string]string{"id": "id"}},
		}, []string{"full"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := serve(t, func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/list":
					_, _ = w.Write([]byte(`[{"id":"a"},{"id":"b"}]`))
				case "/list/a":
					w.WriteHeader(http.StatusGone)
				default:
					_, _ = w.Write([]byte(`{"id":"full"}`))
				}
			})
			r := mustRead(t, source(t, a, tt.poll, Options{}), State{})
			if diff := cmp.Diff(tt.want, r.ids); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAValueOfARecordStaysWhereItIsWritten(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, id, query, header string }{
		{"one value of a query", "1&admin=true+x", "id=1%26admin%3Dtrue%2Bx", "1&admin=true+x"},
		{"one line of a header, or the record has no detail", "1\r\nX-Admin: true", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			poll := cursorPoll("asc")
			poll.Detail = &config.Detail{Request: &config.Request{Path: "/detail?id={record.id}", Headers: map[string]string{"X-Id": "{record.id}"}}}
			a := serve(t, says(`{"data":[{"id":`+strconv.Quote(tt.id)+`,"at":"`+at(1)+`"}]}`), says(`{"id":"full"}`))
			r := mustRead(t, source(t, a, poll, Options{}), State{})
			if len(r.ids) != 1 {
				t.Errorf("it gave out %q", r.ids)
			}
			if tt.query == "" {
				if len(a.asked()) != 1 {
					t.Errorf("it asked for %s", a.asked()[1].URL)
				}
				return
			}
			if got := a.asked()[1]; got.URL.RawQuery != tt.query || got.Header.Get("X-Id") != tt.header || got.Header.Get("X-Admin") != "" {
				t.Errorf("it asked for %s with %v", got.URL, got.Header)
			}
		})
	}
}

func TestParentsWithoutAnEndAreAnError(t *testing.T) {
	t.Parallel()
	a := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("cursor"))
		_, _ = w.Write([]byte(`{"data":[],"next":"` + strconv.Itoa(n+1) + `"}`))
	})
	s := source(t, a, config.Poll{
		Request: &config.Request{Path: "/groups/{parent.id}/things"},
		Parent: &config.Parent{
			Request: &config.Request{Path: "/groups"}, Records: &config.Records{Path: "data"}, Values: map[string]string{"id": "id"},
			Pagination: &config.Pagination{Type: "cursor", CursorPath: "next", CursorParam: "cursor"},
		},
	}, Options{})
	st, err := State{}, error(nil)
	for range 3 {
		var r result
		if r, err = read(t.Context(), s, st); err != nil {
			break
		}
		st = r.state
	}
	if _, final := errors.AsType[*api.Permanent](err); !final {
		t.Errorf("after %d requests the error is %v", len(a.asked()), err)
	}
}

func TestAnExportWhosePagesLeadBackIsAnError(t *testing.T) {
	t.Parallel()
	a := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/jobs":
			_, _ = w.Write([]byte(`{"id":"j"}`))
		case "/jobs/j":
			_, _ = w.Write([]byte(`{"state":"done"}`))
		default:
			w.Header().Set("Locator", "again")
			_, _ = w.Write([]byte(`[{"id":"a"}]`))
		}
	})
	s := source(t, a, config.Poll{
		Request:    &config.Request{Method: "POST", Path: "/jobs"},
		Pagination: &config.Pagination{Type: "cursor", CursorHeader: "Locator", CursorParam: "locator"},
		Export: &config.Export{
			JobPath: "id", Status: &config.Request{Path: "/jobs/{job}"}, StatusPath: "state", Done: config.Names{"done"},
			Download: &config.Request{Path: "/jobs/{job}/file"},
		},
	}, Options{})
	r, err := read(t.Context(), s, State{})
	if err == nil {
		_, err = read(t.Context(), s, r.state)
	}
	if _, final := errors.AsType[*api.Permanent](err); !final {
		t.Errorf("after %d requests the error is %v", len(a.asked()), err)
	}
}

func TestABackfillEndsNoEarlierThanItIsToldTo(t *testing.T) {
	t.Parallel()
	poll := cursorPoll("asc")
	poll.Incremental.EndParam = "until"
	a := serve(t, says(`{"data":[{"id":"a","at":"2026-11-23T10:00:05.2Z"}]}`))
	s := source(t, a, poll, Options{}).Range(settled(0), settled(5).Add(500*time.Millisecond))
	if r := mustRead(t, s, State{}); len(r.ids) != 1 {
		t.Errorf("it gave out %v of %s", r.ids, a.query(0))
	}
}

func TestALinkGetsTheCredentialAtTheAPIOnly(t *testing.T) {
	t.Parallel()
	s, err := New(config.Poll{
		BaseURL: "https://api.example.com/v1", Request: &config.Request{Path: "/things", Hosts: config.Names{"eu.example.com", "us.example.com:8443"}},
	}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	current, err := s.base.Parse("https://api.example.com/v1/things?page=1")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		link string
		want bool
	}{
		{"?page=2", true},
		{"/v1/things?page=2", true},
		{"https://API.Example.com:443/v1/things?page=2", true},
		{"HTTPS://api.example.com/x", true},
		{"https://eu.example.com/x", true},
		{"https://us.example.com:8443/x", true},
		{`\\evil.example/x`, true}, // a path, and asked for as one
		{"//evil.example/x", false},
		{"///evil.example/x", true}, // a path, too
		{"https://evil.example/x", false},
		{"http://api.example.com/x", false},
		{"https://api.example.com:8443/x", false},
		{"https://us.example.com/x", false},
		{"https://api.example.com./x", false},
		{"https://api.example.com.evil.example/x", false},
		{"https://api.example.com@evil.example/x", false},
		{"https://user@api.example.com/x", false},
		{`https://api.example.com\@evil.example/x`, false},
		{"https://api.example.com%2eevil.example/x", false},
		{"https://apı.example.com/x", false}, // another letter
		{"https://xn--ap-nja.example.com/x", false},
		{"ftp://api.example.com/x", false},
		{"javascript:alert(1)", false},
	} {
		t.Run(tt.link, func(t *testing.T) {
			t.Parallel()
			got, err := s.address(current, tt.link)
			if (err == nil) != tt.want {
				t.Errorf("it leads to %q (%v)", got, err)
			}
			if err == nil && !strings.HasPrefix(strings.ToLower(got), "https://api.example.com") && !strings.Contains(got, "us.example.com:8443") && !strings.HasPrefix(got, "https://eu.example.com/") {
				t.Errorf("it leads to %q", got)
			}
		})
	}
}
