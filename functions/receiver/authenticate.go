package main

import (
	"context"
	"errors"
	"maps"
	"strings"
	"time"

	"pushpull/shared/webhook"
)

// authenticate proves the request, with secrets resolved anew where those at
// hand do not match: they may have been rotated a moment ago. It returns the
// credentials, which an answer may be signed with.
func (h *handler) authenticate(ctx context.Context, src *source, r webhook.Request, at time.Time) (webhook.Credentials, *refusal) {
	if src.auth.Scheme == "none" {
		return webhook.Credentials{}, src.require(r)
	}
	values, unresolved := h.values(ctx, src.references)
	if unresolved != nil && len(values) == 0 {
		return webhook.Credentials{}, refuse(503, "secret", unresolved)
	}
	known := h.credentials(src, values)
	err := src.verifier.Verify(ctx, known, r, at)
	if len(src.references) > 0 && (errors.Is(err, webhook.ErrSignature) || errors.Is(err, webhook.ErrSecret)) {
		fresh, freshErr := h.secrets.Fresh(ctx, src.references)
		if freshErr != nil {
			return known, refuse(503, "secret", freshErr)
		}
		if anew := byReference(src.references, fresh); !maps.Equal(values, anew) {
			known = h.credentials(src, anew)
			err = src.verifier.Verify(ctx, known, r, at)
		}
	}
	switch {
	case err == nil:
		return known, src.require(r)
	case errors.Is(err, webhook.ErrMissing):
		return known, refuse(src.refuse, "no_signature", err)
	case errors.Is(err, webhook.ErrStale):
		return known, refuse(src.refuse, "stale_timestamp", err)
	case errors.Is(err, webhook.ErrSignature):
		return known, refuse(src.refuse, "wrong_signature", err)
	case errors.Is(err, webhook.ErrKey):
		return known, refuse(503, "key", err)
	}
	return known, refuse(503, "secret", err)
}

// require refuses what is authentic but not of this source, such as another topic's.
func (s *source) require(r webhook.Request) *refusal {
	var document []byte
	if s.requirement.ReadsBody() {
		message, _, refused := s.message(r)
		if refused != nil {
			return refused
		}
		if parts := message.Parts; len(parts) > 0 {
			if document = parts[0].Root; document == nil {
				document = parts[0].View
			}
		}
	}
	if err := s.requirement.Met(r, document); err != nil {
		return refuse(s.refuse, "not_required", err)
	}
	return nil
}

// values resolves the references: all, or of several those that can be, with the
// reason for the others. Of a rotation any secret verifies, so one that was
// removed too early must not keep out what is signed with another.
func (h *handler) values(ctx context.Context, refs []string) (values map[string]string, unresolved error) {
	if len(refs) == 0 {
		return nil, nil
	}
	all, unresolved := h.secrets.All(ctx, refs)
	if unresolved == nil || len(refs) == 1 {
		return byReference(refs, all), unresolved
	}
	values = map[string]string{}
	for _, ref := range refs {
		if one, err := h.secrets.All(ctx, []string{ref}); err == nil {
			values[ref] = one[0]
		}
	}
	h.log.ErrorContext(ctx, "a secret is not there: what is signed with it is refused", "error", unresolved)
	return values, unresolved
}

func byReference(refs, values []string) map[string]string {
	if len(values) == 0 {
		return nil
	}
	by := make(map[string]string, len(refs))
	for i, ref := range refs {
		by[ref] = values[i]
	}
	return by
}

// credentials are the values as the verifier wants them.
func (h *handler) credentials(src *source, values map[string]string) webhook.Credentials {
	c := webhook.Credentials{Own: values, Keys: h.keys}
	for _, ref := range src.secrets {
		value, there := values[ref]
		switch {
		case !there:
		case src.keeps: // one to a line: each webhook at the provider has its own
			c.Secrets = append(c.Secrets, strings.Fields(value)...)
		default:
			c.Secrets = append(c.Secrets, value)
		}
	}
	return c
}
