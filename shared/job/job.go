// Package job is the message of the poll queue, for those who put one there and
// the poller that does it.
package job

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// The reasons of a job.
const (
	Scheduled = "schedule" // its poll was due
	Manual    = "manual"   // someone asked for it: it is done although paused or just polled
	Hinted    = "hint"     // a webhook without data said that there is something
	Silence   = "silence"  // push brought nothing for longer than is usual
	Backfills = "backfill"
)

// A Job asks to read one poll of a source.
type Job struct {
	Source string `json:"source"`
	// Poll is the poll's name; empty for the one that has none.
	Poll   string `json:"poll,omitempty"`
	Reason string `json:"reason"`
	// Backfill is the id of the backfill that is worked on, rather than the live poll.
	Backfill string `json:"backfill,omitempty"`
	// Due is when the poll was to be made, or when the hint came; zero: now.
	Due time.Time `json:"due,omitzero"`
	// Continuation goes on with a run that a job before this one began.
	Continuation bool `json:"continuation,omitempty"`
	// Stopped says in a dead letter how far the poll was read.
	Stopped string `json:"stopped,omitempty"`
}

// Key names what the job works on: source, source.poll, or either of them, a
// slash and the id of a backfill. No name has a dot or a slash.
func (j Job) Key() string {
	key := Key(j.Source, j.Poll)
	if j.Backfill != "" {
		key += "/" + j.Backfill
	}
	return key
}

// Key names a poll of a source.
func Key(source, poll string) string {
	if poll == "" {
		return source
	}
	return source + "." + poll
}

// Encode writes the job as the body of a message.
func (j Job) Encode() string {
	b, err := json.Marshal(j)
	if err != nil {
		return "" // a time beyond the year 9999; the queue refuses an empty body
	}
	return string(b)
}

// Parse reads the body of a message.
func Parse(body string) (Job, error) {
	var j Job
	if err := json.Unmarshal([]byte(body), &j); err != nil {
		return Job{}, fmt.Errorf("not a poll job: %w", err)
	}
	if j.Source == "" {
		return Job{}, errors.New(`not a poll job: it names no source, such as {"source":"stripe","reason":"manual"}`)
	}
	return j, nil
}
