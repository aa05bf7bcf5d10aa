package pull

import (
	"encoding/json"
	"slices"
	"time"
)

// A place is where a record stands to the run's bounds.
type place int

const (
	fresh  place = iota // it may be new
	tied                // it is at the watermark, and was given out
	under               // an earlier run had it
	beyond              // the next one will
)

// value is a record's at cursor_path; ok is true of all records where there is none to go by.
func (r *run) value(raw json.RawMessage) (v value, ok bool, err error) {
	path := r.s.inc.CursorPath
	if path == "" {
		return value{}, false, nil
	}
	v, ok, err = r.s.scale.read(raw, jsonPath(path))
	if err != nil {
		return v, false, permanent(0, "%q of a record: %v", path, err)
	}
	return v, ok, nil
}

// mark finds a record's place, and raises the high mark to its value.
func (r *run) mark(v value, id string, server time.Time) place {
	switch {
	case r.p.Low != "" && v.compare(r.low) < 0:
		return under
	case r.s.ranged() && v.compare(r.until) >= 0, r.s.inc.Settle > 0 && r.p.Until != "" && v.compare(r.until) > 0:
		r.p.Left = true
		return beyond
	case r.s.tokens(), r.s.parent != nil:
		return fresh
	case r.s.inc.Order != "none" && r.s.inc.Order != "" && v.at.After(server.Add(ahead)): // of an unsorted feed, commit sees to it
		return fresh
	}
	hash, p := shortHash(id), fresh
	if mark, err := r.s.scale.parse(r.st.Watermark); err == nil && r.st.Watermark != "" && v.compare(mark) == 0 && slices.Contains(r.st.Ties, hash) {
		p = tied
	}
	if r.s.inc.Order == "asc" {
		before := r.st.Watermark
		if r.st.Watermark, r.st.Ties = r.s.scale.raise(r.st.Watermark, r.st.Ties, v, hash); r.st.Watermark != before {
			r.p.Since = r.p.Started
		}
	} else {
		r.p.High, r.p.HighTies = r.s.scale.raise(r.p.High, r.p.HighTies, v, hash)
	}
	return p
}
