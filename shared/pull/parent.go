package pull

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"

	"github.com/tidwall/gjson"
)

const defaultParents = 10_000

// A parent is what the requests for its children take.
type parent struct {
	id     string
	values map[string]string
}

// readParents reads a page of parents.
func (r *run) readParents(ctx context.Context) (bool, error) {
	l := *r.s.parent
	req, err := r.request(r.s.parent, r.p.Parent.Query)
	if err != nil {
		return false, err
	}
	a, err := l.do.Do(ctx, req)
	if err != nil {
		return false, err
	}
	defer a.Body.Close() //nolint:errcheck // it was only read
	if again, err := r.clock(a.Server, req); again || err != nil {
		return again, err
	}
	list, p, err := r.parentsOf(ctx, l, leaf{at: req.URL, a: a, q: r.p.Parent.Query, size: l.pages.PageSize})
	if err != nil {
		return false, err
	}
	f, err := r.s.follow(ctx, l, p)
	if err != nil {
		return false, err
	}
	if p.read == 0 && f.next == r.p.Parent.Position {
		f.next = "" // the live tail
	}
	switch {
	case p.read > 0:
		r.p.Parent.Same = 0
	case f.next != "" && r.p.Parent.stuck(""):
		return false, permanent(0, "the list of parents goes on and on without any: check poll.parent.pagination")
	}
	if err := kept("poll.parent.pagination.cursor_path", f.next); err != nil {
		return false, err
	}
	r.parents, r.onward = list, f.next
	r.p.Parent.visit(r.p.Parent.Position, req.URL.String())
	r.p.Parent.Depth += p.read
	r.findParent()
	page := r.page()
	if page.More, err = r.nextParent(); err != nil {
		return false, err
	}
	if page.More {
		page.Next = r.state()
		return true, r.give(page)
	}
	if page.More = r.end(); page.More {
		page.Next = r.state()
	} else {
		page.Next = r.st
	}
	return page.More, r.give(page)
}

// parentsOf reads the parents of an answer.
func (r *run) parentsOf(ctx context.Context, l list, p leaf) ([]parent, leaf, error) {
	list := []parent{}
	in, err := l.open(p.a)
	if err != nil || in == nil {
		return list, p, unread(ctx, err)
	}
	defer in.Close() //nolint:errcheck // it was only read
	most := r.s.poll.Parent.Max
	if most == 0 {
		most = defaultParents
	}
	for {
		raw, err := in.Next(ctx)
		if errors.Is(err, io.EOF) {
			p.rest = gjson.ParseBytes(in.Rest())
			return list, p, nil
		}
		if err != nil {
			return nil, p, unread(ctx, err)
		}
		p.read++
		p.last = raw
		if r.s.only != nil {
			wanted, err := r.holds(ctx, r.s.only, raw)
			if err != nil {
				return nil, p, err
			}
			if !wanted {
				continue
			}
		}
		one, err := r.s.parentOf(raw)
		if err != nil {
			return nil, p, err
		}
		list = append(list, one)
		if r.p.Parent.Count-r.p.Parent.Index+len(list) > most {
			return nil, p, permanent(0, "there are more than %d parents: raise poll.parent.max, or ask for fewer with poll.parent.when", most)
		}
	}
}

// parentOf finds the values that a parent's children are asked for by.
func (s *Source) parentOf(raw json.RawMessage) (parent, error) {
	one := parent{values: map[string]string{}}
	for _, name := range slices.Sorted(maps.Keys(s.poll.Parent.Values)) {
		path := s.poll.Parent.Values[name]
		v := text(gjson.GetBytes(raw, jsonPath(path)))
		if v == "" {
			return one, permanent(0, "a parent has no value at %q: check poll.parent.values.%s", path, name)
		}
		one.values[name] = v
		one.id = shortHash(one.id + v)
	}
	return one, nil
}

// findParent looks for the parent that the run stood at: others may have come or gone
// before it. Where it is gone itself, its page is begun anew.
func (r *run) findParent() {
	i := r.p.Parent.Index
	if r.p.Parent.ID == "" || i < len(r.parents) && r.parents[i].id == r.p.Parent.ID {
		return
	}
	at := slices.IndexFunc(r.parents, func(p parent) bool { return p.id == r.p.Parent.ID })
	if at < 0 {
		r.p.Parent.Count -= i
		at = 0
		r.p.Query = Query{Start: r.p.Begin, End: r.p.Slice}
	} else {
		r.p.Parent.Count += at - i
	}
	r.p.Parent.Index = at
}

// nextParent goes to the parent at the index, or to the next page of them; more is
// false after the last.
func (r *run) nextParent() (more bool, err error) {
	p := &r.p.Parent
	switch {
	case p.Index < len(r.parents):
		if p.ID != r.parents[p.Index].id {
			p.ID = r.parents[p.Index].id
			r.p.Query = Query{Start: r.p.Begin, End: r.p.Slice}
		}
	case r.onward != "":
		if p.been(r.onward) {
			return false, permanent(0, "the list of parents leads back to a page of its own: check poll.parent.pagination")
		}
		p.Position, p.Index, p.ID = r.onward, 0, ""
		r.p.Query = Query{Start: r.p.Begin, End: r.p.Slice}
		r.parents = nil
	case p.Missing > 0 && p.Missing == p.Count:
		return false, permanent(404, "status 404 for the children of all parents: check poll.request.path and poll.parent.values")
	default:
		return false, nil
	}
	return true, nil
}
