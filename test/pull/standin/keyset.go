package standin

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// keysets are lists that go on after a record, and those with a Link.
var keysets = []Dialect{
	{
		Name: "stripe", Like: "Stripe's events: newest first, after an id, has_more",
		page: 50, precision: time.Second, late: 3 * time.Second, limit: "nothing", gzip: true,
		poll: `
auth: { type: basic }
request: { path: /v1/events }
records: { path: data }
pagination: { type: keyset, cursor_path: id, cursor_param: starting_after, has_more_path: has_more, page_size: 50, page_size_param: limit }
incremental: { cursor_path: at, start_param: "created[gte]", format: unix, precision: s, order: desc, lookback: 10s }
`,
		event: factID, auth: basic, serve: stripe,
	},
	{
		Name: "github", Like: "GitHub's issues: Link, ETag, X-Poll-Interval",
		page: 40, precision: time.Second, changes: true, limit: "github", gzip: true,
		poll: `
auth: { type: bearer }
request: { path: /repos/acme/shop/issues, params: { sort: updated, direction: asc, per_page: "40" } }
pagination: { type: link_header }
incremental: { cursor_path: at, start_param: since, format: rfc3339, precision: s, order: asc, lookback: 10s }
conditional: etag
`,
		event: stateID, serve: github,
	},
	{
		Name: "okta", Like: "Okta's system log: there is always a next Link",
		page: 50, precision: time.Millisecond, late: 2 * time.Second, limit: "okta",
		poll: `
auth: { type: api_key, name: Authorization, value: "SSWS {token}" }
request: { path: /api/v1/logs, params: { sortOrder: ASCENDING, limit: "50" } }
pagination: { type: link_header }
incremental: { cursor_path: at, start_param: since, precision: ms, order: asc, lookback: 10s }
`,
		event: factID, serve: okta,
		auth: func(a *API, r *http.Request) bool { return r.Header.Get("Authorization") == "SSWS "+a.Token() },
	},
	{
		Name: "auth0", Like: "Auth0's logs: by log id; at the tail next is the address just used",
		page: 50, precision: time.Millisecond, late: 2 * time.Second, limit: "calendly",
		poll: `
auth: { type: bearer }
request: { path: /api/v2/logs, params: { take: "50" } }
pagination: { type: link_header }
incremental: { cursor_path: log_id, start_param: from, format: text, order: asc }
`,
		event: `{ identity: "{body.log_id}", time: "{body.at}" }`, serve: auth0,
	},
	{
		Name: "slack", Like: "Slack's history: newest first, a cursor that is empty at the end, microseconds as text",
		page: 45, precision: time.Millisecond, late: 2 * time.Second, limit: "seconds",
		poll: `
auth: { type: bearer }
request: { path: /conversations.history, params: { channel: C1, inclusive: "true", limit: "45" } }
records: { path: messages }
pagination: { type: cursor, cursor_path: response_metadata.next_cursor, cursor_param: cursor }
incremental: { cursor_path: ts, start_param: oldest, format: text, order: desc }
`,
		event: `{ identity: "{body.id}" }`, serve: slack,
	},
}

func basic(a *API, r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	return ok && user == a.Token() && password == ""
}

func stripe(a *API, w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	now := a.someone(q.Has("starting_after"))
	items := a.store.log(now)
	if text := q.Get("created[gte]"); text != "" {
		since, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			fail(w, 400, `{"error":{"message":"Invalid integer: created[gte]"}}`)
			return
		}
		items = from(items, time.Unix(since, 0))
	}
	items = newestFirst(items)
	if id := q.Get("starting_after"); id != "" {
		i := slices.IndexFunc(items, func(it Item) bool { return it.ID == id })
		if i < 0 {
			fail(w, 400, `{"error":{"message":"No such event"}}`)
			return
		}
		items = items[i+1:]
	}
	page, more := first(items, a.size(q.Get("limit")))
	reply(w, object{"object": "list", "data": records(page, unix), "has_more": more, "url": "/v1/events"})
}

func github(a *API, w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	now := a.someone(q.Has("after"))
	items := a.store.current(now)
	if since, err := time.Parse(time.RFC3339, q.Get("since")); err == nil {
		items = from(items, since)
	}
	if text := q.Get("after"); text != "" {
		s, err := parseSpot(text)
		if err != nil {
			fail(w, 422, `{"message":"Validation Failed"}`)
			return
		}
		items = after(items, s)
	}
	page, more := first(items, a.size(q.Get("per_page")))
	w.Header().Set("X-Poll-Interval", "5")
	w.Header().Set("X-RateLimit-Limit", "5000")
	w.Header().Set("X-RateLimit-Remaining", "4000")
	w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(now.Add(time.Hour).Unix(), 10))
	if more {
		q.Set("after", spotOf(page[len(page)-1]).String())
		w.Header().Set("Link", fmt.Sprintf(`<%s%s?%s>; rel="next", <%s%s>; rel="first"`, a.URL, r.URL.Path, q.Encode(), a.URL, r.URL.Path))
	}
	list := records(page, seconds)
	b, _ := json.Marshal(list) // cannot fail
	sum := sha256.Sum256(b)
	tag := `W/"` + hex.EncodeToString(sum[:8]) + `"`
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	reply(w, list)
}

func okta(a *API, w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	now := a.someone(q.Has("after"))
	items := a.store.log(now)
	if since, err := time.Parse(time.RFC3339, q.Get("since")); err == nil {
		items = from(items, since)
	}
	if text := q.Get("after"); text != "" {
		s, err := parseSpot(text)
		if err != nil {
			fail(w, 400, `{"errorCode":"E0000031"}`)
			return
		}
		items = after(items, s)
	}
	page, _ := first(items, a.size(q.Get("limit")))
	if len(page) > 0 {
		q.Set("after", spotOf(page[len(page)-1]).String())
	} else if !q.Has("after") {
		q.Set("after", spot{At: now.Add(-time.Hour * 9999)}.String())
	}
	w.Header().Add("Link", fmt.Sprintf(`<%s%s>; rel="self"`, a.URL, r.URL.RequestURI()))
	w.Header().Add("Link", fmt.Sprintf(`<%s%s?%s>; rel="next"`, a.URL, r.URL.Path, q.Encode()))
	reply(w, records(page, millis))
}

// logID sorts as the records became visible.
func logID(it Item) string { return fmt.Sprintf("900%020d%06d", it.Visible.UnixNano(), it.N) }

func auth0(a *API, w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	now := a.someone(q.Has("from"))
	items := a.store.since(time.Time{}, now)
	items = slices.DeleteFunc(items, func(it Item) bool { return logID(it) <= q.Get("from") })
	page, _ := first(items, a.size(q.Get("take")))
	out := make([]object, 0, len(page))
	for _, it := range page {
		out = append(out, object{"log_id": logID(it), "id": it.ID, "n": it.N, "at": millis(it.At), "text": text})
	}
	at := q.Get("from")
	if len(page) > 0 {
		at = logID(page[len(page)-1])
	}
	w.Header().Set("Link", fmt.Sprintf(`<%s%s?%s>; rel="next"`, a.URL, r.URL.Path, url.Values{"from": {at}, "take": q["take"]}.Encode()))
	reply(w, out)
}

func slack(a *API, w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	now := a.someone(q.Has("cursor"))
	ts := func(it Item) string {
		return fmt.Sprintf("%d.%06d", it.Visible.Unix(), it.Visible.Nanosecond()/1000)
	}
	items := a.store.since(time.Time{}, now)
	items = newestFirst(slices.DeleteFunc(items, func(it Item) bool { return ts(it) < q.Get("oldest") }))
	if n, err := strconv.Atoi(q.Get("cursor")); err == nil {
		i := slices.IndexFunc(items, func(it Item) bool { return it.N == n })
		items = items[i+1:]
	} else if q.Has("cursor") {
		reply(w, object{"ok": false, "error": "invalid_cursor"})
		return
	}
	page, more := first(items, a.size(q.Get("limit")))
	out := make([]object, 0, len(page))
	for _, it := range page {
		out = append(out, object{"type": "message", "ts": ts(it), "id": it.ID, "n": it.N, "text": text})
	}
	next := ""
	if more {
		next = strconv.Itoa(page[len(page)-1].N)
	}
	reply(w, object{"ok": true, "messages": out, "has_more": more, "response_metadata": object{"next_cursor": next}})
}
