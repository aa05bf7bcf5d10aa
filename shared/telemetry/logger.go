package telemetry

import (
	"io"
	"log/slog"
	"slices"
	"strings"
)

// masked stands where a secret would have been.
const masked = "***"

// NewLogger returns a logger of JSON lines; level is DEBUG, INFO, WARN or ERROR
// in any case, and INFO where it is none of them.
//
// An attribute whose key names a secret (secret, token, authorization,
// signature …), or that stands in a group with such a name, is masked whatever
// its value is.
func NewLogger(w io.Writer, level string) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{
		Level:       ParseLevel(level),
		ReplaceAttr: mask,
	}))
}

// ParseLevel returns the level that LOG_LEVEL names; INFO where it names none,
// so that a slip in a setting does not keep a function from starting.
func ParseLevel(name string) slog.Level {
	var level slog.Level
	if err := level.UnmarshalText([]byte(name)); err != nil {
		return slog.LevelInfo
	}
	return level
}

// mask is called for every attribute of every line.
func mask(groups []string, a slog.Attr) slog.Attr {
	if secretKey(a.Key) || slices.ContainsFunc(groups, secretKey) {
		return slog.String(a.Key, masked)
	}
	return a
}

// secretKey reports whether a key contains the name of a secret, in any case.
// The first letter decides, as it runs for every attribute of every line.
func secretKey(key string) bool {
	for i := range len(key) {
		rest := key[i:]
		switch rest[0] | 0x20 {
		case 'a':
			if begins(rest, "authorization") || begins(rest, "apikey") || begins(rest, "api_key") || begins(rest, "api-key") {
				return true
			}
		case 'c':
			if begins(rest, "cookie") || begins(rest, "credential") {
				return true
			}
		case 'p':
			if begins(rest, "password") || begins(rest, "passphrase") || begins(rest, "private") {
				return true
			}
		case 's':
			if begins(rest, "secret") || begins(rest, "signature") {
				return true
			}
		case 't':
			if begins(rest, "token") {
				return true
			}
		}
	}
	return false
}

// begins reports whether s begins with the lower case word, in any case.
func begins(s, word string) bool {
	return len(s) >= len(word) && strings.EqualFold(s[:len(word)], word)
}
