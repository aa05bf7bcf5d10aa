package dynamodb

import "bytes"

// query reads a page of one partition.
func (s *Server) query(q *request) ([]byte, error) {
	if q.keyCond == nil {
		return nil, invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	sc, err := q.scope("", q.keyCond)
	if err != nil {
		return nil, err
	}
	d, err := s.reading(q, "Querying", sc)
	if err != nil {
		return nil, err
	}
	c, err := parseKeyCondition(*q.keyCond, sc, d.schema())
	if err != nil {
		return nil, err
	}
	if err := sc.unused(); err != nil {
		return nil, err
	}
	if err := d.checkFilter(); err != nil {
		return nil, err
	}
	d.low, d.high = c.low, c.high
	if q.start != nil {
		if d.start, err = d.queryStart(q.start, c); err != nil {
			return nil, err
		}
	}
	p, err := d.run(s.db)
	if err != nil {
		return nil, err
	}
	return p.answer(q), nil
}

// checkFilter refuses a filter on the keys that the query is by.
func (d *reading) checkFilter() error {
	k := d.schema()
	var err error
	d.filter.paths(func(p path) {
		if k.has(p[0].name) && err == nil {
			err = invalid("Filter Expression can only contain non-primary key attributes: Primary key attribute: %s", p[0].name)
		}
	})
	return err
}

// queryStart checks that a start lies within what the query reads.
func (d *reading) queryStart(key item, c *keyCondition) ([]byte, error) {
	start, err := d.startKey(key)
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(start, c.partition) {
		return nil, invalid("The provided starting key is outside query boundaries based on provided conditions")
	}
	if bytes.Compare(start, c.low) < 0 || c.high != nil && bytes.Compare(start, c.high) >= 0 {
		return nil, invalid("The provided starting key does not match the range key predicate")
	}
	return start, nil
}
