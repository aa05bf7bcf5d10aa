package main

import (
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"testing"
)

// padding is what SHA-256 appends to a text of that length.
func padding(length int) []byte {
	p := make([]byte, 1, 72)
	p[0] = 0x80
	for (length+len(p))%64 != 56 {
		p = append(p, 0)
	}
	return binary.BigEndian.AppendUint64(p, uint64(length)*8)
}

// sha256From goes on with a hash: sum is that of the first length bytes, a
// multiple of a block.
func sha256From(tb testing.TB, sum []byte, length int, text string) []byte {
	tb.Helper()
	state := append([]byte("sha\x03"), sum...)
	state = append(state, make([]byte, sha256.BlockSize)...)
	state = binary.BigEndian.AppendUint64(state, uint64(length))
	h := sha256.New()
	if err := h.(encoding.BinaryUnmarshaler).UnmarshalBinary(state); err != nil {
		tb.Fatal(err)
	}
	h.Write([]byte(text))
	return h.Sum(nil)
}

func TestAHashIsLengthenedAsTheTestsSay(t *testing.T) {
	t.Parallel()
	const first = "secret and body"
	sum := sha256.Sum256([]byte(first))
	whole := append([]byte(first), padding(len(first))...)
	want := sha256.Sum256(append(whole, "more"...))
	if got := sha256From(t, sum[:], len(whole), "more"); string(got) != string(want[:]) {
		t.Errorf("%x, want %x", got, want)
	}
}
