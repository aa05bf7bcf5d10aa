package webhook

import (
	"crypto/sha1" //nolint:gosec // some providers sign with HMAC-SHA1, which is not broken
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"
	"time"

	"pushpull/shared/config"
	"pushpull/shared/event"
)

// The limits of what is looked at before a request is known to be authentic.
const (
	maxSignatures = 16      // in one request
	maxHeader     = 8 << 10 // bytes of the signature header
	maxTimestamp  = 64      // bytes of the timestamp
)

const defaultTolerance = 5 * time.Minute

// A Verifier is a scheme with its parameters, made ready. It is safe for
// concurrent use.
type Verifier struct {
	auth      config.Auth
	newHash   func() hash.Hash
	decode    func(string) ([]byte, error)
	encode    func([]byte) string
	signed    []event.Part
	tolerance time.Duration
}

// Compile makes a scheme ready. The error says everything that is wrong with it.
func Compile(auth config.Auth) (*Verifier, error) {
	v := &Verifier{auth: auth}
	switch auth.Scheme {
	case "none":
		return v, nil
	case "hmac":
	default:
		return nil, fmt.Errorf("scheme %q: there are hmac and none", auth.Scheme)
	}
	err := errors.Join(v.setAlgorithm(), v.setEncoding(), v.checkKey(), v.checkSignature(), v.setTimestamp(), v.setSigned())
	if err != nil {
		return nil, err
	}
	return v, nil
}

func (v *Verifier) setAlgorithm() error {
	switch v.auth.Algorithm {
	case "sha1":
		v.newHash = sha1.New
	case "sha256", "":
		v.newHash = sha256.New
	case "sha384":
		v.newHash = sha512.New384
	case "sha512":
		v.newHash = sha512.New
	default:
		return fmt.Errorf("algorithm %q: there are sha1, sha256, sha384 and sha512", v.auth.Algorithm)
	}
	return nil
}

func (v *Verifier) setEncoding() error {
	switch v.auth.Encoding {
	case "hex", "":
		v.decode, v.encode = hex.DecodeString, hex.EncodeToString
	case "base64":
		v.decode, v.encode = unpadded(base64.RawStdEncoding), base64.StdEncoding.EncodeToString
	case "base64url":
		v.decode, v.encode = unpadded(base64.RawURLEncoding), base64.RawURLEncoding.EncodeToString
	default:
		return fmt.Errorf("encoding %q: there are hex, base64 and base64url", v.auth.Encoding)
	}
	return nil
}

// unpadded decodes base64 with its padding or without.
func unpadded(enc *base64.Encoding) func(string) ([]byte, error) {
	return func(s string) ([]byte, error) { return enc.DecodeString(strings.TrimRight(s, "=")) }
}

func (v *Verifier) checkKey() error {
	switch v.auth.Key.Encoding {
	case "text", "base64", "hex", "":
		return nil
	}
	return fmt.Errorf("key encoding %q: there are text, base64 and hex", v.auth.Key.Encoding)
}

func (v *Verifier) checkSignature() error {
	s := &v.auth.Signature
	if s.Header == "" {
		return errors.New("signature header is empty: name the header that carries the signature")
	}
	if s.Equals == "" {
		s.Equals = "="
	}
	if s.Separator != "" && s.Separator == s.Equals && s.Name != "" {
		return fmt.Errorf("separator and equals of the signature are both %q: items could not be told from values", s.Separator)
	}
	return nil
}

func (v *Verifier) setTimestamp() error {
	t := v.auth.Timestamp
	if t == nil {
		return nil
	}
	v.tolerance = t.Tolerance.Std()
	if v.tolerance == 0 {
		v.tolerance = defaultTolerance
	}
	switch t.Unit {
	case "s", "ms", "rfc3339", "":
	default:
		return fmt.Errorf("timestamp unit %q: there are s, ms and rfc3339", t.Unit)
	}
	switch {
	case t.Header == "" && t.Name == "":
		return errors.New("timestamp is nowhere: give its header, or the name of its item in the signature header")
	case t.Header != "" && t.Name != "":
		return errors.New("timestamp is in two places: give its header or the name of its item, not both")
	case t.Name != "" && t.Name == v.auth.Signature.Name:
		return fmt.Errorf("timestamp and signature are both the item %q", t.Name)
	case t.Name != "" && (v.auth.Signature.Name == "" || v.auth.Signature.Separator == ""):
		return errors.New("timestamp is an item of the signature header: give signature.separator and signature.name too")
	}
	return nil
}

// setSigned reads what is signed. The body must be, and so must the timestamp
// where there is one: a time that anybody may change says nothing of age.
func (v *Verifier) setSigned() error {
	text := v.auth.Signed
	if text == "" {
		text = "{body}"
	}
	parts, err := event.ParseTemplate(text)
	if err != nil {
		return fmt.Errorf("signed: %w", err)
	}
	v.signed = parts
	body, timestamp := false, v.auth.Timestamp == nil
	for _, p := range parts {
		name, isHeader := strings.CutPrefix(p.Placeholder, "header.")
		switch {
		case p.Placeholder == "" || p.Placeholder == "method" || p.Placeholder == "path" || p.Placeholder == "query" || p.Placeholder == "url":
		case p.Placeholder == "body":
			body = true
		case p.Placeholder == "timestamp" && v.auth.Timestamp == nil:
			return errors.New("signed has {timestamp}, but timestamp does not say where it is")
		case p.Placeholder == "timestamp":
			timestamp = true
		case isHeader && name != "":
			timestamp = timestamp || strings.EqualFold(name, v.auth.Timestamp.Header)
		default:
			return fmt.Errorf("signed: unknown placeholder {%s}: there are {body}, {timestamp}, {header.NAME}, {method}, {path}, {query} and {url}", p.Placeholder)
		}
	}
	if !body {
		return fmt.Errorf("signed is %q: without {body} anybody could change the body", text)
	}
	if !timestamp {
		return fmt.Errorf("signed is %q: the timestamp is not in it, so anybody could change it; add {timestamp}", text)
	}
	return nil
}
