package apiauth

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A grant is how a token request is made.
type grant struct {
	a                                       *Authenticator
	address, id, secret, username, password template
	params                                  map[string]template
	scopes                                  []string
	inBody                                  bool // the client shows itself in the form
	path                                    string
	lifetime                                time.Duration
}

func buildOAuth2(b *builder) {
	kind := or(b.auth.Grant, "client_credentials")
	if !slices.Contains([]string{"client_credentials", "refresh_token", "password"}, kind) {
		b.wrong("grant", "%q is none of client_credentials, refresh_token and password; one of the provider's own is params.grant_type", kind)
	}
	if kind == "password" {
		b.need("username", b.auth.Username, "whose password it is")
		b.need("password", b.auth.Password, "the name of one of secrets, in braces")
	} else {
		b.need("client_id", b.auth.ClientID, `the client's id, or "{client_id}" with a value in with`)
	}
	g := b.grant()
	g.username, g.password = b.template("username", b.auth.Username), b.secret("password", b.auth.Password)
	if kind == "client_credentials" && len(b.secrets) == 0 && len(b.mistakes) == 0 {
		b.mistakes = append(b.mistakes, &Mistake{Path: []string{"secrets", "client_secret"}, Missing: true, Problem: "a reference such as ssm:/pushpull/name/client_secret"})
	}
	if kind == "refresh_token" {
		b.refreshes(g)
		return
	}
	if b.auth.Rotate {
		b.wrong("rotate", "only grant refresh_token has a token that rotates")
	}
	b.gets(func(ctx context.Context, _ string) (token, error) {
		form := url.Values{"grant_type": {kind}}
		out, err := b.twice(ctx, func() (*answer, error) { return g.request(ctx, form, nil) })
		if err != nil {
			return token{}, err
		}
		return out.token("auth.token_url", g.path, g.lifetime, b.o.Now())
	})
}

// grant reads what all token requests have.
func (b *builder) grant(own ...string) *grant {
	b.need("token_url", b.auth.TokenURL, "where the provider gives out tokens, such as https://api.example.com/oauth/token")
	secret := b.auth.ClientSecret
	if _, ok := b.o.Secrets["client_secret"]; ok && secret == "" {
		secret = "{client_secret}"
	}
	g := &grant{
		a: b.Authenticator, id: b.template("client_id", b.auth.ClientID), secret: b.secret("client_secret", secret),
		params: b.templates("params", b.auth.Params, own...), scopes: b.auth.Scopes,
		inBody: b.auth.ClientAuth == "body", path: or(b.auth.TokenPath, "access_token"), lifetime: b.auth.Lifetime.Std(),
	}
	if b.auth.TokenURL != "" {
		g.address = b.address("token_url", b.auth.TokenURL)
	}
	if !slices.Contains([]string{"", "header", "body"}, b.auth.ClientAuth) {
		b.wrong("client_auth", "%q is neither header nor body", b.auth.ClientAuth)
	}
	return g
}

// request asks for a token with the fields of a grant; own are values for params.
func (g *grant) request(ctx context.Context, form url.Values, own values) (*answer, error) {
	v, err := g.a.resolve(ctx, all(g.params, g.address, g.id, g.secret, g.username, g.password)...)
	if err != nil {
		return nil, err
	}
	maps.Copy(v, own)
	u, err := g.a.address("auth.token_url", g.address.fill(v))
	if err != nil {
		return nil, err
	}
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	form = maps.Clone(form)
	if form.Get("grant_type") == "password" {
		form.Set("username", g.username.fill(v))
		form.Set("password", g.password.fill(v))
	}
	if len(g.scopes) > 0 {
		form.Set("scope", strings.Join(g.scopes, " "))
	}
	id, secret := g.id.fill(v), g.secret.fill(v)
	switch {
	case id == "":
	case g.inBody, secret == "": // RFC 6749: a client without a secret only names itself
		form.Set("client_id", id)
		if secret != "" {
			form.Set("client_secret", secret)
		}
	default:
		header.Set("Authorization", basic(url.QueryEscape(id), url.QueryEscape(secret)))
	}
	for name, t := range g.params {
		form.Set(name, t.fill(v))
	}
	return g.a.request(ctx, ask{key: "auth.token_url", method: http.MethodPost, url: u, header: header, body: []byte(form.Encode())})
}

// twice makes a token request again where it was refused and a secret is another
// by now: it may have been rotated since it was read.
func (a *Authenticator) twice(ctx context.Context, request func() (*answer, error)) (*answer, error) {
	out, err := request()
	if !permanent(err) {
		return out, err
	}
	if a.changed(ctx) || a.next() {
		return request()
	}
	return out, err
}

// invalidGrant reports whether the refresh token, the password or the assertion is
// what the provider would not take.
func invalidGrant(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.code == "invalid_grant"
}

// refreshes has the tokens come from a refresh token.
func (b *builder) refreshes(g *grant) {
	name := or(b.auth.RefreshToken, "refresh_token")
	refresh := b.template("refresh_token", "{"+name+"}")
	if !b.auth.Rotate {
		b.gets(func(ctx context.Context, _ string) (token, error) {
			out, err := b.twice(ctx, func() (*answer, error) {
				v, err := b.resolve(ctx, refresh)
				if err != nil {
					return nil, err
				}
				return g.refresh(ctx, refresh.fill(v))
			})
			if err != nil {
				return token{}, err
			}
			return out.token("auth.token_url", g.path, g.lifetime, b.o.Now())
		})
		return
	}
	refs := b.secrets[name]
	switch {
	case len(refs) == 0: // which was said
	case len(refs) > 1:
		b.wrong("rotate", "a refresh token that rotates is in one place: give one reference in secrets.%s", name)
	case !strings.HasPrefix(refs[0], "ssm:"):
		b.wrong("rotate", "the new refresh token is written back, which needs an ssm: reference in secrets.%s", name)
	default:
		r := &rotation{a: b.Authenticator, grant: g, ref: refs[0]}
		b.gets(r.get)
	}
}

func (g *grant) refresh(ctx context.Context, refreshToken string) (*answer, error) {
	return g.request(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refreshToken}}, nil)
}
