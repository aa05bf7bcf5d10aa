package pull

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"pushpull/shared/api"
	"pushpull/shared/budget"
	"pushpull/shared/jq"
)

// A leaf is a page as far as it tells what follows it.
type leaf struct {
	at   *url.URL
	a    *api.Answer
	rest gjson.Result
	read int
	last json.RawMessage
	q    Query
	size int // how many records were asked for
}

// A lead is what follows a page.
type lead struct {
	next  string // the position; "" at the end
	token string // for the next run, at the end
	total int    // -1 where it is not known
}

// follow finds where a page leads: it honours the flags first, as some APIs go on
// giving cursors after they said that there is no more.
func (s *Source) follow(ctx context.Context, l list, p leaf) (lead, error) {
	f := lead{total: p.number(l.pages.TotalPath)}
	if p.a.Status == http.StatusNoContent {
		return f, nil
	}
	over, err := l.over(ctx, p)
	if err != nil {
		return f, err
	}
	switch l.pages.Type {
	case "", "none":
	case "offset", "page":
		f.next = l.count(p, over)
	case "sync_token":
		return s.sync(l, p, over, f)
	default:
		if over {
			return f, nil
		}
		f.next, err = s.next(l, p)
	}
	return f, err
}

// over tells whether the page itself says that it is the last.
func (l list) over(ctx context.Context, p leaf) (bool, error) {
	if path := l.pages.HasMorePath; path != "" && !truth(p.rest.Get(jsonPath(path))) {
		return true, nil
	}
	if l.pages.EmptyPage == "end" && p.read == 0 {
		return true, nil
	}
	if l.stop == nil {
		return false, nil
	}
	facts := budget.Facts(p.a.Status, p.a.Header, nil)
	body, err := jq.Decode([]byte(p.rest.Raw))
	if err == nil {
		facts["body"] = body
	}
	facts["count"] = p.read
	stop, err := l.stop.True(ctx, facts)
	return stop, misfit(err)
}

// count is the next offset or page: the end is where the API says so, else at a
// page that is empty or short.
func (l list) count(p leaf, over bool) string {
	n, step := l.number(p.q), 1
	if l.pages.Type == "offset" {
		// By what came, not by what was asked for: some give less than asked.
		if step = p.read; step == 0 {
			step = p.size
		}
	}
	total, pages := p.number(l.pages.TotalPath), p.number(l.pages.TotalPagesPath)
	switch {
	case over, step == 0:
		return ""
	case l.pages.HasMorePath != "": // it says so
	case p.read == 0:
		return ""
	case pages >= 0 && l.pages.Type == "page":
		if n-l.firstNumber()+1 >= pages {
			return ""
		}
	case total >= 0:
		if p.q.Depth+p.read >= total {
			return ""
		}
	case l.stop == nil && p.read < p.size:
		return ""
	}
	return strconv.Itoa(n + step)
}

// number is what the page says at a path; -1 where it says nothing.
func (p leaf) number(path string) int {
	n, err := strconv.Atoi(text(p.rest.Get(jsonPath(path))))
	if path == "" || err != nil {
		return -1
	}
	return n
}

// next is the cursor or address that a page gives.
func (s *Source) next(l list, p leaf) (string, error) {
	next := l.given(p)
	sure := l.pages.HasMorePath != "" || l.pages.Type == "keyset" && p.read > 0
	if next == "" && sure {
		return "", permanent(0, "the api says there is more, but %q has no cursor: check poll.pagination.cursor_path", l.pages.CursorPath)
	}
	if s.addressed(l) {
		return s.address(p.at, next)
	}
	return next, nil
}

func (l list) given(p leaf) string {
	switch h := l.pages.CursorHeader; {
	case l.pages.Type == "link_header", strings.EqualFold(h, "Link"):
		return nextLink(p.a.Header.Values("Link"))
	case h != "":
		if v := p.a.Header.Get(h); v != "null" { // some write it so
			return v
		}
		return ""
	case l.pages.Type == "keyset":
		return text(gjson.GetBytes(p.last, jsonPath(l.pages.CursorPath)))
	default:
		return text(p.rest.Get(jsonPath(l.pages.CursorPath)))
	}
}

// sync leads on to the next page, or to the token of the next run.
func (s *Source) sync(l list, p leaf, over bool, f lead) (lead, error) {
	next, err := s.next(l, p)
	if err != nil && !over {
		return f, err
	}
	if l.pages.TokenPath == "" {
		f.token = next // each page gives one; the last is kept
		if next == "" {
			f.token = p.q.Position
		}
		if !over && !l.tail(p) && (next != p.q.Position || p.read > 0) {
			f.next = next
		}
		return f, nil
	}
	if next != "" && !over {
		f.next = next
		return f, nil
	}
	f.token = text(p.rest.Get(jsonPath(l.pages.TokenPath)))
	if f.token == "" {
		return f, permanent(0, "the last page has no token at %q: check poll.pagination.token_path", l.pages.TokenPath)
	}
	if s.addressed(l) && l.pages.TokenParam == "" {
		f.token, err = s.address(p.at, f.token)
	}
	return f, err
}

// tail tells whether a page is so short that it is the tail of a log, where nothing
// else says so: to chase it would spend a request on each record. The token goes on.
func (l list) tail(p leaf) bool {
	return l.pages.HasMorePath == "" && l.stop == nil && p.size > 0 && 2*p.read < p.size && p.read > 0
}

// address makes a link absolute, without the credential some APIs echo in it:
// it is kept in the state.
func (s *Source) address(current *url.URL, link string) (string, error) {
	if link == "" {
		return "", nil
	}
	next, err := current.Parse(link)
	if err != nil {
		return "", permanent(0, "the link to the next page is not an address: check poll.pagination")
	}
	if !s.ours(next) {
		return "", permanent(0, "the api leads to another host, %s://%s, which must not get the credential: if it is right, add it to poll.request.hosts", clip(next.Scheme), clip(next.Host))
	}
	next.Fragment = ""
	if auth, ok := s.o.API.Auth.(interface{ Strip(u *url.URL) }); ok {
		auth.Strip(next)
	}
	return next.String(), nil
}

// addressed tells whether positions are addresses rather than cursors.
func (s *Source) addressed(l list) bool {
	switch l.pages.Type {
	case "link_header", "next_url":
		return true
	case "cursor", "keyset", "sync_token":
		return l.pages.CursorParam == "" && !slices.Contains(l.form.uses, "cursor")
	default:
		return false
	}
}

// ours tells whether an address gets the credential, as shared/api has it.
func (s *Source) ours(u *url.URL) bool {
	if !strings.EqualFold(u.Scheme, s.base.Scheme) || u.User != nil {
		return false
	}
	return authority(u.Scheme, u.Host) == authority(s.base.Scheme, s.base.Host) ||
		slices.ContainsFunc(s.poll.Request.Hosts, func(h string) bool { return authority(u.Scheme, h) == authority(u.Scheme, u.Host) })
}

func authority(scheme, host string) string {
	u := url.URL{Scheme: strings.ToLower(scheme), Host: strings.ToLower(host)}
	if u.Port() != "" {
		return u.Host
	}
	return u.Host + map[string]string{"https": ":443", "http": ":80"}[u.Scheme]
}
