package telemetry

import (
	"context"
	"io"
	"log/slog"
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
	return slog.New(masker{Handler: slog.NewJSONHandler(w, &slog.HandlerOptions{Level: ParseLevel(level)})})
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

// A masker masks before the handler writes. It makes a line anew only where
// there is something to mask: the handler's own ReplaceAttr would cost every line.
type masker struct {
	slog.Handler
	all bool // within a group whose name is that of a secret
}

// Handle writes a line.
func (m masker) Handle(ctx context.Context, r slog.Record) error {
	found := false
	r.Attrs(func(a slog.Attr) bool {
		found = m.all || needsMask(a)
		return !found
	})
	if !found {
		return m.Handler.Handle(ctx, r)
	}
	written := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		written.AddAttrs(mask(a, m.all))
		return true
	})
	return m.Handler.Handle(ctx, written)
}

// WithAttrs returns a handler with attributes of all its lines.
func (m masker) WithAttrs(attrs []slog.Attr) slog.Handler {
	safe := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		safe[i] = mask(a, m.all)
	}
	return masker{Handler: m.Handler.WithAttrs(safe), all: m.all}
}

// WithGroup returns a handler whose attributes are in a group.
func (m masker) WithGroup(name string) slog.Handler {
	return masker{Handler: m.Handler.WithGroup(name), all: m.all || secretKey(name)}
}

// needsMask reports whether an attribute has, or may have, something to mask.
func needsMask(a slog.Attr) bool {
	kind := a.Value.Kind()
	return kind == slog.KindGroup || kind == slog.KindLogValuer || secretKey(a.Key)
}

// mask returns the attribute with what names a secret masked, or all of it.
func mask(a slog.Attr, all bool) slog.Attr {
	all = all || secretKey(a.Key)
	a.Value = a.Value.Resolve()
	if a.Value.Kind() != slog.KindGroup {
		if all {
			return slog.String(a.Key, masked)
		}
		return a
	}
	members := a.Value.Group()
	safe := make([]slog.Attr, len(members))
	for i, member := range members {
		safe[i] = mask(member, all)
	}
	return slog.Attr{Key: a.Key, Value: slog.GroupValue(safe...)}
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
