package pull

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/tidwall/gjson"
)

// A document is the body of one answer: its records, and what leads on.
type document struct {
	root    gjson.Result
	records []gjson.Result
}

// parse finds the records of an answer. An answer without a body has none.
func (s *Source) parse(a answer) (document, error) {
	if a.status == http.StatusNoContent || (a.status != http.StatusOK && len(a.body) == 0) {
		return document{}, nil
	}
	if !json.Valid(a.body) {
		return document{}, errNotJSON
	}
	d := document{root: gjson.ParseBytes(a.body)}
	at := d.root
	path := ""
	if s.poll.Records != nil {
		path = s.poll.Records.Path
	}
	if p := jsonPath(path); p != "" {
		at = d.root.Get(p)
	}
	switch {
	case at.IsArray():
		d.records = at.Array()
	case at.Exists() && at.Type == gjson.Null:
	case !at.Exists() && s.poll.Records != nil && s.poll.Records.Optional:
	default:
		return document{}, permanent(0, "the answer has no list of records at %q: check poll.records.path", path)
	}
	return d, nil
}

// errNotJSON may pass: maintenance pages come with status 200 too.
var errNotJSON = notJSON{}

type notJSON struct{}

func (notJSON) Error() string {
	return "the answer is not json: check that poll.base_url is the api's address and not a web page's"
}

// jsonPath makes gjson's path of ours: names and indexes between dots, nothing else special.
func jsonPath(path string) string {
	if path == "" || path == "." {
		return ""
	}
	parts := strings.Split(path, ".")
	for i, part := range parts {
		parts[i] = gjson.Escape(part)
	}
	return strings.Join(parts, ".")
}

// position finds the next page: a cursor or an address, "" at the end.
func (s *Source) position(current *url.URL, a answer, d document) (string, error) {
	p := s.poll.Pagination
	if p == nil || a.status == http.StatusNoContent {
		return "", nil
	}
	switch p.Type {
	case "", "none":
		return "", nil
	case "link_header":
		return s.address(current, nextLink(a.header.Values("Link")))
	case "cursor":
		return s.cursor(current, d, d.root)
	case "keyset":
		return s.cursor(current, d, d.last())
	default:
		return "", permanent(0, "poll.pagination.type %q is not known: it is none, link_header, cursor or keyset", p.Type)
	}
}

func (d document) last() gjson.Result {
	if len(d.records) == 0 {
		return gjson.Result{}
	}
	return d.records[len(d.records)-1]
}

// cursor honours the flag first: some APIs go on giving cursors after they said
// that there is no more.
func (s *Source) cursor(current *url.URL, d document, in gjson.Result) (string, error) {
	p := s.poll.Pagination
	flagged := p.HasMorePath != ""
	if flagged && !truth(d.root.Get(jsonPath(p.HasMorePath))) {
		return "", nil
	}
	next := text(in.Get(jsonPath(p.CursorPath)))
	if next == "" && (flagged || (p.Type == "keyset" && len(d.records) > 0)) {
		return "", permanent(0, "the api says there is more, but %q has no cursor: check poll.pagination.cursor_path", p.CursorPath)
	}
	if p.CursorParam == "" {
		return s.address(current, next)
	}
	return next, nil
}

// address makes a link absolute, without the credential some APIs echo in it:
// it is kept in the state.
func (s *Source) address(current *url.URL, link string) (string, error) {
	if link == "" {
		return "", nil
	}
	next, err := current.Parse(link)
	if err != nil {
		return "", permanent(0, "the link to the next page is not an address: %q", clip(link))
	}
	if !sameOrigin(next, s.base) {
		return "", foreign(next)
	}
	next.Fragment = ""
	if a := s.poll.Auth; a != nil && a.In == "query" && next.Query().Has(a.Name) {
		query := next.Query()
		query.Del(a.Name)
		next.RawQuery = query.Encode()
	}
	return next.String(), nil
}

// addressed tells whether positions are addresses rather than cursors.
func (s *Source) addressed() bool {
	p := s.poll.Pagination
	return p != nil && (p.Type == "link_header" || p.CursorParam == "")
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

// exact is the record's own bytes.
func exact(r gjson.Result) []byte { return bytes.TrimSpace([]byte(r.Raw)) }
