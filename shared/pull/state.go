package pull

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"time"
)

// A State is how far a poll has been read. The zero State is one that was never read.
type State struct {
	// Watermark is the highest cursor value whose records were all given out, in
	// the API's own writing: rounding it would skip records.
	Watermark string `json:"watermark,omitempty"`
	// Ties are short hashes of the identities at the watermark: the next run asks
	// for them again (>=), because one more may have joined them.
	Ties []string `json:"ties,omitempty"`
	// Token is the sync token that the last page of the last whole run gave.
	Token string `json:"token,omitempty"`
	// Settled is when, by the API's clock, the last whole run began.
	Settled time.Time `json:"settled,omitzero"`
	// Skew is how far the API's clock is ahead of ours.
	Skew time.Duration `json:"skew,omitempty"`
	// PageSize is the page size that worked, where the configured one did not.
	PageSize int `json:"page_size,omitempty"`
	// ETag and LastModified are the validators of the last whole run; ValidFor is a hash of their request.
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"last_modified,omitempty"`
	ValidFor     string `json:"valid_for,omitempty"`
	// Snapshots name the last whole runs that compared what they saw with the snapshot, the newest first.
	Snapshots []string `json:"snapshots,omitempty"`
	// Run is the run under way; nil between runs.
	Run *Progress `json:"run,omitempty"`
}

// IsZero tells whether the poll was never read.
func (s State) IsZero() bool {
	return s.Watermark == "" && s.Run == nil && s.Token == "" && s.ValidFor == "" && s.Settled.IsZero() && len(s.Ties) == 0
}

// First tells whether st is before or within the first run.
func (s State) First() bool {
	if s.Run != nil {
		return s.Run.First
	}
	return s.Settled.IsZero() && s.Watermark == "" && s.Token == ""
}

// Progress is a run that was cut short: where it stood and what it has seen.
type Progress struct {
	Name    string    `json:"name,omitempty"`    // of the run, for the snapshot
	Of      string    `json:"of,omitempty"`      // a hash of the configuration that its position is of
	Started time.Time `json:"started,omitzero"`  // by the API's clock, at the first page
	Since   time.Time `json:"since,omitzero"`    // of an ascending run: what is below the watermark was read since then
	First   bool      `json:"first,omitempty"`   // the first run of this poll
	Resync  bool      `json:"resync,omitempty"`  // the API had forgotten where the last one ended
	Gap     bool      `json:"gap,omitempty"`     // what lay between may be lost
	Discard bool      `json:"discard,omitempty"` // the list is walked for its token alone

	Low      string   `json:"low,omitempty"`       // records below were handled by earlier runs
	Begin    string   `json:"begin,omitempty"`     // what is asked for begins there
	Until    string   `json:"until,omitempty"`     // records above are left for the next
	Left     bool     `json:"left,omitempty"`      // there were such
	High     string   `json:"high,omitempty"`      // the new watermark, where it is saved only at the end
	HighTies []string `json:"high_ties,omitempty"` // the identities at High
	Slice    string   `json:"slice,omitempty"`     // where the slice under way ends
	Token    string   `json:"token,omitempty"`     // that seed gave
	Mark     string   `json:"mark,omitempty"`      // up to where the API says that it is complete
	Seed     bool     `json:"seed,omitempty"`      // seed is to be asked

	ETag         string `json:"etag,omitempty"` // of the first page, not yet committed
	LastModified string `json:"last_modified,omitempty"`
	ValidFor     string `json:"valid_for,omitempty"`

	Query

	Parent ParentProgress `json:"parent,omitzero"`
	Export ExportProgress `json:"export,omitzero"`
	Gone   bool           `json:"gone,omitempty"` // all was read; what is no longer there is being told
}

// A Query is one list that is read page by page: the run's only one, or that of
// a slice, of a parent, or from where the last one reached max_depth.
type Query struct {
	Start    string    `json:"start,omitempty"`    // its lower bound
	End      string    `json:"end,omitempty"`      // its upper bound
	Position string    `json:"position,omitempty"` // the next page: a cursor, offset or page number, or its address
	At       time.Time `json:"at,omitzero"`        // when the position was given
	Skip     int       `json:"skip,omitempty"`     // records of that page that were given out
	Prefix   string    `json:"prefix,omitempty"`   // a hash of them
	Depth    int       `json:"depth,omitempty"`    // records so far
	Resumed  bool      `json:"resumed,omitempty"`  // several jobs read it
	Last     string    `json:"last,omitempty"`     // the value of the last one

	Seen   []string `json:"seen,omitempty"`   // hashes of the last positions, to notice a loop
	Anchor string   `json:"anchor,omitempty"` // an older one, to notice a longer loop
	Lap    int      `json:"lap,omitempty"`    // positions since the anchor
	Turn   int      `json:"turn,omitempty"`   // after how many it moves on
	Print  string   `json:"print,omitempty"`  // of the page before, to notice that pages do not differ
	Same   int      `json:"same,omitempty"`   // how often it came again
}

// A ParentProgress is where in the list of parents a run stands.
type ParentProgress struct {
	Query          // the page of parents
	Index   int    `json:"index,omitempty"`   // of the parent within it
	ID      string `json:"id,omitempty"`      // a hash of that parent
	Count   int    `json:"count,omitempty"`   // those before it
	Missing int    `json:"missing,omitempty"` // of these, with a 404
}

// An ExportProgress is an export that is being made.
type ExportProgress struct {
	Job     string    `json:"job"`
	Created time.Time `json:"created"`
	File    int       `json:"file,omitempty"` // files that were read
}

// mostPosition is how long a cursor, token or address may be, in bytes: the item of
// the state has 400 KB.
const mostPosition = 64 << 10

// kept refuses what an API gave out that is too long for the state.
func kept(key string, texts ...string) error {
	for _, text := range texts {
		if len(text) > mostPosition {
			return permanent(0, "the api gives more than %d bytes at %s, which cannot be kept: check where it leads", mostPosition, key)
		}
	}
	return nil
}

// maxTies bounds the state's size. Ties beyond it are left to the ledger.
const maxTies = 1000

func shortHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// raise moves a watermark up to v, and keeps the ties of where it stands.
func (c scale) raise(mark string, ties []string, v value, hash string) (string, []string) {
	order := 1
	if mark != "" {
		at, err := c.parse(mark)
		if err == nil {
			order = v.compare(at)
		}
	}
	switch {
	case order > 0:
		return v.text, []string{hash}
	case order == 0 && len(ties) < maxTies && !slices.Contains(ties, hash):
		return mark, append(slices.Clone(ties), hash)
	default:
		return mark, ties
	}
}
