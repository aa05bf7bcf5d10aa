package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
)

// An inbox is the destination: it keeps what arrives, by source.
type inbox struct {
	server *httptest.Server

	mu   sync.Mutex
	came map[string]*arrivals
	all  int
}

func newInbox() *inbox {
	in := &inbox{came: map[string]*arrivals{}}
	in.server = httptest.NewServer(in)
	return in
}

func (in *inbox) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // cut off: its function was killed while it wrote
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.all++
	in.of(r.Header.Get("ce-source")).add(r.Header.Get("webhook-id"), body)
}

func (in *inbox) of(source string) *arrivals {
	a := in.came[source]
	if a == nil {
		a = newArrivals()
		in.came[source] = a
	}
	return a
}

// look lets f see what came of a source while nothing else arrives.
func (in *inbox) look(source string, f func(*arrivals)) {
	in.mu.Lock()
	defer in.mu.Unlock()
	f(in.of(source))
}

func (in *inbox) count() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.all
}
