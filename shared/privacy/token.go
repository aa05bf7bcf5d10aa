package privacy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"strings"

	"github.com/tidwall/gjson"
)

// hashOf is the HMAC-SHA-256 of a value. The purpose keeps a hash and a token of
// one value from telling of each other.
func hashOf(key []byte, purpose, value string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(purpose + value))
	return h.Sum(nil)
}

// appendHash appends the hash as text: hex(HMAC-SHA-256(key, value)), so that
// others who have the key can make it, too.
func appendHash(dst, key []byte, value string) []byte {
	dst = append(dst, '"')
	dst = hex.AppendEncode(dst, hashOf(key, "", value))
	return append(dst, '"')
}

// The digits of numbers that stay numbers of as many digits. With fewer, values
// would too often get one token; with more, a reader that keeps numbers as
// floats would round them.
const (
	leastDigits = 9
	mostDigits  = 15
)

// isAddress tells whether a text has the form of an e-mail address.
func isAddress(s string) bool {
	name, domain, ok := strings.Cut(s, "@")
	return ok && name != "" && domain != "" && !strings.ContainsAny(s, " \t\r\n") && !strings.Contains(domain, "@")
}

// isNumbered tells whether a text is digits in groups: a phone number, a card.
func isNumbered(s string) bool {
	s = strings.TrimPrefix(s, "+")
	return s != "" && isDigits(s[:1]) && isDigits(s[len(s)-1:]) && strings.Trim(s, "0123456789 ().-/") == ""
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// appendToken appends what stands for a value in the value's own form.
func appendToken(dst, key []byte, v gjson.Result) []byte {
	value := plain(v)
	sum := hashOf(key, "tokenise\x00", value)
	switch {
	case v.Type == gjson.Number:
		n := mostDigits
		if isDigits(strings.TrimPrefix(value, "-")) {
			n = len(strings.TrimPrefix(value, "-"))
		}
		if n < leastDigits || n > mostDigits {
			n = mostDigits
		}
		return append(dst, number(sum, n)...)
	case v.Type != gjson.String:
	case isAddress(value):
		dst = append(dst, `"tok_`...)
		dst = hex.AppendEncode(dst, sum[:12])
		return append(dst, `@masked.invalid"`...) // a domain that nobody can have
	case isNumbered(value) && count(value) >= leastDigits:
		return append(append(append(dst, '"'), inForm(value, stream(key, sum, count(value)))...), '"')
	}
	dst = append(dst, `"tok_`...)
	dst = hex.AppendEncode(dst, sum[:16])
	return append(dst, '"')
}

// number is of n digits, the first no zero.
func number(sum []byte, n int) []byte {
	lowest := uint64(1)
	for range n - 1 {
		lowest *= 10
	}
	// The high half of a product spreads over the range without a bias worth the name.
	high, _ := bits.Mul64(binary.BigEndian.Uint64(sum), lowest*9)
	text := make([]byte, n)
	for i, rest := n-1, lowest+high; i >= 0; i-- {
		text[i] = '0' + byte(rest%10)
		rest /= 10
	}
	return text
}

func count(value string) (n int) {
	for _, c := range value {
		if c >= '0' && c <= '9' {
			n++
		}
	}
	return n
}

// stream is n digits.
func stream(key, sum []byte, n int) []byte {
	out := make([]byte, 0, n)
	for block := sum; len(out) < n; block = hashOf(key, "digits\x00", string(block)) {
		for _, b := range block {
			if b < 250 && len(out) < n { // 250 is a multiple of ten
				out = append(out, '0'+b%10)
			}
		}
	}
	return out
}

// inForm puts digits in place of those of a value.
func inForm(value string, digits []byte) []byte {
	out := []byte(value)
	for i, c := range out {
		if c >= '0' && c <= '9' {
			out[i], digits = digits[0], digits[1:]
		}
	}
	return out
}
