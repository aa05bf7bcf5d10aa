package budget

import "time"

// A Limit is what an API allows a credential.
type Limit struct {
	// Requests it may make in each period of Per; 0 where only answers tell of limits.
	Requests int
	Per      time.Duration
	// Reserve is the part of the limit that is left to others, from 0 to 1.
	Reserve float64
	// Share is the part of the rest that this kind of work may use, such as 0.5 for
	// backfills; 0 means all of it. All who give the same key and a share have it together.
	Share float64
}

// A pace is how slots follow each other so that no window of the period has more
// than its requests: a slot's own time is at least its turn less slack, turns are
// spacing apart, and its request arrives within tolerance after its own time.
//
// Of a window of the length Per, those requests arrive whose slots' times are in
// Per + tolerance; of n such slots the turns span no more than that and slack, so
// n ≤ (Per + tolerance + slack) / spacing + 1, which is below Requests + 1 by the
// choice of spacing. With slack = (burst - 1) · spacing that is
// (Per + tolerance) / spacing < Requests - burst + 1.
type pace struct {
	spacing   time.Duration
	slack     time.Duration
	tolerance time.Duration
}

const (
	longPer       = 10 * time.Second // from here on, a burst helps
	mostTolerance = 2 * time.Second
)

// pace leaves 92 % of the limit in use, and more where the period is long. The
// tolerance is 7 % of a short period, as a request's way takes what it takes; 5 %
// of a long one, of whose requests 4 % may be made at once after a pause.
func (l Limit) pace() pace {
	n := max(1, int(float64(l.Requests)*(1-l.Reserve)+1e-9))
	burst, tolerance := 1, l.Per*7/100
	if l.Per >= longPer {
		burst, tolerance = 1+n/25, min(l.Per/20, mostTolerance)
	}
	spacing := (l.Per+tolerance)/time.Duration(n-burst+1) + 1
	return pace{spacing: spacing, slack: time.Duration(burst-1) * spacing, tolerance: tolerance}
}

// late is how long after its time a slot is still given out; the other half of
// the tolerance is for the request's way and for clocks that differ.
func (p pace) late() time.Duration { return p.tolerance / 2 }

// part is the limit of those who have a share.
func (l Limit) part() Limit {
	l.Requests = max(1, int(float64(l.Requests)*(1-l.Reserve)*l.Share+1e-9))
	l.Reserve, l.Share = 0, 0
	return l
}
