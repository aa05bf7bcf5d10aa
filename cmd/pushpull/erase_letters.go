package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/spf13/cobra"

	"pushpull/shared/event"
	"pushpull/shared/ledger"
	"pushpull/shared/queue"
)

// letters erases the dead letters of the events, and those with what is looked for.
func (e *eraser) letters(c *cobra.Command) error {
	for _, name := range []string{"DeadLetterQueue", "StrictDeadLetterQueue"} {
		if url := e.conn.address.Queues[name]; url != "" {
			if err := e.lettersOf(c, url); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *eraser) lettersOf(c *cobra.Command, url string) error {
	letters, give, err := deadLetters(c.Context(), e.conn.sqs, url)
	if err != nil {
		return errors.Join(err, give(c.Context(), letters))
	}
	var stay []deadLetter
	for i, d := range letters {
		gone, err := e.letter(c, url, d)
		if err != nil {
			return errors.Join(err, give(c.Context(), append(stay, letters[i:]...)))
		}
		if !gone {
			stay = append(stay, d)
		}
	}
	return give(c.Context(), stay)
}

// letter deletes a dead letter that is meant, and reports whether it did. Its event
// is erased before, so that a letter that is just being redriven is not delivered.
func (e *eraser) letter(c *cobra.Command, url string, d deadLetter) (gone bool, err error) {
	of, err := queue.Decode(c.Context(), d.Body, e.conn.bodies)
	if err != nil && !errors.Is(err, event.ErrInvalid) && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if !e.keys[d.Key] {
		if e.named || !e.letterMeant(c, d, of, err) {
			return false, nil
		}
		if err := e.eventOf(c, d); err != nil || !e.keys[d.Key] {
			return false, err
		}
	}
	if !e.dry {
		if of.DataRef != "" {
			if err := e.conn.bodies.Delete(c.Context(), of.Source, of.Data); err != nil {
				return false, err
			}
		}
		if err := discard(c.Context(), e.conn.sqs, url, []deadLetter{d}); err != nil {
			return false, err
		}
	}
	return !e.dry, e.record(c, d.Key, []erased{{What: "dead letter", SHA256: sum([]byte(d.Body))}})
}

// letterMeant tells whether a letter whose event was not erased has what is looked
// for; unread is why its event could not be read.
func (e *eraser) letterMeant(c *cobra.Command, d deadLetter, of event.Event, unread error) bool {
	if unread != nil {
		of = event.Event{Source: d.Source, Data: []byte(d.Body)} // a text may be found in it
	} else if !takesLetter(e.filter, of) {
		return false
	}
	meant, err := e.match.event(c.Context(), of)
	if err = errors.Join(err, unread); err != nil && !meant {
		e.leave(c, d.Key, fmt.Errorf("a dead letter: %w", err))
	}
	return meant
}

func takesLetter(f ledger.Filter, e event.Event) bool {
	return slices.Contains(f.Sources, e.Source) &&
		(f.Status == "" || f.Status == ledger.Dead) &&
		(f.Type == "" || f.Type == e.Type) &&
		(f.Entity == "" || f.Entity == e.Subject) &&
		!e.ReceivedTime.Before(f.Since) && e.ReceivedTime.Before(f.Until)
}

// eventOf erases the event of a letter, as far as the ledger knows it.
func (e *eraser) eventOf(c *cobra.Command, d deadLetter) error {
	r, err := e.conn.ledger.Get(c.Context(), d.Key)
	if errors.Is(err, ledger.ErrNotFound) || d.Key == "" {
		e.keys[d.Key] = true
		return nil
	}
	if err != nil {
		return err
	}
	kept, err := e.conn.ledger.Kept(c.Context(), r)
	if err != nil {
		return err
	}
	return e.erase(c, r, kept)
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}
