package pull

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"pushpull/shared/api"
)

// validate puts the last answer's validators into the request that they are of.
func (r *run) validate(req *api.Request) bool {
	if r.st.ValidFor == "" || r.p.Position != "" || r.s.parent != nil || r.st.ValidFor != r.s.key(*req) {
		return false
	}
	req.ETag, req.LastModified = r.st.ETag, r.st.LastModified
	return true
}

// keepValidators notes those of the first page. They say nothing of a second one,
// but that nothing came before it.
func (r *run) keepValidators(req api.Request, a *api.Answer) {
	kind := r.s.poll.Conditional
	switch {
	case r.p.Position != "" && r.s.inc.Order != "desc", r.s.parent != nil:
		r.p.ETag, r.p.LastModified, r.p.ValidFor = "", "", ""
	case r.p.Position == "" && a.Status == http.StatusOK && kind != "" && kind != "none":
		r.p.ETag, r.p.LastModified, r.p.ValidFor = "", "", r.s.key(req)
		if kind != "last_modified" {
			r.p.ETag = a.Header.Get("ETag")
		}
		if kind != "etag" {
			r.p.LastModified = a.Header.Get("Last-Modified")
		}
	}
}

// mostInterval bounds what an API may ask for.
const mostInterval = day

var maxAge = regexp.MustCompile(`(?i)(?:^|[\s,])max-age="?(\d+)`)

// interval is how long the API asks to wait before the next poll.
func interval(h http.Header, rest gjson.Result) time.Duration {
	longest := max(
		seconds(h.Get("X-Poll-Interval")),
		seconds(h.Get("Retry-After")),
		60*seconds(text(rest.Get("ttl"))),
	)
	control := strings.Join(h.Values("Cache-Control"), ",")
	if found := maxAge.FindStringSubmatch(control); found != nil && !strings.Contains(strings.ToLower(control), "no-cache") {
		longest = max(longest, seconds(found[1])-seconds(h.Get("Age")))
	}
	return min(longest, mostInterval)
}

func seconds(text string) time.Duration {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(min(n, int(mostInterval/time.Second))) * time.Second
}
