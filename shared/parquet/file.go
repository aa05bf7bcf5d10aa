package parquet

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// A Codec is how pages are compressed.
type Codec int32

// The codecs, by their numbers in the format.
const (
	None Codec = 0
	Gzip Codec = 2
	Zstd Codec = 6
)

const magic = "PAR1"

// A chunk is a column as it is in the file.
type chunk struct {
	Column
	offset              int64
	plainSize, realSize int64 // with the page's header
}

// Write is a file of that many rows.
func Write(codec Codec, rows int, columns ...Column) ([]byte, error) {
	file := []byte(magic)
	chunks := make([]chunk, len(columns))
	for i, c := range columns {
		page := c.page()
		body, err := codec.compress(page)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", c.name, err)
		}
		header := pageHeader(rows, len(page), len(body))
		chunks[i] = chunk{c, int64(len(file)), int64(len(header) + len(page)), int64(len(header) + len(body))}
		file = append(append(file, header...), body...)
	}
	footer := footer(codec, rows, chunks)
	file = append(file, footer...)
	file = binary.LittleEndian.AppendUint32(file, uint32(len(footer))) //nolint:gosec // it grows with the columns, not with the rows
	return append(file, magic...), nil
}

func (codec Codec) compress(b []byte) ([]byte, error) {
	switch codec {
	case Gzip:
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		if _, err := w.Write(b); err != nil {
			return nil, err
		}
		err := w.Close()
		return out.Bytes(), err
	case Zstd:
		w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		return w.EncodeAll(b, nil), w.Close()
	default:
		return b, nil
	}
}

// Numbers of the format.
const (
	dataPage      = 0
	encodingPlain = 0
	encodingRLE   = 3
	optional      = 1
)

func pageHeader(rows, plain, compressed int) []byte {
	var t thrift
	t.fields(func() {
		t.i32(1, dataPage)
		t.i32(2, int32(plain))      //nolint:gosec // it is in memory
		t.i32(3, int32(compressed)) //nolint:gosec // as above
		t.object(5, func() {
			t.i32(1, int32(rows)) //nolint:gosec // as above
			t.i32(2, encodingPlain)
			t.i32(3, encodingRLE) // which rows have a value
			t.i32(4, encodingRLE) // repetitions, of which there are none
		})
	})
	return t.b
}

func footer(codec Codec, rows int, chunks []chunk) []byte {
	var t thrift
	t.fields(func() {
		t.i32(1, 1) // the format's version
		t.list(2, typeStruct, len(chunks)+1)
		t.fields(func() { t.text(4, "event"); t.i32(5, int32(len(chunks))) }) //nolint:gosec // a few
		for _, c := range chunks {
			t.fields(func() { c.schema(&t) })
		}
		t.i64(3, int64(rows))
		t.list(4, typeStruct, 1)
		t.fields(func() { rowGroup(&t, codec, rows, chunks) })
		t.text(6, "pushpull")
	})
	return t.b
}

func (c chunk) schema(t *thrift) {
	t.i32(1, c.kind.physical)
	t.i32(3, optional)
	t.text(4, c.name)
	if c.kind.converted != convertedNone {
		t.i32(6, c.kind.converted)
	}
	if c.kind.logical != nil {
		t.object(10, func() { c.kind.logical(t) })
	}
}

func rowGroup(t *thrift, codec Codec, rows int, chunks []chunk) {
	total := int64(0)
	t.list(1, typeStruct, len(chunks))
	for _, c := range chunks {
		total += c.plainSize
		t.fields(func() {
			t.i64(2, c.offset)
			t.object(3, func() {
				t.i32(1, c.kind.physical)
				t.list(2, typeI32, 2)
				t.varint(encodingPlain)
				t.varint(encodingRLE)
				t.list(3, typeBinary, 1)
				t.bytes(c.name)
				t.i32(4, int32(codec))
				t.i64(5, int64(rows))
				t.i64(6, c.plainSize)
				t.i64(7, c.realSize)
				t.i64(9, c.offset)
			})
		})
	}
	t.i64(2, total)
	t.i64(3, int64(rows))
}
