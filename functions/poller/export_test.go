package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"pushpull/shared/config"
	"pushpull/shared/job"
)

func TestAnExportIsWaitedForOnTheQueue(t *testing.T) {
	t.Parallel()
	asked := 0
	api := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/jobs":
			fmt.Fprint(rw, `{"job":"j1"}`)
		case "/jobs/j1":
			if asked++; asked < 3 {
				fmt.Fprint(rw, `{"state":"running"}`)
				return
			}
			fmt.Fprint(rw, `{"state":"done"}`)
		default:
			rw.Header().Set("Content-Type", "application/x-ndjson")
			fmt.Fprint(rw, `{"id":"e0"}`+"\n"+`{"id":"e1"}`+"\n")
		}
	}))
	t.Cleanup(api.Close)
	w := newWorld(t, 100)
	p := &w.sources["shop"].Poll[0]
	p.BaseURL = api.URL
	p.Request, p.Records, p.Pagination, p.Incremental = &config.Request{Method: "POST", Path: "/jobs"}, nil, nil, nil
	p.Export = &config.Export{
		JobPath: "job", Status: &config.Request{Path: "/jobs/{job}"}, StatusPath: "state", Done: config.Names{"done"},
		Download: &config.Request{Path: "/files/{job}"}, Every: config.Duration(10 * time.Minute),
	}
	w.do(t, scheduled(w.at))
	begin := w.at
	for range 2 {
		if len(w.sent) != 1 || w.sent[0].Delay != 10*time.Minute {
			t.Fatalf("queued: %v, want one in ten minutes", w.sent)
		}
		w.tick(t)
		if len(w.sent) != 1 {
			t.Fatalf("the schedule polls what is waited for: %v", w.sent[1].Body)
		}
		m := w.sent[0]
		w.sent = nil
		w.pass(m.Delay)
		if !deliver(t.Context(), t, w.handler, m.Body, 1) {
			t.Fatal("the continuation failed")
		}
	}
	w.drain(t)
	if got, _ := w.ids(); len(got) != 2 {
		t.Errorf("%v came", got)
	}
	s := w.status(t)
	if s.Run != nil || s.Last.Records != 2 || !s.Last.Started.Equal(begin) || s.Due.Sub(w.at) > 15*time.Minute {
		t.Errorf("the status is %+v", s)
	}
	w.do(t, job.Job{Source: "shop", Reason: job.Manual})
}
