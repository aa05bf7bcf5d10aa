package standin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// searches are asked by a query, and write their times in their own way.
var searches = []Dialect{
	{
		Name: "hubspot", Like: "HubSpot's search: POST, and 400 past a number of results",
		page: 50, precision: time.Millisecond, late: 3 * time.Second, limit: "secondary",
		poll: `
auth: { type: bearer }
request:
  method: POST
  path: /crm/v3/objects/contacts/search
  json:
    filterGroups: [{ filters: [{ propertyName: lastmodifieddate, operator: GTE, value: "{start}" }] }]
    sorts: [{ propertyName: lastmodifieddate, direction: ASCENDING }]
    limit: 50
    after: "{cursor}"
records: { path: results }
pagination: { type: cursor, cursor_path: paging.next.after, max_depth: 400, page_size: 50 }
incremental: { cursor_path: at, format: unix_ms, precision: ms, order: asc, lookback: 10s }
`,
		event: factID, serve: hubspot,
	},
	{
		Name: "intercom", Like: "Intercom's search: later than, never at; seconds",
		page: 40, precision: time.Second, late: 2 * time.Second, limit: "draft 08",
		poll: `
auth: { type: bearer }
request:
  method: POST
  path: /conversations/search
  json:
    query: { field: updated_at, operator: ">", value: "{start}" }
    sort: { field: updated_at, order: ascending }
    pagination: { per_page: 40, starting_after: "{cursor}" }
records: { path: conversations }
pagination: { type: cursor, cursor_path: pages.next.starting_after }
incremental: { cursor_path: at, format: unix, precision: s, exclusive: true, order: asc, lookback: 10s }
`,
		event: factID, serve: intercom,
	},
	{
		Name: "square", Like: "Square's events: a cursor that lives for minutes, and for its own query alone",
		page: 50, precision: time.Millisecond, late: 2 * time.Second, limit: "seconds", gzip: true,
		poll: `
auth: { type: bearer }
request:
  method: POST
  path: /v2/events
  json:
    query: { filter: { createdAt: { startAt: "{start}" } } }
    limit: 50
    cursor: "{cursor}"
records: { path: events }
pagination: { type: cursor, cursor_path: cursor, cursor_ttl: 8s }
incremental:
  cursor_path: at
  precision: ms
  order: desc
  lookback: 10s
  on_expired: { status: [400], when: '.body.errors[0].code == "INVALID_CURSOR"' }
`,
		event: factID, serve: square,
	},
	{
		Name: "notion", Like: "Notion's query: times cut to the minute, has_more",
		page: 40, precision: time.Minute, limit: "decimals",
		poll: `
auth: { type: bearer }
request:
  method: POST
  path: /v1/query
  json:
    filter: { timestamp: last_edited_time, last_edited_time: { on_or_after: "{start}" } }
    sorts: [{ timestamp: last_edited_time, direction: ascending }]
    page_size: 40
    start_cursor: "{cursor}"
records: { path: results }
pagination: { type: cursor, cursor_path: next_cursor, has_more_path: has_more }
incremental: { cursor_path: at, precision: m, order: asc }
`,
		event: factID, serve: notion,
	},
	{
		Name: "jira", Like: "Jira's JQL: minutes, in the user's time zone",
		page: 50, precision: time.Millisecond, changes: true, late: 2 * time.Second, limit: "past date",
		poll: `
auth: { type: basic, username: agent@example.com, password: "{token}" }
request:
  path: /rest/api/3/search/jql
  params: { jql: 'updated >= "{start}" ORDER BY updated ASC', maxResults: "50", fields: updated }
records: { path: issues }
pagination: { type: cursor, cursor_path: nextPageToken, cursor_param: nextPageToken }
incremental: { cursor_path: at, format: layout, layout: "2006-01-02 15:04", time_zone: Asia/Kolkata, precision: m, order: asc }
`,
		event: stateID, serve: jira,
		auth: func(a *API, r *http.Request) bool {
			user, password, _ := r.BasicAuth()
			return user == "agent@example.com" && password == a.Token()
		},
	},
}

func square(a *API, w http.ResponseWriter, r *http.Request) {
	const life = 8 * time.Second // 5 minutes, there
	type cursor struct {
		Spot   spot
		Since  string
		Issued time.Time
	}
	var in struct {
		Query struct {
			Filter struct{ CreatedAt struct{ StartAt string } }
		}
		Cursor string
		Limit  int
	}
	if !posted(w, r, &in) {
		return
	}
	now := a.someone(in.Cursor != "")
	items := a.store.log(now)
	asked := in.Query.Filter.CreatedAt.StartAt
	if since, err := time.Parse(time.RFC3339, asked); err == nil {
		items = from(items, since)
	}
	items = newestFirst(items)
	if in.Cursor != "" {
		var c cursor
		if err := json.Unmarshal([]byte(in.Cursor), &c); err != nil || c.Since != asked || now.Sub(c.Issued) > life {
			a.counts.Faults["expired"]++
			fail(w, 400, `{"errors":[{"category":"INVALID_REQUEST_ERROR","code":"INVALID_CURSOR"}]}`)
			return
		}
		items = before(items, c.Spot)
	}
	page, more := first(items, min(max(in.Limit, 1), a.page))
	body := object{"events": records(page, millis)}
	if more {
		b, _ := json.Marshal(cursor{spotOf(page[len(page)-1]), asked, now}) // cannot fail
		body["cursor"] = string(b)
	}
	reply(w, body)
}

func hubspot(a *API, w http.ResponseWriter, r *http.Request) {
	const most = 400 // 10,000, there
	var in struct {
		FilterGroups []struct {
			Filters []struct {
				PropertyName, Operator string
				Value                  json.Number
			}
		}
		Limit int
		After string
	}
	if !posted(w, r, &in) {
		return
	}
	now := a.someone(in.After != "")
	items := a.store.log(now)
	for _, g := range in.FilterGroups {
		for _, f := range g.Filters {
			ms, err := f.Value.Int64()
			if err != nil || f.PropertyName != "lastmodifieddate" || f.Operator != "GTE" {
				fail(w, 400, `{"status":"error","category":"VALIDATION_ERROR"}`)
				return
			}
			items = from(items, time.UnixMilli(ms))
		}
	}
	total, at := len(items), 0
	if in.After != "" {
		at, _ = strconv.Atoi(in.After)
	}
	if in.Limit > a.page || at+in.Limit > most {
		fail(w, 400, `{"status":"error","message":"results beyond the 10,000th cannot be had"}`)
		return
	}
	page, more := first(items[min(at, total):], in.Limit)
	body := object{"total": total, "results": records(page, millis)}
	if more {
		body["paging"] = object{"next": object{"after": strconv.Itoa(at + in.Limit)}}
	}
	reply(w, body)
}

func intercom(a *API, w http.ResponseWriter, r *http.Request) {
	var in struct {
		Query struct {
			Field, Operator string
			Value           json.Number
		}
		Pagination struct {
			PerPage       int    `json:"per_page"`
			StartingAfter string `json:"starting_after"`
		}
	}
	if !posted(w, r, &in) {
		return
	}
	since, err := in.Query.Value.Int64()
	if err != nil || in.Query.Operator != ">" {
		fail(w, 400, `{"type":"error.list","errors":[{"code":"parameter_invalid"}]}`)
		return
	}
	now := a.someone(in.Pagination.StartingAfter != "")
	items := from(a.store.log(now), time.Unix(since+1, 0))
	if text := in.Pagination.StartingAfter; text != "" {
		s, err := parseSpot(text)
		if err != nil {
			fail(w, 400, `{"type":"error.list"}`)
			return
		}
		items = after(items, s)
	}
	page, more := first(items, min(max(in.Pagination.PerPage, 1), a.page))
	pages := object{"type": "pages"}
	if more {
		pages["next"] = object{"starting_after": spotOf(page[len(page)-1]).String()}
	}
	reply(w, object{"type": "conversation.list", "conversations": records(page, unix), "total_count": len(items), "pages": pages})
}

func notion(a *API, w http.ResponseWriter, r *http.Request) {
	var in struct {
		Filter struct {
			LastEditedTime struct {
				OnOrAfter time.Time `json:"on_or_after"`
			} `json:"last_edited_time"`
		}
		PageSize    int    `json:"page_size"`
		StartCursor string `json:"start_cursor"`
	}
	if !posted(w, r, &in) {
		return
	}
	now := a.someone(in.StartCursor != "")
	items := from(a.store.log(now), in.Filter.LastEditedTime.OnOrAfter)
	if in.StartCursor != "" {
		s, err := parseSpot(in.StartCursor)
		if err != nil {
			fail(w, 400, `{"code":"validation_error"}`)
			return
		}
		items = after(items, s)
	}
	page, more := first(items, min(max(in.PageSize, 1), a.page))
	var next any
	if more {
		next = spotOf(page[len(page)-1]).String()
	}
	reply(w, object{"object": "list", "results": records(page, millis), "next_cursor": next, "has_more": more})
}

var jql = regexp.MustCompile(`^updated >= "(\d{4}-\d\d-\d\d \d\d:\d\d)" ORDER BY updated ASC$`)

func jira(a *API, w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	m := jql.FindStringSubmatch(q.Get("jql"))
	zone, err := time.LoadLocation("Asia/Kolkata") // of the user whose token it is
	if m == nil || err != nil {
		fail(w, 400, fmt.Sprintf(`{"errorMessages":["Error in the JQL Query: %s"]}`, "updated"))
		return
	}
	since, err := time.ParseInLocation("2006-01-02 15:04", m[1], zone)
	if err != nil {
		fail(w, 400, `{"errorMessages":["Date value is invalid"]}`)
		return
	}
	now := a.someone(q.Has("nextPageToken"))
	items := from(a.store.current(now), since)
	if text := q.Get("nextPageToken"); text != "" {
		s, err := parseSpot(text)
		if err != nil {
			fail(w, 400, `{"errorMessages":["The provided next page token is invalid or expired."]}`)
			return
		}
		items = after(items, s)
	}
	page, more := first(items, a.size(q.Get("maxResults")))
	body := object{"issues": records(page, millis), "isLast": !more}
	if more {
		body["nextPageToken"] = spotOf(page[len(page)-1]).String()
	}
	reply(w, body)
}
