package dynamodb

import (
	"bytes"
	"context"
	"slices"
)

// backfillBatch is how many items one job of a backfill looks at: other writes
// go on in between, and memory does not grow with the table.
const backfillBatch = 500

// resumeBackfills goes on with the indexes that a kill left unfinished. Doing
// it again from the start is right, because an entry put twice is the same.
func (s *Server) resumeBackfills(ctx context.Context) {
	for _, t := range s.tables {
		if t.meta.incomplete() {
			s.background.Go(func() { s.backfillLogged(ctx, t) })
		}
	}
}

// resumeBackfill does it behind a call that has been answered.
func (s *Server) resumeBackfill(t *table) {
	if t.meta.incomplete() {
		s.background.Go(func() { s.backfillLogged(context.Background(), t) })
	}
}

func (s *Server) backfillLogged(ctx context.Context, t *table) {
	if err := s.backfill(ctx, t); err != nil {
		s.opts.Logger.ErrorContext(ctx, "an index was not filled, and will be at the next start", "table", t.name(), "error", err)
	}
}

// backfill fills the indexes that are marked as building from the items, and
// takes the mark away. Writes maintain them meanwhile.
func (s *Server) backfill(ctx context.Context, t *table) error {
	building := slices.Clone(t.meta.Building)
	if !t.meta.incomplete() {
		return nil
	}
	if err := s.walk(ctx, t, fillIndexes); err != nil {
		return err
	}
	_, err := s.change(t.name(), func(_ *writer, meta *tableMeta) error {
		meta.Building = slices.DeleteFunc(meta.Building, func(name string) bool { return slices.Contains(building, name) })
		meta.BuildingTTL = false
		return nil
	})
	return err
}

// fillIndexes puts one item into the indexes that are being built.
func fillIndexes(w *writer, t *table, key []byte, it item) error {
	for _, x := range t.indexes {
		if !x.building {
			continue
		}
		if err := moveEntry(w, x.bucket, nil, x.entry(it, key), key); err != nil {
			return err
		}
	}
	if !t.meta.BuildingTTL || t.ttl == "" {
		return nil
	}
	return moveEntry(w, t.ttlBucket, nil, t.ttlEntry(it, key), nil)
}

// walk visits every item of a table, a batch in a job. The visitor may write to
// other buckets than the items'.
func (s *Server) walk(ctx context.Context, t *table, visit func(w *writer, t *table, key []byte, it item) error) error {
	var from []byte
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := s.commits.do(false, func(w *writer) error {
			now, err := s.table(t.name())
			if err != nil || now.meta.ID != t.meta.ID {
				more = false
				return nil //nolint:nilerr // deleted meanwhile: nothing is left to do
			}
			from, more, err = walkBatch(w, now, from, visit)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func walkBatch(w *writer, t *table, from []byte, visit func(w *writer, t *table, key []byte, it item) error) (next []byte, more bool, err error) {
	c := w.tx.Bucket(t.itemsBucket).Cursor()
	n := 0
	for k, v := c.Seek(from); k != nil; k, v = c.Next() {
		if n++; n > backfillBatch {
			return bytes.Clone(k), true, nil
		}
		it, err := decodeItem(v)
		if err != nil {
			return nil, false, err
		}
		if err := visit(w, t, bytes.Clone(k), it); err != nil {
			return nil, false, err
		}
	}
	return nil, false, nil
}
