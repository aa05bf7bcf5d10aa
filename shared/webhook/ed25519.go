package webhook

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
)

// smallOrder are the points of Ed25519 whose order is small, without their sign,
// in each way that they can be written. As public keys they verify signatures
// that anybody can make. The first is what who fills in zeros writes.
var smallOrder = []string{
	strings.Repeat("00", 32),
	"01" + strings.Repeat("00", 31),
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"ec" + strings.Repeat("ff", 30) + "7f",
	"ed" + strings.Repeat("ff", 30) + "7f",
	"ee" + strings.Repeat("ff", 30) + "7f",
}

// newEd25519 takes the bytes of a public key.
func newEd25519(b []byte) (ed25519.PublicKey, error) {
	if len(b) != ed25519.PublicKeySize {
		return nil, errors.New("an Ed25519 key has 32 bytes")
	}
	unsigned := slices.Clone(b)
	unsigned[31] &= 0x7f
	if slices.Contains(smallOrder, hex.EncodeToString(unsigned)) {
		return nil, errors.New("an Ed25519 key for which anybody can sign: copy the provider's")
	}
	return ed25519.PublicKey(b), nil
}
