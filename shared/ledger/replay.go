package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"pushpull/shared/event"
)

// A Replay is one time that an event was sent again: it has a claim of its own, so
// that it is no duplicate of the event, and is delivered once.
type Replay struct {
	ID       string    `json:"id"`
	Status   Status    `json:"status,omitempty"` // "" while it is on the queue
	Ended    time.Time `json:"ended,omitzero"`
	Done     []string  `json:"done,omitempty"`
	Attempts []Attempt `json:"attempts,omitempty"`
	Reason   string    `json:"reason,omitempty"`
}

// mostReplays bounds what is noted on an item, which each write of it costs.
const mostReplays = 50

// ErrReplays is returned for an event that was sent again as often as it may be.
var ErrReplays = fmt.Errorf("it was sent again %d times, which is the most there is", mostReplays)

// claimKey is the item that an event's claim is made on: of a replay its own. No
// source's name begins with #, so it is no event's key.
func claimKey(e event.Event) string {
	if e.Replay == "" {
		return e.Key()
	}
	return replayKey(e.Key(), e.Replay)
}

func replayKey(key, id string) string { return "#replay/" + id + "/" + key }

// NoteReplay writes on an event that it is about to be sent again under that id.
// ErrErased and ErrReplays say why it may not be.
func (l *Ledger) NoteReplay(ctx context.Context, key, id string) error {
	x := newExpression()
	replays := x.name(attrReplays)
	x.add(attrReplays, set([]string{id}))
	condition := "attribute_exists(" + x.name(attrID) + ") AND attribute_not_exists(" + x.name(attrErased) + ")" +
		" AND (attribute_not_exists(" + replays + ") OR size(" + replays + ") < " + x.value(number(mostReplays)) + ")"
	_, err := l.api.UpdateItem(ctx, l.update(key, x, condition))
	failed, refused := errors.AsType[*types.ConditionalCheckFailedException](err)
	switch {
	case !refused && err == nil:
		return nil
	case !refused:
		return fmt.Errorf("note the replay of %s: %w", key, err)
	case len(failed.Item) == 0:
		return fmt.Errorf("%s: %w", key, ErrNotFound)
	case getText(failed.Item, attrErased) != "":
		return fmt.Errorf("%s: %w", key, ErrErased)
	}
	return fmt.Errorf("%s: %w", key, ErrReplays)
}

func replaysOf(it item) []Replay {
	var replays []Replay
	for _, id := range getSet(it, attrReplays) {
		replays = append(replays, Replay{ID: id})
	}
	return replays
}

// replayed fills in what became of a record's replays.
func (l *Ledger) replayed(ctx context.Context, r Record) (Record, error) {
	if len(r.Replays) == 0 {
		return r, nil
	}
	keys := make([]string, len(r.Replays))
	for i, one := range r.Replays {
		keys[i] = replayKey(r.Key, one.ID)
	}
	items, err := l.batch(ctx, keys, "")
	if err != nil {
		return Record{}, fmt.Errorf("read the replays of %s: %w", r.Key, err)
	}
	for i := range r.Replays {
		it, ok := items[keys[i]]
		if !ok {
			continue
		}
		of, err := recordOf(it, l.now())
		if err != nil {
			return Record{}, err
		}
		r.Replays[i] = Replay{ID: r.Replays[i].ID, Status: of.Status, Ended: of.Ended, Done: of.Done, Attempts: of.Attempts, Reason: of.Reason}
	}
	return r, nil
}
