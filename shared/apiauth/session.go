package apiauth

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"pushpull/shared/config"
)

// A login is the request that begins a session.
type login struct {
	a                     *Authenticator
	request               config.Request
	path                  template
	params, headers, form map[string]template
	texts                 map[string]template // of json, by the text
}

func buildSession(b *builder) {
	b.need("token_path", b.auth.TokenPath, "where the answer has the token: a path in its JSON, header.NAME or cookie.NAME")
	r := b.auth.Login
	if r == nil {
		b.need("login", "", "the request that begins a session: path, and json or form with names of secrets in braces")
		r = &config.Request{}
	}
	l := &login{
		a: b.Authenticator, request: *r,
		params: b.templates("login.params", r.Params), headers: b.templates("login.headers", r.Headers),
		form: b.templates("login.form", r.Form), texts: map[string]template{},
	}
	if r.Path != "" {
		l.path = b.address("login.path", r.Path)
	}
	if r.GraphQL != nil {
		l.request.JSON = graphQL(*r.GraphQL)
	}
	eachText(l.request.JSON, func(text string) {
		if r.GraphQL == nil || text != r.GraphQL.Query { // which has braces of its own
			l.texts[text] = b.template("login.json", text)
		}
	})
	if r.Path != "" && len(b.secrets) == 0 && len(b.mistakes) == 0 {
		b.wrong("login", "it shows no secret: a password is never written here; write the name of one of secrets in braces")
	}
	b.gets(func(ctx context.Context, _ string) (token, error) {
		out, err := b.twice(ctx, func() (*answer, error) { return l.do(ctx) })
		if err != nil {
			return token{}, err
		}
		return out.token("auth.login", b.auth.TokenPath, b.auth.Lifetime.Std(), b.o.Now())
	})
}

func graphQL(g config.GraphQL) any {
	body := map[string]any{"query": g.Query}
	variables := map[string]any{}
	for name, value := range g.Variables {
		variables[name] = value
	}
	if len(variables) > 0 {
		body["variables"] = variables
	}
	if g.Operation != "" {
		body["operationName"] = g.Operation
	}
	return body
}

func (l *login) do(ctx context.Context) (*answer, error) {
	used := slices.Concat(all(l.params, l.path), all(l.headers), all(l.form), all(l.texts))
	v, err := l.a.resolve(ctx, used...)
	if err != nil {
		return nil, err
	}
	u, err := l.a.address("auth.login", l.path.fill(v))
	if err != nil {
		return nil, err
	}
	query := u.Query()
	for name, t := range l.params {
		query.Set(name, t.fill(v))
	}
	u.RawQuery = query.Encode()
	r := ask{key: "auth.login", method: or(l.request.Method, http.MethodPost), url: u, header: http.Header{}}
	switch {
	case l.request.JSON != nil:
		r.header.Set("Content-Type", "application/json")
		r.body = jsonOf(withTexts(l.request.JSON, func(text string) string {
			if t, ok := l.texts[text]; ok {
				return t.fill(v)
			}
			return text
		}))
	case len(l.form) > 0:
		r.header.Set("Content-Type", "application/x-www-form-urlencoded")
		form := url.Values{}
		for name, t := range l.form {
			form.Set(name, t.fill(v))
		}
		r.body = []byte(form.Encode())
	}
	for _, name := range slices.Sorted(maps.Keys(l.headers)) {
		r.header.Set(name, l.headers[name].fill(v))
	}
	return l.a.request(ctx, r)
}
