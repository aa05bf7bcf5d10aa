package sqs

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
)

// A receipt is what a receipt handle stands for: the n-th time that a message of
// a queue was received. It survives a restart, as everything in it does.
type receipt struct {
	queue    uint64
	sequence uint64
	receives uint32
	copy     byte // 1 on the second handle of a message that a fault delivered twice
}

const receiptBytes = 8 + 8 + 4 + 1

// handle is URL-safe base64; the checksum tells a mistyped handle from an old one.
func (r receipt) handle() string {
	b := make([]byte, 0, receiptBytes+4)
	b = binary.BigEndian.AppendUint64(b, r.queue)
	b = binary.BigEndian.AppendUint64(b, r.sequence)
	b = binary.BigEndian.AppendUint32(b, r.receives)
	b = append(b, r.copy)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return base64.URLEncoding.EncodeToString(b)
}

// parseReceipt returns false for what never was a handle of this queue.
func parseReceipt(handle string, queue uint64) (receipt, bool) {
	b, err := base64.URLEncoding.DecodeString(handle)
	if err != nil || len(b) != receiptBytes+4 {
		return receipt{}, false
	}
	if binary.BigEndian.Uint32(b[receiptBytes:]) != crc32.ChecksumIEEE(b[:receiptBytes]) {
		return receipt{}, false
	}
	r := receipt{
		queue:    binary.BigEndian.Uint64(b),
		sequence: binary.BigEndian.Uint64(b[8:]),
		receives: binary.BigEndian.Uint32(b[16:]),
		copy:     b[20],
	}
	return r, r.queue == queue
}
