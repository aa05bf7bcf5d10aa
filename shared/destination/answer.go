package destination

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// An outcome is what a status means for a delivery.
type outcome int

const (
	done outcome = iota
	retry
	give // up
)

// answers is what statuses mean, the first range that holds one counts:
//
//	2xx            the destination has the event
//	3xx            permanent: redirects are not followed
//	408, 425, 429  may pass; Retry-After is heeded
//	410            permanent: the destination is gone for good
//	other 4xx      permanent: the same request would be refused again
//	5xx            may pass; Retry-After is heeded
//	anything else  permanent: not HTTP as we know it
func answers() []answer {
	return []answer{
		{200, 299, done, ""},
		{300, 399, give, "redirects are not followed: write the address it leads to as the destination's url"},
		{408, 408, retry, ""},
		{410, 410, give, "it is gone: remove the destination from the routes, or correct its url"},
		{425, 425, retry, ""},
		{429, 429, retry, ""},
		{401, 403, give, "check the destination's headers and the secret it verifies with"},
		{400, 499, give, ""},
		{500, 599, retry, ""},
	}
}

type answer struct {
	from, to int
	outcome  outcome
	mend     string
}

// judge is nil for an answer that says the destination has the event.
func judge(resp *http.Response, at time.Time) error {
	a := answer{outcome: give, mend: "that is no status an HTTP server answers a POST with"}
	for _, known := range answers() {
		if resp.StatusCode >= known.from && resp.StatusCode <= known.to {
			a = known
			break
		}
	}
	err := fmt.Errorf("answered %d", resp.StatusCode)
	if a.mend != "" {
		err = fmt.Errorf("%w: %s", err, a.mend)
	}
	switch a.outcome {
	case done:
		return nil
	case retry:
		return &Retryable{Err: err, After: retryAfter(resp.Header.Get("Retry-After"), at)}
	case give:
	}
	return &Permanent{Err: err}
}

// retryAfter reads seconds or an HTTP date; 0 is no or a past time, and what
// cannot be read. No more than a year is believed.
func retryAfter(value string, at time.Time) time.Duration {
	const most = 365 * 24 * time.Hour
	value = strings.TrimSpace(value)
	if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		return time.Duration(min(max(n, 0), int64(most/time.Second))) * time.Second
	} else if errors.Is(err, strconv.ErrRange) && !strings.HasPrefix(value, "-") {
		return most
	}
	when, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(when.Sub(at), 0), most)
}
