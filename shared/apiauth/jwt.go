package apiauth

import (
	"context"
	"crypto/rand"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	jwtLifetime = 5 * time.Minute
	jwtBackdate = time.Minute // the provider's clock may be behind ours
	jwtGrant    = "urn:ietf:params:oauth:grant-type:jwt-bearer"
)

var jwtAlgorithms = []string{"RS256", "PS256", "ES256", "EdDSA", "HS256"}

// A signer makes JWTs.
type signer struct {
	a         *Authenticator
	algorithm string
	key, kid  template
	claims    map[string]template
	lifetime  time.Duration
}

func buildJWT(b *builder) {
	s := &signer{
		a: b.Authenticator, algorithm: or(b.auth.Algorithm, "RS256"),
		key: b.secret("key", or(b.auth.Key, "{token}")), kid: b.template("key_id", b.auth.KeyID, "key."),
		claims: b.templates("claims", b.auth.Claims, "key."), lifetime: b.auth.Lifetime.Std(),
	}
	if s.lifetime <= 0 {
		s.lifetime = jwtLifetime
	}
	if !slices.Contains(jwtAlgorithms, s.algorithm) {
		b.wrong("algorithm", "%q is none of %s", s.algorithm, strings.Join(jwtAlgorithms, ", "))
	}
	if b.auth.TokenURL == "" {
		b.gets(func(ctx context.Context, _ string) (token, error) { return s.token(ctx) })
		return
	}
	shown := b.auth.ClientAuth == "header" // the JWT is shown as a bearer token
	g := b.grant("jwt", "key.")
	g.inBody = true
	g.lifetime = 0 // it is the JWT's
	b.gets(func(ctx context.Context, _ string) (token, error) {
		out, err := b.twice(ctx, func() (*answer, error) { return s.exchange(ctx, g, shown) })
		if permanent(err) && out != nil && !out.server.IsZero() {
			// A JWT that is not valid yet, or no longer, by the provider's clock.
			before := b.skew.Load()
			if b.Clock(out.server); time.Duration(b.skew.Load()-before).Abs() >= noticedSkew {
				out, err = s.exchange(ctx, g, shown)
			}
		}
		if err != nil {
			return token{}, err
		}
		return out.token("auth.token_url", g.path, 0, b.o.Now())
	})
}

// exchange shows a JWT to the token endpoint.
func (s *signer) exchange(ctx context.Context, g *grant, shown bool) (*answer, error) {
	text, own, err := s.make(ctx)
	if err != nil {
		return nil, err
	}
	own["jwt"] = text
	if shown {
		return g.requestShowing(ctx, text, own)
	}
	form := url.Values{"grant_type": {jwtGrant}, "assertion": {text}}
	for _, t := range g.params {
		if t.has("jwt") {
			form.Del("assertion") // params say where it goes
		}
	}
	return g.request(ctx, form, own)
}

// requestShowing asks for a token with the JWT as a bearer token, as GitHub has
// it; params are the fields of a form, which there need not be.
func (g *grant) requestShowing(ctx context.Context, text string, own values) (*answer, error) {
	v, err := g.a.resolve(ctx, all(g.params, g.address)...)
	if err != nil {
		return nil, err
	}
	maps.Copy(v, own)
	u, err := g.a.address("auth.token_url", g.address.fill(v))
	if err != nil {
		return nil, err
	}
	header := http.Header{"Authorization": {"Bearer " + text}}
	form := url.Values{}
	for name, t := range g.params {
		form.Set(name, t.fill(v))
	}
	if len(form) > 0 {
		header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return g.a.request(ctx, ask{key: "auth.token_url", method: http.MethodPost, url: u, header: header, body: []byte(form.Encode())})
}

// token is a JWT that is sent as it is.
func (s *signer) token(ctx context.Context) (token, error) {
	text, _, err := s.make(ctx)
	if err != nil {
		return token{}, err
	}
	now := s.a.o.Now()
	return token{value: text, got: now, expires: now.Add(s.lifetime - s.backdate())}, nil
}

func (s *signer) backdate() time.Duration { return min(jwtBackdate, s.lifetime/4) }

// make makes a JWT, and gives the members of the key's document too.
func (s *signer) make(ctx context.Context) (string, values, error) {
	v, err := s.a.resolve(ctx, all(s.claims, s.key, s.kid)...)
	if err != nil {
		return "", nil, err
	}
	keyText := s.key.fill(v)
	own := members("key.", keyText)
	if own == nil {
		own = values{}
	}
	maps.Copy(v, own)
	key, err := s.parse(or(own["key.private_key"], keyText))
	if err != nil {
		return "", nil, err
	}
	issued := s.a.clock().Add(-s.backdate())
	claims := jwt.MapClaims{"iat": issued.Unix(), "exp": issued.Add(s.lifetime).Unix(), "jti": rand.Text()}
	for name, t := range s.claims {
		claims[name] = t.fill(v)
	}
	unsigned := jwt.NewWithClaims(jwt.GetSigningMethod(s.algorithm), claims)
	if kid := or(s.kid.fill(v), own["key.private_key_id"]); kid != "" {
		unsigned.Header["kid"] = kid
	}
	text, err := unsigned.SignedString(key)
	if err != nil {
		return "", nil, lasting("auth.key", "the key does not fit %s: choose its algorithm", s.algorithm)
	}
	return text, own, nil
}

// parse reads the key that the algorithm signs with.
func (s *signer) parse(text string) (any, error) {
	if s.algorithm == "HS256" {
		return []byte(text), nil
	}
	pem := []byte(strings.ReplaceAll(text, `\n`, "\n")) // as a secret store may have made of the line breaks
	var key any
	var err error
	switch s.algorithm {
	case "ES256":
		key, err = jwt.ParseECPrivateKeyFromPEM(pem)
	case "EdDSA":
		key, err = jwt.ParseEdPrivateKeyFromPEM(pem)
	default:
		key, err = jwt.ParseRSAPrivateKeyFromPEM(pem)
	}
	if err != nil {
		return nil, lasting("auth.key", "it is no private key for %s: store one in PEM without a passphrase, or the provider's JSON document that has private_key", s.algorithm)
	}
	return key, nil
}
