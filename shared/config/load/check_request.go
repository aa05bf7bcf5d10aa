package load

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"pushpull/shared/apiauth"
	"pushpull/shared/config"
	"pushpull/shared/guard"
)

func (l *loader) checkBaseURL(t thing, base string) {
	at := []string{"base_url"}
	if base == "" {
		l.missing(t, at, "the API's address, such as https://api.example.com, or a preset in provider:")
		return
	}
	// {names} are filled in later; a letter stands for each.
	if what, mend := wrongURL(strings.NewReplacer("{", "x", "}", "x").Replace(base), false); what != "" {
		l.problem(t, at, what, mend)
	}
}

// wrongURL says what is wrong with an address: https, but for loopback or where
// plain is allowed, no user and password in it.
func wrongURL(text string, plain bool) (what, mend string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return "not an address", "write https://host/path"
	case u.User != nil:
		return "a user and password in an address end in logs", "use auth, or a header with a reference"
	case u.Fragment != "":
		return "an address with a # is for browsers", "leave out what follows it"
	case u.Scheme == "https", u.Scheme == "http" && (plain || guard.Loopback(u.Hostname())):
		return "", ""
	case u.Scheme == "http":
		return "http without TLS", "use https; http is for loopback only"
	}
	return fmt.Sprintf("%q is not https", u.Scheme), "write https://host/path"
}

// A use is a template of a poll: where it is, and what it may have besides with.
type use struct {
	at       []string
	template string
}

// checkRequests looks at all requests of a poll and at `with`: each placeholder
// has a value, and each value a placeholder.
func (l *loader) checkRequests(t thing, p config.Poll) {
	if p.Request == nil {
		return
	}
	if p.Request.Path == "" && p.Provider == "" && p.Request.GraphQL == nil {
		l.missing(t, []string{"request", "path"}, "what follows base_url, such as /v1/events")
	}
	uses := []use{{[]string{"base_url"}, p.BaseURL}}
	requests := []struct {
		at []string
		r  *config.Request
	}{{[]string{"request"}, p.Request}}
	add := func(r *config.Request, at ...string) {
		if r != nil {
			requests = append(requests, struct {
				at []string
				r  *config.Request
			}{at, r})
		}
	}
	if p.Parent != nil {
		add(p.Parent.Request, "parent", "request")
	}
	if p.Detail != nil {
		add(p.Detail.Request, "detail", "request")
	}
	if p.Export != nil {
		add(p.Export.Status, "export", "status")
		add(p.Export.Download, "export", "download")
	}
	if p.Pagination != nil && p.Pagination.Seed != nil {
		add(&p.Pagination.Seed.Request, "pagination", "seed")
	}
	for _, r := range requests {
		uses = append(uses, l.checkRequest(t, r.at, *r.r)...)
	}
	used := map[string]bool{}
	for _, name := range apiauth.Placeholders(p.Auth) {
		used[name] = true // checkPollAuth says where it comes from
	}
	for _, u := range uses {
		for _, name := range l.placeholders(t, u.at, u.template) {
			used[name] = true
			l.checkPlaceholder(t, u, name, p)
		}
	}
	for name := range p.With {
		if !used[name] {
			l.atKey(t, []string{"with", name}, fmt.Sprintf("nothing uses {%s}", name), didYouMeanOnly(name, slices.Sorted(maps.Keys(used))))
		}
	}
}

// The placeholders that a run fills in.
var runNames = []string{"start", "end", "cursor", "page_size", "now", "job", "token"}

func (l *loader) checkPlaceholder(t thing, u use, name string, p config.Poll) {
	if _, ok := p.With[name]; ok {
		return
	}
	name = strings.TrimSuffix(name, "|text")
	root, rest, _ := strings.Cut(name, ".")
	switch {
	case root == "parent" && p.Parent != nil:
		if _, ok := p.Parent.Values[rest]; !ok {
			l.problem(t, u.at, fmt.Sprintf("{%s} is not one of parent.values", name), didYouMean(rest, slices.Sorted(maps.Keys(p.Parent.Values))))
		}
		return
	case root == "record" && u.at[0] == "detail", slices.Contains(runNames, root):
		return
	case t.has(u.at...):
		l.problem(t, u.at, fmt.Sprintf("unknown placeholder {%s}", name), "give it a value: with: { "+name+": … }")
	case !t.has("with", name):
		l.missing(t, []string{"with", name}, fmt.Sprintf("%s of the preset needs it", u.template))
	}
}

// checkRequest looks at one request, and gives its templates.
func (l *loader) checkRequest(t thing, at []string, r config.Request) []use {
	under := func(keys ...string) []string { return append(slices.Clone(at), keys...) }
	if r.Timeout > mostTime || r.Timeout <= 0 && t.has(under("timeout")...) {
		l.problem(t, under("timeout"), fmt.Sprintf("a timeout of %s", r.Timeout), "more than nothing, and at most 10m")
	}
	bodies := 0
	for _, key := range []string{"json", "form", "graphql"} {
		if there := map[string]bool{"json": r.JSON != nil, "form": r.Form != nil, "graphql": r.GraphQL != nil}; !there[key] {
			continue
		}
		if bodies++; bodies > 1 {
			l.problem(t, under(key), "more than one of json, form and graphql", "a request has one body")
		}
		if key != "graphql" && (r.Method == "" || r.Method == "GET") {
			l.problem(t, under(key), "a GET has no body", "say method: POST")
		}
	}
	for _, key := range slices.Sorted(maps.Keys(r.Params)) {
		if slices.Contains([]string{"api_key", "apikey", "access_token", "client_secret", "password", "secret"}, strings.ToLower(key)) {
			l.problem(t, under("params", key), fmt.Sprintf("the parameter %s carries a secret (its value is not shown)", key), "use auth: { type: api_key, in: query, name: "+key+" } and token:")
		}
	}
	for _, key := range slices.Sorted(maps.Keys(r.Headers)) {
		l.checkHeader(t, under("headers", key), key, r.Headers[key])
	}
	for _, name := range r.FirstOnly {
		if _, ok := r.Params[name]; !ok {
			l.problem(t, under("first_only"), fmt.Sprintf("%q is not one of params", name), didYouMean(name, slices.Sorted(maps.Keys(r.Params))))
		}
	}
	return requestUses(at, r)
}

func requestUses(at []string, r config.Request) []use {
	under := func(keys ...string) []string { return append(slices.Clone(at), keys...) }
	out := []use{{under("path"), r.Path}}
	for _, part := range []struct {
		key    string
		values map[string]string
	}{{"params", r.Params}, {"headers", r.Headers}, {"form", r.Form}} {
		for _, name := range slices.Sorted(maps.Keys(part.values)) {
			out = append(out, use{under(part.key, name), part.values[name]})
		}
	}
	if g := r.GraphQL; g != nil {
		for _, name := range slices.Sorted(maps.Keys(g.Variables)) {
			out = append(out, use{under("graphql", "variables", name), g.Variables[name]})
		}
	}
	return append(out, jsonUses(under("json"), r.JSON)...)
}

func jsonUses(at []string, value any) []use {
	switch value := value.(type) {
	case string:
		return []use{{at, value}}
	case []any:
		var out []use
		for i, item := range value {
			out = append(out, jsonUses(append(slices.Clone(at), fmt.Sprint(i)), item)...)
		}
		return out
	case map[string]any:
		var out []use
		for _, key := range slices.Sorted(maps.Keys(value)) {
			out = append(out, jsonUses(append(slices.Clone(at), key), value[key])...)
		}
		return out
	}
	return nil
}

// checkHeader: a header that carries a credential is a reference.
func (l *loader) checkHeader(t thing, at []string, name, value string) {
	if strings.ContainsAny(value, "\r\n\x00") || !isToken(name) {
		l.atKey(t, at, "not a header", "a name without spaces, a value on one line")
	}
	if carriesSecret(name) && !isReference(value) {
		l.problem(t, at, fmt.Sprintf("the header %s carries a secret (its value is not shown)", name), "keep the value elsewhere and write where: ssm:/name, secretsmanager:name or env:NAME")
	}
}

func isToken(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	}) < 0
}

func carriesSecret(header string) bool {
	header = strings.ToLower(header)
	return slices.ContainsFunc([]string{"authorization", "cookie", "token", "secret", "api-key", "apikey", "password"}, func(word string) bool {
		return strings.Contains(header, word)
	})
}

func isReference(s string) bool {
	return strings.HasPrefix(s, "ssm:") || strings.HasPrefix(s, "secretsmanager:") || strings.HasPrefix(s, "env:")
}
