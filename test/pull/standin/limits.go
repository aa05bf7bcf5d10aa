package standin

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// A limit is how an API says that it was asked too often: the dialects differ in
// status, header, unit and clock.
type limit struct {
	yaml string // of the poll's rate_limit; empty where the answer speaks for itself
	// says answers a request that comes too early; until is by the API's clock.
	says func(w http.ResponseWriter, now, until time.Time)
	mute bool // it does not say until when
}

func (l limit) config() string {
	if l.yaml == "" {
		return ""
	}
	return "      rate_limit: " + l.yaml + "\n"
}

func refuse(status int, body string, headers ...func(h http.Header, now, until time.Time)) func(http.ResponseWriter, time.Time, time.Time) {
	return func(w http.ResponseWriter, now, until time.Time) {
		for _, set := range headers {
			set(w.Header(), now, until)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

type header = func(h http.Header, now, until time.Time)

func fixed(name, value string) header {
	return func(h http.Header, _, _ time.Time) { h.Set(name, value) }
}

func secondsLeft(name string) header {
	return func(h http.Header, now, until time.Time) {
		h.Set(name, strconv.Itoa(int(math.Ceil(until.Sub(now).Seconds()))))
	}
}

func decimalsLeft(name string) header {
	return func(h http.Header, now, until time.Time) {
		h.Set(name, strconv.FormatFloat(math.Ceil(until.Sub(now).Seconds()*10)/10, 'f', 1, 64))
	}
}

func millisLeft(name string) header {
	return func(h http.Header, now, until time.Time) {
		h.Set(name, strconv.FormatInt(until.Sub(now).Milliseconds()+1, 10))
	}
}

func epoch(name string) header {
	return func(h http.Header, _, until time.Time) { h.Set(name, strconv.FormatInt(whole(until).Unix(), 10)) }
}

func epochMillis(name string) header {
	return func(h http.Header, _, until time.Time) { h.Set(name, strconv.FormatInt(until.UnixMilli()+1, 10)) }
}

func date(name string) header {
	return func(h http.Header, _, until time.Time) { h.Set(name, whole(until).UTC().Format(http.TimeFormat)) }
}

// whole is the next whole second: what an API rounds, it rounds to its own good.
func whole(t time.Time) time.Time { return t.Truncate(time.Second).Add(time.Second) }

// limits are the header dialects in use, and what no header says.
var limits = map[string]limit{
	"nothing":      {mute: true, says: refuse(429, `{"error":{"type":"rate_limit"}}`)},
	"seconds":      {says: refuse(429, `{"error":"too many requests"}`, secondsLeft("Retry-After"))},
	"date":         {says: refuse(429, `{"error":{"code":"TooManyRequests"}}`, date("Retry-After"))},
	"past date":    {mute: true, says: refuse(429, `{}`, fixed("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT"))},
	"decimals":     {says: refuse(429, `{"errors":"Exceeded 2 calls per second"}`, decimalsLeft("Retry-After"), fixed("X-Shopify-Shop-Api-Call-Limit", "40/40"))},
	"github":       {says: refuse(403, `{"message":"API rate limit exceeded"}`, fixed("X-RateLimit-Limit", "5000"), fixed("X-RateLimit-Remaining", "0"), epoch("X-RateLimit-Reset"))},
	"secondary":    {says: refuse(403, `{"message":"You have exceeded a secondary rate limit"}`, fixed("X-RateLimit-Remaining", "4000"), secondsLeft("Retry-After"))},
	"okta":         {says: refuse(429, `{"errorCode":"E0000047"}`, fixed("X-Rate-Limit-Limit", "600"), fixed("X-Rate-Limit-Remaining", "0"), epoch("X-Rate-Limit-Reset"))},
	"linear":       {yaml: `{ limited_when: '.status == 400 and any(.body.errors[]?; .extensions.code == "RATELIMITED")', remaining_header: X-RateLimit-Requests-Remaining, reset_header: X-RateLimit-Requests-Reset }`, says: refuse(400, `{"errors":[{"message":"Rate limit exceeded","extensions":{"code":"RATELIMITED"}}]}`, fixed("X-RateLimit-Requests-Remaining", "0"), epochMillis("X-RateLimit-Requests-Reset"))},
	"pagerduty":    {says: refuse(429, `{"error":{"code":2020}}`, fixed("ratelimit-remaining", "0"), secondsLeft("ratelimit-reset"))},
	"calendly":     {yaml: "{ reset_format: seconds }", says: refuse(429, `{}`, fixed("X-RateLimit-Remaining", "0"), secondsLeft("X-RateLimit-Reset"))},
	"bigcommerce":  {yaml: "{ remaining_header: X-Rate-Limit-Requests-Left, reset_header: X-Rate-Limit-Time-Reset-Ms, reset_format: ms }", says: refuse(429, `{}`, fixed("X-Rate-Limit-Requests-Left", "0"), millisLeft("X-Rate-Limit-Time-Reset-Ms"))},
	"gocardless":   {says: refuse(429, `{}`, fixed("RateLimit-Remaining", "0"), date("RateLimit-Reset"))},
	"discord":      {yaml: "{ retry_after: body.retry_after }", says: discord},
	"google":       {yaml: `{ limited_when: '.status == 403 and any(.body.error.errors[]?; .reason == "rateLimitExceeded" or .reason == "userRateLimitExceeded")' }`, says: google},
	"draft 06":     {says: refuse(429, `{}`, fixed("RateLimit-Limit", "100"), fixed("RateLimit-Remaining", "0"), secondsLeft("RateLimit-Reset"))},
	"draft 07":     {says: draft7},
	"draft 08":     {says: draft8},
	"salesforce":   {yaml: `{ limited_when: '.status == 403 and any(.body[]?; .errorCode? == "REQUEST_LIMIT_EXCEEDED")' }`, mute: true, says: refuse(403, `[{"errorCode":"REQUEST_LIMIT_EXCEEDED"}]`, fixed("Sforce-Limit-Info", "api-usage=5000/5000"))},
	"shopify cost": {yaml: `{ cost_path: extensions.cost, limited_when: 'any(.body.errors[]?; .extensions.code == "THROTTLED")' }`, mute: true, says: throttled},
}

func discord(w http.ResponseWriter, now, until time.Time) {
	left := math.Ceil(until.Sub(now).Seconds()*1000) / 1000
	refuse(429, fmt.Sprintf(`{"message":"You are being rate limited.","retry_after":%.3f,"global":false}`, left),
		fixed("X-RateLimit-Remaining", "0"), decimalsLeft("X-RateLimit-Reset-After"))(w, now, until)
}

func google(w http.ResponseWriter, now, until time.Time) {
	refuse(403, fmt.Sprintf(`{"error":{"code":403,"errors":[{"reason":"rateLimitExceeded"}],"message":"User-rate limit exceeded.  Retry after %s"}}`,
		until.UTC().Format("2006-01-02T15:04:05.000Z")))(w, now, until)
}

func draft7(w http.ResponseWriter, now, until time.Time) {
	refuse(429, `{}`, fixed("RateLimit", fmt.Sprintf("limit=100, remaining=0, reset=%d", left(now, until))))(w, now, until)
}

func draft8(w http.ResponseWriter, now, until time.Time) {
	refuse(429, `{}`, fixed("RateLimit-Policy", `"burst";q=10;w=1, "day";q=10000;w=86400`),
		fixed("RateLimit", fmt.Sprintf(`"day";r=9000;t=50000, "burst";r=0;t=%d`, left(now, until))))(w, now, until)
}

func left(now, until time.Time) int { return int(math.Ceil(until.Sub(now).Seconds())) }

func throttled(w http.ResponseWriter, _, _ time.Time) {
	refuse(200, `{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}],"extensions":{"cost":{"requestedQueryCost":52,"throttleStatus":{"maximumAvailable":2000.0,"currentlyAvailable":2,"restoreRate":100.0}}}}`)(w, time.Time{}, time.Time{})
}
