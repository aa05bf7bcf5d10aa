package webhook

import (
	"fmt"
	"strings"
	"time"

	"pushpull/shared/config"
)

// Sign sets the headers that a provider with this scheme would send with r: the
// signature, the timestamp where the scheme has one, and, where id is not
// empty, every other header that is signed (such as webhook-id). It is for
// samples, tests and the sandbox.
func Sign(auth config.Auth, secret string, r *Request, id string, at time.Time) error {
	v, err := Compile(auth)
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	if v.auth.Scheme == "none" {
		return nil
	}
	key, err := v.key(secret)
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	timestamp := v.setSignedHeaders(r, id, at)
	mac, err := v.mac(key, *r, timestamp)
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	r.Header.Set(v.auth.Signature.Header, v.format(mac, timestamp))
	return nil
}

// setSignedHeaders sets what is signed besides the body, and returns the timestamp.
func (v *Verifier) setSignedHeaders(r *Request, id string, at time.Time) (timestamp string) {
	timestampHeader := ""
	if t := v.auth.Timestamp; t != nil {
		timestamp, timestampHeader = writeTime(at, t.Unit), t.Header
	}
	if timestampHeader != "" {
		r.Header.Set(timestampHeader, timestamp)
	}
	for _, p := range v.signed {
		name, ok := strings.CutPrefix(p.Placeholder, "header.")
		if ok && id != "" && !strings.EqualFold(name, timestampHeader) {
			r.Header.Set(name, id)
		}
	}
	return timestamp
}

// format writes the signature header.
func (v *Verifier) format(mac []byte, timestamp string) string {
	s := v.auth.Signature
	text := s.Prefix + v.encode(mac)
	if s.Name != "" {
		text = s.Name + s.Equals + text
	}
	if t := v.auth.Timestamp; t != nil && t.Name != "" {
		text = t.Name + s.Equals + timestamp + s.Separator + text
	}
	return text
}
