package dynamodb

import (
	"context"
	"encoding/binary"
	"errors"
	"strconv"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

const (
	sweepBatch = 500
	// AWS ignores an end that lies more than five years back, as most likely
	// a mistake.
	oldestEnd = 5 * 365 * 24 * time.Hour
)

// ttlEntry is an item's key in the TTL index: its end, then its own key. It is
// nil where the item has no end.
func (t *table) ttlEntry(it item, own []byte) []byte {
	v, found := it[t.ttl]
	if !found || v.kind != kindN {
		return nil
	}
	seconds, err := strconv.ParseFloat(v.text, 64)
	if err != nil || seconds < 1 || seconds > 1<<53 {
		return nil
	}
	return append(binary.BigEndian.AppendUint64(nil, uint64(seconds)), own...)
}

func (s *Server) sweepLoop(ctx context.Context) {
	tick := time.NewTicker(s.opts.SweepTTL)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := s.Sweep(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, errClosed) {
				s.opts.Logger.ErrorContext(ctx, "expired items were not removed", "error", err)
			}
		}
	}
}

// Sweep removes the items that have expired by now, in all tables. It happens
// by itself; a test may not want to wait.
func (s *Server) Sweep(ctx context.Context) error {
	for _, name := range s.tableNames() {
		if err := s.sweepTable(ctx, name); err != nil {
			return err
		}
	}
	return s.sweepTokens()
}

func (s *Server) sweepTable(ctx context.Context, name string) error {
	for {
		t, err := s.table(name)
		if err != nil || t.ttl == "" {
			return nil //nolint:nilerr // deleted meanwhile
		}
		keys, err := s.expired(t)
		if err != nil || len(keys) == 0 || ctx.Err() != nil {
			return err
		}
		if err := s.removeExpired(t, keys); err != nil {
			return err
		}
	}
}

// expired reads a batch of the TTL index, outside the writer.
func (s *Server) expired(t *table) ([][]byte, error) {
	now := s.now()
	least := binary.BigEndian.AppendUint64(nil, uint64(max(0, now.Add(-oldestEnd).Unix())))
	var keys [][]byte
	err := s.db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(t.ttlBucket)
		if b == nil {
			return nil
		}
		c := b.Cursor()
		for k, _ := c.Seek(least); k != nil && len(keys) < sweepBatch; k, _ = c.Next() {
			if binary.BigEndian.Uint64(k) >= uint64(max(0, now.Unix())) {
				return nil
			}
			keys = append(keys, append([]byte(nil), k[8:]...))
		}
		return nil
	})
	return keys, err
}

// removeExpired deletes items that still are expired when their turn comes.
func (s *Server) removeExpired(t *table, keys [][]byte) error {
	return s.commits.do(false, func(w *writer) error {
		now, err := s.table(t.name())
		if err != nil || now.meta.ID != t.meta.ID || now.ttl != t.ttl {
			return nil //nolint:nilerr // changed meanwhile
		}
		for _, key := range keys {
			it, err := readItem(w.tx, now, key)
			if err != nil {
				return err
			}
			entry := now.ttlEntry(it, key)
			if entry == nil || binary.BigEndian.Uint64(entry) >= uint64(s.now().Unix()) { //nolint:gosec // after 1970
				continue
			}
			c := &change{mutation: &mutation{table: now, verb: "Delete", keyBytes: key}, old: it}
			if err := c.write(w); err != nil {
				return err
			}
		}
		return nil
	})
}

// sweepTokens forgets the transactions that can no longer be repeated.
func (s *Server) sweepTokens() error {
	empty := true
	err := s.db.View(func(tx *bbolt.Tx) error {
		k, _ := tx.Bucket(tokensBucket).Cursor().First()
		empty = k == nil
		return nil
	})
	if err != nil || empty {
		return err
	}
	return s.commits.do(false, func(w *writer) error {
		c := w.tx.Bucket(tokensBucket).Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			if s.tokenEnded(v) {
				if err := c.Delete(); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (s *Server) describeTimeToLive(body []byte) (any, error) {
	t, err := s.decodeTable(body)
	if err != nil {
		return nil, err
	}
	d := map[string]string{"TimeToLiveStatus": "DISABLED"}
	if t.ttl != "" {
		d = map[string]string{"TimeToLiveStatus": "ENABLED", "AttributeName": t.ttl}
	}
	return map[string]any{"TimeToLiveDescription": d}, nil
}

func (s *Server) updateTimeToLive(body []byte) (any, error) {
	var q struct {
		TableName               string
		TimeToLiveSpecification *TimeToLiveSpecification
	}
	if err := decode(body, &q); err != nil {
		return nil, err
	}
	t, err := s.namedTable(q.TableName)
	if err != nil {
		return nil, err
	}
	spec := q.TimeToLiveSpecification
	if spec == nil || spec.AttributeName == "" {
		return nil, missingMember("timeToLiveSpecification.attributeName")
	}
	switch {
	case spec.Enabled && t.ttl == spec.AttributeName:
		return nil, invalid("TimeToLive is already enabled")
	case t.ttl != "" && t.ttl != spec.AttributeName:
		return nil, invalid("TimeToLive is active on a different AttributeName: current AttributeName is %s", t.ttl)
	case !spec.Enabled && t.ttl == "":
		return nil, invalid("TimeToLive is already disabled")
	}
	if err := s.setTimeToLive(t.name(), spec); err != nil {
		return nil, err
	}
	return map[string]any{"TimeToLiveSpecification": spec}, nil
}

// setTimeToLive empties the TTL index, changes the definition, and fills the
// index anew, as an index is: a kill in between only delays it.
func (s *Server) setTimeToLive(name string, spec *TimeToLiveSpecification) error {
	t, err := s.change(name, func(w *writer, meta *tableMeta) error {
		bucket := newTable(*meta).ttlBucket
		if err := w.tx.DeleteBucket(bucket); err != nil && !errors.Is(err, bolterrors.ErrBucketNotFound) {
			return err
		}
		if _, err := w.tx.CreateBucket(bucket); err != nil {
			return err
		}
		meta.Definition.TimeToLiveSpecification = spec
		meta.BuildingTTL = spec != nil && spec.Enabled
		return nil
	})
	if err != nil {
		return err
	}
	return s.backfill(context.Background(), t)
}

// ensureTimeToLive sets TTL to what the definition says.
func (s *Server) ensureTimeToLive(def TableDefinition) error {
	t, err := s.table(def.TableName)
	if err != nil {
		return err
	}
	wanted := ""
	if spec := def.TimeToLiveSpecification; spec != nil && spec.Enabled {
		wanted = spec.AttributeName
	}
	if t.ttl == wanted {
		return nil
	}
	return s.setTimeToLive(t.name(), def.TimeToLiveSpecification)
}
