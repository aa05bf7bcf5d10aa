package pull

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Limited is an API that asks to wait. It is a reason to come back at Until,
// not to sleep and not to count a failure.
type Limited struct {
	Until  time.Time // by the local clock
	Status int
}

func (e *Limited) Error() string {
	return fmt.Sprintf("the api limits requests (status %d): poll again after %s", e.Status, e.Until.UTC().Format(time.RFC3339))
}

// Permanent is a failure that trying again does not heal.
type Permanent struct {
	Status int // the HTTP status, 0 where it is not one
	Reason string
}

func (e *Permanent) Error() string { return e.Reason }

func permanent(status int, format string, args ...any) error {
	return &Permanent{Status: status, Reason: fmt.Sprintf(format, args...)}
}

// refused explains a status that will not heal.
func refused(status int) error {
	why := map[int]string{
		http.StatusBadRequest:   "the api refused the request as malformed: check poll.request and poll.incremental",
		http.StatusUnauthorized: "the api refused the credential: check poll.token and poll.auth, and that the token did not expire",
		http.StatusForbidden:    "the credential may not read this: give it the permission, or use another",
		http.StatusNotFound:     "the api has nothing at this address (or hides it from this credential): check poll.base_url, poll.request.path and poll.with",
	}[status]
	if why == "" {
		why = "the api refused the request: check poll.request"
	}
	return permanent(status, "status %d: %s", status, why)
}

const (
	minWait     = time.Second
	defaultWait = time.Minute
	maxWait     = 24 * time.Hour
)

// limit tells whether an answer asks to wait, and how long. Times in headers are
// read against the API's own clock, so that ours may be wrong.
func limit(status int, h http.Header, server time.Time) (time.Duration, bool) {
	_, told := retryAfter(h, server)
	spent := h.Get("X-RateLimit-Remaining") == "0"
	switch {
	case status == http.StatusTooManyRequests:
	case status == http.StatusForbidden && (told || spent): // GitHub says it so
	case status == http.StatusServiceUnavailable && told:
	default:
		return 0, false
	}
	after, told := Asked(status, h, server)
	if !told {
		after = defaultWait
	}
	return min(max(after, minWait), maxWait), true
}

// Asked is how long an answer that refuses asks to be left alone, by the API's own
// clock: what Retry-After says, or of a limit when it is reset. It reports false
// where the answer does not say.
func Asked(status int, h http.Header, server time.Time) (time.Duration, bool) {
	after, told := retryAfter(h, server)
	spent := h.Get("X-RateLimit-Remaining") == "0"
	if !told && (status == http.StatusTooManyRequests || status == http.StatusForbidden && spent) {
		after, told = resetAfter(h, server)
	}
	if !told {
		return 0, false
	}
	return min(max(after, minWait), maxWait), true
}

// retryAfter reads both forms of Retry-After, and the decimals some APIs send.
func retryAfter(h http.Header, server time.Time) (time.Duration, bool) {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if text == "" {
		return 0, false
	}
	if d, ok := seconds(text); ok {
		return d, true
	}
	at, err := http.ParseTime(text)
	return at.Sub(server), err == nil
}

// resetAfter reads the reset headers in use: Unix seconds or milliseconds, or
// seconds left, told apart by their size.
func resetAfter(h http.Header, server time.Time) (time.Duration, bool) {
	for _, name := range []string{"X-RateLimit-Reset", "X-Rate-Limit-Reset", "RateLimit-Reset", "X-RateLimit-Reset-After"} {
		text := strings.TrimSpace(h.Get(name))
		if at, ok := parseUnix(text); ok && at.Unix() > 1e9 {
			return at.Sub(server), true
		}
		if d, ok := seconds(text); ok {
			return d, true
		}
	}
	return 0, false
}

func seconds(text string) (time.Duration, bool) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(n) || n < 0 {
		return 0, false
	}
	return time.Duration(math.Ceil(min(n, maxWait.Seconds())*1000)) * time.Millisecond, true
}
