package pull

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"pushpull/shared/api"
)

// request is that of the page at a query's position.
func (r *run) request(l *list, q Query) (api.Request, error) {
	find := r.lookup(func(name string) (given, bool) {
		switch {
		case name == "cursor" && !r.s.addressed(*l):
			return r.cursor(*l, q)
		case name == "page_size" && l != &r.s.list:
			return given{strconv.Itoa(l.pages.PageSize), true}, l.pages.PageSize > 0
		}
		return none(name)
	})
	if q.Position != "" && r.s.addressed(*l) {
		return l.form.at(q.Position, find)
	}
	own := l == &r.s.list
	token := ""
	if own && r.s.tokens() {
		token = r.token()
	}
	if token != "" && q.Position == "" && r.s.addressed(*l) && l.pages.TokenParam == "" {
		return l.form.at(token, find)
	}
	extra := map[string]given{}
	set := func(param string, g given, ok bool) {
		if param != "" && ok {
			extra[param] = g
		}
	}
	size, sized := find("page_size")
	set(l.pages.PageSizeParam, size, sized)
	if own {
		start, ok := find("start")
		set(r.s.inc.StartParam, start, ok)
		end, ok := find("end")
		set(r.s.inc.EndParam, end, ok)
	}
	cursor, ok := r.cursor(*l, q)
	if tokenParam := l.pages.TokenParam; tokenParam != "" && token != "" {
		set(tokenParam, given{text: token}, true)
		ok = ok && q.Position != ""
	}
	set(l.pages.CursorParam, cursor, ok)
	return l.form.fill(find, extra, q.Position != "" || token != "")
}

// cursor is the position as it is sent; of a sync token's first page the token.
func (r *run) cursor(l list, q Query) (given, bool) {
	switch l.pages.Type {
	case "offset", "page":
		return given{strconv.Itoa(l.number(q)), true}, true
	case "sync_token":
		if q.Position == "" && l.form == r.s.list.form {
			return given{text: r.token()}, r.token() != ""
		}
	}
	return given{text: q.Position}, q.Position != ""
}

// number is the offset or page that a query is at.
func (l list) number(q Query) int {
	if n, err := strconv.Atoi(q.Position); err == nil {
		return n
	}
	return l.firstNumber()
}

func (l list) firstNumber() int {
	switch {
	case l.pages.Start != nil:
		return *l.pages.Start
	case l.pages.Type == "page":
		return 1
	default:
		return 0
	}
}

// token is the sync token that the run goes on from.
func (r *run) token() string {
	if r.p.Token != "" {
		return r.p.Token
	}
	return r.st.Token
}

// lookup knows the placeholders of a run; more those of one request.
func (r *run) lookup(more lookup) lookup {
	return func(name string) (given, bool) {
		if g, ok := more(name); ok {
			return g, true
		}
		if kind, path, ok := strings.Cut(name, "."); ok && kind == "parent" && r.p.Parent.Index < len(r.parents) {
			v, ok := r.parents[r.p.Parent.Index].values[path]
			return given{text: v}, ok
		}
		switch name {
		case "start":
			return r.sent(r.p.Start, r.s.scale.start)
		case "end":
			return r.sent(r.p.End, r.s.scale.end)
		case "now":
			return r.s.scale.write(instant(r.s.now(r.st))), true
		case "page_size":
			n := r.pageSize()
			return given{strconv.Itoa(n), true}, n > 0
		case "job":
			return given{text: r.p.Export.Job}, r.p.Export.Job != ""
		}
		return given{}, false
	}
}

// none is the lookup of a request without placeholders of its own.
func none(string) (given, bool) { return given{}, false }

// sent is a bound as it is sent. A sync token stands for its own.
func (r *run) sent(text string, write func(value) given) (given, bool) {
	v, err := r.s.scale.parse(text)
	if err != nil || text == "" || r.s.tokens() && r.token() != "" {
		return given{}, false
	}
	return write(v), true
}

func (r *run) pageSize() int {
	if r.st.PageSize > 0 && r.st.PageSize < r.s.list.pages.PageSize {
		return r.st.PageSize
	}
	return r.s.list.pages.PageSize
}

// vars are $start and $now of an expression over a record.
func (r *run) vars() []any {
	find := r.lookup(none)
	vars := make([]any, len(bounds))
	for i, name := range bounds {
		g, ok := find(name)
		switch {
		case !ok:
		case g.number:
			vars[i] = json.Number(g.text)
		default:
			vars[i] = g.text
		}
	}
	return vars
}

// jsonPath makes gjson's path of ours: names and indexes between dots, nothing else
// special; \. is a dot within a name.
func jsonPath(path string) string {
	if path == "" || path == "." {
		return ""
	}
	const dot = "\x00"
	parts := strings.Split(strings.ReplaceAll(path, `\.`, dot), ".")
	for i, part := range parts {
		parts[i] = gjson.Escape(strings.ReplaceAll(part, dot, "."))
	}
	return strings.Join(parts, ".")
}

func text(r gjson.Result) string {
	switch r.Type {
	case gjson.String:
		return r.Str
	case gjson.Number:
		return r.Raw // a large id would be rounded as a float
	default:
		return ""
	}
}

func truth(r gjson.Result) bool {
	switch r.Type {
	case gjson.True:
		return true
	case gjson.String:
		return strings.EqualFold(r.Str, "true")
	case gjson.Number:
		return r.Num != 0
	default:
		return false
	}
}
