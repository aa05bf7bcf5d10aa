package destination

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"pushpull/shared/config"
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
		{401, 403, give, "check the destination's auth, headers and the secret it verifies with"},
		{400, 499, give, ""},
		{500, 599, retry, ""},
	}
}

type answer struct {
	from, to int
	outcome  outcome
	mend     string
}

// own puts the configuration's meanings before the usual ones. Of two that hold a
// status the narrower counts: 404 beside 4xx.
func own(r *config.Responses) ([]answer, error) {
	if r == nil {
		return answers(), nil
	}
	var all []answer
	for _, meaning := range []struct {
		key      string
		statuses config.Statuses
		outcome  outcome
	}{{"success", r.Success, done}, {"retry", r.Retry, retry}, {"permanent", r.Permanent, give}} {
		for _, s := range meaning.statuses {
			from, to, ok := statusRange(s)
			if !ok {
				return nil, fmt.Errorf("responses.%s: %q is no status: write 404, 5xx or 500-503", meaning.key, s)
			}
			all = append(all, answer{from, to, meaning.outcome, ""})
		}
	}
	slices.SortStableFunc(all, func(a, b answer) int { return (a.to - a.from) - (b.to - b.from) })
	return append(all, answers()...), nil
}

// statusRange reads 404, 5xx or 500-503.
func statusRange(s string) (from, to int, ok bool) {
	if class, found := strings.CutSuffix(s, "xx"); found {
		n, err := strconv.Atoi(class)
		return 100 * n, 100*n + 99, err == nil && n >= 1 && n <= 5
	}
	first, last, ranged := strings.Cut(s, "-")
	if !ranged {
		last = first
	}
	from, err1 := strconv.Atoi(first)
	to, err2 := strconv.Atoi(last)
	return from, to, err1 == nil && err2 == nil && 100 <= from && from <= to && to <= 599
}

// judge is nil for an answer that says the destination has the event.
func judge(means []answer, resp *http.Response, at time.Time) error {
	a := answer{outcome: give, mend: "that is no status an HTTP server answers with"}
	for _, known := range means {
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
