package webhook

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
	"strings"
	"time"
)

// The verdicts on a request that is not taken. ErrSecret is not the request's
// fault but ours: the scheme cannot use a secret that it was given.
var (
	ErrMissing   = errors.New("no signature")
	ErrSignature = errors.New("signature does not match")
	ErrStale     = errors.New("timestamp outside the tolerance")
	ErrSecret    = errors.New("secret unusable")
)

// Verify says whether r was signed with one of the secrets, at a time within
// the tolerance of at. It returns nil, or an error that wraps ErrMissing (the
// request carries no signature, or lacks a header that would be signed),
// ErrSignature, ErrStale (signed, but too long ago or too far in the future) or
// ErrSecret. Nothing of a secret, a signature or the body is in the error.
func (v *Verifier) Verify(secrets []string, r Request, at time.Time) error {
	if v.auth.Scheme == "none" {
		return nil
	}
	c, err := v.claim(r.Header)
	if err != nil {
		return err
	}
	if err := v.compare(secrets, r, c); err != nil {
		return err
	}
	return v.checkAge(c.timestamp, at)
}

// A claim is what a request says of itself: how it was signed, and when.
type claim struct {
	signatures [][]byte
	timestamp  string // as it was written, since that is what was signed
}

// claim reads the signature header and the timestamp.
func (v *Verifier) claim(h Header) (claim, error) {
	var c claim
	values := h.Values(v.auth.Signature.Header)
	size := 0
	for _, value := range values {
		size += len(value)
	}
	if size == 0 {
		return c, fmt.Errorf("%w: header %s is absent", ErrMissing, v.auth.Signature.Header)
	}
	if size > maxHeader {
		return c, fmt.Errorf("%w: header %s is over %d bytes", ErrSignature, v.auth.Signature.Header, maxHeader)
	}
	named := 0
	for _, value := range values {
		named += v.readItems(value, &c)
	}
	if t := v.auth.Timestamp; t != nil && t.Header != "" {
		c.timestamp = h.Get(t.Header)
	}
	switch {
	case named == 0:
		return c, fmt.Errorf("%w: header %s has no item %q", ErrMissing, v.auth.Signature.Header, v.auth.Signature.Name)
	case v.auth.Timestamp != nil && c.timestamp == "":
		return c, fmt.Errorf("%w: the timestamp is absent", ErrMissing)
	case len(c.timestamp) > maxTimestamp:
		return c, fmt.Errorf("%w: the timestamp is over %d bytes", ErrSignature, maxTimestamp)
	case len(c.signatures) == 0:
		return c, fmt.Errorf("%w: header %s does not have the form of a signature", ErrSignature, v.auth.Signature.Header)
	}
	return c, nil
}

// readItems reads one value of the signature header. It returns how many items
// had the signature's name, whether they could be decoded or not.
func (v *Verifier) readItems(value string, c *claim) (named int) {
	s := v.auth.Signature
	for more := true; more; {
		item := value
		if more = false; s.Separator != "" {
			item, value, more = strings.Cut(value, s.Separator)
		}
		item = strings.TrimSpace(item)
		if s.Name != "" {
			name, rest, ok := strings.Cut(item, s.Equals)
			if t := v.auth.Timestamp; ok && t != nil && t.Name != "" && name == t.Name && c.timestamp == "" {
				c.timestamp = rest
			}
			if !ok || name != s.Name {
				continue
			}
			item = rest
		}
		named++
		text, ok := strings.CutPrefix(item, s.Prefix)
		if !ok || len(c.signatures) == maxSignatures {
			continue
		}
		if b, err := v.decode(text); err == nil && len(b) > 0 {
			c.signatures = append(c.signatures, b)
		}
	}
	return named
}

// compare makes the signature anew with every secret and compares each with
// every one of the request's. It goes through all of them whichever matches, so
// that its time does not tell which.
func (v *Verifier) compare(secrets []string, r Request, c claim) error {
	if len(secrets) == 0 {
		return fmt.Errorf("%w: there is none", ErrSecret)
	}
	matches := false
	var unusable error
	for _, secret := range secrets {
		key, err := v.key(secret)
		if err != nil {
			unusable = err
			continue
		}
		want, err := v.mac(key, r, c.timestamp)
		if err != nil {
			return err
		}
		for _, got := range c.signatures {
			if hmac.Equal(got, want) {
				matches = true
			}
		}
	}
	switch {
	case matches:
		return nil
	case unusable != nil:
		return unusable
	}
	return ErrSignature
}

// key is the HMAC's key of a secret. An empty one is refused: whoever knows
// that it is empty could sign.
func (v *Verifier) key(secret string) (key []byte, err error) {
	text := strings.TrimPrefix(secret, v.auth.Key.Prefix)
	switch v.auth.Key.Encoding {
	case "base64":
		key, err = decodeKey(text)
	case "hex":
		key, err = hex.DecodeString(text)
	default:
		key = []byte(text)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: it is not %s", ErrSecret, v.auth.Key.Encoding)
	}
	if len(key) == 0 {
		return nil, fmt.Errorf("%w: it is empty", ErrSecret)
	}
	return key, nil
}

// decodeKey takes base64 of either alphabet, padded or not.
func decodeKey(text string) ([]byte, error) {
	text = strings.TrimRight(text, "=")
	if strings.ContainsAny(text, "-_") {
		return base64.RawURLEncoding.DecodeString(text)
	}
	return base64.RawStdEncoding.DecodeString(text)
}

// mac signs what the scheme signs of r.
func (v *Verifier) mac(key []byte, r Request, timestamp string) ([]byte, error) {
	h := hmac.New(v.newHash, key)
	for _, p := range v.signed {
		switch p.Placeholder {
		case "":
			write(h, p.Literal)
		case "body":
			_, _ = h.Write(r.Body)
		case "timestamp":
			write(h, timestamp)
		case "method":
			write(h, r.Method)
		case "path":
			write(h, r.Path)
		case "query":
			write(h, r.RawQuery)
		case "url":
			write(h, r.URL)
		default:
			name := strings.TrimPrefix(p.Placeholder, "header.")
			value := r.Header.Get(name)
			if value == "" {
				return nil, fmt.Errorf("%w: header %s, which is signed, is absent", ErrMissing, name)
			}
			write(h, value)
		}
	}
	return h.Sum(nil), nil
}

// write never fails: a hash takes everything.
func write(h hash.Hash, s string) { _, _ = io.WriteString(h, s) }

// checkAge is asked only of a timestamp that is known to be authentic.
func (v *Verifier) checkAge(text string, at time.Time) error {
	if v.auth.Timestamp == nil {
		return nil
	}
	signed, err := readTime(text, v.auth.Timestamp.Unit)
	switch {
	case err != nil:
		return fmt.Errorf("%w: it is not a time in the unit %s", ErrStale, v.auth.Timestamp.Unit)
	case signed.Before(at.Add(-v.tolerance)):
		return fmt.Errorf("%w: signed %s ago, the tolerance is %s", ErrStale, at.Sub(signed).Round(time.Second), v.tolerance)
	case signed.After(at.Add(v.tolerance)):
		return fmt.Errorf("%w: signed %s in the future, the tolerance is %s", ErrStale, signed.Sub(at).Round(time.Second), v.tolerance)
	}
	return nil
}

func readTime(text, unit string) (time.Time, error) {
	if unit == "rfc3339" {
		return time.Parse(time.RFC3339, text)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if unit == "ms" {
		return time.UnixMilli(n), err
	}
	return time.Unix(n, 0), err
}

func writeTime(at time.Time, unit string) string {
	switch unit {
	case "rfc3339":
		return at.UTC().Format(time.RFC3339Nano)
	case "ms":
		return strconv.FormatInt(at.UnixMilli(), 10)
	}
	return strconv.FormatInt(at.Unix(), 10)
}
