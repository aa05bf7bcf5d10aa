package standin

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// files are whole documents: exports, lines, a feed.
var files = []Dialect{
	{
		Name: "report", Like: "reports that are made: asked for, waited for, fetched as packed CSV",
		page: 1000, precision: time.Second, late: 2 * time.Second, limit: "seconds",
		poll: `
auth: { type: bearer }
request: { method: POST, path: /exports, json: { from: "{start}", to: "{end}" } }
records: { format: csv, delimiter: ";" }
export:
  job_path: id
  status: { path: "/exports/{job}" }
  status_path: state
  done: [ready]
  failed: [failed]
  url_path: files
  every: 2s
incremental: { cursor_path: at, precision: s, order: none, settle: 5s }
`,
		event: `{ identity: "{body.id}", time: "{body.at}" }`, serve: report, parse: line,
	},
	{
		Name: "lines", Like: "a change log as lines of JSON in one answer",
		page: 1000, precision: time.Millisecond, late: 2 * time.Second, limit: "discord", gzip: true,
		poll: `
auth: { type: bearer }
request: { path: /changes.ndjson }
records: { format: ndjson }
pagination: { type: none }
incremental: { cursor_path: at, start_param: since, format: unix_ms, order: asc, lookback: 10s }
`,
		event: factID, serve: lines,
	},
	{
		Name: "feed", Like: "an Atom feed: the newest entries, ETag and Last-Modified",
		page: 400, precision: time.Second, most: 350, late: 2 * time.Second, limit: "nothing",
		poll: `
auth: { type: none }
request: { path: /feed.atom }
records: { format: feed }
conditional: both
`,
		event: `{ identity: "{body.id}", time: "{body.updated}" }`, serve: feed, parse: entry, open: true,
	},
}

func report(a *API, w http.ResponseWriter, r *http.Request) {
	id, file, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/exports/"), "/")
	switch job, known := a.session["job "+id].(export); {
	case r.URL.Path == "/exports":
		var in struct{ From, To time.Time }
		if !posted(w, r, &in) {
			return
		}
		now := a.store.instant(a.Now())
		if in.To.IsZero() {
			in.To = now
		}
		id := fmt.Sprintf("job-%d", a.rand.Uint32())
		a.session["job "+id] = export{in.From, in.To, now, now.Add(time.Duration(a.rand.IntN(3000)) * time.Millisecond)}
		replyAs(w, http.StatusCreated, object{"id": id, "state": "queued"})
	case !known:
		fail(w, 404, `{"error":"no such job"}`)
	case file == "":
		if a.Now().Before(job.ready) {
			reply(w, object{"id": id, "state": "running"})
			return
		}
		reply(w, object{"id": id, "state": "ready", "files": []string{a.URL + r.URL.Path + "/1.csv.gz", a.URL + r.URL.Path + "/2.csv.gz"}})
	default:
		items := a.store.log(job.asked)
		half := len(items) / 2
		items = map[string][]Item{"1.csv.gz": items[:half], "2.csv.gz": items[half:]}[file]
		var b bytes.Buffer
		out := csv.NewWriter(&b)
		out.Comma = ';'
		_ = out.Write([]string{"id", "n", "at", "text"})
		for _, it := range items {
			if !it.At.Before(job.from) && !it.At.After(job.to) {
				_ = out.Write([]string{it.ID, strconv.Itoa(it.N), fmt.Sprint(seconds(it.At)), text + "\nsecond line"})
			}
		}
		out.Flush()
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(zipped(b.Bytes()))
	}
}

type export struct{ from, to, asked, ready time.Time }

// line reads what a CSV file's line became: all are texts.
func line(data []byte) (id string, n int, deleted bool, err error) {
	var rec struct{ ID, N, Text string }
	if err := json.Unmarshal(data, &rec); err != nil {
		return "", 0, false, err
	}
	if rec.Text != text+"\nsecond line" {
		return "", 0, false, fmt.Errorf("the text of %s arrived as %q", rec.ID, rec.Text)
	}
	n, err = strconv.Atoi(rec.N)
	return rec.ID, n, false, err
}

func lines(a *API, w http.ResponseWriter, r *http.Request) {
	items := a.store.log(a.someone(true))
	if ms, err := strconv.ParseInt(r.URL.Query().Get("since"), 10, 64); err == nil {
		items = from(items, time.UnixMilli(ms))
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	enc := json.NewEncoder(w)
	for _, rec := range records(items, millis) {
		_ = enc.Encode(rec)
	}
}

type atomEntry struct {
	XMLName xml.Name `xml:"entry"`
	ID      string   `xml:"id"`
	Title   string   `xml:"title"`
	Updated string   `xml:"updated"`
}

func feed(a *API, w http.ResponseWriter, r *http.Request) {
	items := newestFirst(a.store.log(a.someone(true)))
	page, _ := first(items, a.page)
	var b bytes.Buffer
	b.WriteString(xml.Header + `<feed xmlns="http://www.w3.org/2005/Atom"><id>tag:example.com,2026:shop</id><title>Shop</title>`)
	modified := a.Now().Add(-24 * time.Hour)
	for i, it := range page {
		if i == 0 {
			modified = it.At
		}
		e, _ := xml.Marshal(atomEntry{ID: "tag:example.com,2026:" + it.ID, Title: "n=" + strconv.Itoa(it.N), Updated: fmt.Sprint(seconds(it.At))})
		b.Write(e)
	}
	b.WriteString("</feed>")
	tag := fmt.Sprintf(`"%d-%d"`, len(items), b.Len())
	w.Header().Set("ETag", tag)
	w.Header().Set("Last-Modified", modified.UTC().Format(http.TimeFormat))
	w.Header().Set("Content-Type", "application/atom+xml")
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(b.Bytes())
}

// entry reads what an entry of a feed became.
func entry(data []byte) (id string, n int, deleted bool, err error) {
	var rec struct{ ID, Title string }
	if err := json.Unmarshal(data, &rec); err != nil {
		return "", 0, false, err
	}
	n, err = strconv.Atoi(strings.TrimPrefix(rec.Title, "n="))
	return strings.TrimPrefix(rec.ID, "tag:example.com,2026:"), n, false, err
}
