package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"pushpull/shared/config"
	"pushpull/shared/job"
	"pushpull/shared/pull"
)

// A poll is one poll of the configuration.
type poll struct {
	source string
	of     config.Source
	config config.Poll
	rhythm pull.Rhythm
}

func newPoll(name string, of config.Source, p config.Poll) poll {
	return poll{source: name, of: of, config: p, rhythm: pull.RhythmOf(p)}
}

func (p poll) key() string { return job.Key(p.source, p.config.Name) }

// hash tells whether the configuration is still the one that stopped the poll.
func (p poll) hash() string { return hash(p.config) }

// find looks up the poll that a job is of; config.ErrUnknown where it is gone.
func (h *handler) find(j job.Job) (poll, error) {
	source, err := h.config.Source(j.Source)
	if err != nil {
		return poll{}, fmt.Errorf("source %s: %w", j.Source, err)
	}
	p := source.Poll.Named(j.Poll)
	if p == nil {
		return poll{}, fmt.Errorf("poll %s: %w", job.Key(j.Source, j.Poll), config.ErrUnknown)
	}
	return newPoll(j.Source, source, *p), nil
}

// hash is a short one of what the configuration says.
func hash(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "" // what was read from JSON can be written
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}
