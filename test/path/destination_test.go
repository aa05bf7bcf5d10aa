package path

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
)

// A destination takes deliveries, and fails those of a source when told to.
type destination struct {
	*httptest.Server

	mu       sync.Mutex
	taken    map[string][]string // bodies by source/identity
	failures map[string]*failure // by source
}

type failure struct{ status, left int }

func newDestination() *destination {
	d := &destination{taken: map[string][]string{}, failures: map[string]*failure{}}
	d.Server = httptest.NewServer(d)
	return d
}

func (d *destination) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	source := r.Header.Get("ce-source")
	if f := d.failures[source]; f != nil && f.left != 0 {
		f.left--
		http.Error(w, "not now", f.status)
		return
	}
	key := source + "/" + r.Header.Get("webhook-id")
	d.taken[key] = append(d.taken[key], string(b))
}

// fail answers the next n deliveries of a source with a status, all if n is negative; heal ends it.
func (d *destination) fail(source string, status, n int) (heal func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failures[source] = &failure{status, n}
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.failures, source)
	}
}

func (d *destination) bodies(source, id string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.taken[source+"/"+id]...)
}
