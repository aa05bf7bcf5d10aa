package apiauth

import (
	"context"
	"encoding/base64"
	"maps"
	"regexp"
	"slices"
	"strings"
)

func buildNone(b *builder) {
	b.put = func(context.Context) ([]placed, error) { return nil, nil }
}

func buildBearer(b *builder) {
	token, prefix := b.template("value", "{token}"), or(b.auth.Prefix, "Bearer")
	b.put = func(ctx context.Context) ([]placed, error) {
		v, err := b.resolve(ctx, token)
		if err != nil {
			return nil, err
		}
		return []placed{{name: "Authorization", text: prefix + " " + token.fill(v)}}, nil
	}
}

func buildBasic(b *builder) {
	username := b.auth.Username
	if b.auth.Username == "" && b.auth.Password == "" {
		username = "{token}"
	}
	user, password := b.template("username", username), b.template("password", b.auth.Password)
	if len(b.secrets) == 0 && len(b.mistakes) == 0 {
		b.wrong("password", `neither username nor password is a secret: a password is never written here; set password, or username, to "{token}"`)
	}
	b.put = func(ctx context.Context) ([]placed, error) {
		v, err := b.resolve(ctx, user, password)
		if err != nil {
			return nil, err
		}
		return []placed{{name: "Authorization", text: basic(user.fill(v), password.fill(v))}}, nil
	}
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func buildAPIKey(b *builder) {
	where, templates := b.where(), map[string]template{}
	if len(b.auth.Keys) == 0 {
		b.need("name", b.auth.Name, "an api_key goes in a header, the query, a cookie or the body, under a name")
		templates[b.auth.Name] = b.secret("value", or(b.auth.Value, "{token}"))
	} else {
		templates = b.keys()
	}
	names := slices.Sorted(maps.Keys(templates))
	for _, name := range names {
		b.carried(where, name)
	}
	b.put = func(ctx context.Context) ([]placed, error) {
		v, err := b.resolve(ctx, all(templates)...)
		if err != nil {
			return nil, err
		}
		var out []placed
		for _, name := range names {
			out = append(out, placed{where, name, strings.TrimSpace(b.auth.Prefix + " " + templates[name].fill(v))})
		}
		return out, nil
	}
}

// keys are several, of which one at least is a secret.
func (b *builder) keys() map[string]template {
	before := len(b.mistakes)
	templates := b.templates("keys", b.auth.Keys)
	if b.auth.Name != "" || b.auth.Value != "" {
		b.wrong("keys", "keys have their names and values themselves: leave out name and value, or keys")
	}
	if len(b.secrets) == 0 && len(b.mistakes) == before {
		b.wrong("keys", `none of them is a secret: a secret is never written here; write "{token}", or the name of one of secrets in braces`)
	}
	return templates
}

// where is in, which is checked, or its default.
func (b *builder) where() string {
	where := or(b.auth.In, "header")
	switch {
	case where == "body" && b.auth.Type == "api_key":
	case where == "body":
		b.wrong("in", "only an api_key goes in the body")
	case !slices.Contains([]string{"header", "query", "cookie"}, where):
		b.wrong("in", "%q is none of header, query, cookie and body", where)
	}
	return where
}

// carried notes where the credential stands.
func (b *builder) carried(where, name string) {
	switch {
	case name == "", where == "body": // which was said, or is the default; a member has any name
	case where == "query":
		b.query = append(b.query, name)
	case !headerName.MatchString(name):
		b.wrong("name", "%q is not the name of a header or cookie", name)
	}
}

var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
