package pull

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"time"
)

// A State is how far a source has been read. The zero State is a source that
// was never read.
type State struct {
	// Watermark is the highest cursor value whose records were all given out, in
	// the API's own writing: rounding it would skip records.
	Watermark string `json:"watermark,omitempty"`
	// Ties are short hashes of the identities at the watermark: the next run asks
	// for them again (>=), because one more may have joined them.
	Ties []string `json:"ties,omitempty"`
	// Settled is when, by the API's clock, the last whole run began.
	Settled time.Time `json:"settled,omitzero"`
	// ETag is the validator of the first page of the last whole run; ETagFor is a hash of its request.
	ETag    string `json:"etag,omitempty"`
	ETagFor string `json:"etag_for,omitempty"`
	// Run is the run under way; nil between runs.
	Run *Progress `json:"run,omitempty"`
}

// IsZero tells whether the source was never read.
func (s State) IsZero() bool {
	return s.Watermark == "" && s.Run == nil && s.ETag == "" && s.Settled.IsZero() && len(s.Ties) == 0
}

// First tells whether st is before or within the first run over a source.
func (s State) First() bool {
	if s.Run != nil {
		return s.Run.First
	}
	return s.Settled.IsZero() && s.Watermark == ""
}

// Progress is a run that was cut short: where it stood and what it has seen.
type Progress struct {
	Started  time.Time `json:"started,omitzero"`    // by the API's clock, at the first page
	Since    time.Time `json:"since,omitzero"`      // of an ascending run: what is below the watermark was read since then
	First    bool      `json:"first,omitempty"`     // the first run over this source
	Low      string    `json:"low,omitempty"`       // records below were handled by earlier runs
	Start    string    `json:"start,omitempty"`     // Low as it is sent
	High     string    `json:"high,omitempty"`      // the new watermark, where it is saved only at the end
	HighTies []string  `json:"high_ties,omitempty"` // the identities at High
	Position string    `json:"position,omitempty"`  // the next page: a cursor, or its address
	Seen     []string  `json:"seen,omitempty"`      // hashes of the last positions, to notice a loop
	ETag     string    `json:"etag,omitempty"`      // of the first page, not yet committed
	ETagFor  string    `json:"etag_for,omitempty"`
}

const (
	// maxTies bounds the state's size. Ties beyond it are left to the ledger.
	maxTies = 1000
	// maxSeen bounds how long a loop of positions may be and still be noticed at once; max_pages ends a longer one.
	maxSeen = 64
)

func shortHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// remember appends to a bounded list; the oldest go first.
func remember(list []string, hash string, limit int) []string {
	if slices.Contains(list, hash) {
		return list
	}
	if len(list) >= limit {
		list = list[len(list)-limit+1:]
	}
	return append(slices.Clone(list), hash)
}

// raise moves a watermark up to value, and keeps the ties of where it stands.
func raise(mark string, ties []string, v value, hash, format string) (string, []string) {
	order := 1
	if mark != "" {
		at, err := parseValue(mark, format)
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
