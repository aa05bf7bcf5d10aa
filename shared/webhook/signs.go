package webhook

import (
	"errors"
	"slices"
	"strings"

	"pushpull/shared/config"
)

// Signs reports whether a change of a header or of a query parameter would be
// seen; name is its placeholder, such as header.X-Id. Where nothing is signed but
// a secret is shown it is true: who can read that can say anything.
func (v *Verifier) Signs(name string) bool {
	p, err := parsePlaceholder(name)
	return err == nil && signsValue(v.auth, p)
}

func signsValue(auth config.Auth, p piece) bool {
	signs := func(one config.Auth) bool { return signsValue(one, p) }
	switch auth.Scheme {
	case "all":
		return slices.ContainsFunc(auth.Of, signs)
	case "any":
		return !slices.ContainsFunc(auth.Of, func(one config.Auth) bool { return !signs(one) })
	case "token", "basic", "ip", "mtls", "none":
		return true
	}
	if carries(auth, p) {
		return true
	}
	for name := range auth.Equal {
		if one, err := parsePlaceholder(name); err == nil && same(one, p) {
			return true
		}
	}
	texts := slices.Clone([]string(auth.Signed))
	for _, text := range auth.Claims {
		texts = append(texts, text)
	}
	return slices.ContainsFunc(texts, func(text string) bool {
		t, err := parseTemplate(text, false)
		return err == nil && slices.ContainsFunc(t, func(signed piece) bool { return within(auth, signed, p) })
	})
}

// carries reports whether the value is the place of the signature itself.
func carries(auth config.Auth, p piece) bool {
	if p.source == queryParameter {
		return p.arg == auth.Signature.Query
	}
	return p.source == header && slices.ContainsFunc(auth.Signature.Header, func(name string) bool { return strings.EqualFold(name, p.arg) })
}

// within reports whether the value is part of what a placeholder stands for.
func within(auth config.Auth, signed, p piece) bool {
	switch {
	case same(signed, p):
		return true
	case signed.source == timestamp && auth.Timestamp != nil:
		return p.source == header && strings.EqualFold(auth.Timestamp.Header, p.arg) || p.source == queryParameter && auth.Timestamp.Query == p.arg
	case p.source == header:
		return signed.source == headerList // which headers are in the list, require can say
	}
	return signed.source == rawQuery || signed.source == fullURL || signed.source == canonical && (signed.arg != "sorted_form" && signed.arg != "php_form")
}

func same(a, b piece) bool { return a.source == b.source && strings.EqualFold(a.arg, b.arg) }

// signsARequest refuses what is signed if nothing of the request is in it: who
// saw it once could put it on any other. An answer may be signed so.
func signsARequest(auth config.Auth) error {
	for _, one := range auth.Of {
		if err := signsARequest(one); err != nil {
			return err
		}
	}
	if len(auth.Signed) == 0 {
		return nil // the body
	}
	of := false
	for _, text := range auth.Signed {
		t, err := parseTemplate(text, false)
		if err != nil {
			return err
		}
		if t.has(verifyText) {
			return errors.New("signed has {verify_token}, which is for answers: a request is signed with {secret}")
		}
		of = of || slices.ContainsFunc(t, func(p piece) bool { return p.source != literal && p.source != secretText })
	}
	if !of {
		return errors.New("signed has nothing of the request in it: it would fit any other; add {body}")
	}
	return nil
}
