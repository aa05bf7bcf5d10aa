package load

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/jq"
)

// checkPoll looks at one poll; t is the poll's, s its source.
func (l *loader) checkPoll(t thing, s config.Source, p config.Poll) {
	l.checkPollName(t, s, p)
	l.checkInterval(t, p)
	l.checkReadable(t, []string{"token"}, p.Token)
	for name, refs := range p.Secrets {
		l.checkReadable(t, []string{"secrets", name}, refs)
	}
	l.checkSpec(t, []string{"event"}, p.Event)
	if p.Event != nil {
		l.checkRecordSpec(t, *p.Event)
	}
	if p.Provider != "" && (p.BaseURL == "" && p.Auth == nil) {
		return // the preset or its resource is unknown, which was said
	}
	if p.Provider == "" && t.has("resource") {
		l.missing(t, []string{"provider"}, "resource names one of a preset's")
	}
	l.checkBaseURL(t, p.BaseURL)
	l.checkPollAuth(t, p)
	l.checkRequests(t, p)
	l.checkRecords(t, []string{"records"}, p.Records)
	l.checkPagination(t, []string{"pagination"}, p.Pagination, p.Request)
	l.checkIncremental(t, p)
	l.checkSnapshot(t, p)
	l.checkLimit(t, p)
	if p.Parent != nil {
		l.checkRecords(t, []string{"parent", "records"}, p.Parent.Records)
		l.checkPagination(t, []string{"parent", "pagination"}, p.Parent.Pagination, p.Parent.Request)
		l.checkJQ(t, []string{"parent", "when"}, p.Parent.When, bounds...)
	}
	if p.Detail != nil {
		l.checkJQ(t, []string{"detail", "when"}, p.Detail.When, bounds...)
	}
	if e := p.Export; e != nil && e.URLPath == "" && e.Download == nil {
		l.missing(t, []string{"export", "url_path"}, "where the file's address is in the status' answer; or say its request in download")
	}
}

func (l *loader) checkPollName(t thing, s config.Source, p config.Poll) {
	same := 0
	for _, other := range s.Poll {
		if other.Name == p.Name {
			same++
		}
	}
	switch {
	case p.Name != "" && !isName(p.Name):
		l.problem(t, []string{"name"}, fmt.Sprintf("%q is not a name", p.Name), "use small letters, digits, - and _, at most 63, the first a letter or a digit")
	case same > 1 && p.Name == "":
		l.missing(t, []string{"name"}, "of several polls of a source one alone may be without")
	case same > 1:
		l.problem(t, []string{"name"}, fmt.Sprintf("two polls of the source are called %q", p.Name), "its checkpoint is kept under its name")
	}
}

// checkInterval: min, every and max are in this order.
func (l *loader) checkInterval(t thing, p config.Poll) {
	for _, i := range []struct {
		key   string
		value config.Duration
	}{{"every", p.Every}, {"min", p.Min}, {"max", p.Max}} {
		if i.value < leastEvery && (i.key == "every" || t.has(i.key)) {
			l.problem(t, []string{i.key}, fmt.Sprintf("%s is too often", i.value), "5s is the least")
			return
		}
	}
	if t.has("min") && p.Min > p.Every {
		l.problem(t, []string{"min"}, fmt.Sprintf("%s is longer than every, which is %s", p.Min, p.Every), "")
	}
	if t.has("max") && p.Max < p.Every {
		l.problem(t, []string{"max"}, fmt.Sprintf("%s is shorter than every, which is %s", p.Max, p.Every), "")
	}
}

// checkRecordSpec: a record of a page has no headers and no query.
func (l *loader) checkRecordSpec(t thing, s event.Spec) {
	for field, choices := range map[string]event.Choices{
		"identity": s.Identity, "type": s.Type, "time": s.Time, "entity": s.Entity, "version": s.Version,
	} {
		if !t.has("event", field) {
			continue // the preset's
		}
		for i, c := range choices {
			parts, err := event.ParseTemplate(c.Value)
			if err != nil {
				continue // said already
			}
			for _, p := range parts {
				if strings.HasPrefix(p.Placeholder, "header.") || strings.HasPrefix(p.Placeholder, "query.") {
					l.problem(t, l.candidate(t, []string{"event"}, field, i, ""), fmt.Sprintf("a polled record has no {%s}", p.Placeholder), "{body.…} is the record")
				}
			}
		}
	}
}

// bounds are the variables of what is asked of a record: $start and $now.
var bounds = []string{"start", "now"}

// checkJQ compiles an expression, which the poller would refuse too.
func (l *loader) checkJQ(t thing, at []string, expr string, vars ...string) {
	if expr == "" {
		return
	}
	if _, err := jq.Compile(expr, vars...); err != nil {
		l.problem(t, at, err.Error(), "")
	}
}

func (l *loader) checkRecords(t thing, at []string, r *config.Records) {
	if r == nil {
		return
	}
	under := func(key string) []string { return append(slices.Clone(at), key) }
	if r.JQ != "" && r.Path != "" {
		l.problem(t, under("jq"), "path and jq both say where the records are", "leave one out")
	}
	if r.Delimiter != "" && r.Format != "csv" {
		l.problem(t, under("delimiter"), "only csv has a delimiter", "say format: csv, or leave it out")
	}
	l.checkJQ(t, under("jq"), r.JQ)
	l.checkJQ(t, under("each"), r.Each, bounds...)
	l.checkJQ(t, under("deleted_when"), r.DeletedWhen, bounds...)
}

// What each type of pagination needs, and what it may have besides.
var paginations = map[string]struct{ needs, may []string }{
	"none":        {},
	"link_header": {may: []string{"has_more_path", "stop_when", "empty_page", "total_path"}},
	"next_url":    {needs: []string{"cursor_path"}, may: []string{"cursor_header", "has_more_path", "stop_when", "empty_page", "total_path", "cursor_ttl"}},
	"cursor":      {needs: []string{"cursor_path"}, may: []string{"cursor_header", "cursor_param", "has_more_path", "stop_when", "empty_page", "total_path", "cursor_ttl"}},
	"keyset":      {needs: []string{"cursor_path"}, may: []string{"cursor_param", "has_more_path", "stop_when", "total_path"}},
	"offset":      {needs: []string{"page_size"}, may: []string{"cursor_param", "start", "total_path", "has_more_path", "stop_when", "empty_page"}},
	"page":        {may: []string{"cursor_param", "start", "total_path", "total_pages_path", "has_more_path", "stop_when", "empty_page"}},
	"sync_token":  {needs: []string{"cursor_path"}, may: []string{"cursor_header", "cursor_param", "token_path", "token_param", "seed", "has_more_path", "stop_when", "empty_page", "cursor_ttl"}},
}

var paginationKeys = []string{
	"cursor_path", "cursor_header", "cursor_param", "token_path", "token_param", "seed", "has_more_path", "stop_when",
	"total_path", "total_pages_path", "start", "empty_page", "cursor_ttl", "page_size", "page_size_param", "max_depth",
}

func (l *loader) checkPagination(t thing, at []string, p *config.Pagination, r *config.Request) {
	if p == nil {
		return
	}
	under := func(key string) []string { return append(slices.Clone(at), key) }
	kind, known := paginations[p.Type]
	if !known {
		return // which the schema says
	}
	for _, key := range paginationKeys {
		always := []string{"page_size", "page_size_param", "max_depth"}
		if p.Type == "none" {
			always = nil
		}
		if !slices.Contains(slices.Concat(kind.needs, kind.may, always), key) {
			l.foreign(t, at, p.Type, key)
		}
	}
	has := map[string]bool{"cursor_path": p.CursorPath != "" || p.CursorHeader != "", "page_size": p.PageSize > 0}
	for _, key := range kind.needs {
		if !has[key] {
			l.missing(t, under(key), map[string]string{
				"cursor_path": "where the next cursor is: in the body, or for keyset in the last record",
				"page_size":   "how many records a page has at most",
			}[key])
		}
	}
	if slices.Contains(kind.may, "cursor_param") && p.Type != "sync_token" && p.CursorParam == "" && !takes(r, "cursor") {
		l.missing(t, under("cursor_param"), "the query parameter that takes the cursor; or put {cursor} into request")
	}
	if p.Start != nil && *p.Start < 0 {
		l.problem(t, under("start"), "less than nothing", "")
	}
	l.checkJQ(t, under("stop_when"), p.StopWhen)
}

// takes reports whether a request has a place for what a run fills in.
func takes(r *config.Request, name string) bool {
	return r != nil && slices.ContainsFunc(requestUses(nil, *r), func(u use) bool { return strings.Contains(u.template, "{"+name+"}") })
}

func (l *loader) checkIncremental(t thing, p config.Poll) {
	i := p.Incremental
	token := p.Pagination != nil && p.Pagination.Type == "sync_token"
	if i == nil {
		if p.Snapshot == nil && !token {
			l.warn(t, nil, "it reads everything each time, and the ledger forgets: what is listed for longer than the source's window comes again", "say incremental, where records have a time or a number that grows, or snapshot: {}")
		}
		return
	}
	at := func(key string) []string { return []string{"incremental", key} }
	if i.CursorPath == "" && i.MarkPath == "" && !token && p.Parent == nil {
		l.missing(t, at("cursor_path"), "the field of a record that grows, such as created")
	}
	if (i.Format == "layout") != (i.Layout != "") {
		l.problem(t, at("layout"), "format: layout and layout: go together", `write layout: "2006-01-02 15:04"`)
	}
	if i.TimeZone != "" {
		if _, err := time.LoadLocation(i.TimeZone); err != nil {
			l.problem(t, at("time_zone"), fmt.Sprintf("%q is not a time zone", i.TimeZone), "write Europe/Berlin or UTC")
		}
	}
	if i.MinWindow > i.Window && i.Window > 0 {
		l.problem(t, at("min_window"), fmt.Sprintf("%s is longer than window, which is %s", i.MinWindow, i.Window), "")
	}
	if i.Window > 0 && i.Format == "text" {
		l.problem(t, at("window"), "a text that sorts has no length", "leave it out, or say another format")
	}
	if i.Retention > 0 && p.Max > i.Retention {
		l.problem(t, []string{"max"}, fmt.Sprintf("polling each %s would lose what the API keeps for %s", p.Max, i.Retention), "make it a quarter of the retention at most")
	}
	if e := i.OnExpired; e != nil {
		l.checkJQ(t, []string{"incremental", "on_expired", "when"}, e.When)
	}
}

func (l *loader) checkSnapshot(t thing, p config.Poll) {
	if p.Snapshot == nil {
		return
	}
	token := p.Pagination != nil && p.Pagination.Type == "sync_token" // its incremental says no more than what expired means
	if p.Incremental != nil && !token {
		l.problem(t, []string{"snapshot"}, "snapshot compares everything, and incremental does not read everything", "leave one out")
	}
	if p.Event == nil || len(p.Event.Entity) == 0 {
		l.missing(t, []string{"event", "entity"}, "a snapshot knows its records by their entity")
	}
}

func (l *loader) checkLimit(t thing, p config.Poll) {
	l.checkRateLimit(t, []string{"rate_limit"}, p.RateLimit)
	if b := p.Backfill; b != nil {
		l.checkShare(t, []string{"backfill", "share"}, b.Share)
	}
}

// checkRateLimit looks at the limit of a poll or a hydrate, which is at at.
func (l *loader) checkRateLimit(t thing, at []string, r *config.RateLimit) {
	if r == nil {
		return
	}
	under := func(key string) []string { return append(slices.Clone(at), key) }
	l.checkJQ(t, under("limited_when"), r.LimitedWhen)
	l.checkShare(t, under("reserve"), r.Reserve)
	if r.Requests > 0 && r.Per <= 0 {
		l.problem(t, under("per"), "a period of nothing", "write 1m")
	}
}

// checkShare: a share is a whole number of percent, below all of it.
func (l *loader) checkShare(t thing, at []string, share string) {
	if share == "" {
		return
	}
	if _, err := config.ParseShare(share); err != nil {
		l.problem(t, at, err.Error(), "")
	}
}
