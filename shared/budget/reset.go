package budget

import (
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

// parseReset reads how long it is until a time that an API wrote, by the API's own
// clock. Without a format, a number is told apart by its size: milliseconds or
// seconds of Unix time, or seconds left; else it is an HTTP date, RFC 3339, or a
// duration such as 1m30s. It may be negative: the time is over.
func parseReset(format, text string, server time.Time) (time.Duration, bool) {
	text = strings.TrimSpace(text)
	n, isNumber := number64(text)
	if format == "" && isNumber {
		format = bySize(n)
	}
	switch format {
	case "epoch":
		return inTime(n-unix(server), isNumber)
	case "epoch_ms":
		return inTime(n/1e3-unix(server), isNumber)
	case "seconds":
		return inTime(n, isNumber)
	case "ms":
		return inTime(n/1e3, isNumber)
	}
	if at, err := http.ParseTime(text); err == nil && format != "rfc3339" {
		return at.Sub(server), true
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil && format != "http_date" {
		return at.Sub(server), true
	}
	if format == "" {
		left, err := time.ParseDuration(text)
		return left, err == nil && text != "" && left >= 0
	}
	return 0, false
}

func bySize(n float64) string {
	switch {
	case n > 1e12:
		return "epoch_ms"
	case n > 1e9:
		return "epoch"
	default:
		return "seconds"
	}
}

// number64 reads a number that can be a time: not negative, not infinite.
func number64(text string) (float64, bool) {
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil && !math.IsNaN(n) && !math.IsInf(n, 0) && n >= 0
}

func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1e3 }

// inTime rounds up to a millisecond: who waits must not be early.
func inTime(seconds float64, ok bool) (time.Duration, bool) {
	bounded := min(max(seconds, -longest.Seconds()), longest.Seconds())
	return time.Duration(math.Ceil(bounded*1e3)) * time.Millisecond, ok
}

// clamp distrusts what is past, or more than a day away.
func clamp(d time.Duration) time.Duration { return min(max(d, shortest), longest) }

// instant is a time in the text of an error, as Google's APIs write it.
var instant = regexp.MustCompile(`(?i)retry after (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))`)

// fromBody reads what a refusal's body says without being configured: retry_after,
// in seconds, or an instant in a text.
func fromBody(a Answer) (time.Duration, bool) {
	if found := gjson.GetBytes(a.Body, "retry_after"); found.Type == gjson.Number {
		return parseReset("seconds", found.Raw, a.Server)
	}
	if found := instant.FindSubmatch(a.Body); found != nil {
		return parseReset("rfc3339", string(found[1]), a.Server)
	}
	return 0, false
}
