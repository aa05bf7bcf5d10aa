package pull

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// The reasons of a job.
const (
	Scheduled = "schedule" // its source was due
	Manual    = "manual"   // someone asked for it: it is done although paused or just polled
)

// A Job is a message of the poll queue: read this source.
type Job struct {
	Source string `json:"source"`
	Reason string `json:"reason"`
	// Due is when the source was to be polled; zero: now.
	Due time.Time `json:"due,omitzero"`
	// Continuation goes on with a run that a job before this one began.
	Continuation bool `json:"continuation,omitempty"`
	// SoFar is what the jobs of this run did before this one.
	SoFar *Tally `json:"so_far,omitempty"`
	// Stopped says in a dead letter how far the source was read.
	Stopped string `json:"stopped,omitempty"`
}

// A Tally counts what a run did.
type Tally struct {
	Started time.Time `json:"started,omitzero"`
	Pages   int       `json:"pages"`
	Records int       `json:"records"`
	New     int       `json:"new"`
	Missed  int       `json:"missed"`
}

// Encode writes the job as the body of a message.
func (j Job) Encode() string {
	b, err := json.Marshal(j)
	if err != nil {
		return "" // a time beyond the year 9999; the queue refuses an empty body
	}
	return string(b)
}

// ParseJob reads the body of a message.
func ParseJob(body string) (Job, error) {
	var j Job
	if err := json.Unmarshal([]byte(body), &j); err != nil {
		return Job{}, fmt.Errorf("not a poll job: %w", err)
	}
	if j.Source == "" {
		return Job{}, errors.New(`not a poll job: it names no source, such as {"source":"stripe","reason":"manual"}`)
	}
	return j, nil
}
