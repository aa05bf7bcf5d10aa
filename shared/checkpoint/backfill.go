package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// ErrNoBackfill is returned for the key of a backfill that is not there.
var ErrNoBackfill = errors.New("there is no such backfill")

// keepBackfill is how long an ended one is still shown.
const keepBackfill = 30 * 24 * time.Hour

// StartBackfill notes a backfill of a poll; a job does it. Its own key is the
// poll's, a slash and the id.
func (s *Store) StartBackfill(ctx context.Context, poll, id string, r Range) error {
	r.Created = s.now().UTC()
	set := newChange()
	if err := set.document("range", r); err != nil {
		return fmt.Errorf("start backfill %s of %s: %w", id, poll, err)
	}
	// Listed first: one that is listed and not there is taken off the list again.
	list := newChange()
	list.add("backfills", &types.AttributeValueMemberSS{Value: []string{id}})
	if _, err := s.write(ctx, poll, list, ""); err != nil {
		return fmt.Errorf("list backfill %s of %s: %w", id, poll, err)
	}
	if _, err := s.write(ctx, poll+"/"+id, set, "attribute_not_exists(#range)"); err != nil {
		return fmt.Errorf("start backfill %s of %s: %w", id, poll, err)
	}
	return nil
}

// Backfills are those of a poll, the newest first.
func (s *Store) Backfills(ctx context.Context, poll Status) ([]Status, error) {
	keys := make([]string, len(poll.Backfills))
	for i, id := range poll.Backfills {
		keys[i] = poll.Key + "/" + id
	}
	all, err := s.LoadAll(ctx, keys)
	if err != nil {
		return nil, err
	}
	var there []Status
	var gone []string
	for key, status := range all {
		if status.Range == nil {
			gone = append(gone, strings.TrimPrefix(key, poll.Key+"/"))
			continue
		}
		there = append(there, status)
	}
	slices.SortFunc(there, func(a, b Status) int { return b.Range.Created.Compare(a.Range.Created) })
	if len(gone) == 0 {
		return there, nil
	}
	list := newChange()
	list.deleteFrom("backfills", &types.AttributeValueMemberSS{Value: gone})
	if _, err := s.write(ctx, poll.Key, list, ""); err != nil {
		return nil, fmt.Errorf("take %d ended backfills off the list of %s: %w", len(gone), poll.Key, err)
	}
	return there, nil
}

// Cancel ends a backfill. A job at work on it loses its lease.
func (s *Store) Cancel(ctx context.Context, key string) error {
	set := newChange()
	set.put("cancelled", &types.AttributeValueMemberBOOL{Value: true})
	set.put("ttl", seconds(s.now().Add(keepBackfill)))
	set.remove("owner", "until")
	return s.command(ctx, "cancel", key, set)
}
