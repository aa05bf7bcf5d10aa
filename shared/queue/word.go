package queue

import "math/bits"

// Eight bytes of a text are looked at as one number: these set one bit, the
// lowest or the highest, of each of them.
const (
	ones = 0x0101010101010101
	tops = 0x8080808080808080
)

// word returns the first eight bytes of s, which the compiler loads at once.
func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// plain returns how many of the first bytes of a word a JSON string holds as
// they are: ASCII, but for control characters, quotes and backslashes. It looks
// at the eight at once; a borrow can only mark a byte after one that is marked
// rightly, so the first mark is right.
func plain(w uint64) int {
	quote, backslash := w^('"'*ones), w^('\\'*ones)
	marks := (w | (w - 0x20*ones) | (quote - ones) | (backslash - ones)) & tops
	return bits.TrailingZeros64(marks) / 8
}

// ordinary reports whether eight bytes are ASCII without control characters.
func ordinary(w uint64) bool { return (w|(w-0x20*ones))&tops == 0 }
