package checkpoint

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Pause keeps all but a person from polling, or lets it go on. It pauses a
// backfill by its key, too.
func (s *Store) Pause(ctx context.Context, key string, paused bool) error {
	set := newChange()
	set.put("paused", &types.AttributeValueMemberBOOL{Value: paused})
	if !paused {
		set.remove("stopped", "config", "due", "why")
	}
	return s.command(ctx, "pause", key, set)
}

// Reset forgets how far the poll was read, and its failures: the next run begins
// anew. A run under way loses its lease, and so cannot save what it has.
func (s *Store) Reset(ctx context.Context, key string) error {
	set := newChange()
	set.remove("checkpoint", "run", "owner", "until", "due", "why", "every", "error", "since", "failures", "stopped", "config", "gap")
	return s.command(ctx, "reset", key, set)
}

// Hint notes that a webhook said at that time that there is something to poll,
// and returns what is known of the poll.
func (s *Store) Hint(ctx context.Context, key string, at time.Time) (Status, error) {
	set := newChange()
	set.put("hinted", instant(at))
	status, err := s.write(ctx, key, set, "attribute_not_exists(#hinted) OR #hinted < :hinted")
	if failedCondition(err) { // of a later hint, which stands for this one
		status, err = s.Load(ctx, key)
	}
	if err != nil {
		return Status{}, fmt.Errorf("note the hint for %s: %w", key, err)
	}
	return status, nil
}

// command is a person's, who needs no lease.
func (s *Store) command(ctx context.Context, verb, key string, set *change) error {
	condition := ""
	if isBackfill(key) { // which is not made by pausing it
		condition = "attribute_exists(#range)"
		set.names["#range"] = "range"
	}
	_, err := s.write(ctx, key, set, condition)
	if failedCondition(err) {
		return fmt.Errorf("%s %s: %w", verb, key, ErrNoBackfill)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", verb, key, err)
	}
	return nil
}
