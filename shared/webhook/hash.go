package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/md5"  //nolint:gosec // only where a provider has nothing else
	"crypto/sha1" //nolint:gosec // some providers sign with HMAC-SHA1, which is not broken
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"
	"time"

	"pushpull/shared/config"
)

// hashes are the hash functions, by their name in algorithm.
var hashes = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
}

// A hashed is the scheme hmac, or digest: a plain hash with the secret in the text.
type hashed struct {
	references []string
	place      place
	stamp      *stamp
	signed     signed
	key        config.Key
	plain      bool // digest
	new        func() hash.Hash
	decode     func(string) ([]byte, error)
	encode     func([]byte) string
}

func newHash(auth config.Auth) (scheme, error) {
	h := &hashed{references: auth.Secret, key: auth.Key, plain: auth.Scheme == "digest"}
	var errs [6]error
	h.new, errs[0] = hashOf(auth.Algorithm)
	h.decode, h.encode, errs[1] = encodingOf(auth.Encoding, "hex")
	h.place, errs[2] = newPlace(auth.Signature)
	h.stamp, errs[3] = newStamp(auth.Timestamp, h.place)
	h.signed, errs[4] = parseSigned(auth.Signed)
	errs[5] = checkKey(auth.Key)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	secret := slices.ContainsFunc(h.signed, func(t template) bool { return t.has(secretText) })
	token := slices.ContainsFunc(h.signed, func(t template) bool { return t.has(verifyText) })
	switch {
	case h.plain && !secret && !token:
		return nil, errors.New("signed has no {secret}: anybody could make the digest")
	case !h.plain && secret:
		return nil, errors.New("signed has {secret}, which is the key of an hmac: use the scheme digest, or leave it out")
	case h.stamp != nil && !h.stamp.signedBy(h.signed):
		return nil, errors.New("signed: the timestamp is not in it, so anybody could change it; add {timestamp}")
	case h.stamp == nil && slices.ContainsFunc(h.signed, func(t template) bool { return t.has(timestamp) }):
		return nil, errors.New("signed has {timestamp}, but timestamp does not say where it is")
	}
	return h, nil
}

func hashOf(names []string) (func() hash.Hash, error) {
	if len(names) == 0 {
		return sha256.New, nil
	}
	if made, ok := hashes[names[0]]; ok && len(names) == 1 {
		return made, nil
	}
	return nil, fmt.Errorf("algorithm %s: there are md5, sha1, sha256, sha384 and sha512", strings.Join(names, ", "))
}

func encodingOf(name, preset string) (decode func(string) ([]byte, error), encode func([]byte) string, err error) {
	if name == "" {
		name = preset
	}
	switch name {
	case "hex":
		return hex.DecodeString, hex.EncodeToString, nil
	case "base64":
		return decodeBase64, base64.StdEncoding.EncodeToString, nil
	case "base64url":
		return decodeBase64, base64.RawURLEncoding.EncodeToString, nil
	}
	return nil, nil, fmt.Errorf("encoding %q: there are hex, base64 and base64url", name)
}

// decodeBase64 takes base64 of either alphabet, padded or not.
func decodeBase64(text string) ([]byte, error) {
	text = strings.TrimRight(text, "=")
	if strings.ContainsAny(text, "-_") {
		return base64.RawURLEncoding.DecodeString(text)
	}
	return base64.RawStdEncoding.DecodeString(text)
}

func checkKey(k config.Key) error {
	if !slices.Contains([]string{"", "text", "base64", "hex"}, k.Encoding) {
		return fmt.Errorf("key encoding %q: there are text, base64 and hex", k.Encoding)
	}
	if !slices.Contains([]string{"", "sha1", "sha256"}, k.Hash) {
		return fmt.Errorf("key hash %q: there are sha1 and sha256", k.Hash)
	}
	return nil
}

func (h *hashed) readsBody() bool {
	inBody := h.place.Body != "" || h.place.Form != ""
	return inBody || h.signed.readsBody() || h.stamp != nil && (h.stamp.Body != "" || h.stamp.Form != "")
}

func (h *hashed) covers(field string) bool { return h.signed.covers(field) }

// verify makes the signature anew with every secret and compares each with every
// one of the request's. It goes through all of them whichever matches, so that
// its time does not tell which.
func (h *hashed) verify(_ context.Context, c Credentials, v *view, at time.Time) error {
	groups, err := h.place.claims(v, h.decode, h.stamp)
	if err != nil {
		return err
	}
	secrets := c.of(h.references)
	if len(secrets) == 0 {
		return fmt.Errorf("%w: there is none", ErrSecret)
	}
	if h.signed.fieldsOnly() && duplicateKey(v.json()) {
		return fmt.Errorf("%w: the body has a member twice, or is too deep to tell", ErrSignature)
	}
	matched := ""
	matches := false
	var unusable error
	for _, secret := range secrets {
		key, err := h.keyOf(secret)
		if err != nil {
			unusable = err
			continue
		}
		for _, group := range groups {
			v.timestamp = group.timestamp
			want, err := h.sum(key, v)
			if err != nil {
				return err
			}
			for _, got := range group.signatures {
				if hmac.Equal(got, want) {
					matches, matched = true, group.timestamp
				}
			}
		}
	}
	switch {
	case matches:
		return h.stamp.check(matched, at)
	case unusable != nil:
		return unusable
	}
	return ErrSignature
}

// keyOf is the key of a secret. An empty one is refused: whoever knows that it
// is empty could sign.
func (h *hashed) keyOf(secret string) (key []byte, err error) {
	text := strings.TrimPrefix(secret, h.key.Prefix)
	if text == "" {
		return nil, fmt.Errorf("%w: it is empty", ErrSecret)
	}
	switch h.key.Encoding {
	case "base64":
		key, err = decodeBase64(text)
	case "hex":
		key, err = hex.DecodeString(text)
	default:
		key = []byte(text)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: it is not %s", ErrSecret, h.key.Encoding)
	}
	if len(key) == 0 {
		return nil, fmt.Errorf("%w: it is empty", ErrSecret)
	}
	if h.key.Suffix != "" {
		key = append(slices.Clip(key), h.key.Suffix...)
	}
	if h.key.Hash != "" {
		sum := hashes[h.key.Hash]()
		_, _ = sum.Write(key)
		key = sum.Sum(nil)
	}
	return key, nil
}

// sum hashes what is signed.
func (h *hashed) sum(key []byte, v *view) ([]byte, error) {
	sum := h.new()
	if h.plain {
		v.secret = string(key)
	} else {
		sum = hmac.New(h.new, key)
	}
	if err := h.signed.writeTo(sum, v); err != nil {
		return nil, err
	}
	return sum.Sum(nil), nil
}

func (h *hashed) sign(c Credentials, r *Request, o signing) error {
	secrets := c.of(h.references)
	if len(secrets) == 0 {
		return fmt.Errorf("%w: there is none to sign with", ErrSecret)
	}
	key, err := h.keyOf(secrets[0])
	if err != nil {
		return err
	}
	v := &view{r: r, item: o.item, timestamp: o.stamp(h.stamp, r)}
	o.fill(h.signed, r, h.stamp)
	sum, err := h.sum(key, v)
	if err != nil {
		return err
	}
	return o.put(h.place, r, h.place.write(h.encode(sum), v.timestamp, h.stamp))
}
