package webhook

import "time"

// What may be spent on strangers' addresses: a fetch that drags on is three
// seconds of an environment that has one request at a time.
const (
	strangersMost  = 15 * time.Second       // at once
	strangersShare = 4                      // and then one second in so many
	strangersLeast = 250 * time.Millisecond // for one fetch, however quick: its server is somebody's too
)

// A budget is time that may be spent. Its zero value is full.
type budget struct {
	spent time.Duration // of strangersMost
	at    time.Time     // it was that
}

// reserve takes as much as a fetch may last, if there is as much.
func (b *budget) reserve(now time.Time) bool {
	b.spent, b.at = max(0, b.spent-now.Sub(b.at)/strangersShare), now
	if b.spent+keyPatience > strangersMost {
		return false
	}
	b.spent += keyPatience
	return true
}

// settle gives back what the fetch did not last.
func (b *budget) settle(lasted time.Duration) {
	b.spent = max(0, b.spent-keyPatience+max(lasted, strangersLeast))
}
