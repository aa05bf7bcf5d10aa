package webhook

import (
	"bytes"
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
	if t.secret && auth.Key.URL != "" {
		fail(errors.New("key.url is of a public key, and HS… is with a secret: keep one"))
	}
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

// one verifies a token. Nothing but its header, which is short, is read before its
// signature is found good: the payload may be megabytes of a stranger's.
func (t *webToken) one(ctx context.Context, c Credentials, v *view, text string, at time.Time) error {
	head, payload, signature := t.parts(text)
	var header map[string]any
	name := ""
	if raw, err := base64.RawURLEncoding.DecodeString(head); err == nil && json.Unmarshal(raw, &header) == nil {
		name, _ = header["alg"].(string)
	}
	method := jwt.GetSigningMethod(name)
	sum, err := base64.RawURLEncoding.DecodeString(signature)
	if method == nil || err != nil || !slices.Contains(t.algorithms, name) {
		return errToken
	}
	if t.place.Detached {
		payload = detachedPayload(header, v.r.Body)
	}
	kid, _ := header["kid"].(string)
	found, err := t.candidates(ctx, c, v, kid)
	if err != nil {
		return err
	}
	signed := head + "." + payload
	if !slices.ContainsFunc(found.keys, func(key crypto.PublicKey) bool { return method.Verify(signed, sum, key) == nil }) {
		return errToken
	}
	found.proved()
	claims, err := t.claimsOf(payload, at)
	if err != nil {
		return err
	}
	return t.says(claims, v, at)
}

// errToken does not say what of a token is wrong.
var errToken = fmt.Errorf("%w: the token is not good", ErrSignature)

// parts are a token's; empty where it has not the form of one, or too long a header.
func (t *webToken) parts(text string) (head, payload, signature string) {
	if t.place.Detached { // only where it is said: else a token's own payload, sent as the body, would pass without its claims
		head, signature, _ = strings.Cut(text, "..")
	} else {
		head, text, _ = strings.Cut(text, ".")
		payload, signature, _ = strings.Cut(text, ".")
	}
	if len(head) > maxSignature {
		return "", "", ""
	}
	return head, payload, signature
}

// detachedPayload is the body as it was signed (RFC 7515, appendix F): as it is
// where the header says b64: false (RFC 7797), else in base64url.
func detachedPayload(header map[string]any, body []byte) string {
	if header["b64"] == false {
		return string(body)
	}
	return base64.RawURLEncoding.EncodeToString(body)
}

// claimsOf reads what an authentic token says, if it is good at that time. One
// without its payload says nothing.
func (t *webToken) claimsOf(payload string, at time.Time) (jwt.MapClaims, error) {
	claims := jwt.MapClaims{}
	if t.place.Detached {
		return claims, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return nil, errToken
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&claims); err != nil {
		return nil, errToken
	}
	err = jwt.NewValidator(jwt.WithLeeway(clockSkew), jwt.WithTimeFunc(func() time.Time { return at })).Validate(claims)
	switch {
	case errors.Is(err, jwt.ErrTokenExpired), errors.Is(err, jwt.ErrTokenNotValidYet):
		return nil, fmt.Errorf("%w: the token has expired, or is not valid yet", ErrStale)
	case err != nil:
		return nil, errToken
	}
	return claims, nil
}

// candidates are the keys or secrets that may have signed a token. Of its header
// only the key's id counts: keys and addresses in it are its sender's.
func (t *webToken) candidates(ctx context.Context, c Credentials, v *view, kid string) (candidates, error) {
	if !t.secret {
		return t.keys.find(ctx, c, v, kid)
	}
	var keys []crypto.PublicKey
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
		return candidates{keys: keys}, nil
	case unusable != nil:
		return candidates{}, unusable
	}
	return candidates{}, fmt.Errorf("%w: there is none", ErrSecret)
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
