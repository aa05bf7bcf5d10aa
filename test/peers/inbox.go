package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
)

// An inbox is the destination: it counts what arrives, by source and identity (of a snapshot, entity).
type inbox struct {
	server *httptest.Server

	mu   sync.Mutex
	came map[string]map[string]int
}

func newInbox() *inbox {
	in := &inbox{came: map[string]map[string]int{}}
	in.server = httptest.NewServer(in)
	return in
}

func (in *inbox) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return // cut off
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	source, id := r.Header.Get("ce-source"), r.Header.Get("webhook-id")
	if source == "isso" {
		id = r.Header.Get("ce-subject")
	}
	if in.came[source] == nil {
		in.came[source] = map[string]int{}
	}
	in.came[source][id]++
}

func (in *inbox) times(source, id string) int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.came[source][id]
}

func (in *inbox) repeated(source string) int {
	in.mu.Lock()
	defer in.mu.Unlock()
	n := 0
	for _, times := range in.came[source] {
		n += times - 1
	}
	return n
}
