package pull

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/tidwall/gjson"

	"pushpull/shared/api"
)

const (
	// ahead is how far a record's time may be in the API's future and still move
	// the watermark: one record of the year 2099, or of a clock that is a minute fast,
	// must not hide all that follow. Date has whole seconds.
	ahead = time.Second
	// maxRestarts is how often one job begins a run anew whose position died.
	maxRestarts = 3
	// tries is how often one job asks for a page whose answer broke.
	tries = 3
)

// A run is one reading of a poll, from a bound to the end.
type run struct {
	s     *Source
	yield func(Page, error) bool

	st      State    // what is committed
	p       Progress // what is under way
	low     value
	until   value
	resumed bool // the position is of an earlier run, and may have died since
	anew    int  // how often the run was begun anew

	parents []parent // of the page of parents; nil before it is read
	onward  string   // the next page of parents
	files   []string // of an export; nil before they are known
	after   string   // how far the snapshot told what is gone
}

// begin takes up the run under way, or begins one.
func (r *run) begin() error {
	if r.st.Run == nil {
		return r.start()
	}
	r.p = *r.st.Run
	r.st.Run = nil
	r.resumed = r.p.Position != "" || r.p.Parent.Position != "" || r.p.Export.Job != ""
	if r.p.Of != r.s.of && r.p.Of != "" {
		return r.restart(false) // a page's number, say, is nothing to another pagination
	}
	if ttl := r.s.list.pages.CursorTTL.Std(); ttl > 0 && r.p.Position != "" && r.s.now(r.st).Sub(r.p.At) > ttl {
		return r.restart(r.s.parent != nil)
	}
	if err := r.bounds(); err != nil {
		return err
	}
	if r.s.list.pages.MaxDepth > 0 && r.p.Position != "" {
		r.p.Resumed = true
		// What came meanwhile has brought the end of what is given out nearer. A tie
		// cannot be divided, nor is half a slice read again each time.
		if order := r.s.inc.Order; (order == "asc" || order == "desc") && r.divide() == nil {
			r.resumed = false
		}
	}
	return nil
}

// bounds reads those of the run as they were stored.
func (r *run) bounds() (err error) {
	if r.low, err = r.stored(r.p.Low); err != nil {
		return err
	}
	r.until, err = r.stored(r.p.Until)
	return err
}

func (r *run) stored(text string) (value, error) {
	v, err := r.s.scale.parse(text)
	if err != nil {
		return v, permanent(0, "the saved watermark does not fit poll.incremental any more: %v", err)
	}
	return v, nil
}

// give hands a page out. What follows must be in its Next.
func (r *run) give(p Page) error {
	if !r.yield(p, nil) {
		return errStopped
	}
	return nil
}

// page is one without records.
func (r *run) page() Page {
	return Page{Total: -1, Resync: r.p.Resync, Gap: r.p.Gap}
}

// state is what may be saved now.
func (r *run) state() State { return with(r.st, r.p) }

func with(st State, p Progress) State {
	st.Run = &p
	return st
}

// step does what is next, and mends what can be mended by beginning anew.
func (r *run) step(ctx context.Context) (more bool, err error) {
	for try := 1; ; try++ {
		more, err = r.next(ctx)
		if err == nil || errors.Is(err, errStopped) || ctx.Err() != nil {
			return more, err
		}
		again, mended := r.mend(err)
		if mended != nil {
			return false, mended
		}
		if !again && (try >= tries || !broke(err)) {
			return false, err
		}
		if !again {
			if err := r.s.o.API.Sleep(ctx, time.Second<<(try-1)); err != nil {
				return false, err
			}
		}
	}
}

func (r *run) next(ctx context.Context) (bool, error) {
	switch {
	case r.p.Gone:
		return r.gone(ctx)
	case r.p.Seed:
		return r.firstToken(ctx)
	case r.s.poll.Export != nil:
		return r.export(ctx)
	case r.s.parent != nil && r.parents == nil:
		return r.readParents(ctx)
	default:
		return r.read(ctx)
	}
}

// mend tells whether the step may be made again, after what an error says was mended.
func (r *run) mend(err error) (again bool, fatal error) {
	if errors.Is(err, errShifted) {
		return true, nil
	}
	if large, ok := errors.AsType[*api.TooLarge](err); ok {
		return r.shrink(large)
	}
	_, expired := errors.AsType[*api.Expired](err)
	final, refused := errors.AsType[*api.Permanent](err)
	refused = refused && slices.Contains([]int{400, 404, 409, 410, 412, 422}, final.Status)
	switch {
	case r.positioned() && (expired || refused && r.resumed):
		if r.anew++; r.anew > maxRestarts {
			// It may pass: what is listed may change while it is read, again and again.
			return false, fmt.Errorf("the api does not take the positions that it gave: %w", err)
		}
		return true, r.restart(r.parents != nil)
	case expired && r.p.Resync && r.s.seed == nil:
		return false, permanent(0, "the api says expired of a request without a token or bound: check poll.incremental.on_expired (%v)", err)
	case r.p.Resync && r.s.seed != nil && (expired || refused) && r.p.Token == "" && r.p.Position == "":
		r.p.Gap, r.p.Seed = true, true
		return true, nil
	case expired:
		if on := r.s.inc.OnExpired; on != nil && on.Action == "fail" {
			return false, permanent(0, "%v; what came since the last run may be lost: reset the poll to go on", err)
		}
		if r.anew++; r.anew > maxRestarts {
			return false, permanent(0, "the api takes no token, not even its own: %v", err)
		}
		return true, r.resync()
	}
	return false, nil
}

// positioned tells whether the request that is next is for a page that another led to.
func (r *run) positioned() bool {
	if r.s.parent != nil && r.parents == nil {
		return r.p.Parent.Position != ""
	}
	return r.p.Position != ""
}

// broke tells errors of an answer that began well; what did not was tried again already.
func broke(err error) bool {
	_, limited := errors.AsType[*api.Limited](err)
	_, final := errors.AsType[*api.Permanent](err)
	_, answer := errors.AsType[*brokenError](err)
	return answer && !limited && !final
}

// read asks for a page of records and gives it out.
func (r *run) read(ctx context.Context) (bool, error) {
	req, err := r.request(&r.s.list, r.p.Query)
	if err != nil {
		return r.childGone(err)
	}
	valid := r.validate(&req)
	a, err := r.s.list.do.Do(ctx, req)
	if err != nil {
		return r.childGone(err)
	}
	defer a.Body.Close() //nolint:errcheck // it was only read
	if again, err := r.clock(a.Server, req); again || err != nil {
		return again, err
	}
	if a.Status == http.StatusNotModified {
		return r.unchanged(valid, interval(a.Header, gjson.Result{}))
	}
	r.resumed = false
	r.keepValidators(req, a)
	b, err := r.take(ctx, a, r.s.list)
	if err != nil {
		return false, err
	}
	f, err := r.s.follow(ctx, r.s.list, r.leaf(req, a, b))
	if err != nil {
		return false, b.undo(err)
	}
	page, err := b.final(ctx)
	if err != nil {
		return false, err
	}
	page.Total, page.Token, page.Interval = f.total, f.next, interval(a.Header, b.rest)
	if err := r.advance(&page, b, f, req.URL.String()); err != nil {
		page.Next, page.More = r.st, true
		return false, errors.Join(r.give(page), err)
	}
	return page.More, r.give(page)
}

func (r *run) leaf(req api.Request, a *api.Answer, b *batch) leaf {
	q := r.p.Query
	if r.s.tokens() && q.Position == "" {
		q.Position = r.token()
	}
	return leaf{req.URL, a, b.rest, b.read, b.last, q, r.pageSize()}
}

// unchanged ends the run as the last one ended: what follows the watermark is what
// it was then.
func (r *run) unchanged(valid bool, interval time.Duration) (bool, error) {
	if !valid {
		return false, permanent(http.StatusNotModified, "the api answers 304 to a request without a validator: remove caching headers from poll.request.headers")
	}
	st := r.st
	st.Settled = r.p.Started
	return false, r.give(Page{Total: -1, Next: st, Unchanged: true, Interval: interval})
}
