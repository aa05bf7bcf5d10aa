package budget

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"pushpull/shared/config"
	"pushpull/shared/jq"
)

// An Answer is what of an API's answer tells of its limits.
type Answer struct {
	Status int
	Header http.Header
	Server time.Time // the API's clock, by which its times are read
	Body   []byte    // decoded; nil where it was not read
}

// A Verdict is what an answer tells.
type Verdict struct {
	// Limited says that the request was refused because of a limit.
	Limited bool
	// Wait is how long to leave the API alone from this answer on, from 1s to 24h. It
	// is 0 where an answer that is not limited leaves enough of the limit.
	Wait time.Duration
	// Remaining and Limit are requests, or points of cost, of the limit that is nearest; -1 where that is not told.
	Remaining, Limit int
}

// A Dialect reads how an API tells of its limits. It is safe for concurrent use.
type Dialect struct {
	c       config.RateLimit
	counts  []count // the headers that are looked at
	reserve float64
	limited *jq.Program
}

// NewDialect prepares a dialect; of nil, it is the headers in general use. The error
// begins with the field that is wrong.
func NewDialect(c *config.RateLimit) (*Dialect, error) {
	d := &Dialect{counts: general}
	if c == nil {
		return d, nil
	}
	d.c = *c
	if c.Remaining != "" || c.Limit != "" || c.Reset != "" {
		d.counts = []count{{remaining: c.Remaining, limit: c.Limit, reset: c.Reset, format: c.ResetFormat, window: c.Per.Std()}}
	}
	var err error
	if c.Reserve != "" {
		if d.reserve, err = config.ParseShare(c.Reserve); err != nil {
			return nil, fmt.Errorf("rate_limit.reserve: %w", err)
		}
	}
	if c.LimitedWhen != "" {
		if d.limited, err = jq.Compile(c.LimitedWhen); err != nil {
			return nil, fmt.Errorf("rate_limit.limited_when: %w", err)
		}
	}
	return d, nil
}

// Reserve is the part of the limit that is left to others, from 0 to 1.
func (d *Dialect) Reserve() float64 { return d.reserve }

// ReadsBody tells whether an answer that is well must be read to know more.
func (d *Dialect) ReadsBody() bool {
	return d.c.CostPath != "" || strings.Contains(d.c.LimitedWhen, "body")
}

// Read judges an answer.
func (d *Dialect) Read(ctx context.Context, a Answer) Verdict {
	s := d.standing(a)
	v := Verdict{Remaining: s.remaining, Limit: s.limit}
	after, told := d.retryAfter(a)
	if v.Limited = d.isLimited(ctx, a, told, s); !v.Limited {
		if s.low {
			v.Wait = clamp(s.reset)
		}
		return v
	}
	switch {
	case told:
		v.Wait = clamp(after)
	case s.reset > 0:
		v.Wait = clamp(s.reset)
	default:
		v.Wait = unknown
	}
	return v
}

// isLimited tells whether an answer is a refusal because of a limit: 429; 503 that
// says when to come back; 403 that says so, or that nothing is left, or why; and
// whatever limited_when finds.
func (d *Dialect) isLimited(ctx context.Context, a Answer, told bool, s standing) bool {
	switch a.Status {
	case http.StatusTooManyRequests:
		return true
	case http.StatusServiceUnavailable:
		if told {
			return true
		}
	case http.StatusForbidden:
		if told || s.remaining == 0 || saysLimit(a.Body) {
			return true
		}
	}
	if d.limited == nil {
		return false
	}
	// A condition that does not fit an answer, such as a page of a proxy, does not hold.
	yes, err := d.limited.True(ctx, Facts(a.Status, a.Header, a.Body))
	return yes && err == nil
}

// reasons are how a 403 says in its body that it is of a limit, in lower case.
var reasons = []string{
	"secondary rate limit",   // GitHub
	"ratelimitexceeded",      // Google, for a project and for a user
	"request_limit_exceeded", // Salesforce
}

func saysLimit(body []byte) bool {
	text := strings.ToLower(string(body))
	for _, reason := range reasons {
		if strings.Contains(text, reason) {
			return true
		}
	}
	return false
}

// retryAfter is how long an answer says to wait, besides the reset of a count.
func (d *Dialect) retryAfter(a Answer) (time.Duration, bool) {
	name := d.c.RetryAfter
	if path, ok := strings.CutPrefix(name, "body."); ok {
		if after, ok := parseReset("", gjson.GetBytes(a.Body, path).String(), a.Server); ok {
			return after, true
		}
		name = ""
	}
	if name != "" {
		if after, ok := parseReset("", a.Header.Get(name), a.Server); ok {
			return after, true
		}
	}
	if after, ok := parseReset("", a.Header.Get("Retry-After"), a.Server); ok {
		return after, true
	}
	if a.Status < 400 {
		return 0, false
	}
	return fromBody(a)
}

// Facts are what a jq condition on an answer sees: {status, headers, body}. The
// names of headers are in lower case, and several of one name are one text with
// commas. A body that is not JSON is a text.
func Facts(status int, h http.Header, body []byte) map[string]any {
	headers := make(map[string]any, len(h))
	for name, values := range h {
		headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	var parsed any
	if len(body) > 0 {
		var err error
		if parsed, err = jq.Decode(body); err != nil {
			parsed = string(body)
		}
	}
	return map[string]any{"status": status, "headers": headers, "body": parsed}
}
