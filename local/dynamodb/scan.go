package dynamodb

import "bytes"

// scan reads a page of a table or an index, or of one segment of it.
func (s *Server) scan(q *request) ([]byte, error) {
	sc, err := q.scope("FilterExpression is null", q.filter, q.projection)
	if err != nil {
		return nil, err
	}
	d, err := s.reading(q, "Scanning", sc)
	if err != nil {
		return nil, err
	}
	if err := sc.unused(); err != nil {
		return nil, err
	}
	if err := d.applySegment(q); err != nil {
		return nil, err
	}
	if q.start != nil {
		if d.start, err = d.startKey(q.start); err != nil {
			return nil, err
		}
		if bytes.Compare(d.start, d.low) < 0 || d.high != nil && bytes.Compare(d.start, d.high) >= 0 {
			return nil, invalid("The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: %d Segment: %d",
				*q.segments, *q.segment)
		}
	}
	p, err := d.run(s.db)
	if err != nil {
		return nil, err
	}
	return p.answer(q), nil
}

func (d *reading) applySegment(q *request) error {
	switch {
	case q.segment == nil && q.segments == nil:
		return nil
	case q.segments == nil:
		return invalid("The TotalSegments parameter is required but was not present in the request when Segment parameter is present")
	case q.segment == nil:
		return invalid("The Segment parameter is required but was not present in the request when parameter TotalSegments is present")
	case *q.segment >= *q.segments:
		return invalid("The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: %d is not less than TotalSegments: %d",
			*q.segment, *q.segments)
	}
	d.low, d.high = segmentRange(*q.segment, *q.segments)
	return nil
}
