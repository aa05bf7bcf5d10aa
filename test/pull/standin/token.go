package standin

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// tokens are APIs that tell what changed since a token was given.
var tokens = []Dialect{
	{
		Name: "zendesk", Like: "Zendesk's incremental export: an opaque cursor, begun once by time, withheld while it is fresh",
		page: 50, precision: time.Second, changes: true, deletes: true, limit: "seconds",
		poll: `
auth: { type: basic, username: "agent@example.com/token", password: "{token}" }
request: { path: /api/v2/incremental/tickets/cursor.json, params: { start_time: "{start}" }, first_only: [start_time] }
records: { path: tickets, deleted_when: .status == "deleted" }
pagination: { type: sync_token, cursor_path: after_cursor, cursor_param: cursor, stop_when: .body.end_of_stream, page_size: 50, page_size_param: per_page }
incremental: { format: unix, order: asc }
`,
		event: stateID, serve: zendesk,
		auth: func(a *API, r *http.Request) bool {
			user, password, _ := r.BasicAuth()
			return user == "agent@example.com/token" && password == a.Token()
		},
	},
	{
		Name: "calendar", Like: "Google Calendar: a token on the last page only, 410 when it is too old, OAuth 2",
		page: 30, precision: time.Millisecond, changes: true, deletes: true, limit: "google", gzip: true,
		poll: `
auth: { type: oauth2, grant: client_credentials, token_url: /token, client_id: standin, client_secret: "{token}" }
request: { path: /calendars/primary/events, params: { maxResults: "30", showDeleted: "true" } }
records: { path: items, deleted_when: .status == "cancelled" }
pagination: { type: sync_token, cursor_path: nextPageToken, cursor_param: pageToken, token_path: nextSyncToken, token_param: syncToken }
incremental: { on_expired: { status: [410] } }
`,
		event: stateID, serve: calendar, auth: accessToken,
	},
	{
		Name: "graph", Like: "Microsoft Graph's delta: addresses as tokens, empty pages, 410 resyncRequired",
		page: 30, precision: time.Millisecond, changes: true, deletes: true, limit: "date",
		poll: `
auth: { type: bearer }
request: { path: /v1.0/users/delta }
records: { path: value, deleted_when: '.["@removed"] != null' }
pagination: { type: sync_token, cursor_path: '@odata\.nextLink', token_path: '@odata\.deltaLink' }
incremental: { on_expired: { status: [410] } }
`,
		event: stateID, serve: graph,
	},
	{
		Name: "plaid", Like: "Plaid's transactions: three lists, and an error when they change while they are paged",
		page: 40, precision: time.Millisecond, changes: true, deletes: true, limit: "draft 06",
		poll: `
auth: { type: bearer }
request: { method: POST, path: /transactions/sync, json: { client_id: standin, cursor: "{cursor}", count: 40 } }
records: { jq: '.added[], .modified[], (.removed[] | .deleted = true)', deleted_when: .deleted == true }
pagination: { type: sync_token, cursor_path: next_cursor, has_more_path: has_more }
incremental: { on_expired: { status: [400], when: '.body.error_code == "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION"' } }
`,
		event: stateID, serve: plaid,
	},
	{
		Name: "asana", Like: "Asana's events: the first token comes with a 412",
		page: 40, precision: time.Millisecond, noHistory: true, limit: "draft 07",
		poll: `
auth: { type: bearer }
request: { path: /api/1.0/events, params: { resource: "12345" } }
records: { path: data, optional: true }
pagination:
  type: sync_token
  cursor_path: sync
  cursor_param: sync
  has_more_path: has_more
  seed: { path: /api/1.0/events, params: { resource: "12345" }, status: 412, token_path: sync }
incremental: { initial: 0s }
`,
		event: factID, serve: asana,
	},
}

func zendesk(a *API, w http.ResponseWriter, r *http.Request) {
	const withheld = 3 * time.Second // a minute, there
	q := r.URL.Query()
	now := a.someone(q.Has("cursor"))
	items := a.store.current(now.Add(-withheld).Truncate(time.Second).Add(-1)) // whole seconds
	switch {
	case q.Has("cursor"):
		s, err := parseSpot(q.Get("cursor"))
		if err != nil {
			fail(w, 400, `{"error":"InvalidCursor"}`)
			return
		}
		items = after(items, s)
	case q.Has("start_time"):
		var since int64
		if _, err := fmt.Sscan(q.Get("start_time"), &since); err != nil || time.Unix(since, 0).After(now.Add(-withheld)) {
			fail(w, 400, `{"error":"StartTimeTooRecent"}`)
			return
		}
		items = from(items, time.Unix(since, 0))
	default:
		fail(w, 400, `{"error":"InvalidValue","description":"start_time is required"}`)
		return
	}
	page, more := first(items, a.size(q.Get("per_page")))
	next := q.Get("cursor")
	if len(page) > 0 {
		next = spotOf(page[len(page)-1]).String()
	} else if next == "" {
		next = spot{At: now.Add(-withheld)}.String()
	}
	out := records(page, seconds)
	for i := range out {
		out[i].Status = map[bool]string{true: "deleted", false: "open"}[out[i].Deleted]
	}
	reply(w, object{"tickets": out, "after_cursor": next, "after_url": a.URL + r.URL.Path + "?cursor=" + next, "before_cursor": nil, "end_of_stream": !more})
}

// A delta is a place in the changes from one instant to another.
type delta struct {
	From time.Time `json:"f"`
	To   time.Time `json:"t,omitzero"` // zero: it is no page yet
	At   int       `json:"i,omitempty"`
}

func (d delta) String() string {
	b, _ := json.Marshal(d) // cannot fail
	return base64.RawURLEncoding.EncodeToString(b)
}

func parseDelta(text string) (d delta, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	return d, err == nil && json.Unmarshal(b, &d) == nil
}

// changes are a page of what changed, and where it goes on: to the next page, or
// with the next token. The first time it is all that is there, and nothing of what was.
func (a *API) changesOf(d delta, size int) (page []Item, next delta, more bool) {
	items := a.store.since(d.From, d.To)
	if d.From.IsZero() {
		items = without(items)
		a.session["listed"] = d.To
	}
	page, more = first(items[min(d.At, len(items)):], size)
	if more {
		return page, delta{d.From, d.To, d.At + size}, true
	}
	return page, delta{From: d.To}, false
}

func without(items []Item) []Item {
	out := items[:0]
	for _, it := range items {
		if !it.Deleted {
			out = append(out, it)
		}
	}
	return out
}

// outdated tells whether a token has died; one that did stays dead.
func (a *API) outdated(token string) bool {
	if a.session[token] == nil {
		a.session[token] = a.o.Faults > 0 && a.rand.IntN(12) == 0
	}
	if dead, _ := a.session[token].(bool); dead {
		a.counts.Faults["expired"]++
		return true
	}
	return false
}

// accessToken is OAuth 2: tokens that end soon, and without a word.
func accessToken(a *API, r *http.Request) bool {
	if r.URL.Path == "/token" {
		return true
	}
	ends, ok := a.session[r.Header.Get("Authorization")].(time.Time)
	return ok && a.Now().Before(ends)
}

func (a *API) giveToken(w http.ResponseWriter, r *http.Request) {
	id, secret, ok := r.BasicAuth()
	if !ok || id != "standin" || secret != a.Token() || r.FormValue("grant_type") != "client_credentials" {
		fail(w, 401, `{"error":"invalid_client"}`)
		return
	}
	token := fmt.Sprintf("at-%d", a.rand.Uint64())
	a.session["Bearer "+token] = a.Now().Add(time.Duration(5+a.rand.IntN(20)) * time.Second)
	reply(w, object{"access_token": token, "token_type": "Bearer", "expires_in": 3600})
}

func calendar(a *API, w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/token" {
		a.giveToken(w, r)
		return
	}
	q := r.URL.Query()
	now := a.someone(q.Has("pageToken"))
	d := delta{To: now}
	if token := q.Get("syncToken"); token != "" {
		since, ok := parseDelta(token)
		if !ok || !q.Has("pageToken") && a.outdated(token) {
			fail(w, 410, `{"error":{"code":410,"errors":[{"reason":"fullSyncRequired"}],"message":"Sync token is no longer valid, a full sync is required."}}`)
			return
		}
		d.From = since.From
	}
	if token := q.Get("pageToken"); token != "" {
		var ok bool
		if d, ok = parseDelta(token); !ok {
			fail(w, 400, `{"error":{"code":400,"message":"Invalid page token value."}}`)
			return
		}
	}
	page, next, more := a.changesOf(d, a.size(q.Get("maxResults")))
	out := records(page, millis)
	for i := range out {
		out[i].Status = map[bool]string{true: "cancelled", false: "confirmed"}[out[i].Deleted]
	}
	body := object{"kind": "calendar#events", "items": out}
	body[map[bool]string{true: "nextPageToken", false: "nextSyncToken"}[more]] = next.String()
	reply(w, body)
}

func graph(a *API, w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	now := a.someone(q.Has("$skiptoken"))
	d, ok := delta{To: now}, true
	switch {
	case q.Has("$deltatoken"):
		if d, ok = parseDelta(q.Get("$deltatoken")); ok && a.outdated(q.Get("$deltatoken")) {
			w.Header().Set("Location", a.URL+"/v1.0/users/delta")
			fail(w, 410, `{"error":{"code":"resyncRequired"}}`)
			return
		}
		d.To = now
	case q.Has("$skiptoken"):
		d, ok = parseDelta(q.Get("$skiptoken"))
	}
	if !ok {
		fail(w, 400, `{"error":{"code":"syncStateInvalid"}}`)
		return
	}
	if !q.Has("$skiptoken") || a.rand.IntN(3) == 0 { // a page with nothing in it, and more to come
		reply(w, object{"value": []any{}, "@odata.nextLink": a.URL + "/v1.0/users/delta?%24skiptoken=" + d.String()})
		return
	}
	page, next, more := a.changesOf(d, a.page)
	out := make([]object, 0, len(page))
	for _, it := range page {
		o := object{"id": it.ID, "n": it.N, "at": millis(it.At), "text": text}
		if it.Deleted {
			o["@removed"] = object{"reason": "deleted"}
		}
		out = append(out, o)
	}
	body := object{"value": out}
	if more {
		body["@odata.nextLink"] = a.URL + "/v1.0/users/delta?%24skiptoken=" + next.String()
	} else {
		body["@odata.deltaLink"] = a.URL + "/v1.0/users/delta?%24deltatoken=" + next.String()
	}
	reply(w, body)
}

func plaid(a *API, w http.ResponseWriter, r *http.Request) {
	var in struct {
		Cursor string
		Count  int
	}
	if !posted(w, r, &in) {
		return
	}
	d, ok := delta{}, true
	if in.Cursor != "" {
		d, ok = parseDelta(in.Cursor)
	}
	if !ok {
		fail(w, 400, `{"error_code":"INVALID_FIELD"}`)
		return
	}
	now := a.someone(!d.To.IsZero())
	if d.To.IsZero() {
		d.To = now
	} else if at, _ := a.session["mutation"].(time.Time); a.o.Faults > 0 && now.Sub(at) > 30*time.Second && a.rand.IntN(20) == 0 {
		a.session["mutation"] = now
		a.counts.Faults["mutation"]++
		fail(w, 400, `{"error_type":"TRANSACTIONS_ERROR","error_code":"TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION"}`)
		return
	}
	page, next, more := a.changesOf(d, min(a.page, max(in.Count, 1)))
	lists := map[string][]record{"added": {}, "modified": {}, "removed": {}}
	for i, rec := range records(page, millis) {
		kind := "added"
		switch {
		case rec.Deleted:
			kind = "removed"
		case i%2 == 1:
			kind = "modified"
		}
		rec.Deleted = false
		lists[kind] = append(lists[kind], rec)
	}
	reply(w, object{"added": lists["added"], "modified": lists["modified"], "removed": lists["removed"], "next_cursor": next.String(), "has_more": more})
}

func asana(a *API, w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	now := a.someone(q.Has("sync"))
	d, ok := parseDelta(q.Get("sync"))
	if !ok {
		a.session["seeded"] = now
		replyAs(w, http.StatusPreconditionFailed, object{"errors": []object{{"message": "Sync token invalid or too old."}}, "sync": delta{From: now}.String()})
		return
	}
	if d.To.IsZero() {
		d.To = now
	}
	page, next, more := a.changesOf(d, a.page)
	body := object{"sync": next.String(), "has_more": more}
	if len(page) > 0 {
		body["data"] = records(page, millis)
	}
	reply(w, body)
}
