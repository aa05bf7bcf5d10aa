package dynamodb

import (
	"bytes"
	"errors"
	"maps"
)

// A mutation is one write to one item, parsed and proved as far as that can be
// done without the item as it is.
type mutation struct {
	table     *table
	verb      string // Put, Update, Delete, ConditionCheck
	key       item   // only the key attributes
	keyBytes  []byte
	item      item // of a Put
	update    *update
	condition *node
	wantOld   bool // give the old item with a failed condition
}

// A change is a mutation's effect, known but not yet written. A nil item is
// one that is not there.
type change struct {
	*mutation
	old, new item
}

// evaluate reads the item as it is, checks the condition and finds the effect.
// It writes nothing.
func (m *mutation) evaluate(w *writer, tables func(string) (*table, error)) (*change, error) {
	if err := m.rebind(tables); err != nil {
		return nil, err
	}
	old, err := readItem(w.tx, m.table, m.keyBytes)
	if err != nil {
		return nil, err
	}
	if !m.condition.holds(old) {
		if !m.wantOld {
			return nil, conditionFailed(nil)
		}
		return nil, conditionFailed(old)
	}
	c := &change{mutation: m, old: old}
	switch m.verb {
	case "Put":
		c.new = m.item
	case "ConditionCheck":
		c.new = old
	case "Update":
		if c.new, err = m.updated(old); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// rebind takes the table as it is now: an index may have been added since the
// request was parsed, or the table deleted and made anew.
func (m *mutation) rebind(tables func(string) (*table, error)) error {
	now, err := tables(m.table.name())
	if err != nil {
		return err
	}
	if now == m.table {
		return nil
	}
	if now.meta.ID != m.table.meta.ID {
		return tableNotFound()
	}
	m.table = now
	if m.verb == "Put" {
		return now.checkItem(m.item)
	}
	return nil
}

func (m *mutation) updated(old item) (item, error) {
	it := old
	if it == nil {
		it = maps.Clone(m.key)
	}
	if m.update != nil {
		var err error
		if it, err = m.update.apply(it); err != nil {
			return nil, err
		}
	}
	if it.size() > maxItemBytes {
		return nil, invalid("Item size to update has exceeded the maximum allowed size")
	}
	if err := m.table.checkIndexKeys(it, true); err != nil {
		return nil, err
	}
	return it, checkContent(it)
}

// write puts the effect into the table, its indexes and its TTL index.
func (c *change) write(w *writer) error {
	if c.verb == "ConditionCheck" || c.old == nil && c.new == nil {
		return nil
	}
	b := w.tx.Bucket(c.table.itemsBucket)
	if b == nil {
		return errors.New("the bucket of table " + c.table.name() + " is gone")
	}
	var err error
	if c.new == nil {
		err = b.Delete(c.keyBytes)
	} else {
		err = b.Put(c.keyBytes, encodeItem(c.new))
	}
	if err != nil {
		return err
	}
	if err := c.writeIndexes(w); err != nil {
		return err
	}
	w.addStats(c.table, present(c.new)-present(c.old), c.new.size()-c.old.size())
	return nil
}

func present(it item) int {
	if it == nil {
		return 0
	}
	return 1
}

// writeIndexes touches an index only where its entry moves: an entry holds
// nothing but the item's key, so it never goes stale.
func (c *change) writeIndexes(w *writer) error {
	for _, x := range c.table.indexes {
		if err := moveEntry(w, x.bucket, x.entry(c.old, c.keyBytes), x.entry(c.new, c.keyBytes), c.keyBytes); err != nil {
			return err
		}
	}
	if c.table.ttl == "" {
		return nil
	}
	return moveEntry(w, c.table.ttlBucket, c.table.ttlEntry(c.old, c.keyBytes), c.table.ttlEntry(c.new, c.keyBytes), nil)
}

func moveEntry(w *writer, bucket, from, to, own []byte) error {
	if bytes.Equal(from, to) {
		return nil
	}
	b := w.tx.Bucket(bucket)
	if b == nil {
		return errors.New("the bucket " + string(bucket) + " is gone")
	}
	if from != nil {
		if err := b.Delete(from); err != nil {
			return err
		}
	}
	if to == nil {
		return nil
	}
	return b.Put(to, own)
}
