package webhook

import (
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"pushpull/shared/config"
)

// clockSkew is how far a token's exp, nbf and iat may be off.
const clockSkew = time.Minute

// A token that the provider signed: a JSON Web Token, with a secret or a public key.
type webToken struct {
	place      place
	algorithms []string
	secret     bool // HS…
	keys       keySource
	key        *hashed // how the secret becomes the key
	issuers    []string
	audiences  []template
	claims     map[string]template
	age        *stamp
}

func newJWT(auth config.Auth) (scheme, error) {
	t := &webToken{algorithms: auth.Algorithm, issuers: auth.Issuer, key: &hashed{references: auth.Secret, key: auth.Key}, claims: map[string]template{}}
	var errs []error
	fail := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	var err error
	t.place, err = newPlace(auth.Signature)
	fail(err)
	t.age, err = newStamp(auth.Timestamp, t.place)
	fail(err)
	if t.age != nil && t.age.Claim == "" {
		fail(errors.New("timestamp of a jwt is one of its claims: timestamp: { claim: iat }"))
	}
	fail(checkKey(auth.Key))
	fail(t.setAlgorithms())
	if !t.secret {
		t.keys, err = newKeySource(auth)
		fail(err)
	}
	for _, text := range auth.Audience {
		made, err := parseTemplate(text, false)
		fail(err)
		t.audiences = append(t.audiences, made)
	}
	for name, text := range auth.Claims {
		made, err := parseTemplate(text, false)
		fail(err)
		t.claims[name] = made
	}
	return t, errors.Join(errs...)
}

// setAlgorithms: those of a secret and those of a public key are never taken
// together, or a public key would serve as a secret.
func (t *webToken) setAlgorithms() error {
	known := []string{"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA"}
	secret, public := false, false
	for _, name := range t.algorithms {
		if !slices.Contains(known, name) {
			return fmt.Errorf("algorithm %q of a jwt: there are %s", name, strings.Join(known, ", "))
		}
		if strings.HasPrefix(name, "HS") {
			secret = true
		} else {
			public = true
		}
	}
	switch {
	case !secret && !public:
		return errors.New("algorithm is absent: say which a jwt may be signed with, such as HS256")
	case secret && public:
		return errors.New("algorithm has HS… beside others: a public key could be used as a secret; keep one kind")
	}
	t.secret = secret
	return nil
}

func (t *webToken) readsBody() bool {
	return t.place.Body != "" || t.place.Form != ""
}

// covers: a claim is a hash of the body, or the body is the token.
func (t *webToken) covers(field string) bool {
	return t.place.Body == wholeBody || t.place.Detached || slices.ContainsFunc(slices.Collect(maps.Values(t.claims)), func(c template) bool { return c.has(rawBody) })
}

func (t *webToken) verify(ctx context.Context, c Credentials, v *view, at time.Time) error {
	keep := func(s string) ([]byte, error) { return []byte(s), nil }
	groups, err := t.place.claims(v, keep, nil)
	if err != nil {
		return err
	}
	var worst error
	for _, text := range groups[0].signatures {
		err := t.one(ctx, c, v, string(text), at)
		if err == nil {
			return nil
		}
		if worst == nil {
			worst = err
		}
	}
	return worst
}

func (t *webToken) one(ctx context.Context, c Credentials, v *view, text string, at time.Time) error {
	if t.place.Detached { // only where it is said: else a token's own payload, sent as the body, would pass without its claims
		head, signature, _ := strings.Cut(text, "..")
		return t.detached(ctx, c, v, head, signature)
	}
	claims := jwt.MapClaims{}
	var ours error // the parser's errors do not tell ours from the token's
	parser := jwt.NewParser(jwt.WithValidMethods(t.algorithms), jwt.WithLeeway(clockSkew), jwt.WithJSONNumber(),
		jwt.WithTimeFunc(func() time.Time { return at }))
	_, err := parser.ParseWithClaims(text, claims, func(token *jwt.Token) (any, error) {
		keys, err := t.verificationKeys(ctx, c, v, token)
		ours = err
		return jwt.VerificationKeySet{Keys: keys}, err
	})
	switch {
	case ours != nil:
		return ours
	case errors.Is(err, jwt.ErrTokenExpired), errors.Is(err, jwt.ErrTokenNotValidYet), errors.Is(err, jwt.ErrTokenUsedBeforeIssued):
		if errors.Is(err, jwt.ErrTokenSignatureInvalid) {
			return ErrSignature
		}
		return fmt.Errorf("%w: the token has expired, or is not valid yet", ErrStale)
	case err != nil:
		return fmt.Errorf("%w: the token is not good", ErrSignature)
	}
	return t.says(claims, v, at)
}

func (t *webToken) verificationKeys(ctx context.Context, c Credentials, v *view, token *jwt.Token) ([]jwt.VerificationKey, error) {
	var keys []jwt.VerificationKey
	if !t.secret {
		kid, _ := token.Header["kid"].(string)
		found, err := t.keys.find(ctx, c, v, kid)
		for _, key := range found {
			keys = append(keys, key)
		}
		return keys, err
	}
	var unusable error
	for _, secret := range c.of(t.key.references) {
		key, err := t.key.keyOf(secret)
		if err != nil {
			unusable = err
			continue
		}
		keys = append(keys, key)
	}
	switch {
	case len(keys) > 0:
		return keys, nil
	case unusable != nil:
		return nil, unusable
	}
	return nil, fmt.Errorf("%w: there is none", ErrSecret)
}

// says checks what an authentic token says.
func (t *webToken) says(claims jwt.MapClaims, v *view, at time.Time) error {
	if issuer, _ := claims.GetIssuer(); len(t.issuers) > 0 && !slices.Contains(t.issuers, issuer) {
		return fmt.Errorf("%w: the token is of another issuer", ErrSignature)
	}
	if err := t.isFor(claims, v); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(t.claims)) {
		want, err := t.claims[name].text(v)
		if err != nil {
			return fmt.Errorf("%w: claim %s: %w", ErrMissing, name, err)
		}
		got, there := claimText(claims[name])
		if !there && len(v.r.Body) == 0 && t.claims[name].has(rawBody) {
			continue // of an empty body there is no hash
		}
		if !there || !equal(got, want) {
			return fmt.Errorf("%w: the claim %s is not what it must be", ErrSignature, name)
		}
	}
	if t.age == nil {
		return nil
	}
	text, there := claimText(claims[t.age.Claim])
	if !there {
		return fmt.Errorf("%w: the token has no %s", ErrMissing, t.age.Claim)
	}
	whole, _, _ := strings.Cut(text, ".")
	return t.age.check(whole, at)
}

func (t *webToken) isFor(claims jwt.MapClaims, v *view) error {
	if len(t.audiences) == 0 {
		return nil
	}
	audience, _ := claims.GetAudience()
	for _, a := range t.audiences {
		if want, err := a.text(v); err == nil && slices.Contains(audience, want) {
			return nil
		}
	}
	return fmt.Errorf("%w: the token is for another audience", ErrSignature)
}

func claimText(value any) (string, bool) {
	switch value := value.(type) {
	case string:
		return value, true
	case json.Number:
		return value.String(), true
	case bool:
		return fmt.Sprint(value), true
	}
	return "", false
}

// detached is a token whose payload is the body (RFC 7515, appendix F): as it is
// where its header says b64: false (RFC 7797), else in base64url.
func (t *webToken) detached(ctx context.Context, c Credentials, v *view, head, signature string) error {
	raw, err := base64.RawURLEncoding.DecodeString(head)
	var header map[string]any
	if err != nil || json.Unmarshal(raw, &header) != nil {
		return fmt.Errorf("%w: the token is not good", ErrSignature)
	}
	name, _ := header["alg"].(string)
	method := jwt.GetSigningMethod(name)
	sum, err := base64.RawURLEncoding.DecodeString(signature)
	if method == nil || err != nil || !slices.Contains(t.algorithms, name) {
		return fmt.Errorf("%w: the token is not good", ErrSignature)
	}
	payload := base64.RawURLEncoding.EncodeToString(v.r.Body)
	if header["b64"] == false {
		payload = string(v.r.Body)
	}
	keys, err := t.verificationKeys(ctx, c, v, &jwt.Token{Header: header})
	if err != nil {
		return err
	}
	for _, key := range keys {
		if method.Verify(head+"."+payload, sum, key) == nil {
			return t.says(jwt.MapClaims{}, v, time.Time{})
		}
	}
	return ErrSignature
}

// sign makes a token with all that it must say.
func (t *webToken) sign(c Credentials, r *Request, o signing) error {
	v := &view{r: r}
	claims := jwt.MapClaims{"iat": o.at.Unix(), "nbf": o.at.Unix(), "exp": o.at.Add(5 * time.Minute).Unix()}
	if t.place.Body == wholeBody { // what the body says is in the token
		if err := json.Unmarshal(r.Body, &claims); err != nil {
			return fmt.Errorf("the body is no JSON object: %w", err)
		}
	}
	if o.id != "" {
		claims["jti"] = o.id
	}
	if len(t.issuers) > 0 {
		claims["iss"] = t.issuers[0]
	}
	if len(t.audiences) > 0 {
		audience, err := t.audiences[0].text(v)
		if err != nil {
			return err
		}
		claims["aud"] = audience
	}
	for name, made := range t.claims {
		text, err := made.text(v)
		if err != nil {
			return err
		}
		claims[name] = text
		if text == "true" {
			claims[name] = true
		}
	}
	var key any
	if t.secret {
		secrets := c.of(t.key.references)
		if len(secrets) == 0 {
			return fmt.Errorf("%w: there is none to sign with", ErrSecret)
		}
		made, err := t.key.keyOf(secrets[0])
		if err != nil {
			return err
		}
		key = made
	} else {
		private, err := parsePrivate(c.Private)
		if err != nil {
			return err
		}
		key = crypto.PrivateKey(private)
	}
	token := jwt.NewWithClaims(jwt.GetSigningMethod(t.algorithms[0]), claims)
	if t.keys.url != nil {
		token.Header["kid"] = SampleKeyID
	}
	if t.place.Detached {
		return t.signDetached(token, key, r, o)
	}
	text, err := token.SignedString(key)
	if err != nil {
		return fmt.Errorf("the token cannot be signed: %w", err)
	}
	return o.put(t.place, r, t.place.write(text, "", nil))
}

func (t *webToken) signDetached(token *jwt.Token, key any, r *Request, o signing) error {
	token.Header["b64"] = false
	header, err := json.Marshal(token.Header)
	if err != nil {
		return err
	}
	head := base64.RawURLEncoding.EncodeToString(header)
	sum, err := token.Method.Sign(head+"."+string(r.Body), key)
	if err != nil {
		return fmt.Errorf("the token cannot be signed: %w", err)
	}
	return o.put(t.place, r, t.place.write(head+".."+base64.RawURLEncoding.EncodeToString(sum), "", nil))
}

// SampleKeyID is the id of the key that samples are signed with.
const SampleKeyID = "sample"
