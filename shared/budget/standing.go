package budget

import (
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/dunglas/httpsfv"
	"github.com/tidwall/gjson"
)

// A standing is how a limit stands. Several are told by some answers: the one that
// counts is the one to wait longest for.
type standing struct {
	remaining, limit int // -1 where it is not told
	reset            time.Duration
	low              bool // wait for the reset before the next request
}

// A count is the headers of one limit. One of them may hold both numbers, as used/limit.
type count struct {
	remaining, limit, reset string
	format                  string        // of reset; "" tells it by its size
	used                    string        // instead of remaining and limit: a header with used/limit
	window                  time.Duration // to wait where no header tells of the reset
}

// general are the headers in use. Their names are from the providers' pages; the
// units are told apart by size where several of them use one name.
var general = []count{
	{remaining: "X-RateLimit-Remaining", limit: "X-RateLimit-Limit", reset: "X-RateLimit-Reset-After", format: "seconds"}, // Discord
	{remaining: "X-RateLimit-Remaining", limit: "X-RateLimit-Limit", reset: "X-RateLimit-Reset"},                          // GitHub, Intercom; Datadog, Calendly
	{remaining: "X-Rate-Limit-Remaining", limit: "X-Rate-Limit-Limit", reset: "X-Rate-Limit-Reset"},                       // Okta
	{remaining: "RateLimit-Remaining", limit: "RateLimit-Limit", reset: "RateLimit-Reset"},                                // GitLab, PagerDuty, GoCardless; the drafts to 06
	{remaining: "X-RateLimit-Requests-Remaining", limit: "X-RateLimit-Requests-Limit", reset: "X-RateLimit-Requests-Reset"},
	{remaining: "X-RateLimit-Complexity-Remaining", limit: "X-RateLimit-Complexity-Limit", reset: "X-RateLimit-Complexity-Reset"}, // Linear, both
	{remaining: "X-Rate-Limit-Requests-Left", limit: "X-Rate-Limit-Requests-Quota", reset: "X-Rate-Limit-Time-Reset-Ms", format: "ms"},
	{remaining: "X-HubSpot-RateLimit-Remaining", limit: "X-HubSpot-RateLimit-Max", reset: "X-HubSpot-RateLimit-Interval-Milliseconds", format: "ms"},
	{remaining: "X-Sentry-Rate-Limit-Remaining", limit: "X-Sentry-Rate-Limit-Limit", reset: "X-Sentry-Rate-Limit-Reset"},
	{remaining: "X-MinLimit-Remaining", window: time.Minute},     // Xero
	{used: "X-Shopify-Shop-Api-Call-Limit", window: time.Second}, // a bucket that leaks some a second
	{used: "Sforce-Limit-Info", window: time.Minute},             // a day that slides: some come back each minute
}

// standing reads all that an answer tells.
func (d *Dialect) standing(a Answer) standing {
	all := append(ietf(a), d.cost(a)...)
	for _, c := range d.counts {
		all = append(all, c.read(a)...)
	}
	worst := standing{remaining: -1, limit: -1}
	for i, s := range all {
		s.low = s.low || s.isLow(d.reserve)
		if !s.low && s.remaining > 0 {
			s.reset = 0 // it is not what the answer is limited by
		}
		if i == 0 || worse(s, worst) {
			worst = s
		}
	}
	return worst
}

func worse(a, b standing) bool {
	if a.low != b.low {
		return a.low
	}
	if a.reset != b.reset {
		return a.reset > b.reset
	}
	return a.remaining >= 0 && (b.remaining < 0 || a.remaining < b.remaining)
}

// isLow tells whether no more is left than what is others', if it is known when
// that ends.
func (s standing) isLow(reserve float64) bool {
	if s.remaining < 0 || s.reset == 0 {
		return false
	}
	return s.remaining == 0 || s.limit > 0 && float64(s.remaining) <= reserve*float64(s.limit)
}

// read finds none where the answer has not the headers.
func (c count) read(a Answer) []standing {
	s := standing{remaining: whole(a.Header, c.remaining), limit: whole(a.Header, c.limit)}
	if c.used != "" {
		s.remaining, s.limit = usedOf(a.Header.Get(c.used))
	}
	left, told := parseReset(c.format, first(a.Header, c.reset), a.Server)
	switch {
	case told:
		s.reset = clamp(left)
	case c.reset != "" && c.window == 0 && s.remaining < 0:
		return nil
	case s.remaining >= 0:
		s.reset = c.window
	}
	if s.remaining < 0 && !told {
		return nil
	}
	return []standing{s}
}

// whole reads a number of requests: the first, where a policy stands behind it.
func whole(h http.Header, name string) int {
	n, ok := number64(first(h, name))
	if !ok {
		return -1
	}
	return int(min(n, math.MaxInt32))
}

// first is a header's value before a comma, but for a date, which has one.
func first(h http.Header, name string) string {
	if name == "" {
		return ""
	}
	text := h.Get(name)
	if begin, _, found := strings.Cut(text, ","); found && strings.Trim(begin, "0123456789. ") == "" {
		text = begin
	}
	return strings.TrimSpace(text)
}

var ratio = regexp.MustCompile(`(\d{1,9})/(\d{1,9})`)

func usedOf(text string) (remaining, limit int) {
	m := ratio.FindStringSubmatch(text)
	if m == nil {
		return -1, -1
	}
	used, _ := number64(m[1])
	all, _ := number64(m[2])
	return int(max(all-used, 0)), int(all)
}

// ietf reads RateLimit as the drafts 07 (one dictionary) and 08 to 11 (a list of
// policies, whose quotas RateLimit-Policy may tell) have it.
func ietf(a Answer) []standing {
	fields := a.Header.Values("RateLimit")
	if len(fields) == 0 {
		return nil
	}
	if list, err := httpsfv.UnmarshalList(fields); err == nil {
		quotas := quotas(a.Header.Values("RateLimit-Policy"))
		var all []standing
		for _, member := range list {
			if item, ok := member.(httpsfv.Item); ok {
				quota, known := quotas[fmt.Sprint(item.Value)]
				if !known {
					quota = -1
				}
				all = append(all, told(item.Params, "r", "", "t", quota))
			}
		}
		return all
	}
	dictionary, err := httpsfv.UnmarshalDictionary(fields)
	if err != nil {
		return nil
	}
	plain := httpsfv.NewParams()
	for _, name := range dictionary.Names() {
		member, _ := dictionary.Get(name)
		if item, ok := member.(httpsfv.Item); ok {
			plain.Add(name, item.Value)
		}
	}
	return []standing{told(plain, "remaining", "limit", "reset", -1)}
}

func told(p *httpsfv.Params, remaining, limit, reset string, quota int) standing {
	s := standing{remaining: param(p, remaining), limit: quota}
	if limit != "" {
		s.limit = param(p, limit)
	}
	if left := param(p, reset); left >= 0 {
		s.reset = clamp(time.Duration(min(left, int(longest.Seconds()))) * time.Second)
	}
	return s
}

// param reads a number, rounded up; -1 where there is none.
func param(p *httpsfv.Params, name string) int {
	v, _ := p.Get(name)
	switch n := v.(type) {
	case int64:
		return int(min(max(n, -1), math.MaxInt32))
	case float64:
		return int(math.Ceil(min(max(n, -1), math.MaxInt32)))
	default:
		return -1
	}
}

func quotas(fields []string) map[string]int {
	all := map[string]int{}
	list, err := httpsfv.UnmarshalList(fields)
	if err != nil {
		return all
	}
	for _, member := range list {
		if item, ok := member.(httpsfv.Item); ok {
			all[fmt.Sprint(item.Value)] = param(item.Params, "q")
		}
	}
	return all
}

// cost reads what a query cost of a bucket that fills again, as Shopify tells it.
// The next query is taken to cost the same.
func (d *Dialect) cost(a Answer) []standing {
	if d.c.CostPath == "" {
		return nil
	}
	at := gjson.GetBytes(a.Body, d.c.CostPath)
	bucket := at.Get("throttleStatus")
	if !bucket.Exists() {
		bucket = at
	}
	available, rate := bucket.Get("currentlyAvailable").Num, bucket.Get("restoreRate").Num
	if !bucket.Get("currentlyAvailable").Exists() || rate <= 0 {
		return nil
	}
	size := bucket.Get("maximumAvailable").Num
	needed := max(at.Get("requestedQueryCost").Num, 1) + d.reserve*size
	s := standing{remaining: int(max(available, 0)), limit: -1, low: available < needed}
	if size > 0 {
		s.limit = int(size)
	}
	if s.low {
		left, _ := inTime((needed-available)/rate, true)
		s.reset = clamp(left)
	}
	return []standing{s}
}
