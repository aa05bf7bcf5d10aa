package standin

import (
	"hash/fnv"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// families are lists of lists.
var families = []Dialect{
	{
		Name: "projects", Like: "events that are listed for each project alone",
		page: 30, precision: time.Second, late: 2 * time.Second, limit: "draft 08",
		poll: `
auth: { type: bearer }
parent:
  request: { path: /projects }
  records: { path: projects }
  pagination: { type: page, cursor_param: page, page_size: 4 }
  values: { project: id }
request: { path: "/projects/{parent.project}/events" }
records: { path: events }
pagination: { type: cursor, cursor_path: next, cursor_param: cursor }
incremental: { cursor_path: at, start_param: since, precision: s, order: asc, settle: 5s, lookback: 5s }
`,
		event: factID, serve: projects,
	},
}

const projectCount = 11

// project is which one a record belongs to.
func project(it Item) int {
	h := fnv.New32a()
	h.Write([]byte(it.ID))
	return int(h.Sum32() % projectCount)
}

func projects(a *API, w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if r.URL.Path == "/projects" {
		from := (number(q.Get("page"), 1) - 1) * 4
		list := []object{}
		for i := from; i < min(from+4, projectCount); i++ {
			list = append(list, object{"id": i, "name": "Project " + strconv.Itoa(i)})
		}
		reply(w, object{"projects": list})
		return
	}
	name, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/projects/"), "/")
	id, err := strconv.Atoi(name)
	if err != nil || rest != "events" {
		fail(w, 404, `{"error":"no such project"}`)
		return
	}
	items := a.store.log(a.someone(q.Has("cursor")))
	if since, err := time.Parse(time.RFC3339, q.Get("since")); err == nil {
		items = from(items, since)
	}
	if q.Has("cursor") {
		s, err := parseSpot(q.Get("cursor"))
		if err != nil {
			fail(w, 400, `{"error":"bad cursor"}`)
			return
		}
		items = after(items, s)
	}
	own := items[:0]
	for _, it := range items {
		if project(it) == id {
			own = append(own, it)
		}
	}
	page, more := first(own, a.page)
	body := object{"events": records(page, seconds)}
	if more {
		body["next"] = spotOf(page[len(page)-1]).String()
	}
	reply(w, body)
}
