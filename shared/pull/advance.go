package pull

import (
	"errors"
	"strconv"

	"pushpull/shared/api"
)

// advance moves the run on past a page, and makes the state that follows it.
// An error is of what comes next: the page itself is good.
func (r *run) advance(page *Page, b *batch, f lead, address string) error {
	q := &r.p.Query
	position := q.Position
	q.Skip, q.Prefix = 0, ""
	q.Depth += b.read
	if v, ok, _ := r.value(b.last); ok {
		q.Last = v.text
	}
	if err := kept("poll.pagination.cursor_path", f.next, f.token); err != nil {
		return err
	}
	if b.below && b.kept == 0 && r.s.inc.Order == "desc" && !r.s.sends("start") {
		f.next = "" // all that follows is older still
	}
	if b.beyond && r.s.inc.Order == "asc" {
		f.next = "" // all that follows is younger still
	}
	divided := f.next != "" && r.moves(b) && r.divide() == nil
	if !divided && r.s.deep(*q, b.read, f.next != "") {
		err := r.divide()
		if divided = err == nil; !divided && q.Depth >= r.s.list.pages.MaxDepth {
			return err
		}
	}
	switch {
	case divided:
	case f.next == "":
		return r.finish(page, f, b)
	case q.stuck(b.print()):
		return permanent(0, "the api gives the same page again and again: check poll.pagination, what it sends changes nothing")
	default:
		q.visit(position, address)
		if q.been(f.next) {
			if b.read > 0 {
				return permanent(0, "the api leads back to a page of this run: check poll.pagination, its pages would never end")
			}
			return r.finish(page, lead{token: f.next}, b) // the live tail: the same cursor again, and nothing there
		}
		q.Position, q.At = f.next, b.server
	}
	page.Next, page.More = r.state(), true
	return nil
}

// moves tells whether the rows of a list may move up as one of them changes, and
// whether it can be asked for from the last row instead of from so many on. It
// must be sorted and filtered as it is said to be.
func (r *run) moves(b *batch) bool {
	t := r.s.list.pages.Type
	if r.s.inc.Order != "asc" || t != "offset" && t != "page" && t != "link_header" || !r.s.sends("start") || b.unsorted {
		return false
	}
	first, ok, _ := r.value(b.head)
	start, err := r.stored(r.p.Start)
	last, lastErr := r.stored(r.p.Last)
	return ok && err == nil && lastErr == nil && first.compare(r.s.scale.floor(start)) >= 0 && last.compare(start) > 0
}

// print tells pages apart.
func (b *batch) print() string {
	if b.read == 0 {
		return ""
	}
	return b.prefix
}

// finish ends a query, and begins the next: of the next parent or slice. After the
// last the run is at its end.
func (r *run) finish(page *Page, f lead, b *batch) error {
	if f.token != "" {
		r.p.Token = f.token
	}
	more := false
	switch {
	case r.s.parent != nil:
		r.p.Parent.Index++
		r.p.Parent.Count++
		r.p.Parent.ID = ""
		var err error
		if more, err = r.nextParent(); err != nil {
			return err
		}
	case r.p.Slice != "" && r.p.Slice != r.p.Until:
		more = true
		end, err := r.stored(r.p.Slice)
		if err != nil {
			return err
		}
		r.commit()
		if mark, err := r.s.scale.parse(r.st.Watermark); err != nil || r.st.Watermark == "" || mark.compare(end) < 0 {
			r.st.Watermark, r.st.Ties = end.text, nil
		}
		r.p.High, r.p.HighTies = "", nil
		r.slice(end)
	}
	if !more {
		if err := r.marked(b); err != nil {
			return err
		}
		more = r.end()
	}
	page.Next, page.More = r.state(), more
	if !more {
		page.Next = r.st
	}
	return nil
}

// commit moves the watermark of an unsorted or newest-first feed. Of an unsorted
// one it stays where the run began: what came since may stand in a page that was
// read before.
func (r *run) commit() {
	high, err := r.s.scale.parse(r.p.High)
	if err != nil || r.p.High == "" {
		return
	}
	if r.s.inc.Order != "desc" && high.at.After(r.p.Started) {
		began := instant(r.p.Started)
		if mark, err := r.s.scale.parse(r.st.Watermark); err != nil || r.st.Watermark == "" || mark.compare(began) < 0 {
			r.st.Watermark, r.st.Ties = began.text, nil
		}
		return
	}
	for _, hash := range r.p.HighTies {
		r.st.Watermark, r.st.Ties = r.s.scale.raise(r.st.Watermark, r.st.Ties, high, hash)
	}
}

// marked takes the time up to which the API says that it is complete.
func (r *run) marked(b *batch) error {
	path := r.s.inc.MarkPath
	if path == "" || b == nil {
		return nil
	}
	mark := text(b.rest.Get(jsonPath(path)))
	if _, err := r.s.scale.parse(mark); err != nil || mark == "" {
		return permanent(0, "the answer has no time at %q: check poll.incremental.mark_path", path)
	}
	r.p.Mark = mark
	return nil
}

// end commits the whole run: only here do unsorted and newest-first feeds move the
// watermark, and validators and tokens count. More is true where what is gone is
// still to be told.
func (r *run) end() (more bool) {
	whole := r.whole()
	r.commit()
	switch {
	case r.p.Mark != "":
		r.st.Watermark, r.st.Ties = r.p.Mark, nil
	case r.s.parent != nil && r.s.poll.Incremental != nil:
		began := instant(r.p.Started.Add(-r.s.inc.Settle.Std()))
		if r.until.text != "" && r.until.compare(began) < 0 {
			began = r.until // the first answer was long in coming: what is younger was left out
		}
		r.st.Watermark, r.st.Ties = began.text, nil
	case r.st.Watermark == "":
		r.st.Watermark = r.p.Low // nothing there yet: the next run asks from the same bound, not from a later one
	}
	if r.s.tokens() {
		r.st.Watermark, r.st.Ties = "", nil
		r.st.Token = r.token()
	}
	r.st.Settled = r.p.Started
	r.st.ETag, r.st.LastModified, r.st.ValidFor = r.p.ETag, r.p.LastModified, r.p.ValidFor
	if r.p.Left {
		r.st.ETag, r.st.LastModified, r.st.ValidFor = "", "", ""
	}
	r.p.Query, r.p.Parent, r.p.Export = Query{}, ParentProgress{}, ExportProgress{}
	r.p.Gone = whole
	return whole
}

// whole tells whether the run saw all there is, and is to tell what is gone.
func (r *run) whole() bool {
	snap := r.s.poll.Snapshot
	return snap != nil && snap.Deletes && r.p.Low == "" && !r.p.Discard && !r.s.ranged() && (!r.s.tokens() || r.st.Token == "" && !r.seeded())
}

// deep tells whether a query comes near the depth that the API gives out: what was
// added at the front since it began counts there as well, the more so where one job
// began it and another goes on.
func (s *Source) deep(q Query, read int, more bool) bool {
	most := s.list.pages.MaxDepth
	if most == 0 || q.Depth >= most {
		return most > 0
	}
	margin := max(read, most/10)
	switch {
	case q.Resumed:
		margin = max(read, most/2)
	case q.Depth == read && !more:
		margin = 0
	}
	return q.Depth+margin > most
}

// divide makes a query that reached max_depth anew: from its last value, or, where
// the records are not sorted, over half its range.
func (r *run) divide() error {
	q := r.p.Query
	last, err := r.stored(q.Last)
	if err != nil {
		return err
	}
	start, err := r.stored(q.Start)
	if err != nil {
		return err
	}
	end, err := r.stored(q.End)
	if err != nil {
		return err
	}
	c := r.s.scale
	full := permanent(0, "more than max_depth records have one value, %q: the api does not give them all out; ask for them by another field, or in parts", clip(q.Last))
	switch r.s.inc.Order {
	case "asc":
		if q.Last == "" || q.Start != "" && c.start(last) == c.start(start) {
			return full
		}
		r.p.Query = Query{Start: last.text, End: q.End, Last: q.Last}
	case "desc":
		above := last.back(-c.unit()) // where the end itself is not given out, its ties would be lost
		if q.End == "" {
			return permanent(0, "max_depth of a feed that is newest first needs an upper bound: say poll.incremental.end_param")
		}
		if q.Last == "" || above.compare(end) >= 0 || c.end(above) == c.end(end) {
			return full
		}
		r.p.Query = Query{Start: q.Start, End: above.text, Last: q.Last}
	default:
		half := end.at.Sub(start.at) / 2
		least := max(r.s.inc.MinWindow.Std(), c.unit())
		if start.at.IsZero() || end.at.IsZero() || half < least {
			return permanent(0, "a range of %v has more than max_depth records: lower poll.incremental.min_window, or ask for less", end.at.Sub(start.at))
		}
		r.p.Slice = start.back(-half.Truncate(c.unit())).text
		r.p.Query = Query{Start: q.Start, End: r.p.Slice}
		r.p.High, r.p.HighTies = "", nil
	}
	return nil
}

// shrink asks for half the page, and remembers what works.
func (r *run) shrink(large *api.TooLarge) (bool, error) {
	size := r.pageSize()
	if size == 0 {
		return false, permanent(large.Status, "%v", large)
	}
	smaller := size / 2
	if r.s.list.pages.Type == "page" {
		for smaller > 1 && size%smaller != 0 { // pages must begin where the larger ones did
			smaller--
		}
	}
	if smaller < 1 {
		return false, errors.New("the api cannot make a page of one record")
	}
	if r.s.list.pages.Type == "page" && r.p.Position != "" {
		first := r.s.list.firstNumber()
		r.p.Position = strconv.Itoa((r.s.list.number(r.p.Query)-first)*(size/smaller) + first)
	}
	r.st.PageSize = smaller
	r.p.Skip, r.p.Prefix = 0, ""
	return true, nil
}

// childGone ends the query of a parent that is gone meanwhile.
func (r *run) childGone(err error) (bool, error) {
	if r.s.parent == nil || !absent(err) || r.p.Position != "" {
		return false, err
	}
	r.p.Parent.Missing++
	page := r.page()
	if err := r.finish(&page, lead{}, nil); err != nil {
		return false, err
	}
	return page.More, r.give(page)
}
