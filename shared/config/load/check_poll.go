package load

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"

	"pushpull/shared/config"
)

func (l *loader) checkPoll(t thing, p config.Poll) {
	if p.Every < leastEvery {
		l.problem(t, []string{"poll", "every"}, fmt.Sprintf("%s is too often", p.Every), "5s is the least")
	}
	l.checkSpec(t, "poll", p.Event)
	if p.Provider != "" && (p.BaseURL == "" && p.Auth == nil) {
		return // the preset or its resource is unknown, which was said
	}
	if p.Provider == "" && t.has("poll", "resource") {
		l.missing(t, []string{"poll", "provider"}, "resource names one of a preset's")
	}
	l.checkBaseURL(t, p.BaseURL)
	l.checkPollAuth(t, p)
	l.checkRequest(t, p)
	l.checkPagination(t, p.Pagination)
	if p.Incremental != nil && p.Incremental.CursorPath == "" {
		l.missing(t, []string{"poll", "incremental", "cursor_path"}, "the field of a record that grows, such as created")
	}
}

func (l *loader) checkBaseURL(t thing, base string) {
	at := []string{"poll", "base_url"}
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
	case u.Scheme == "https", u.Scheme == "http" && (plain || loopback(u.Hostname())):
		return "", ""
	case u.Scheme == "http":
		return "http without TLS", "use https; http is for loopback only"
	}
	return fmt.Sprintf("%q is not https", u.Scheme), "write https://host/path"
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

// The fields of each type of auth, and those it needs.
func authFields(kind string) (own, needed []string) {
	switch kind {
	case "bearer":
		return []string{"prefix"}, nil
	case "basic":
		return []string{"username", "password"}, nil
	case "api_key":
		return []string{"in", "name"}, []string{"in", "name"}
	}
	return nil, nil
}

func (l *loader) checkPollAuth(t thing, p config.Poll) {
	at := []string{"poll", "auth"}
	if p.Auth == nil {
		l.missing(t, at, "type: bearer, basic or api_key, or none in so many words")
		return
	}
	l.checkAPIAuth(t, at, *p.Auth)
	kind := p.Auth.Type
	if kind == "" {
		return
	}
	if kind != "none" && len(p.Token) == 0 {
		l.missing(t, []string{"poll", "token"}, "a reference such as ssm:/pushpull/"+t.path[1]+"/key")
	}
	if kind == "none" && len(p.Token) > 0 {
		l.atKey(t, []string{"poll", "token"}, "a token that auth none does not use", "leave it out, or choose an auth")
	}
}

// checkAPIAuth checks how requests to an API are authenticated, but for the token.
func (l *loader) checkAPIAuth(t thing, at []string, a config.PollAuth) {
	kind := a.Type
	if kind == "" {
		l.missing(t, append(at, "type"), "none, bearer, basic or api_key")
		return
	}
	own, needed := authFields(kind)
	for _, key := range []string{"prefix", "username", "password", "in", "name"} {
		if !slices.Contains(own, key) {
			l.foreign(t, at, kind, key)
		}
	}
	values := map[string]string{"in": a.In, "name": a.Name}
	for _, key := range needed {
		if values[key] == "" {
			l.missing(t, append(at, key), "an api_key goes in a header or the query, under a name")
		}
	}
	for key, template := range map[string]string{"username": a.Username, "password": a.Password} {
		l.checkNames(t, append(at, key), template, []string{"token"})
	}
	if kind == "basic" && !strings.Contains(a.Username+a.Password, "{token}") {
		l.problem(t, at, "neither username nor password is the {token}", "a password is never written here: set password, or username, to \"{token}\"")
	}
}

// checkNames says which placeholders of a template are none of those known.
func (l *loader) checkNames(t thing, at []string, template string, known []string) {
	names, ok := l.placeholders(t, at, template)
	if !ok {
		return
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			l.problem(t, at, fmt.Sprintf("unknown placeholder {%s}", name), didYouMean(name, known))
		}
	}
}

// checkRequest looks at the request and at `with`: each placeholder has a value,
// and each value a placeholder.
func (l *loader) checkRequest(t thing, p config.Poll) {
	if p.Request == nil {
		return
	}
	if p.Request.Path == "" && p.Provider == "" {
		l.missing(t, []string{"poll", "request", "path"}, "what follows base_url, such as /v1/events")
	}
	if p.Request.Timeout > mostTime || p.Request.Timeout <= 0 {
		l.problem(t, []string{"poll", "request", "timeout"}, fmt.Sprintf("a timeout of %s", p.Request.Timeout), "more than nothing, and at most 10m")
	}
	used := map[string]bool{}
	use := func(at []string, template string) {
		names, _ := l.placeholders(t, at, template)
		for _, name := range names {
			used[name] = true
			if _, ok := p.With[name]; ok {
				continue
			}
			switch {
			case t.has(at...):
				l.problem(t, at, fmt.Sprintf("unknown placeholder {%s}", name), "give it a value: with: { "+name+": … }")
			case !t.has("poll", "with", name):
				l.missing(t, []string{"poll", "with", name}, fmt.Sprintf("%s of the preset needs it", template))
			}
		}
	}
	use([]string{"poll", "base_url"}, p.BaseURL)
	use([]string{"poll", "request", "path"}, p.Request.Path)
	for _, key := range slices.Sorted(maps.Keys(p.Request.Params)) {
		at := []string{"poll", "request", "params", key}
		use(at, p.Request.Params[key])
		if slices.Contains([]string{"api_key", "apikey", "access_token", "client_secret", "password", "secret"}, strings.ToLower(key)) {
			l.problem(t, at, fmt.Sprintf("the parameter %s carries a secret (its value is not shown)", key), "use auth: { type: api_key, in: query, name: "+key+" } and token:")
		}
	}
	for _, key := range slices.Sorted(maps.Keys(p.Request.Headers)) {
		l.checkHeader(t, []string{"poll", "request", "headers", key}, key, p.Request.Headers[key])
	}
	for name := range p.With {
		if !used[name] {
			l.atKey(t, []string{"poll", "with", name}, fmt.Sprintf("nothing uses {%s}", name), didYouMeanOnly(name, slices.Sorted(maps.Keys(used))))
		}
	}
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

func (l *loader) checkPagination(t thing, p *config.Pagination) {
	if p == nil {
		return
	}
	at := []string{"poll", "pagination"}
	switch p.Type {
	case "none", "link_header":
		l.foreign(t, at, p.Type, "cursor_path", "cursor_param", "has_more_path")
	case "cursor", "keyset":
		if p.CursorPath == "" {
			l.missing(t, append(at, "cursor_path"), "where the next cursor is: in the body, or for keyset in the last record")
		}
		if p.CursorParam == "" {
			l.missing(t, append(at, "cursor_param"), "the query parameter that takes the cursor")
		}
	}
}
