package dynamodb

import (
	"slices"

	"go.etcd.io/bbolt"
)

// putItem, updateItem and deleteItem are one write to one item.
func (s *Server) putItem(q *request) ([]byte, error) {
	return s.writeOne("Put", q, "NONE", "ALL_OLD")
}

func (s *Server) deleteItem(q *request) ([]byte, error) {
	return s.writeOne("Delete", q, "NONE", "ALL_OLD")
}

func (s *Server) updateItem(q *request) ([]byte, error) {
	return s.writeOne("Update", q, "NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW")
}

func (s *Server) writeOne(verb string, q *request, returns ...string) ([]byte, error) {
	if q.returns == "" {
		q.returns = "NONE"
	}
	if !slices.Contains(returns, q.returns) {
		return nil, invalid("Return values set to invalid value")
	}
	m, err := s.mutation(verb, q)
	if err != nil {
		return nil, err
	}
	var done *change
	err = s.commits.do(false, func(w *writer) error {
		if done, err = m.evaluate(w, s.table); err != nil {
			return err
		}
		return done.write(w)
	})
	if err != nil {
		return nil, err
	}
	return done.answer(q), nil
}

// mutation parses a write and proves all of it that the item's state cannot
// change.
func (s *Server) mutation(verb string, q *request) (*mutation, error) {
	sc, err := q.scope(map[string]string{
		"Put":            "ConditionExpression is null",
		"Delete":         "ConditionExpression is null",
		"ConditionCheck": "ConditionExpression is null",
		"Update":         "UpdateExpression and ConditionExpression are null",
	}[verb], q.condition, q.update)
	if err != nil {
		return nil, err
	}
	m := &mutation{verb: verb, key: q.key, item: q.item, wantOld: q.onFailure == "ALL_OLD"}
	if q.update != nil {
		if m.update, err = parseUpdate(*q.update, sc); err != nil {
			return nil, err
		}
	}
	if q.condition != nil {
		if m.condition, err = parseCondition("ConditionExpression", *q.condition, sc); err != nil {
			return nil, err
		}
	}
	if err := sc.unused(); err != nil {
		return nil, err
	}
	if m.table, err = s.tableOf(q); err != nil {
		return nil, err
	}
	return m, m.prove()
}

// prove checks the item or key against the table's schema.
func (m *mutation) prove() error {
	t := m.table
	if m.verb == "Put" {
		if m.item == nil {
			return missingMember("item")
		}
		if err := t.checkItem(m.item); err != nil {
			return err
		}
		m.keyBytes = t.key.encode(m.item)
		return nil
	}
	if m.key == nil {
		return missingMember("key")
	}
	if err := t.checkKey(m.key); err != nil {
		return err
	}
	m.keyBytes = t.key.encode(m.key)
	if m.update == nil {
		return nil
	}
	for _, at := range m.update.paths() {
		if t.key.has(at[0].name) {
			return invalidValue("Cannot update attribute %s. This attribute is part of the key", at[0].name)
		}
	}
	return nil
}

func missingMember(name string) error {
	return invalid("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", name)
}

// answer is the JSON of a write that was done.
func (c *change) answer(q *request) []byte {
	o := beginObject(nil)
	if shown := c.returned(q.returns); shown != nil {
		o.item("Attributes", shown)
	}
	if q.capacity != "" {
		o.capacity(q, c.consumed())
	}
	c.collectionMetrics(o, q)
	return o.close()
}

// returned is what ReturnValues asks for; nil where there is nothing. The
// UPDATED kinds show only the paths that the expression names.
func (c *change) returned(kind string) item {
	switch kind {
	case "ALL_OLD":
		return c.old
	case "ALL_NEW":
		return c.new
	}
	if c.update == nil {
		return nil
	}
	var shown item
	switch kind {
	case "UPDATED_OLD":
		shown = project(c.old, c.update.paths())
	case "UPDATED_NEW":
		shown = project(c.new, c.update.paths())
	}
	if len(shown) == 0 {
		return nil
	}
	return shown
}

// collectionMetrics are for tables with local indexes only; the size of the
// collection is an estimate on AWS and a lower bound here.
func (c *change) collectionMetrics(o *object, q *request) {
	hasLocal := slices.ContainsFunc(c.table.indexes, func(x *index) bool { return !x.global })
	if q.collections != "SIZE" || !hasLocal {
		return
	}
	source := c.key
	if source == nil {
		source = c.item
	}
	hash := c.table.key.hash.name
	o.begin("ItemCollectionMetrics")
	o.item("ItemCollectionKey", item{hash: source[hash]})
	o.list("SizeEstimateRangeGB", 2, func(b []byte, i int) []byte { return append(b, '0'+byte(i)) }) //nolint:gosec // 0 or 1
	o.end()
}

// getItem reads one item.
func (s *Server) getItem(q *request) ([]byte, error) {
	g, err := s.get(q)
	if err != nil {
		return nil, err
	}
	var it item
	err = s.db.View(func(tx *bbolt.Tx) error {
		it, err = readItem(tx, g.table, g.keyBytes)
		return err
	})
	if err != nil {
		return nil, err
	}
	cost := newConsumed(g.table.name())
	cost.own = readUnits(it.size(), q.consistent)
	o := beginObject(nil)
	if it != nil {
		o.item("Item", g.shown(it))
	}
	o.capacity(q, cost)
	return o.close(), nil
}

// A get is one item to read, and what of it to show.
type get struct {
	table    *table
	keyBytes []byte
	paths    []path // all of the item where nil
}

func (s *Server) get(q *request) (*get, error) {
	paths, err := q.parseProjection()
	if err != nil {
		return nil, err
	}
	t, err := s.tableOf(q)
	if err != nil {
		return nil, err
	}
	if q.key == nil {
		return nil, missingMember("key")
	}
	if err := t.checkKey(q.key); err != nil {
		return nil, err
	}
	return &get{table: t, keyBytes: t.key.encode(q.key), paths: paths}, nil
}

func (q *request) parseProjection() ([]path, error) {
	sc, err := q.scope("ProjectionExpression is null", q.projection)
	if err != nil || q.projection == nil {
		return nil, err
	}
	paths, err := parseProjection(*q.projection, sc)
	if err != nil {
		return nil, err
	}
	return paths, sc.unused()
}

func (g *get) shown(it item) item {
	if g.paths == nil {
		return it
	}
	return project(it, g.paths)
}
