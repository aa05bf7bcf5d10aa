package sqs

import (
	"encoding/binary"
	"errors"
)

// errRecord is what a record that was not written by this package decodes to.
var errRecord = errors.New("the record is cut short or of another version")

const recordVersion = 1

// encode puts what the index needs first, so that rebuilding it reads only the
// beginning of each record.
func (r *record) encode() []byte {
	b := make([]byte, 0, 160+len(r.body)+len(r.group)+len(r.dedup)+len(r.source))
	b = append(b, recordVersion)
	b = binary.BigEndian.AppendUint64(b, uint64(r.sent))    //nolint:gosec // round trips
	b = binary.BigEndian.AppendUint64(b, uint64(r.visible)) //nolint:gosec // round trips
	b = binary.BigEndian.AppendUint64(b, uint64(r.first))   //nolint:gosec // round trips
	b = binary.BigEndian.AppendUint32(b, r.prior)
	for _, s := range []string{r.group, r.id, r.bodyMD5, r.dedup, r.sender, r.trace, r.source} {
		b = appendString(b, s)
	}
	b = binary.AppendUvarint(b, uint64(len(r.attributes)))
	for name, a := range r.attributes {
		b = appendString(b, name)
		b = appendString(b, a.DataType)
		b = appendString(b, a.StringValue)
		b = appendString(b, string(a.BinaryValue))
	}
	return appendString(b, r.body)
}

// decodeHead reads what the index needs: times, counts and the group.
func decodeHead(b []byte) (record, error) {
	r, _, err := readHead(b)
	return r, err
}

func readHead(b []byte) (record, *reader, error) {
	in := &reader{rest: b}
	if in.byte() != recordVersion {
		return record{}, nil, errRecord
	}
	r := record{
		sent:    int64(in.uint64()), //nolint:gosec // round trips
		visible: int64(in.uint64()), //nolint:gosec // round trips
		first:   int64(in.uint64()), //nolint:gosec // round trips
		prior:   in.uint32(),
		group:   in.string(),
	}
	if in.short {
		return record{}, nil, errRecord
	}
	return r, in, nil
}

func decodeRecord(b []byte) (record, error) {
	r, in, err := readHead(b)
	if err != nil {
		return record{}, err
	}
	r.id, r.bodyMD5, r.dedup = in.string(), in.string(), in.string()
	r.sender, r.trace, r.source = in.string(), in.string(), in.string()
	n := in.uvarint()
	for range min(n, maxAttributes) {
		name := in.string()
		a := MessageAttribute{DataType: in.string(), StringValue: in.string()}
		if s := in.string(); s != "" {
			a.BinaryValue = []byte(s)
		}
		if r.attributes == nil {
			r.attributes = make(map[string]MessageAttribute, n)
		}
		r.attributes[name] = a
	}
	r.body = in.string()
	if in.short || n > maxAttributes || len(in.rest) > 0 {
		return record{}, errRecord
	}
	return r, nil
}

const stateBytes = 8 + 8 + 4

func (s state) encode() []byte {
	b := make([]byte, 0, stateBytes)
	b = binary.BigEndian.AppendUint64(b, uint64(s.visible)) //nolint:gosec // round trips
	b = binary.BigEndian.AppendUint64(b, uint64(s.first))   //nolint:gosec // round trips
	return binary.BigEndian.AppendUint32(b, s.receives)
}

func decodeState(b []byte) (state, error) {
	in := &reader{rest: b}
	s := state{
		visible:  int64(in.uint64()), //nolint:gosec // round trips
		first:    int64(in.uint64()), //nolint:gosec // round trips
		receives: in.uint32(),
	}
	if in.short || len(in.rest) > 0 {
		return state{}, errRecord
	}
	return s, nil
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// A reader takes fields off the front of a record; once one is cut short, it and
// all that follow are zero and short is set.
type reader struct {
	rest  []byte
	short bool
}

func (r *reader) take(n uint64) []byte {
	if r.short || n > uint64(len(r.rest)) {
		r.short = true
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if r.short || n <= 0 {
		r.short = true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) string() string { return string(r.take(r.uvarint())) }
