// Package standin is a provider of APIs on a real socket, to poll from. Each API
// behaves as the documentation of a real one says, faults included; nothing here
// is made from the poller. It knows what each record's last version is, so that
// whoever reads an API can be told what is missing.
package standin

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options of a Provider.
type Options struct {
	Seed    uint64
	Records int           // of each API, changes included
	Growing time.Duration // how long records go on to appear
	Faults  float64       // the share of requests that go wrong
	Latency time.Duration // of each answer
	Only    []string      // the dialects; all if empty
	// Slow is how long what the API calls a while is: until a limit ends, at most.
	Slow time.Duration
}

// A Provider serves one API for each dialect.
type Provider struct {
	APIs   []*API
	server *httptest.Server
}

// New begins to serve. What grows begins to grow with the first request.
func New(o Options) (*Provider, error) {
	p := &Provider{}
	mux := http.NewServeMux()
	p.server = httptest.NewServer(mux)
	for i, d := range dialects {
		if len(o.Only) > 0 && !slices.Contains(o.Only, d.Name) {
			continue
		}
		l, ok := limits[d.limit]
		if !ok {
			p.Close()
			return nil, fmt.Errorf("dialect %s: there is no limit %q", d.Name, d.limit)
		}
		a := newAPI(d, l, o, skews[i%len(skews)], p.server.URL)
		p.APIs = append(p.APIs, a)
		mux.Handle("/"+d.Name+"/", http.StripPrefix("/"+d.Name, a))
	}
	return p, nil
}

// skews are how far the clocks of the APIs are from ours.
var skews = []time.Duration{0, -5 * time.Minute, 5 * time.Minute}

// URL is where it listens.
func (p *Provider) URL() string { return p.server.URL }

// Close ends it; connections are cut.
func (p *Provider) Close() {
	p.server.CloseClientConnections()
	p.server.Close()
}

// An API is one dialect with its records.
type API struct {
	Dialect
	URL string

	o     Options
	limit limit
	skew  time.Duration
	ends  time.Time // when all there will be is visible, by the API's clock

	mu      sync.Mutex
	rand    *rand.Rand
	store   *store
	until   time.Time // requests are refused before it
	counts  Counts
	session map[string]any // what a dialect remembers
}

// Counts are what an API saw.
type Counts struct {
	Requests     int            // all
	Faults       map[string]int // by kind
	Early        int            // made before the time that the API had told
	Unauthorized int            // without the credential
}

func newAPI(d Dialect, l limit, o Options, skew time.Duration, url string) *API {
	h := fnv.New64a()
	h.Write([]byte(d.Name))
	r := rand.New(rand.NewPCG(o.Seed, h.Sum64()))
	return &API{Dialect: d, URL: url + "/" + d.Name, o: o, limit: l, skew: skew, rand: r, session: map[string]any{}, counts: Counts{Faults: map[string]int{}}}
}

// begin makes what there is and will be, when the API is first asked.
func (a *API) begin() {
	if a.store != nil {
		return
	}
	now := a.Now()
	a.ends = now.Add(a.o.Growing + a.late)
	records := a.o.Records
	if a.most > 0 {
		records = min(records, a.most)
	}
	a.store = newStore(plan{
		records: records, page: a.page, precision: a.precision, changes: a.changes, deletes: a.deletes,
		noHistory: a.noHistory, late: a.late, begin: now, growing: a.o.Growing,
	}, a.rand)
}

// Now is the API's clock.
func (a *API) Now() time.Time { return time.Now().Add(a.skew) }

// Counts are what it saw so far.
func (a *API) Counts() Counts {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.counts
}

// Config is the poll that reads the API, as YAML to stand under a source.
func (a *API) Config() string {
	var b strings.Builder
	fmt.Fprintf(&b, "    poll:\n      every: 5s\n      adapt: none\n      base_url: %s\n", a.URL)
	if !a.open {
		fmt.Fprintf(&b, "      token: ssm:/standin/%s\n", a.Name)
	}
	for line := range strings.Lines(strings.Trim(a.poll, "\n") + "\n") {
		b.WriteString("      " + line)
	}
	b.WriteString(a.limit.config())
	fmt.Fprintf(&b, "      event: %s\n", a.event)
	return b.String()
}

// Token is the credential.
func (a *API) Token() string { return "token-of-" + a.Name }

// Tells is false for an API that limits requests and does not say until when.
func (a *API) Tells() bool { return !a.limit.mute }

// Silent tells an API that says nothing of what is gone: it is no longer there.
func (a *API) Silent() bool { return a.silent }

// Expect tells what must have arrived when all is read, and what may have: what
// an API that lists the last version only has shown in between.
func (a *API) Expect() (must, may []Item) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.begin()
	end := a.store.instant(a.Now())
	may = a.store.log(end)
	must = slices.Clone(may)
	if a.changes {
		must = lasts(must)
	}
	if seeded, ok := a.session["seeded"].(time.Time); ok {
		must = slices.DeleteFunc(must, func(it Item) bool { return !it.Visible.After(seeded) })
	}
	if listed, ok := a.session["listed"].(time.Time); ok { // a whole list has no tombstones of what was removed before
		must = slices.DeleteFunc(must, func(it Item) bool { return it.Deleted && !it.Visible.After(listed) })
	}
	return must, may
}

// Grown tells whether all that there will be is visible.
func (a *API) Grown() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.store == nil {
		return false
	}
	a.drain()
	return a.Now().After(a.ends) && a.store.pool == 0
}

// drain puts in at the end what nobody paged past, some at a time.
func (a *API) drain() {
	if a.Now().After(a.ends) && a.store.pool > 0 {
		a.store.insert(20, a.store.instant(a.Now()))
	}
}
