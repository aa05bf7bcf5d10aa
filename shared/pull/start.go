package pull

import (
	"crypto/rand"
	"slices"
	"time"

	"pushpull/shared/api"
)

// tolerance is how wrong our clock may be before a page is asked for again.
const tolerance = 2 * time.Second

const defaultInitial = day

// start begins a new run.
func (r *run) start() error {
	st := r.st
	r.p = Progress{Name: name(), Of: r.s.of, First: st.First()}
	if r.s.tokens() && st.Token == "" {
		r.p.Seed = r.s.seed != nil
		r.p.Discard = !r.p.Seed && r.p.First && r.s.initial() == 0 && !r.s.sends("start")
	}
	if age, keeps := r.s.Age(st); keeps > 0 && age > keeps {
		r.p.Gap = true
	}
	return r.bound(st.Settled)
}

// name tells runs apart.
func name() string { return rand.Text()[:12] }

// restart begins the run anew, from what is committed: the watermark has not
// passed what its dead position would have led to. Of a parent's child only that
// child's list is begun anew.
func (r *run) restart(child bool) error {
	r.resumed = false
	if child {
		r.p.Query = Query{Start: r.p.Begin, End: r.p.Slice}
		return r.bounds()
	}
	p, since := r.p, r.st.Settled
	if r.s.inc.Order == "asc" {
		since = p.Since // this run may have moved the watermark
	}
	r.p = Progress{Name: name(), Of: r.s.of, First: p.First, Resync: p.Resync, Gap: p.Gap, Discard: p.Discard, Token: p.Token, Seed: p.Seed}
	r.parents, r.files = nil, nil
	return r.bound(since)
}

// resync begins a run that reads all the API has: it forgot where the last ended.
func (r *run) resync() error {
	r.st.Watermark, r.st.Ties, r.st.Token = "", nil, ""
	r.p = Progress{Name: name(), Of: r.s.of, First: r.p.First, Resync: true, Gap: r.p.Gap}
	r.resumed, r.parents, r.files = false, nil, nil
	return r.bound(time.Time{})
}

// bound sets the bounds of a new run. Records that become visible late are read
// for again down to lookback, until a whole run began later than that: it saw
// them all, and reading them for ever would outlive the ledger's memory of them.
// What is below the watermark was read since then; where the watermark is later
// still, the run went on for long, and what it passed at first may be late too.
func (r *run) bound(since time.Time) error {
	s, inc, now := r.s, r.s.inc, r.s.now(r.st)
	r.low, r.until = value{}, value{}
	if s.ranged() {
		r.low, r.until = instant(s.from), instant(s.to.Add(time.Second-time.Nanosecond))
	} else if s.poll.Incremental == nil || s.tokens() && r.token() != "" {
		return nil
	}
	if inc.Order == "asc" {
		r.p.Since = since
	}
	mark, err := r.stored(r.st.Watermark)
	if err != nil {
		return err
	}
	back := max(inc.Lookback.Std(), s.scale.precision)
	switch {
	case s.ranged():
		if r.st.Watermark != "" && mark.compare(r.low) > 0 {
			r.low = mark // of the slices, or pages, that were read
		}
	case r.st.Watermark != "" && !mark.at.IsZero() && !since.Before(mark.at.Add(back)):
		r.low = mark
	case r.st.Watermark != "" && back > 0 && !since.IsZero() && since.Before(mark.at):
		r.low = value{text: mark.text, at: since.UTC()}.back(back)
	case r.st.Watermark != "":
		r.low = mark.back(back)
	case !r.p.Resync && inc.Format != "text":
		r.low = instant(now.Add(-s.initial()))
	}
	r.low = s.scale.floor(r.low)
	begin := r.low
	if r.p.Resync && begin.text == "" && inc.Retention > 0 && !s.tokens() && inc.Format != "text" {
		begin = instant(now.Add(-inc.Retention.Std())) // what is older is welcome, too
	}
	if !s.ranged() && !s.tokens() && inc.Format != "text" && (inc.Settle > 0 || s.sends("end")) {
		r.until = instant(now.Add(-inc.Settle.Std()))
		if r.until.at.Before(r.low.at) {
			r.until = r.low // nothing has settled yet, and an end before the beginning is refused by some
		}
	}
	r.p.Low, r.p.Until, r.p.Begin = r.low.text, r.until.text, begin.text
	r.slice(begin)
	return nil
}

// slice begins the query that reads on from a value: to the end, or for a window.
func (r *run) slice(from value) {
	end := r.until
	window := r.s.inc.Window.Std()
	if window > 0 && !from.at.IsZero() && r.s.parent == nil && from.at.Add(window).Before(end.at) {
		end = from.back(-window)
	}
	r.p.Slice = ""
	if r.s.sends("end") {
		r.p.Slice = end.text
	}
	r.p.Query = Query{Start: from.text, End: r.p.Slice}
}

// clock notes what the first answer of a run tells: the API's clock. Where it is
// not what we took it for, and the bounds hang on it, it is asked again.
func (r *run) clock(server time.Time, sent api.Request) (again bool, err error) {
	if !r.p.Started.IsZero() {
		return false, nil
	}
	skew := server.Sub(r.s.o.API.Now()).Round(time.Second)
	if (skew-r.st.Skew).Abs() > tolerance && r.p.Position == "" {
		r.st.Skew = skew
		if err := r.bound(r.st.Settled); err != nil {
			return false, err
		}
		r.p.Started = server
		now, err := r.request(&r.s.list, r.p.Query)
		if r.s.parent != nil && r.parents == nil {
			now, err = r.request(r.s.parent, r.p.Parent.Query)
		}
		return err == nil && r.s.key(now) != r.s.key(sent), err
	}
	r.p.Started = server
	return false, nil
}

// initial is how far back the very first run reads.
func (s *Source) initial() time.Duration {
	if s.inc.Initial == nil {
		return defaultInitial
	}
	return s.inc.Initial.Std()
}

// tokens tells whether runs go on by a token, not by a watermark.
func (s *Source) tokens() bool { return s.list.pages.Type == "sync_token" && !s.ranged() }

// sends tells whether a request has the bound: start or end.
func (s *Source) sends(bound string) bool {
	param := map[string]string{"start": s.inc.StartParam, "end": s.inc.EndParam}[bound]
	return param != "" || slices.Contains(s.list.form.uses, bound)
}
