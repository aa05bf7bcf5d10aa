package parquet

import "encoding/binary"

// thrift writes Thrift's compact protocol, in which Parquet's headers are.
type thrift struct {
	b    []byte
	last int16 // the field written last, of the struct that is being written
}

// Types of the protocol.
const (
	typeTrue   = 1
	typeFalse  = 2
	typeI32    = 5
	typeI64    = 6
	typeBinary = 8
	typeList   = 9
	typeStruct = 12
)

// fields writes a struct that stands in a list, or alone.
func (t *thrift) fields(write func()) {
	outer := t.last
	t.last = 0
	write()
	t.b = append(t.b, 0)
	t.last = outer
}

// object writes a struct as a field.
func (t *thrift) object(id int16, write func()) {
	t.header(id, typeStruct)
	t.fields(write)
}

// header writes a field's id, as its distance from the last, and its type. Ids
// grow, by less than 16.
func (t *thrift) header(id int16, kind byte) {
	t.b = append(t.b, byte(id-t.last)<<4|kind) //nolint:gosec // less than 16
	t.last = id
}

func (t *thrift) flag(id int16, v bool) {
	if v {
		t.header(id, typeTrue)
	} else {
		t.header(id, typeFalse)
	}
}

func (t *thrift) i32(id int16, v int32) {
	t.header(id, typeI32)
	t.varint(int64(v))
}

func (t *thrift) i64(id int16, v int64) {
	t.header(id, typeI64)
	t.varint(v)
}

func (t *thrift) text(id int16, s string) {
	t.header(id, typeBinary)
	t.bytes(s)
}

// list begins a list of n elements, which follow.
func (t *thrift) list(id int16, kind byte, n int) {
	t.header(id, typeList)
	if n < 15 {
		t.b = append(t.b, byte(n)<<4|kind) //nolint:gosec // less than 15
		return
	}
	t.b = binary.AppendUvarint(append(t.b, 15<<4|kind), uint64(n))
}

func (t *thrift) varint(v int64) { t.b = binary.AppendVarint(t.b, v) } // zigzag, as Thrift has it

func (t *thrift) bytes(s string) {
	t.b = append(binary.AppendUvarint(t.b, uint64(len(s))), s...)
}
