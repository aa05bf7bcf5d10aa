package event

import (
	"strconv"
	"strings"
	"time"
)

// The ways to write a time that providers have besides RFC 3339, which is tried
// first. Without a zone they mean UTC.
var layouts = []string{
	"2006-01-02T15:04:05.999999999Z0700",
	"2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999",
	"2006-01-02 15:04:05 -0700",
	"2006-01-02 15:04:05 MST",
	time.RFC1123,
	time.RFC1123Z,
	"2006-01-02",
}

// ParseTime reads a time as providers write it: RFC 3339 or one of its
// relatives, or a Unix time in seconds, with a fraction or not, in milliseconds
// or in microseconds; which of them, its size says (a hundred thousand million
// seconds are the year 5138).
func ParseTime(s string) (time.Time, bool) {
	if s == "" {
		return time.Time{}, false
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return inRange(t)
	}
	if t, ok := parseUnix(s); ok {
		return t, true
	}
	if len(s) > 40 {
		return time.Time{}, false
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return inRange(t)
		}
	}
	return time.Time{}, false
}

// inRange refuses the years that RFC 3339 cannot say.
func inRange(t time.Time) (time.Time, bool) {
	t = t.UTC()
	return t, t.Year() >= 1 && t.Year() <= 9999
}

func parseUnix(s string) (time.Time, bool) {
	whole, fraction, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n <= 0 || n >= 1e17 || len(fraction) > 9 {
		return time.Time{}, false
	}
	nanos, err := strconv.ParseUint((fraction + "000000000")[:9], 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	switch {
	case n >= 1e14:
		return time.UnixMicro(n).UTC(), true
	case n >= 1e11:
		return time.UnixMilli(n).UTC(), true
	}
	return time.Unix(n, int64(nanos)).UTC(), true //nolint:gosec // nine digits
}
