package pull

import (
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/api"
	"pushpull/shared/config"
)

func exportPoll() config.Poll {
	return config.Poll{
		Request: &config.Request{Path: "/exports", JSON: map[string]any{"from": "{start}", "to": "{end}"}},
		Records: &config.Records{Format: "ndjson"},
		Export: &config.Export{
			JobPath: "job", Status: &config.Request{Path: "/exports/{job}"}, StatusPath: "state",
			Done: config.Names{"done"}, Failed: config.Names{"failed"}, URLPath: "files", Timeout: config.Duration(time.Hour),
		},
		Incremental: &config.Incremental{CursorPath: "at", Format: "rfc3339"},
	}
}

// A factory makes exports of two files, whose addresses are good for a while.
type factory struct {
	age     int // how often the status was asked for
	ready   int // after how often it is done
	state   string
	expired string // an address that no longer works
	asked   []string
	rows    int
}

func (f *factory) serve(w http.ResponseWriter, r *http.Request) {
	f.asked = append(f.asked, r.Method+" "+r.URL.Path)
	switch {
	case r.Method == http.MethodPost:
		_, _ = w.Write([]byte(`{"job":7}`))
	case r.URL.Path == "/exports/7":
		f.age++
		state := "running"
		if f.age >= f.ready {
			state = f.state
		}
		_, _ = fmt.Fprintf(w, `{"state":%q,"files":["/f/1-%d","/f/2-%d"]}`, state, f.age, f.age)
	case r.URL.Path == f.expired:
		w.WriteHeader(http.StatusForbidden)
	default:
		z := gzip.NewWriter(w)
		for i := range f.rows {
			_, _ = fmt.Fprintf(z, "{\"id\":\"%s.%d\",\"at\":%q}\n", r.URL.Path[3:4], i, at(i))
		}
		_ = z.Close()
	}
}

// export reads as the poller does: where a page says wait, it comes back.
func export(t *testing.T, s *Source, st State) (ids []string, next State, waits int, err error) {
	t.Helper()
	for range 20 {
		more := false
		for page, err := range s.Run(t.Context(), st) {
			if err != nil {
				return ids, st, waits, err
			}
			for _, r := range page.Records {
				id, _ := feedID(r.Data)
				ids = append(ids, id)
			}
			if page.Wait > 0 {
				waits++
			}
			st, more = saved(page.Next), page.More
		}
		if !more {
			break
		}
	}
	return ids, st, waits, nil
}

func TestExports(t *testing.T) {
	t.Parallel()
	st := State{Watermark: at(0), Settled: settled(0)}
	t.Run("a run waits for the file and does not sleep", func(t *testing.T) {
		t.Parallel()
		f := &factory{ready: 3, state: "done", rows: 2}
		ids, next, waits, err := export(t, source(t, serve(t, f.serve), exportPoll(), Options{}), st)
		if diff := cmp.Diff([]string{"1.0", "1.1", "2.0", "2.1"}, ids); err != nil || diff != "" || waits != 3 {
			t.Errorf("%s, %d waits, %v", diff, waits, err)
		}
		if next.Watermark != at(1) || next.Run != nil {
			t.Errorf("the state is %+v", next)
		}
		want := []string{"POST /exports", "GET /exports/7", "GET /exports/7", "GET /exports/7", "GET /f/1-3", "GET /f/2-3"}
		if diff := cmp.Diff(want, f.asked); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("an address that expired is asked for again", func(t *testing.T) {
		t.Parallel()
		f := &factory{ready: 1, state: "done", rows: 1, expired: "/f/2-1"}
		ids, _, _, err := export(t, source(t, serve(t, f.serve), exportPoll(), Options{}), st)
		if diff := cmp.Diff([]string{"1.0", "2.0"}, ids); err != nil || diff != "" {
			t.Errorf("%s, %v", diff, err)
		}
	})
	t.Run("one that failed is forgotten, so that the next run makes another", func(t *testing.T) {
		t.Parallel()
		f := &factory{ready: 1, state: "failed"}
		_, next, _, err := export(t, source(t, serve(t, f.serve), exportPoll(), Options{}), st)
		if _, final := errors.AsType[*api.Permanent](err); !final || next.Run != nil {
			t.Errorf("%v, %+v", err, next)
		}
	})
	t.Run("so is one that takes too long", func(t *testing.T) {
		t.Parallel()
		f := &factory{ready: 100}
		now := settled(600)
		a := serve(t, func(w http.ResponseWriter, r *http.Request) {
			now = now.Add(50 * time.Minute)
			w.Header().Set("Date", now.Format(http.TimeFormat))
			f.serve(w, r)
		})
		_, next, _, err := export(t, source(t, a, exportPoll(), Options{}), st)
		if err == nil || !strings.Contains(err.Error(), "not done after 1h") || next.Run != nil {
			t.Errorf("%v, %+v", err, next)
		}
	})
	t.Run("a file is read on where a killed poller stood in it", func(t *testing.T) {
		t.Parallel()
		f := &factory{ready: 1, state: "done", rows: 25}
		s := source(t, serve(t, f.serve), exportPoll(), Options{Identity: feedID})
		s.chunk = 10
		st, got, n := st, map[string]int{}, 0
		for more := true; more && n < 50; n++ {
			for page, err := range s.Run(t.Context(), st) {
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range page.Records {
					got[r.ID]++
				}
				st, more = saved(page.Next), page.More
				break
			}
		}
		for id, times := range got {
			if times != 1 {
				t.Errorf("%s came %d times", id, times)
			}
		}
		if len(got) != 50 {
			t.Errorf("%d records", len(got))
		}
	})
	t.Run("a file elsewhere gets no credential", func(t *testing.T) {
		t.Parallel()
		f := &factory{}
		other := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "" {
				t.Error("the credential went elsewhere")
			}
			_, _ = w.Write([]byte(`{"id":"x","at":"2026-11-23T10:00:01Z"}`))
		})
		a := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/exports/7" {
				_, _ = fmt.Fprintf(w, `{"state":"done","files":%q}`, other.URL+"/file")
				return
			}
			f.serve(w, r)
		})
		poll := exportPoll()
		poll.Auth, poll.Token = &config.APIAuth{Type: "bearer"}, config.Secrets{"env:tok"}
		ids, _, _, err := export(t, source(t, a, poll, Options{API: api.Options{Public: &http.Client{}}}), st)
		if len(ids) != 1 || err != nil {
			t.Errorf("%v, %v", ids, err)
		}
		poll.Export.Hosts = config.Names{`files\.example\.com`}
		if _, _, _, err = export(t, source(t, a, poll, Options{}), st); err == nil || !strings.Contains(err.Error(), "does not allow") {
			t.Errorf("the error is %v", err)
		}
	})
}
