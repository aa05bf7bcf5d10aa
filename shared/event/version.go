package event

import (
	"fmt"
	"strings"
)

// VersionKey is a text for a version: the byte order of two keys is the order of
// their versions, and those that say the same have the same key. Numbers come
// first, by their value whatever their length; then times, of any precision and
// zone; then all else, as texts. No version has no key.
func VersionKey(version string) string {
	if version == "" {
		return ""
	}
	if key, ok := numberKey(version); ok {
		return key
	}
	if t, ok := ParseTime(version); ok {
		return "t" + t.Format("2006-01-02T15:04:05.000000000Z")
	}
	return "x" + version
}

// numberKey is that of a decimal number: its length before its digits, so that 10
// comes after 9.
func numberKey(s string) (string, bool) {
	digits, negative := strings.CutPrefix(s, "-")
	whole, fraction, pointed := strings.Cut(digits, ".")
	if !decimal(whole) || pointed && !decimal(fraction) || len(whole) > 9999 {
		return "", false
	}
	whole, fraction = strings.TrimLeft(whole, "0"), strings.TrimRight(fraction, "0")
	key := fmt.Sprintf("%04d", len(whole)) + whole
	if fraction != "" {
		key += "." + fraction
	}
	if !negative || key == "0000" {
		return "n1" + key, true
	}
	// The larger the digits the smaller the number; the end comes after any fraction.
	return "n0" + strings.Map(complement, key) + "~", true
}

func decimal(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func complement(r rune) rune {
	if r == '.' {
		return r
	}
	return '0' + '9' - r
}
