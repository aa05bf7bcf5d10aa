package dynamodb

import (
	"encoding/binary"
	"hash/fnv"
)

// Keys on disk are byte strings whose order is DynamoDB's order: first the
// partition (a hash, then the value itself, so that a segment of a scan is a
// range), then the sort key, then, in an index, the key of the item itself.
// Each part ends itself, so none runs into the next.

const partitionHashBytes = 4

// appendKeyValue adds the order-preserving, self-ending form of a key value.
func appendKeyValue(b []byte, v value) []byte {
	if v.kind == kindN {
		return appendKeyNumber(b, v.text)
	}
	return append(appendKeyPrefix(b, v.text), 0x00, 0x01)
}

// appendKeyPrefix adds text without its end: what all texts that begin with it
// share. A zero byte is written 00 FF, so that the end, 00 01, sorts before
// every continuation.
func appendKeyPrefix(b []byte, text string) []byte {
	for i := range len(text) {
		b = append(b, text[i])
		if text[i] == 0x00 {
			b = append(b, 0xFF)
		}
	}
	return b
}

// appendKeyNumber adds: a byte for the sign; the exponent; the digits in pairs
// (1 to 100), ended by 0. For a negative number all but the first are inverted.
func appendKeyNumber(b []byte, text string) []byte {
	n, err := parseNumber(text)
	if err != nil || n.digits == "" {
		return append(b, 0x80)
	}
	sign, flip := byte(0x81), byte(0x00)
	if n.negative {
		sign, flip = 0x7F, 0xFF
	}
	e := uint16(n.exponent - minExponent) //nolint:gosec // 0 to 255, by checked
	b = append(b, sign, byte(e>>8)^flip, byte(e&0xFF)^flip)
	for i := 0; i < len(n.digits); i += 2 {
		pair := 10 * (n.digits[i] - '0')
		if i+1 < len(n.digits) {
			pair += n.digits[i+1] - '0'
		}
		b = append(b, (pair+1)^flip)
	}
	return append(b, flip)
}

// partitionPrefix is what the keys of one partition share.
func partitionPrefix(hash value) []byte {
	body := appendKeyValue(make([]byte, partitionHashBytes, 64), hash)
	h := fnv.New32a()
	_, _ = h.Write(body[partitionHashBytes:]) // a hash never fails
	binary.BigEndian.PutUint32(body, spread(h.Sum32()))
	return body
}

// spread mixes FNV's weak high bits, which decide a scan's segment.
func spread(h uint32) uint32 {
	h ^= h >> 16
	h *= 0x7feb352d
	h ^= h >> 15
	h *= 0x846ca68b
	return h ^ h>>16
}

// after is the first key behind all that begin with prefix; nil is the end.
func after(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i] != 0xFF {
			end[i]++
			return end[:i+1]
		}
	}
	return nil
}

// segmentRange is the part of the key space that a segment of a scan reads.
func segmentRange(segment, total int) (from, to []byte) {
	const space = 1 << 32
	bound := func(i int) []byte {
		return binary.BigEndian.AppendUint32(nil, uint32(uint64(i)*space/uint64(total))) //nolint:gosec // i < total
	}
	if segment > 0 {
		from = bound(segment)
	}
	if segment+1 < total {
		to = bound(segment + 1)
	}
	return from, to
}
