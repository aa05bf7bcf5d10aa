package apiauth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // some providers have nothing else
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// hmacHashes are the algorithms of hmac.
var hmacHashes = map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New}

// signedNames are what a signature may be over, besides with and the secrets.
var signedNames = []string{"method", "path", "query", "url", "host", "body", "timestamp", "timestamp_ms", "date", "nonce"}

// A requestSigner signs requests with a keyed hash.
type requestSigner struct {
	a                  *Authenticator
	hash               func() hash.Hash
	key, signed, value template
	headers            map[string]template
	where              string
}

func buildHMAC(b *builder) {
	algorithm := or(b.auth.Algorithm, "sha256")
	h, ok := hmacHashes[algorithm]
	if !ok {
		b.wrong("algorithm", "%q is none of %s", algorithm, strings.Join(slices.Sorted(maps.Keys(hmacHashes)), ", "))
	}
	b.need("signed", b.auth.Signed, `what is signed, such as "{timestamp}{method}{path}{body}"`)
	b.need("name", b.auth.Name, "the header or parameter that takes the signature")
	if !slices.Contains([]string{"", "hex", "base64"}, b.auth.Encoding) {
		b.wrong("encoding", "%q is neither hex nor base64", b.auth.Encoding)
	}
	s := &requestSigner{
		a: b.Authenticator, hash: h, where: b.where(),
		key: b.secret("key", or(b.auth.Key, "{token}")), signed: b.template("signed", b.auth.Signed, signedNames...),
		value:   b.template("value", or(b.auth.Value, "{signature}"), append([]string{"signature"}, signedNames...)...),
		headers: b.templates("headers", b.auth.Headers, append([]string{"signature"}, signedNames...)...),
	}
	b.carried(s.where, b.auth.Name)
	b.sign = s.sign
}

func (s *requestSigner) sign(ctx context.Context, req *http.Request, body []byte) error {
	v, err := s.a.resolve(ctx, all(s.headers, s.key, s.signed, s.value)...)
	if err != nil {
		return err
	}
	s.a.Strip(req.URL) // of the last attempt
	now := s.a.signClock()
	maps.Copy(v, values{
		"method": req.Method, "path": req.URL.EscapedPath(), "query": req.URL.RawQuery, "url": req.URL.String(),
		"host": or(req.Host, req.URL.Host), "body": string(body), "timestamp": strconv.FormatInt(now.Unix(), 10),
		"timestamp_ms": strconv.FormatInt(now.UnixMilli(), 10), "date": now.UTC().Format(http.TimeFormat), "nonce": rand.Text(),
	})
	mac := hmac.New(s.hash, []byte(s.key.fill(v)))
	mac.Write([]byte(s.signed.fill(v)))
	v["signature"] = hex.EncodeToString(mac.Sum(nil))
	if s.a.auth.Encoding == "base64" {
		v["signature"] = base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	for name, t := range s.headers {
		if err := (placed{name: name, text: t.fill(v)}).into(req); err != nil {
			return err
		}
	}
	value := strings.TrimSpace(s.a.auth.Prefix + " " + s.value.fill(v))
	return placed{s.where, s.a.auth.Name, value}.into(req)
}
