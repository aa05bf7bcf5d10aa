package dynamodb

import (
	"bytes"

	"go.etcd.io/bbolt"
)

// A reading is a Query or a Scan: a range of keys in a table or an index, a
// place to begin, and what to keep and show of what is there.
type reading struct {
	table     *table
	index     *index // nil for the table itself
	low, high []byte // low <= key < high; nil is open
	start     []byte // exclusive; nil begins at the end that comes first
	backward  bool
	limit     int // items to look at; 0 is no limit
	filter    *node
	paths     []path
	countOnly bool
	whole     bool // a local index whose items are fetched from the table

	consistent bool
}

// A page is what one call gives.
type page struct {
	items   []item
	count   int
	scanned int
	last    item // LastEvaluatedKey; nil at the end
	cost    *consumed
}

// run reads one page: until the limit, a megabyte, or the end.
func (d *reading) run(db *bbolt.DB) (*page, error) {
	p := &page{cost: newConsumed(d.table.name())}
	bytesRead, fetched := 0, units{}
	err := db.View(func(tx *bbolt.Tx) error {
		return d.each(tx, func(it item) (bool, error) {
			seen := it
			if d.index != nil {
				seen = d.index.projected(d.table, it)
			}
			bytesRead += seen.size()
			if d.whole {
				fetched.add(readUnits(it.size(), d.consistent))
				seen = it
			}
			p.scanned++
			if d.filter.holds(seen) {
				p.keep(d, seen)
			}
			if p.scanned == d.limit || bytesRead >= maxPageBytes {
				p.last = d.table.keyOf(it, d.index)
				return false, nil
			}
			return true, nil
		})
	})
	cost := readUnits(bytesRead, d.consistent)
	if d.index == nil {
		p.cost.own = cost
	} else {
		p.cost.addIndex(d.index, cost)
		p.cost.own = fetched
	}
	return p, err
}

func (p *page) keep(d *reading, it item) {
	p.count++
	if d.countOnly {
		return
	}
	if d.paths != nil {
		it = project(it, d.paths)
	}
	p.items = append(p.items, it)
}

// each calls visit for the items in the range, in order, until it says stop.
func (d *reading) each(tx *bbolt.Tx, visit func(item) (more bool, err error)) error {
	bucket := d.table.itemsBucket
	if d.index != nil {
		bucket = d.index.bucket
	}
	b := tx.Bucket(bucket)
	if b == nil {
		return tableNotFound()
	}
	c := b.Cursor()
	for k, v := d.first(c); k != nil && d.inside(k); k, v = d.next(c) {
		if d.index != nil {
			if v = tx.Bucket(d.table.itemsBucket).Get(v); v == nil {
				return errCorrupt
			}
		}
		it, err := decodeItem(v)
		if err != nil {
			return err
		}
		if more, err := visit(it); err != nil || !more {
			return err
		}
	}
	return nil
}

func (d *reading) inside(k []byte) bool {
	if d.backward {
		return d.low == nil || bytes.Compare(k, d.low) >= 0
	}
	return d.high == nil || bytes.Compare(k, d.high) < 0
}

func (d *reading) next(c *bbolt.Cursor) (k, v []byte) {
	if d.backward {
		return c.Prev()
	}
	return c.Next()
}

func (d *reading) first(c *bbolt.Cursor) (k, v []byte) {
	if d.backward {
		end := d.high
		if d.start != nil {
			end = d.start
		}
		return before(c, end)
	}
	if d.start == nil {
		return c.Seek(d.low)
	}
	if k, v = c.Seek(d.start); bytes.Equal(k, d.start) {
		return c.Next()
	}
	return k, v
}

// before moves the cursor to the last key less than end; nil is the end of all.
func before(c *bbolt.Cursor, end []byte) (k, v []byte) {
	if end == nil {
		return c.Last()
	}
	if k, _ = c.Seek(end); k == nil {
		return c.Last()
	}
	return c.Prev()
}

// answer is the JSON of a page.
func (p *page) answer(q *request) []byte {
	o := beginObject(nil)
	if q.choose != "COUNT" {
		o.list("Items", len(p.items), func(b []byte, i int) []byte { return appendItemJSON(b, p.items[i]) })
	}
	o.int("Count", p.count)
	o.int("ScannedCount", p.scanned)
	if p.last != nil {
		o.item("LastEvaluatedKey", p.last)
	}
	o.capacity(q, p.cost)
	return o.close()
}

// reading prepares what Query and Scan share: the index, Select, the
// expressions but for the key condition, and the start.
func (s *Server) reading(q *request, verb string, sc *scope) (*reading, error) {
	t, err := s.tableOf(q)
	if err != nil {
		return nil, err
	}
	d := &reading{table: t, backward: q.backward, consistent: q.consistent, countOnly: q.choose == "COUNT"}
	if q.limit != nil {
		d.limit = *q.limit
	}
	if q.index != "" {
		if d.index, err = t.index(q.index); err != nil {
			return nil, err
		}
		if d.index.global && q.consistent {
			return nil, invalid("Consistent reads are not supported on global secondary indexes")
		}
	}
	if q.projection != nil {
		if d.paths, err = parseProjection(*q.projection, sc); err != nil {
			return nil, err
		}
	}
	if q.filter != nil {
		if d.filter, err = parseCondition("FilterExpression", *q.filter, sc); err != nil {
			return nil, err
		}
	}
	return d, d.applySelect(q, verb)
}

// schema is that of the table or of the index being read.
func (d *reading) schema() keySchema {
	if d.index != nil {
		return d.index.key
	}
	return d.table.key
}

// applySelect checks Select against the projection and the index.
func (d *reading) applySelect(q *request, verb string) error {
	switch {
	case q.choose == "SPECIFIC_ATTRIBUTES" && q.projection == nil:
		return invalid("Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
	case q.choose == "COUNT" && q.projection != nil:
		return invalid("Cannot specify the ProjectionExpression when choosing to get only the Count")
	case q.choose == "ALL_ATTRIBUTES" && q.projection != nil:
		return invalid("Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES")
	case q.choose == "ALL_PROJECTED_ATTRIBUTES" && q.projection != nil:
		return invalid("Cannot specify the ProjectionExpression when choosing to get ALL_PROJECTED_ATTRIBUTES")
	case q.choose == "ALL_PROJECTED_ATTRIBUTES" && d.index == nil:
		return invalid("ALL_PROJECTED_ATTRIBUTES can be used only when %s using an IndexName", verb)
	}
	if d.index == nil || d.index.projection.ProjectionType == projectAll {
		return nil
	}
	if q.choose == "ALL_ATTRIBUTES" {
		if d.index.global {
			return invalidValue("Select type ALL_ATTRIBUTES is not supported for global secondary index %s because its projection type is not ALL", d.index.name)
		}
		d.whole = true
	}
	return d.checkShown()
}

// checkShown refuses a projection that a global index cannot give; a local one
// fetches the item from the table.
func (d *reading) checkShown() error {
	var hidden []string
	for _, p := range d.paths {
		if !d.index.shows(d.table, p[0].name) {
			hidden = append(hidden, p[0].name)
		}
	}
	if len(hidden) == 0 {
		return nil
	}
	if d.index.global {
		return invalidValue("Global secondary index %s does not project %s", d.index.name, bracketed(hidden))
	}
	d.whole = true
	return nil
}

// startKey checks an ExclusiveStartKey and gives its place.
func (d *reading) startKey(key item) ([]byte, error) {
	attributes := d.table.key.attributes()
	if d.index != nil {
		attributes = append(attributes, d.index.key.attributes()...)
	}
	distinct := map[string]bool{}
	for _, a := range attributes {
		distinct[a.name] = true
		if v, found := key[a.name]; !found || v.kind != a.kind || v.text == "" {
			return nil, invalid("The provided starting key is invalid: The provided key element does not match the schema")
		}
	}
	if len(distinct) != len(key) {
		return nil, invalid("The provided starting key is invalid: The provided key element does not match the schema")
	}
	own := d.table.key.encode(key)
	if d.index == nil {
		return own, nil
	}
	return d.index.entry(key, own), nil
}
