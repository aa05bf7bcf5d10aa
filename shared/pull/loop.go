package pull

import "slices"

const (
	// maxSeen is how many positions are remembered. A longer loop is noticed by the anchor.
	maxSeen = 64
	// maxEmpty is how many pages in a row may be empty and lead on.
	maxEmpty = 1000
	// maxSame is how often a page may be the one before: records that were added at
	// the front meanwhile may shift the rows by just a page.
	maxSame = 2
)

// visit notes positions, and been tells whether the next one was seen before.
func (q *Query) visit(positions ...string) {
	for _, position := range positions {
		hash := shortHash(position)
		if slices.Contains(q.Seen, hash) {
			continue
		}
		if len(q.Seen) >= maxSeen {
			q.Seen = q.Seen[len(q.Seen)-maxSeen+1:]
		}
		q.Seen = append(slices.Clone(q.Seen), hash)
	}
}

// been tells whether a position comes again: one of the last, or the anchor, which
// is set anew after 1, 2, 4, … positions and so meets a loop of any length.
func (q *Query) been(position string) bool {
	hash := shortHash(position)
	if slices.Contains(q.Seen, hash) || hash == q.Anchor {
		return true
	}
	if q.Lap++; q.Lap > q.Turn {
		q.Anchor, q.Turn, q.Lap = hash, max(1, 2*q.Turn), 0
	}
	return false
}

// stuck tells whether the pages go on and bring nothing: the same again, or none.
func (q *Query) stuck(page string) bool {
	if page != q.Print {
		q.Print, q.Same = page, 0
		return false
	}
	q.Same++
	if page == "" {
		return q.Same >= maxEmpty
	}
	return q.Same >= maxSame
}
