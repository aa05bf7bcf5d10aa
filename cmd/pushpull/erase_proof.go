package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"pushpull/shared/ledger"
)

// A proof is what is left of an erasure: lines of JSON, each with the hash of the
// one before it, so that none can be changed, added or taken out unseen.
type proof struct {
	to       io.Writer
	previous string // SHA-256 of the last line, in hex
}

// A proofLine is one line. The first says who and why, the last how many.
type proofLine struct {
	Erasure  string    `json:"erasure,omitempty"`
	By       string    `json:"by,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Where    string    `json:"where_sha256,omitempty"` // the expression may name a person
	Contains string    `json:"contains_sha256,omitempty"`
	From     time.Time `json:"from,omitzero"`
	To       time.Time `json:"to,omitzero"`
	Key      string    `json:"key,omitempty"`
	At       time.Time `json:"at"`
	Erased   []erased  `json:"erased,omitempty"`
	Events   *int      `json:"events,omitempty"`
	Left     *int      `json:"left,omitempty"`
	Previous string    `json:"previous,omitempty"`
}

// An erased thing is a payload, a conflict or a dead letter.
type erased struct {
	What   string `json:"what"`
	SHA256 string `json:"sha256,omitempty"` // of its data
}

func erasedOf(kept []ledger.Kept) []erased {
	found := make([]erased, len(kept))
	for i, one := range kept {
		found[i].What = "payload"
		if one.Conflict != "" {
			found[i].What = "conflict " + one.Conflict
		}
		if one.Event.Data != nil {
			found[i].SHA256 = sum(one.Event.Data)
		}
	}
	return found
}

func (p *proof) begin(e eraser, f eraseFlags) error {
	first := proofLine{Erasure: e.id, By: e.by, Reason: e.reason, At: time.Now().UTC()}
	if !e.named {
		first.From, first.To = e.filter.Since.UTC(), e.filter.Until.UTC()
	}
	if f.where != "" {
		first.Where = sum([]byte(f.where))
	}
	if f.contains != "" {
		first.Contains = sum([]byte(f.contains))
	}
	return p.add(first)
}

func (p *proof) end(e eraser) error {
	events := len(e.keys)
	return p.add(proofLine{Erasure: e.id, At: time.Now().UTC(), Events: &events, Left: &e.left})
}

func (p *proof) add(line proofLine) error {
	line.Previous = p.previous
	b, err := json.Marshal(line)
	if err != nil {
		return err
	}
	p.previous = sum(b)
	if _, err := p.to.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("write the proof: %w", err)
	}
	return nil
}

// readProof checks the chain, and returns the keys and the last line's hash.
func readProof(r io.Reader) (keys []string, seal string, err error) {
	lines := bufio.NewReader(r)
	ended := false
	for n := 1; ; n++ {
		b, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(b) == 0 {
			break
		}
		if err != nil {
			return nil, "", fmt.Errorf("line %d: it is cut off", n)
		}
		b = bytes.TrimSuffix(b, []byte("\n"))
		var line proofLine
		if err := json.Unmarshal(b, &line); err != nil {
			return nil, "", fmt.Errorf("line %d: %w", n, err)
		}
		if line.Previous != seal {
			return nil, "", fmt.Errorf("line %d: it does not follow from the one before it: one of them was changed", n)
		}
		if line.Key != "" {
			keys = append(keys, line.Key)
		}
		seal, ended = sum(b), line.Events != nil
	}
	if !ended {
		return nil, "", errors.New("its last line is not there: the erasure was cut off, or the file")
	}
	return keys, seal, nil
}

// verifyErasure checks a proof, and that nothing is kept of its events.
func verifyErasure(c *cobra.Command, name string) error {
	file, err := os.Open(name) //nolint:gosec // the person's choice
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // nothing was written
	keys, seal, err := readProof(file)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	conn, err := connect(c)
	if err != nil {
		return err
	}
	slices.Sort(keys)
	keys = slices.Compact(keys) // a payload and a dead letter have a line each
	for _, key := range keys {
		r, err := conn.ledger.Get(c.Context(), key)
		if errors.Is(err, ledger.ErrNotFound) {
			r = ledger.Record{Key: key}
		} else if err != nil {
			return err
		}
		kept, err := conn.ledger.Kept(c.Context(), r)
		if err != nil {
			return err
		}
		if len(kept) > 0 {
			return fmt.Errorf("%s: data of %s are kept: it came again since, or the erasure was cut off", name, printable(key))
		}
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "%s is whole, sealed %s: nothing is kept of %s\n", name, seal, counted(len(keys), "event"))
	return err
}
