package dynamodb

import (
	"encoding/binary"
	"errors"
)

// Items on disk: a version byte, then the attributes. A value is its kind and
// its content; lengths are varints. The JSON of AWS would take about twice that.

const codecVersion = 1

var errCorrupt = errors.New("an item on disk cannot be read: the file is damaged, remove it to begin anew")

func encodeItem(it item) []byte {
	b := make([]byte, 1, 256)
	b[0] = codecVersion
	return appendMap(b, it)
}

func appendMap(b []byte, it item) []byte {
	b = binary.AppendUvarint(b, uint64(len(it)))
	for name, v := range it {
		b = appendText(b, name)
		b = appendValue(b, v)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendValue(b []byte, v value) []byte {
	b = append(b, byte(v.kind))
	switch v.kind {
	case kindBool:
		if v.bool {
			return append(b, 1)
		}
		return append(b, 0)
	case kindNull:
		return b
	case kindList:
		b = binary.AppendUvarint(b, uint64(len(v.list)))
		for _, e := range v.list {
			b = appendValue(b, e)
		}
		return b
	case kindMap:
		return appendMap(b, v.m)
	case kindSS, kindNS, kindBS:
		b = binary.AppendUvarint(b, uint64(len(v.set)))
		for _, s := range v.set {
			b = appendText(b, s)
		}
		return b
	default:
		return appendText(b, v.text)
	}
}

// decodeItem copies all it needs: the bytes belong to the store's transaction.
func decodeItem(b []byte) (item, error) {
	if len(b) == 0 || b[0] != codecVersion {
		return nil, errCorrupt
	}
	// One copy of the whole, of which all strings are parts.
	d := &itemDecoder{text: string(b[1:])}
	it := d.item(0)
	if d.failed || d.text != "" {
		return nil, errCorrupt
	}
	return it, nil
}

type itemDecoder struct {
	text   string
	failed bool
}

func (d *itemDecoder) fail() {
	d.failed = true
	d.text = ""
}

// count reads a length; each of what it counts takes a byte at least.
func (d *itemDecoder) count() int {
	n, width := uint64(0), 0
	for ; width < len(d.text) && width < binary.MaxVarintLen64; width++ {
		c := d.text[width]
		n |= uint64(c&0x7F) << (7 * width)
		if c < 0x80 {
			d.text = d.text[width+1:]
			if n > uint64(len(d.text)) {
				d.fail()
				return 0
			}
			return int(n) //nolint:gosec // no more than the text is long
		}
	}
	d.fail()
	return 0
}

func (d *itemDecoder) string() string {
	n := d.count()
	s := d.text[:n]
	d.text = d.text[n:]
	return s
}

func (d *itemDecoder) byte() byte {
	if d.text == "" {
		d.fail()
		return 0
	}
	c := d.text[0]
	d.text = d.text[1:]
	return c
}

func (d *itemDecoder) item(depth int) item {
	n := d.count()
	it := make(item, n)
	for range n {
		name := d.string()
		it[name] = d.value(depth + 1)
	}
	return it
}

func (d *itemDecoder) value(depth int) value {
	v := value{kind: kind(d.byte())}
	if depth > maxNesting+1 {
		d.fail()
	}
	switch v.kind {
	case kindBool:
		v.bool = d.byte() == 1
	case kindNull:
	case kindList:
		n := d.count()
		v.list = make([]value, n)
		for i := range v.list {
			v.list[i] = d.value(depth + 1)
		}
	case kindMap:
		v.m = d.item(depth)
	case kindSS, kindNS, kindBS:
		v.set = make([]string, d.count())
		for i := range v.set {
			v.set[i] = d.string()
		}
	case kindS, kindN, kindB:
		v.text = d.string()
	default:
		d.fail()
	}
	return v
}
