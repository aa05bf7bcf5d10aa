package budget

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/config"
)

// served is the API's clock, an hour before ours.
var served = time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)

// headers reads "Name: value" lines.
func headers(lines ...string) http.Header {
	h := http.Header{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		h.Add(name, value)
	}
	return h
}

func TestRead(t *testing.T) {
	t.Parallel()
	const s = time.Second
	github := &config.RateLimit{Reserve: "10%"}
	shopify := &config.RateLimit{
		CostPath: "extensions.cost", LimitedWhen: `any(.body.errors[]?; .extensions.code == "THROTTLED")`,
	}
	google := &config.RateLimit{LimitedWhen: `.status == 403 and .body.error.errors[0].reason == "quotaExceeded"`}
	for _, test := range []struct {
		name   string
		c      *config.RateLimit
		status int
		header []string
		body   string
		want   Verdict
	}{
		{"an answer that tells nothing", nil, 200, nil, ``, Verdict{false, 0, -1, -1}},
		{"429 that tells nothing", nil, 429, nil, ``, Verdict{true, 60 * s, -1, -1}},
		{"whole seconds", nil, 429, []string{"Retry-After: 30"}, ``, Verdict{true, 30 * s, -1, -1}},
		{"decimal seconds", nil, 429, []string{"Retry-After: 2.5"}, ``, Verdict{true, 2500 * time.Millisecond, -1, -1}},
		{"an HTTP date, by the API's clock", nil, 429, []string{"Retry-After: Wed, 25 Nov 2026 08:00:30 GMT"}, ``, Verdict{true, 30 * s, -1, -1}},
		{"the date of RFC 850", nil, 429, []string{"Retry-After: Wednesday, 25-Nov-26 08:00:30 GMT"}, ``, Verdict{true, 30 * s, -1, -1}},
		{"the date of asctime", nil, 429, []string{"Retry-After: Wed Nov 25 08:00:30 2026"}, ``, Verdict{true, 30 * s, -1, -1}},
		{"a date that is past", nil, 429, []string{"Retry-After: Wed, 25 Nov 2026 07:00:00 GMT"}, ``, Verdict{true, s, -1, -1}},
		{"no time at all", nil, 429, []string{"Retry-After: 0"}, ``, Verdict{true, s, -1, -1}},
		{"an hour", nil, 429, []string{"Retry-After: 3600"}, ``, Verdict{true, time.Hour, -1, -1}},
		{"a year is cut to a day", nil, 429, []string{"Retry-After: 31536000"}, ``, Verdict{true, 24 * time.Hour, -1, -1}},
		{"a negative time is none", nil, 429, []string{"Retry-After: -5"}, ``, Verdict{true, 60 * s, -1, -1}},
		{"not a number is none", nil, 429, []string{"Retry-After: NaN"}, ``, Verdict{true, 60 * s, -1, -1}},
		{"infinity is none", nil, 429, []string{"Retry-After: Inf"}, ``, Verdict{true, 60 * s, -1, -1}},
		{"a text is none", nil, 429, []string{"Retry-After: soon"}, ``, Verdict{true, 60 * s, -1, -1}},
		{"503 that says when", nil, 503, []string{"Retry-After: 7"}, ``, Verdict{true, 7 * s, -1, -1}},
		{"503 that does not is no limit", nil, 503, nil, ``, Verdict{false, 0, -1, -1}},
		{"403 that says when", nil, 403, []string{"Retry-After: 7"}, ``, Verdict{true, 7 * s, -1, -1}},
		{"403 that does not is no limit", nil, 403, nil, `{"message":"Forbidden"}`, Verdict{false, 0, -1, -1}},

		{"GitHub: 403 with nothing left, and Unix seconds", nil, 403, []string{"X-RateLimit-Limit: 5000", "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 1795593720"}, ``, Verdict{true, 120 * s, 0, 5000}},
		{"GitHub: a secondary limit that says when, with enough left", nil, 403, []string{"Retry-After: 60", "X-RateLimit-Limit: 5000", "X-RateLimit-Remaining: 4000", "X-RateLimit-Reset: 1795597200"}, ``, Verdict{true, 60 * s, 4000, 5000}},
		{"GitHub: a secondary limit that its body tells, with enough left", nil, 403, []string{"X-RateLimit-Remaining: 4000", "X-RateLimit-Reset: 1795597200"}, `{"message":"You have exceeded a secondary rate limit."}`, Verdict{true, 60 * s, 4000, -1}},
		{"GitHub: well, and enough left", github, 200, []string{"X-RateLimit-Limit: 5000", "X-RateLimit-Remaining: 501", "X-RateLimit-Reset: 1795593720"}, ``, Verdict{false, 0, 501, 5000}},
		{"GitHub: well, and the rest is others'", github, 200, []string{"X-RateLimit-Limit: 5000", "X-RateLimit-Remaining: 500", "X-RateLimit-Reset: 1795593720"}, ``, Verdict{false, 120 * s, 500, 5000}},
		{"GitHub: well, and it was the last", nil, 200, []string{"X-RateLimit-Limit: 5000", "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 1795593720"}, ``, Verdict{false, 120 * s, 0, 5000}},
		{"GitHub: the last, and a reset that is past", nil, 200, []string{"X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 1795593000"}, ``, Verdict{false, s, 0, -1}},
		{"Okta", nil, 429, []string{"X-Rate-Limit-Limit: 600", "X-Rate-Limit-Remaining: 0", "X-Rate-Limit-Reset: 1795593630"}, ``, Verdict{true, 30 * s, 0, 600}},
		{"Linear: Unix milliseconds", nil, 429, []string{"X-RateLimit-Requests-Remaining: 0", "X-RateLimit-Requests-Reset: 1795593645500"}, ``, Verdict{true, 45500 * time.Millisecond, 0, -1}},
		{"Linear: the other limit is used up", nil, 200, []string{"X-RateLimit-Requests-Remaining: 9", "X-RateLimit-Requests-Reset: 1795593645500", "X-RateLimit-Complexity-Remaining: 0", "X-RateLimit-Complexity-Limit: 250000", "X-RateLimit-Complexity-Reset: 1795593610000"}, ``, Verdict{false, 10 * s, 0, 250000}},
		{"PagerDuty: seconds left", nil, 429, []string{"ratelimit-limit: 960", "ratelimit-remaining: 0", "ratelimit-reset: 42"}, ``, Verdict{true, 42 * s, 0, 960}},
		{"Datadog, Calendly: seconds left under the name of GitHub's", nil, 429, []string{"X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 17"}, ``, Verdict{true, 17 * s, 0, -1}},
		{"BigCommerce: milliseconds left", nil, 429, []string{"X-Rate-Limit-Requests-Left: 0", "X-Rate-Limit-Requests-Quota: 150", "X-Rate-Limit-Time-Reset-Ms: 3500"}, ``, Verdict{true, 3500 * time.Millisecond, 0, 150}},
		{"GoCardless: an HTTP date", nil, 429, []string{"RateLimit-Limit: 1000", "RateLimit-Remaining: 0", "RateLimit-Reset: Wed, 25 Nov 2026 08:00:50 GMT"}, ``, Verdict{true, 50 * s, 0, 1000}},
		{"Discord: decimal seconds, before the instant", nil, 429, []string{"X-RateLimit-Limit: 5", "X-RateLimit-Remaining: 0", "X-RateLimit-Reset-After: 3.25"}, ``, Verdict{true, 3250 * time.Millisecond, 0, 5}},
		{"Discord: in the body", nil, 429, nil, `{"message":"You are being rate limited.","retry_after":64.57,"global":false}`, Verdict{true, 64570 * time.Millisecond, -1, -1}},
		{"HubSpot: the interval's length", nil, 200, []string{"X-HubSpot-RateLimit-Remaining: 0", "X-HubSpot-RateLimit-Max: 100", "X-HubSpot-RateLimit-Interval-Milliseconds: 10000"}, ``, Verdict{false, 10 * s, 0, 100}},
		{"Xero: a minute's", nil, 200, []string{"X-MinLimit-Remaining: 0"}, ``, Verdict{false, 60 * s, 0, -1}},
		{"Shopify: used of a bucket, some left", nil, 200, []string{"X-Shopify-Shop-Api-Call-Limit: 32/40"}, ``, Verdict{false, 0, 8, 40}},
		{"Shopify: a bucket that is full", nil, 200, []string{"X-Shopify-Shop-Api-Call-Limit: 40/40"}, ``, Verdict{false, s, 0, 40}},
		{"Shopify: refused, with decimal seconds", nil, 429, []string{"X-Shopify-Shop-Api-Call-Limit: 40/40", "Retry-After: 2.0"}, ``, Verdict{true, 2 * s, 0, 40}},
		{"Salesforce: used of a day", nil, 200, []string{"Sforce-Limit-Info: api-usage=18/5000"}, ``, Verdict{false, 0, 4982, 5000}},
		{"Salesforce: used up", nil, 403, []string{"Sforce-Limit-Info: api-usage=5003/5000"}, `[{"errorCode":"REQUEST_LIMIT_EXCEEDED"}]`, Verdict{true, 60 * s, 0, 5000}},
		{"Google: an instant in a text", nil, 429, nil, `{"error":{"message":"User-rate limit exceeded.  Retry after 2026-11-25T08:01:00.500Z"}}`, Verdict{true, 60500 * time.Millisecond, -1, -1}},
		{"Google: a reason in a 403", nil, 403, nil, `{"error":{"errors":[{"reason":"userRateLimitExceeded"}]}}`, Verdict{true, 60 * s, -1, -1}},
		{"Google: what the configuration finds", google, 403, nil, `{"error":{"errors":[{"reason":"quotaExceeded"}]}}`, Verdict{true, 60 * s, -1, -1}},
		{"Google: another reason", google, 403, nil, `{"error":{"errors":[{"reason":"forbidden"}]}}`, Verdict{false, 0, -1, -1}},
		{"a condition that does not fit the answer", google, 403, nil, `<html>`, Verdict{false, 0, -1, -1}},
		{"a condition on a header, by its name in lower case", &config.RateLimit{LimitedWhen: `.status == 400 and .headers["x-reason"] == "slow down"`}, 400, []string{"X-Reason: slow down"}, ``, Verdict{true, 60 * s, -1, -1}},

		{"Shopify's cost: enough for the next query", shopify, 200, nil, `{"data":{},"extensions":{"cost":{"requestedQueryCost":101,"throttleStatus":{"maximumAvailable":2000,"currentlyAvailable":1899,"restoreRate":100}}}}`, Verdict{false, 0, 1899, 2000}},
		{"Shopify's cost: not enough for the next query", shopify, 200, nil, `{"data":{},"extensions":{"cost":{"requestedQueryCost":502,"throttleStatus":{"maximumAvailable":2000,"currentlyAvailable":202,"restoreRate":100}}}}`, Verdict{false, 3 * s, 202, 2000}},
		{"Shopify's cost: refused in a 200", shopify, 200, nil, `{"errors":[{"extensions":{"code":"THROTTLED"}}],"extensions":{"cost":{"requestedQueryCost":502,"throttleStatus":{"maximumAvailable":2000,"currentlyAvailable":2,"restoreRate":100}}}}`, Verdict{true, 5 * s, 2, 2000}},

		{"the drafts up to 06, with a policy behind the limit", nil, 429, []string{"RateLimit-Limit: 100, 100;w=60", "RateLimit-Remaining: 0", "RateLimit-Reset: 12"}, ``, Verdict{true, 12 * s, 0, 100}},
		{"draft 07", nil, 429, []string{"RateLimit: limit=100, remaining=0, reset=31"}, ``, Verdict{true, 31 * s, 0, 100}},
		{"draft 07, some left", nil, 200, []string{"RateLimit: limit=100, remaining=50, reset=31"}, ``, Verdict{false, 0, 50, 100}},
		{"draft 08", nil, 429, []string{`RateLimit: "default";r=0;t=30`, `RateLimit-Policy: "default";q=100;w=60`}, ``, Verdict{true, 30 * s, 0, 100}},
		{"draft 11, of several the one that ends last", nil, 200, []string{`RateLimit: "second";r=0;t=1, "hour";r=0;t=900`, `RateLimit: "day";r=5;t=40000`, `RateLimit-Policy: "second";q=5;w=1, "hour";q=500;w=3600, "day";q=9000;w=86400`}, ``, Verdict{false, 900 * s, 0, 500}},
		{"draft 11, of several the reserve of one", github, 200, []string{`RateLimit: "a";r=10;t=7`, `RateLimit-Policy: "a";q=100;w=60`}, ``, Verdict{false, 7 * s, 10, 100}},
		{"a field that is no structured field", nil, 200, []string{`RateLimit: "a;r=`}, ``, Verdict{false, 0, -1, -1}},
		{"byte sequences and other oddities", nil, 200, []string{`RateLimit: :AAAA:;r=0;t=2, (1 2);r=0;t=9`, `RateLimit-Policy: :AAAA:;q=3`}, ``, Verdict{false, 2 * s, 0, 3}},

		{"configured headers, and their format", &config.RateLimit{Remaining: "X-Left", Limit: "X-All", Reset: "X-Until", ResetFormat: "epoch_ms"}, 429, []string{"X-Left: 0", "X-All: 9", "X-Until: 1795593605000"}, ``, Verdict{true, 5 * s, 0, 9}},
		{"a configured format that the header has not", &config.RateLimit{Reset: "X-Until", ResetFormat: "rfc3339"}, 429, []string{"X-Until: 17"}, ``, Verdict{true, 60 * s, -1, -1}},
		{"a configured header of RFC 3339", &config.RateLimit{Reset: "X-Until", ResetFormat: "rfc3339"}, 429, []string{"X-Until: 2026-11-25T08:00:17Z"}, ``, Verdict{true, 17 * s, -1, -1}},
		{"a configured header without a reset: its period", &config.RateLimit{Remaining: "X-Left", Per: config.Duration(10 * s)}, 200, []string{"X-Left: 0"}, ``, Verdict{false, 10 * s, 0, -1}},
		{"a configured place in the body", &config.RateLimit{RetryAfter: "body.error.wait"}, 429, nil, `{"error":{"wait":"11"}}`, Verdict{true, 11 * s, -1, -1}},
		{"a configured place, and Retry-After where it is not there", &config.RateLimit{RetryAfter: "body.error.wait"}, 429, []string{"Retry-After: 3"}, `{}`, Verdict{true, 3 * s, -1, -1}},
		{"a configured header for the time to wait", &config.RateLimit{RetryAfter: "X-Wait"}, 429, []string{"X-Wait: 1m30s"}, ``, Verdict{true, 90 * s, -1, -1}},
		{"more left than an int has", nil, 200, []string{"X-RateLimit-Remaining: 99999999999999999999", "X-RateLimit-Reset: 5"}, ``, Verdict{false, 0, 1<<31 - 1, -1}},
		{"a negative rest is none", nil, 200, []string{"X-RateLimit-Remaining: -1", "X-RateLimit-Reset: 5"}, ``, Verdict{false, 0, -1, -1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d, err := NewDialect(test.c)
			if err != nil {
				t.Fatal(err)
			}
			got := d.Read(t.Context(), Answer{Status: test.status, Header: headers(test.header...), Server: served, Body: []byte(test.body)})
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNewDialectRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		c    config.RateLimit
		want string
	}{
		{"a share that is none", config.RateLimit{Reserve: "a tenth"}, "rate_limit.reserve: "},
		{"a condition that is not jq", config.RateLimit{LimitedWhen: ".status =="}, "rate_limit.limited_when: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := NewDialect(&test.c); err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("err = %v, want one that begins with %q", err, test.want)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add(429, "Retry-After", "3", `{"retry_after":1}`)
	f.Add(200, "RateLimit", `"a";r=0;t=1`, ``)
	f.Add(200, "X-RateLimit-Reset", `1e400`, ``)
	f.Fuzz(func(t *testing.T, status int, name, value, body string) {
		d, err := NewDialect(&config.RateLimit{CostPath: "cost", Reserve: "50%", RetryAfter: "body.retry_after"})
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{"X-Ratelimit-Remaining": {"0"}}
		h.Set(name, value)
		v := d.Read(t.Context(), Answer{Status: status, Header: h, Server: served, Body: []byte(body)})
		if v.Wait < 0 || v.Wait > longest || v.Limited && v.Wait < shortest || v.Remaining < -1 || v.Limit < -1 {
			t.Errorf("%+v", v)
		}
	})
}
