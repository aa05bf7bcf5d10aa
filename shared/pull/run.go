package pull

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/tidwall/gjson"

	"pushpull/shared/config"
)

const (
	// ahead is how far a record's time may be in the API's future and still move
	// the watermark: one record of the year 2099 must not hide all that follow.
	ahead = 5 * time.Minute
	// skew is how wrong our clock may be before the first bound is taken again from the API's.
	skew = 2 * time.Second
)

// A run is one reading of a source, from a bound to the end.
type run struct {
	s       *Source
	inc     config.Incremental
	st      State    // what is committed
	p       Progress // what is under way
	resumed bool     // the position is of an earlier run, and may have died since
	low     value
	failed  error // found out after a page that was good
}

func (s *Source) begin(st State) *run {
	r := &run{s: s, st: st}
	if s.poll.Incremental != nil {
		r.inc = *s.poll.Incremental
	}
	if st.Run == nil {
		r.failed = r.start(st.First(), s.o.Now(), st.Settled)
		return r
	}
	r.p = *st.Run
	r.resumed = r.p.Position != ""
	r.low, r.failed = r.stored(r.p.Low)
	return r
}

// start sets the bound of a new run. Records that become visible late are read
// for again down to lookback, until a whole run began later than that: it saw
// them all, and reading them for ever would outlive the ledger's memory of them.
// What is below the watermark was read since then; where the watermark is later
// still, the run went on for long, and what it passed at first may be late too.
func (r *run) start(first bool, now, since time.Time) error {
	r.p = Progress{First: first}
	if r.inc.Order == "asc" {
		r.p.Since = since
	}
	r.low = value{}
	if r.s.poll.Incremental == nil {
		return nil
	}
	mark, err := r.stored(r.st.Watermark)
	if err != nil {
		return err
	}
	back := r.inc.Lookback.Std()
	switch {
	case r.st.Watermark != "" && !mark.at.IsZero() && !since.Before(mark.at.Add(back)):
		r.low = mark
	case r.st.Watermark != "" && back > 0 && !since.IsZero() && since.Before(mark.at):
		r.low = value{text: mark.text, at: since.UTC()}.back(back)
	case r.st.Watermark != "":
		r.low = mark.back(back)
	case r.inc.Format != "text":
		at := now.Add(-r.inc.Initial.Std()).UTC().Truncate(time.Second)
		r.low = value{text: at.Format(time.RFC3339), at: at}
	}
	r.p.Low, r.p.Start = r.low.text, r.low.sent(r.inc.Format)
	return nil
}

func (r *run) stored(text string) (value, error) {
	v, err := parseValue(text, r.inc.Format)
	if err != nil {
		return v, permanent(0, "the saved watermark does not fit poll.incremental any more: %v", err)
	}
	return v, nil
}

// next reads one page.
func (r *run) next(ctx context.Context) (Page, error) {
	if r.failed != nil {
		return Page{}, r.failed
	}
	u, a, err := r.fetch(ctx)
	if err != nil {
		return Page{}, err
	}
	interval := pollInterval(a.header)
	if a.status == http.StatusNotModified {
		return Page{Next: r.st, Unchanged: true, Interval: interval}, nil
	}
	d, err := r.s.parse(a)
	if err != nil {
		return Page{}, err
	}
	records, below, err := r.take(d.records, a.server)
	if err != nil {
		return Page{}, err
	}
	next, err := r.s.position(u, a, d)
	if err != nil {
		return Page{}, err
	}
	if below && r.inc.Order == "desc" && r.inc.StartParam == "" {
		next = "" // all that follows is older still
	}
	page := Page{Records: records, Read: len(d.records), Interval: interval}
	page.Next, page.More = r.advance(u, next, len(d.records) == 0)
	return page, nil
}

// fetch asks for the page at the position. A position that died since it was
// saved starts the run anew: the watermark has not moved past it.
func (r *run) fetch(ctx context.Context) (*url.URL, answer, error) {
	u, etag, err := r.request()
	if err != nil {
		return nil, answer{}, err
	}
	a, err := r.s.do(ctx, u, etag)
	if r.resumed && expired(err) {
		r.resumed = false
		since := r.st.Settled
		if r.inc.Order == "asc" {
			since = r.p.Since // this run may have moved the watermark
		}
		if err := r.start(r.p.First, r.s.o.Now(), since); err != nil {
			return nil, answer{}, err
		}
		return r.fetch(ctx)
	}
	if err != nil {
		return nil, answer{}, err
	}
	if a.status == http.StatusNotModified && etag == "" {
		return nil, answer{}, permanent(a.status, "the api answers 304 to a request without a validator: remove caching headers from poll.request.headers")
	}
	if r.p.Position != "" || !r.p.Started.IsZero() {
		r.resumed = false
		return u, a, nil
	}
	return r.first(ctx, u, a)
}

// first notes what only the first page of a run tells. Where our clock is ahead
// of the API's, the first bound of all was too late and is taken again.
func (r *run) first(ctx context.Context, u *url.URL, a answer) (*url.URL, answer, error) {
	local := r.s.o.Now()
	r.p.Started = a.server
	if r.st.Watermark == "" && r.s.poll.Incremental != nil && local.Sub(a.server) > skew {
		if err := r.start(r.p.First, a.server, r.st.Settled); err != nil {
			return nil, answer{}, err
		}
		r.p.Started = a.server
		if r.inc.StartParam != "" {
			return r.fetch(ctx)
		}
	}
	if r.s.poll.Conditional == "etag" && a.status == http.StatusOK {
		r.p.ETag, r.p.ETagFor = a.header.Get("ETag"), shortHash(u.String())
	}
	return u, a, nil
}

// expired tells the statuses with which APIs refuse a page that is too old.
func expired(err error) bool {
	final, ok := errors.AsType[*Permanent](err)
	return ok && slices.Contains([]int{400, 404, 410, 412, 422}, final.Status)
}

// request is the address of the page at the position, and the validator to send with it.
func (r *run) request() (u *url.URL, etag string, err error) {
	if r.p.Position != "" && r.s.addressed() {
		u, err = url.Parse(r.p.Position)
		if err != nil {
			return nil, "", permanent(0, "the saved page's address is not one: %q", clip(r.p.Position))
		}
		return u, "", nil
	}
	first := *r.s.base
	u = &first
	query := u.Query()
	if r.inc.StartParam != "" && r.p.Start != "" {
		query.Set(r.inc.StartParam, r.p.Start)
	}
	if r.p.Position != "" {
		query.Set(r.s.poll.Pagination.CursorParam, r.p.Position)
	}
	u.RawQuery = query.Encode()
	if r.p.Position == "" && r.s.poll.Conditional == "etag" && r.st.ETagFor == shortHash(u.String()) {
		etag = r.st.ETag
	}
	return u, etag, nil
}

// take chooses the records that may be new, and raises the marks. below tells
// that the page had none of these, and reached below the run's bound: that it is
// all ties at the watermark is not enough, as one more may have joined them, and
// what came late lies behind them.
func (r *run) take(found []gjson.Result, server time.Time) (records []Record, below bool, err error) {
	records = make([]Record, 0, len(found))
	path, without := jsonPath(r.inc.CursorPath), 0
	for _, raw := range found {
		record := Record{Data: exact(raw)}
		if r.s.poll.Incremental != nil {
			v, ok, err := readValue(raw.Raw, path, r.inc.Format)
			switch {
			case err != nil:
				return nil, false, permanent(0, "%q of a record: %v", r.inc.CursorPath, err)
			case !ok:
				without++
			default:
				old, err := r.mark(v, record.Data, server)
				if err != nil {
					return nil, false, err
				}
				if old {
					below = below || r.p.Low != "" && v.compare(r.low) < 0
					continue
				}
				record.Time = v.at
			}
		}
		records = append(records, record)
	}
	if without > 0 && without == len(found) {
		return nil, false, permanent(0, "no record has a value at %q: check poll.incremental.cursor_path", r.inc.CursorPath)
	}
	return records, below && len(records) == 0, nil
}

// mark raises the high mark to a record's value, and tells whether an earlier
// run had the record: it is below the bound, or a tie that is remembered.
func (r *run) mark(v value, record []byte, server time.Time) (old bool, err error) {
	if r.p.Low != "" && v.compare(r.low) < 0 {
		return true, nil
	}
	if v.at.After(server.Add(ahead)) {
		return false, nil
	}
	id, err := r.s.o.Identity(record)
	if err != nil {
		return false, fmt.Errorf("identify a record: %w", err)
	}
	hash := shortHash(id)
	if mark, err := parseValue(r.st.Watermark, r.inc.Format); err == nil && r.st.Watermark != "" {
		old = v.compare(mark) == 0 && slices.Contains(r.st.Ties, hash)
	}
	if r.inc.Order == "asc" {
		before := r.st.Watermark
		if r.st.Watermark, r.st.Ties = raise(r.st.Watermark, r.st.Ties, v, hash, r.inc.Format); r.st.Watermark != before {
			r.p.Since = r.p.Started
		}
	} else {
		r.p.High, r.p.HighTies = raise(r.p.High, r.p.HighTies, v, hash, r.inc.Format)
	}
	return old, nil
}

// advance makes the state that follows a page, and moves the run on.
func (r *run) advance(u *url.URL, next string, empty bool) (State, bool) {
	r.p.Seen = remember(r.p.Seen, shortHash(r.p.Position), maxSeen)
	r.p.Seen = remember(r.p.Seen, shortHash(u.String()), maxSeen)
	if next == "" {
		return r.end(), false
	}
	if slices.Contains(r.p.Seen, shortHash(next)) {
		if empty {
			return r.end(), false // the live tail: the same cursor again, and nothing there
		}
		r.failed = permanent(0, "the api leads back to a page of this run: check poll.pagination, its pages would never end")
		st := r.st
		st.Run = nil
		return st, true
	}
	r.p.Position = next
	st, p := r.st, r.p
	st.Run = &p
	return st, true
}

// end is the state after a whole run: only here do unsorted and newest-first
// feeds move the watermark, and validators count.
func (r *run) end() State {
	st := r.st
	st.Run = nil
	if r.p.High != "" {
		high, err := parseValue(r.p.High, r.inc.Format)
		if err == nil {
			for _, hash := range r.p.HighTies {
				st.Watermark, st.Ties = raise(st.Watermark, st.Ties, high, hash, r.inc.Format)
			}
		}
	}
	if st.Watermark == "" {
		st.Watermark = r.p.Low // nothing there yet: the next run asks from the same bound, not from a later one
	}
	st.Settled = r.p.Started
	st.ETag, st.ETagFor = r.p.ETag, r.p.ETagFor
	return st
}

func pollInterval(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("X-Poll-Interval"))
	if err != nil || n < 0 || n > 86400 {
		return 0
	}
	return time.Duration(n) * time.Second
}
