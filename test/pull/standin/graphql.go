package standin

import (
	"net/http"
	"regexp"
	"time"
)

// graphs speak GraphQL.
var graphs = []Dialect{
	{
		Name: "shopify", Like: "Shopify's GraphQL: connections, and a limit that is told in a 200",
		page: 50, precision: time.Second, changes: true, limit: "shopify cost",
		poll: `
auth: { type: api_key, name: X-Shopify-Access-Token }
request:
  method: POST
  path: /admin/api/2026-07/graphql.json
  graphql:
    query: "query($after: String, $q: String) { orders(first: 50, after: $after, query: $q, sortKey: UPDATED_AT) { nodes { id n at text } pageInfo { hasNextPage endCursor } } }"
    variables: { q: "updated_at:>='{start}'", after: "{cursor}" }
records: { path: data.orders.nodes }
pagination: { type: cursor, cursor_path: data.orders.pageInfo.endCursor, has_more_path: data.orders.pageInfo.hasNextPage }
incremental: { cursor_path: at, precision: s, order: asc, lookback: 10s }
`,
		event: stateID, serve: shopify,
		auth: func(a *API, r *http.Request) bool { return r.Header.Get("X-Shopify-Access-Token") == a.Token() },
	},
	{
		Name: "linear", Like: "Linear's GraphQL: newest first, and a limit that is told in a 400",
		page: 50, precision: time.Millisecond, changes: true, limit: "linear",
		poll: `
auth: { type: api_key, name: Authorization }
request:
  method: POST
  path: /graphql
  graphql:
    query: "query($after: String, $since: DateTimeOrDuration) { issues(first: 50, after: $after, orderBy: updatedAt, filter: {updatedAt: {gte: $since}}) { nodes { id n at text } pageInfo { hasNextPage endCursor } } }"
    variables: { since: "{start}", after: "{cursor}" }
records: { path: data.issues.nodes }
pagination: { type: cursor, cursor_path: data.issues.pageInfo.endCursor, has_more_path: data.issues.pageInfo.hasNextPage }
incremental: { cursor_path: at, precision: ms, order: desc, lookback: 5s }
`,
		event: stateID, serve: linear,
		auth: func(a *API, r *http.Request) bool { return r.Header.Get("Authorization") == a.Token() },
	},
}

type query struct {
	Query     string
	Variables struct{ Q, After, Since string }
}

// connection is a page of a list that is sorted by time.
func (a *API) connection(items []Item, as written) object {
	page, more := first(items, a.page)
	info := object{"hasNextPage": more, "endCursor": nil}
	if len(page) > 0 {
		info["endCursor"] = spotOf(page[len(page)-1]).String() // on the last page, too
	}
	return object{"nodes": records(page, as), "pageInfo": info}
}

var shopifyQuery = regexp.MustCompile(`^updated_at:>='([^']+)'$`)

func shopify(a *API, w http.ResponseWriter, r *http.Request) {
	const most, restore, cost = 2000.0, 100.0, 52.0
	var in query
	if !posted(w, r, &in) {
		return
	}
	now := a.Now()
	left, ok := a.session["left"].(float64)
	if at, _ := a.session["at"].(time.Time); ok {
		left = min(most, left+now.Sub(at).Seconds()*restore)
	} else {
		left = most
	}
	throttle := func(errors any, data any) {
		a.session["left"], a.session["at"] = left, now
		body := object{"extensions": object{"cost": object{
			"requestedQueryCost": cost, "actualQueryCost": cost,
			"throttleStatus": object{"maximumAvailable": most, "currentlyAvailable": left, "restoreRate": restore},
		}}}
		if errors != nil {
			body["errors"] = errors
		} else {
			body["data"] = data
		}
		reply(w, body)
	}
	if left < cost {
		a.counts.Faults["throttled"]++
		throttle([]object{{"message": "Throttled", "extensions": object{"code": "THROTTLED"}}}, nil)
		return
	}
	left -= cost
	items := a.store.current(a.someone(in.Variables.After != ""))
	if in.Variables.Q != "" {
		m := shopifyQuery.FindStringSubmatch(in.Variables.Q)
		if m == nil {
			throttle([]object{{"message": "invalid query"}}, nil)
			return
		}
		since, err := time.Parse(time.RFC3339, m[1])
		if err != nil {
			throttle([]object{{"message": "invalid date"}}, nil)
			return
		}
		items = from(items, since)
	}
	if in.Variables.After != "" {
		s, err := parseSpot(in.Variables.After)
		if err != nil {
			throttle([]object{{"message": "invalid cursor"}}, nil)
			return
		}
		items = after(items, s)
	}
	throttle(nil, object{"orders": a.connection(items, seconds)})
}

func linear(a *API, w http.ResponseWriter, r *http.Request) {
	var in query
	if !posted(w, r, &in) {
		return
	}
	items := a.store.current(a.someone(in.Variables.After != ""))
	if since, err := time.Parse(time.RFC3339, in.Variables.Since); err == nil {
		items = from(items, since)
	}
	items = newestFirst(items)
	if in.Variables.After != "" {
		s, err := parseSpot(in.Variables.After)
		if err != nil {
			fail(w, 400, `{"errors":[{"message":"invalid cursor","extensions":{"code":"INVALID_INPUT"}}]}`)
			return
		}
		items = before(items, s)
	}
	reply(w, object{"data": object{"issues": a.connection(items, millis)}})
}
