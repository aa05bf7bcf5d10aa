package sqs

import (
	"crypto/md5" //nolint:gosec // the protocol says MD5: it finds broken transfers, not forgers
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
)

func md5Hex(s string) string {
	sum := md5.Sum([]byte(s)) //nolint:gosec // as above
	return hex.EncodeToString(sum[:])
}

const (
	transportString = 1
	transportBinary = 2
)

// md5OfAttributes is the digest that the SDKs compare with their own: for each
// attribute, by name, the name, the type and the value, each after its length in
// four bytes, and before the value a byte that says string or binary. It is empty
// where there are no attributes.
func md5OfAttributes(attributes map[string]MessageAttribute) string {
	if len(attributes) == 0 {
		return ""
	}
	h := md5.New() //nolint:gosec // as above
	field := func(b []byte) {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(b))) //nolint:gosec // at most 1 MiB
		h.Write(n[:])
		h.Write(b)
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		field([]byte(name))
		field([]byte(a.DataType))
		if strings.HasPrefix(a.DataType, "Binary") {
			h.Write([]byte{transportBinary})
			field(a.BinaryValue)
			continue
		}
		h.Write([]byte{transportString})
		field([]byte(a.StringValue))
	}
	return hex.EncodeToString(h.Sum(nil))
}
