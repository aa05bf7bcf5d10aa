package standin

import (
	"net/http"
	"strconv"
	"time"
)

// pages are counted, by number or by offset.
var pages = []Dialect{
	{
		Name: "pagerduty", Like: "PagerDuty's log entries: offset, newest first: rows that come in shift the others",
		page: 50, precision: time.Second, late: 2 * time.Second, limit: "pagerduty",
		poll: `
auth: { type: api_key, name: Authorization, value: "Token token={token}" }
request: { path: /log_entries, headers: { Accept: "application/vnd.pagerduty+json;version=2" } }
records: { path: log_entries }
pagination: { type: offset, cursor_param: offset, page_size: 50, page_size_param: limit, has_more_path: more }
incremental: { cursor_path: at, start_param: since, precision: s, order: desc, lookback: 10s }
`,
		event: factID, serve: pagerduty,
		auth: func(a *API, r *http.Request) bool { return r.Header.Get("Authorization") == "Token token="+a.Token() },
	},
	{
		Name: "bigcommerce", Like: "BigCommerce's orders: page numbers, 204 where there is nothing",
		page: 50, precision: time.Second, late: 2 * time.Second, limit: "bigcommerce",
		poll: `
auth: { type: api_key, name: X-Auth-Token }
request: { path: /v2/orders, params: { sort: "date_modified:asc" } }
records: { optional: true }
pagination: { type: page, cursor_param: page, page_size: 50, page_size_param: limit }
incremental: { cursor_path: at, start_param: min_date_modified, precision: s, order: asc, lookback: 10s }
`,
		event: factID, serve: bigcommerce,
		auth: func(a *API, r *http.Request) bool { return r.Header.Get("X-Auth-Token") == a.Token() },
	},
	{
		Name: "paypal", Like: "PayPal's transactions: both bounds, a longest range, and up to when it is complete",
		page: 40, precision: time.Second, late: 2 * time.Second, limit: "gocardless",
		poll: `
auth: { type: bearer }
request: { path: /v1/reporting/transactions }
records: { path: transaction_details }
pagination: { type: page, cursor_param: page, page_size: 40, page_size_param: page_size, total_pages_path: total_pages }
incremental: { cursor_path: at, start_param: start_date, end_param: end_date, precision: s, order: none, window: 5h, mark_path: last_refreshed_datetime }
`,
		event: factID, serve: paypal,
	},
	{
		Name: "directory", Like: "a list with neither times nor a cursor: what is there, as it is now",
		page: 50, precision: time.Millisecond, changes: true, deletes: true, silent: true, most: 1500, limit: "salesforce",
		poll: `
auth: { type: bearer }
request: { path: /all }
records: { path: items }
pagination: { type: page, cursor_param: page, page_size: 50, page_size_param: size, total_path: total }
snapshot: { ignore: [seen], deletes: true }
`,
		event: `{ entity: "{body.id}" }`, serve: directory, parse: snapshotted,
	},
}

func number(text string, otherwise int) int {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return otherwise
}

func pagerduty(a *API, w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	at := number(q.Get("offset"), 0)
	items := a.store.log(a.someone(at > 0))
	if since, err := time.Parse(time.RFC3339, q.Get("since")); err == nil {
		items = from(items, since)
	}
	items = newestFirst(items)
	size := a.size(q.Get("limit"))
	page, more := first(items[min(at, len(items)):], size)
	reply(w, object{"log_entries": records(page, seconds), "limit": size, "offset": at, "more": more, "total": nil})
}

func bigcommerce(a *API, w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	n := number(q.Get("page"), 1)
	items := a.store.log(a.someone(n > 1))
	if since, err := time.Parse(time.RFC3339, q.Get("min_date_modified")); err == nil {
		items = from(items, since)
	}
	size := a.size(q.Get("limit"))
	page, _ := first(items[min((n-1)*size, len(items)):], size)
	w.Header().Set("X-Rate-Limit-Requests-Left", "15000")
	w.Header().Set("X-Rate-Limit-Time-Reset-Ms", "15000")
	if len(page) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	reply(w, records(page, seconds))
}

func paypal(a *API, w http.ResponseWriter, r *http.Request) {
	const longest = 6 * time.Hour  // 31 days, there
	const behind = 5 * time.Second // 3 hours, there
	q := r.URL.Query()
	start, err := time.Parse(time.RFC3339, q.Get("start_date"))
	end, err2 := time.Parse(time.RFC3339, q.Get("end_date"))
	if err != nil || err2 != nil || end.Sub(start) > longest || end.Before(start) {
		fail(w, 400, `{"name":"INVALID_REQUEST","message":"Date range is greater than 31 days"}`)
		return
	}
	n := number(q.Get("page"), 1)
	now := a.someone(n > 1)
	refreshed := now.Add(-behind).Truncate(time.Second)
	if end.After(refreshed) {
		end = refreshed
	}
	items := from(a.store.log(now), start)
	for i, it := range items {
		if it.At.After(end) {
			items = items[:i]
			break
		}
	}
	size := a.size(q.Get("page_size"))
	total := (len(items) + size - 1) / size
	page, _ := first(items[min((n-1)*size, len(items)):], size)
	reply(w, object{"transaction_details": records(page, seconds), "page": n, "total_items": len(items), "total_pages": total, "last_refreshed_datetime": seconds(refreshed)})
}
