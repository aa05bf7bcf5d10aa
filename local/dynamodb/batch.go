package dynamodb

import (
	"go.etcd.io/bbolt"
)

func readBatchGet(q *request, r *reader) error {
	allowed := []string{"Keys", "ProjectionExpression", "ConsistentRead", "ExpressionAttributeNames"}
	return r.object(func(name string) error {
		part, err := readRequest(r, allowed, nil)
		if err != nil {
			return err
		}
		part.table = name
		q.batch = append(q.batch, batchTable{name: name, get: part})
		return nil
	})
}

func readBatchWrite(q *request, r *reader) error {
	return r.object(func(name string) error {
		b := batchTable{name: name}
		err := r.array(func() error {
			one, err := readOneOf(r, map[string][]string{"PutRequest": {"Item"}, "DeleteRequest": {"Key"}})
			if err != nil {
				return err
			}
			one.request.table = name
			b.writes = append(b.writes, one)
			return nil
		})
		if err == nil && len(b.writes) == 0 {
			return invalid("1 validation error detected: Value '{%s=[]}' at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 25, Member must have length greater than or equal to 1]", name)
		}
		q.batch = append(q.batch, b)
		return err
	})
}

// readOneOf reads an object with exactly one of the given names.
func readOneOf(r *reader, verbs map[string][]string) (transactItem, error) {
	one := transactItem{}
	err := r.object(func(verb string) error {
		allowed, known := verbs[verb]
		if !known {
			return invalid("the operation %s is not known here", verb)
		}
		if r.null() {
			return nil
		}
		if one.request != nil {
			return invalid("Supplied request has more than one operation set, must contain exactly one of the supported operations")
		}
		q, err := readRequest(r, allowed, nil)
		one = transactItem{verb: verb, request: q}
		return err
	})
	if err == nil && one.request == nil {
		err = invalid("Supplied request has no operation set, must contain exactly one of the supported operations")
	}
	return one, err
}

// batchWrite does each write on its own: a batch is not a transaction.
func (s *Server) batchWrite(q *request) ([]byte, error) {
	mutations, err := s.batchMutations(q)
	if err != nil {
		return nil, err
	}
	changes := make([]*change, len(mutations))
	err = s.commits.do(false, func(w *writer) error {
		for i, m := range mutations {
			var err error
			if changes[i], err = m.evaluate(w, s.table); err != nil {
				return err // only before the first write: rebind is all that can fail
			}
		}
		for _, c := range changes {
			if err := c.write(w); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	cost := newCosts()
	for _, c := range changes {
		cost.add(c.consumed())
	}
	o := beginObject(nil)
	o.begin("UnprocessedItems")
	o.end()
	cost.appendTo(o, q, false)
	return o.close(), nil
}

func (s *Server) batchMutations(q *request) ([]*mutation, error) {
	total := 0
	for _, b := range q.batch {
		total += len(b.writes)
	}
	if total == 0 {
		return nil, invalid("1 validation error detected: Value '{}' at 'requestItems' failed to satisfy constraint: Member must have length greater than or equal to 1")
	}
	if total > maxBatchWrite {
		return nil, invalid("Too many items requested for the BatchWriteItem call")
	}
	verbs := map[string]string{"PutRequest": "Put", "DeleteRequest": "Delete"}
	seen := newKeySet("Provided list of item keys contains duplicates")
	var all []*mutation
	for _, b := range q.batch {
		for _, one := range b.writes {
			m, err := s.mutation(verbs[one.verb], one.request)
			if err != nil {
				return nil, err
			}
			if err := seen.add(m.table, m.keyBytes); err != nil {
				return nil, err
			}
			all = append(all, m)
		}
	}
	return all, nil
}

// A keySet refuses to meet one item twice.
type keySet struct {
	seen    map[string]bool
	message string
}

func newKeySet(message string) *keySet { return &keySet{seen: map[string]bool{}, message: message} }

func (k *keySet) add(t *table, key []byte) error {
	id := t.meta.ID + "/" + string(key)
	if k.seen[id] {
		return invalid("%s", k.message)
	}
	k.seen[id] = true
	return nil
}

// batchGet reads items until they are 16 MB; the rest is UnprocessedKeys.
func (s *Server) batchGet(q *request) ([]byte, error) {
	total := 0
	for _, b := range q.batch {
		if len(b.get.keys) == 0 {
			return nil, invalid("1 validation error detected: Value '[]' at 'requestItems.%s.member.keys' failed to satisfy constraint: Member must have length greater than or equal to 1", b.name)
		}
		total += len(b.get.keys)
	}
	if total == 0 {
		return nil, invalid("1 validation error detected: Value '{}' at 'requestItems' failed to satisfy constraint: Member must have length greater than or equal to 1")
	}
	if total > maxBatchGet {
		return nil, invalid("Too many items requested for the BatchGetItem call")
	}
	all, err := s.batchGets(q)
	if err != nil {
		return nil, err
	}
	cost := newCosts()
	room := maxAnswerBytes
	err = s.db.View(func(tx *bbolt.Tx) error {
		for _, g := range all {
			if err := g.read(tx, &room, cost); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return batchGetAnswer(q, all, cost), nil
}

// A tableGet is one table's part of a BatchGetItem, and what was read.
type tableGet struct {
	part  *request
	gets  []*get
	found []item
	done  int // how many of gets; the rest did not fit
}

func (s *Server) batchGets(q *request) ([]*tableGet, error) {
	seen := newKeySet("Provided list of item keys contains duplicates")
	var all []*tableGet
	for _, b := range q.batch {
		tg := &tableGet{part: b.get}
		paths, err := b.get.parseProjection()
		if err != nil {
			return nil, err
		}
		t, err := s.tableOf(b.get)
		if err != nil {
			return nil, err
		}
		for _, key := range b.get.keys {
			if err := t.checkKey(key); err != nil {
				return nil, err
			}
			g := &get{table: t, keyBytes: t.key.encode(key), paths: paths}
			if err := seen.add(t, g.keyBytes); err != nil {
				return nil, err
			}
			tg.gets = append(tg.gets, g)
		}
		all = append(all, tg)
	}
	return all, nil
}

func (tg *tableGet) read(tx *bbolt.Tx, room *int, cost *costs) error {
	for _, g := range tg.gets {
		it, err := readItem(tx, g.table, g.keyBytes)
		if err != nil {
			return err
		}
		if *room -= it.size(); *room < 0 {
			return nil
		}
		tg.done++
		one := newConsumed(g.table.name())
		one.own = readUnits(it.size(), tg.part.consistent)
		cost.add(one)
		if it != nil {
			tg.found = append(tg.found, g.shown(it))
		}
	}
	return nil
}

func batchGetAnswer(q *request, all []*tableGet, cost *costs) []byte {
	o := beginObject(nil)
	o.begin("Responses")
	for _, tg := range all {
		o.list(tg.part.table, len(tg.found), func(b []byte, i int) []byte { return appendItemJSON(b, tg.found[i]) })
	}
	o.end()
	o.begin("UnprocessedKeys")
	for _, tg := range all {
		if tg.done < len(tg.gets) {
			tg.appendUnprocessed(o)
		}
	}
	o.end()
	cost.appendTo(o, q, false)
	return o.close()
}

func (tg *tableGet) appendUnprocessed(o *object) {
	o.begin(tg.part.table)
	left := tg.part.keys[tg.done:]
	o.list("Keys", len(left), func(b []byte, i int) []byte { return appendItemJSON(b, left[i]) })
	if tg.part.projection != nil {
		o.text("ProjectionExpression", *tg.part.projection)
	}
	if tg.part.consistent {
		o.name("ConsistentRead")
		o.b = append(o.b, "true"...)
	}
	if len(tg.part.names) > 0 {
		o.begin("ExpressionAttributeNames")
		for placeholder, name := range tg.part.names {
			o.text(placeholder, name)
		}
		o.end()
	}
	o.end()
}

// costs gathers what each table consumed, in the order of the tables.
type costs struct {
	order   []string
	byTable map[string]*consumed
}

func newCosts() *costs { return &costs{byTable: map[string]*consumed{}} }

func (c *costs) add(one *consumed) {
	sum, found := c.byTable[one.table]
	if !found {
		sum = newConsumed(one.table)
		c.byTable[one.table] = sum
		c.order = append(c.order, one.table)
	}
	sum.add(one)
}

func (c *costs) appendTo(o *object, q *request, split bool) {
	if q.capacity == "" || q.capacity == "NONE" {
		return
	}
	o.list("ConsumedCapacity", len(c.order), func(b []byte, i int) []byte {
		return c.byTable[c.order[i]].appendJSON(b, q.capacity, split)
	})
}
