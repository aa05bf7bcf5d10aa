// Package parquet writes small Parquet files: columns of texts, times and flags,
// one row group, one page a column, plain values. The libraries for it read and
// write everything by reflection, with which the linker keeps every method of
// every package: twice the processor's size, for one kind of destination.
//
// Its one invariant: the same rows are the same bytes.
package parquet

import (
	"encoding/binary"
	"time"
)

// A Column is the values of one column. Each may be null.
type Column struct {
	name    string
	kind    kind
	present []bool // a row each
	plain   []byte // the values that are not null, as PLAIN encodes them
}

// A kind is how values are stored, and what readers take them for.
type kind struct {
	physical  int32
	converted int32 // the old name of logical
	logical   func(*thrift)
}

// The physical types, and the old names of what they stand for.
const (
	typeBoolean   = 0
	typeInt64     = 2
	typeByteArray = 6

	convertedUTF8            = 0
	convertedTimestampMicros = 10
	convertedNone            = -1
)

// Text is a column of n texts; nil is null.
func Text(name string, n int, value func(i int) *string) Column {
	c := Column{name: name, present: make([]bool, n), kind: kind{typeByteArray, convertedUTF8, func(t *thrift) {
		t.object(1, func() {}) // STRING
	}}}
	for i := range n {
		if v := value(i); v != nil {
			c.present[i] = true
			c.plain = binary.LittleEndian.AppendUint32(c.plain, uint32(len(*v))) //nolint:gosec // it is in memory
			c.plain = append(c.plain, *v...)
		}
	}
	return c
}

// Time is a column of n instants, in microseconds; the zero time is null.
func Time(name string, n int, value func(i int) time.Time) Column {
	c := Column{name: name, present: make([]bool, n), kind: kind{typeInt64, convertedTimestampMicros, func(t *thrift) {
		t.object(8, func() { // TIMESTAMP
			t.flag(1, true)                                // adjusted to UTC
			t.object(2, func() { t.object(2, func() {}) }) // unit: MICROS
		})
	}}}
	for i := range n {
		if v := value(i); !v.IsZero() {
			c.present[i] = true
			c.plain = binary.LittleEndian.AppendUint64(c.plain, uint64(v.UnixMicro()))
		}
	}
	return c
}

// Flag is a column of n flags.
func Flag(name string, n int, value func(i int) bool) Column {
	c := Column{name: name, present: make([]bool, n), kind: kind{typeBoolean, convertedNone, nil}, plain: make([]byte, (n+7)/8)}
	for i := range n {
		c.present[i] = true
		if value(i) {
			c.plain[i/8] |= 1 << (i % 8)
		}
	}
	return c
}

// page is the column's one page, before it is compressed: which rows have a
// value, in runs, and the values.
func (c Column) page() []byte {
	var levels []byte
	for i := 0; i < len(c.present); {
		n := i + 1
		for n < len(c.present) && c.present[n] == c.present[i] {
			n++
		}
		levels = binary.AppendUvarint(levels, uint64(n-i)<<1) //nolint:gosec // n is over i
		if c.present[i] {
			levels = append(levels, 1)
		} else {
			levels = append(levels, 0)
		}
		i = n
	}
	page := binary.LittleEndian.AppendUint32(nil, uint32(len(levels))) //nolint:gosec // a few bytes a row
	return append(append(page, levels...), c.plain...)
}
