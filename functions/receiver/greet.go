package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"pushpull/shared/secret"
	"pushpull/shared/telemetry"
	"pushpull/shared/webhook"
)

// keptSecrets is how many secrets that were handed over are kept for a source:
// one for each webhook that was made at the provider, the newest first.
const keptSecrets = 20

// greeting is the handshake that the request is; nil where it is an event.
func (s *source) greeting(r webhook.Request) *webhook.Handshake {
	for _, one := range s.handshakes {
		if one.Is(r, false) {
			return one
		}
	}
	return nil
}

// greet answers a handshake that nobody signs: to who shows the token, or, as it
// is inert text, to anyone.
func (h *handler) greet(ctx context.Context, src *source, greeting *webhook.Handshake, r webhook.Request) (reply, *refusal) {
	var tokens []string
	if len(src.verifyToken) > 0 {
		var err error
		if tokens, err = h.secrets.All(ctx, src.verifyToken); err != nil {
			return reply{}, refuse(503, "secret", err)
		}
	}
	shows := greeting.Shows(r, tokens)
	if greeting.By == webhook.ByToken && !shows {
		return reply{}, refuse(greeting.Refuse, "wrong_token", errors.New("a handshake without the verify_token"))
	}
	if greeting.Keeps() {
		if refused := h.keep(ctx, src, greeting.Keep(r), shows); refused != nil {
			return reply{}, refused
		}
	}
	var known webhook.Credentials
	if greeting.Signs() {
		values, err := h.values(ctx, src.references)
		if err != nil && len(values) == 0 {
			return reply{}, refuse(503, "secret", err)
		}
		known = h.credentials(src, values)
	}
	if len(tokens) > 0 {
		known.VerifyToken = tokens[0]
	}
	return h.answer(ctx, src, greeting, r, known)
}

// confirm answers a handshake that was signed, after its address was fetched
// where it has one.
func (h *handler) confirm(ctx context.Context, src *source, greeting *webhook.Handshake, r webhook.Request, known webhook.Credentials) (reply, *refusal) {
	address, err := greeting.Confirm(r)
	if err != nil {
		return reply{}, refuse(src.refuse, "wrong_address", err)
	}
	if address != "" {
		if err := h.visit(ctx, address); err != nil {
			return reply{}, refuse(503, "confirm", err)
		}
	}
	return h.answer(ctx, src, greeting, r, known)
}

func (h *handler) answer(ctx context.Context, src *source, greeting *webhook.Handshake, r webhook.Request, known webhook.Credentials) (reply, *refusal) {
	answer, err := greeting.Answer(known, r)
	switch {
	case errors.Is(err, webhook.ErrSecret):
		return reply{}, refuse(503, "secret", err)
	case err != nil:
		return reply{}, refuse(400, "malformed", err)
	}
	h.log.LogAttrs(ctx, slog.LevelInfo, "handshake answered", slog.String(telemetry.KeySource, src.name), slog.Int("status", answer.Status))
	return said(answer, r), nil
}

// said is an answer with values of the request in it: text, whatever a browser thinks.
func said(a webhook.Answer, r webhook.Request) reply {
	a.Headers = append(slices.Clip(a.Headers), webhook.Field{Name: "x-content-type-options", Value: "nosniff"})
	return reply{Answer: a, bare: r.Method == "HEAD"}
}

// keep stores a secret that the provider hands over. The first may come from
// anyone, since nobody could have signed with it; once there is one, another
// must be shown to come from who made the webhook, or anybody could replace it.
func (h *handler) keep(ctx context.Context, src *source, handed string, shows bool) *refusal {
	if handed == "" || strings.ContainsFunc(handed, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return refuse(400, "malformed", errors.New("a handshake that hands no secret over, or none that is plain text"))
	}
	if len(src.secrets) == 0 {
		return refuse(503, "secret", errors.New("webhook.secret is absent: say where the secret is to be kept"))
	}
	ref := src.secrets[0]
	current, err := h.secrets.Fresh(ctx, []string{ref})
	switch {
	case errors.Is(err, secret.ErrAbsent):
		if err = h.secrets.Put(ctx, ref, handed, false); errors.Is(err, secret.ErrTaken) && shows {
			err = h.keepBeside(ctx, ref, handed)
		}
	case err != nil:
	case slices.Contains(strings.Fields(current[0]), handed):
		return nil // said again
	case shows:
		err = h.keepBeside(ctx, ref, handed)
	default:
		err = secret.ErrTaken
	}
	switch {
	case errors.Is(err, secret.ErrTaken):
		return refuse(src.refuse, "kept", fmt.Errorf("%w: at %s, and the handshake does not show verify_token: remove the secret, or give the provider the address with the token", err, ref))
	case err != nil:
		return refuse(503, "secret", err)
	}
	h.log.LogAttrs(ctx, slog.LevelWarn, "secret handed over and kept", slog.String(telemetry.KeySource, src.name), slog.String("reference", ref))
	return nil
}

// keepBeside puts a secret before those that are there. The store has no
// conditional write, so it looks again: who wrote at the same time may have been
// the last, and then the other's secrets are there, and ours is not.
func (h *handler) keepBeside(ctx context.Context, ref, handed string) error {
	const rounds = 5
	for range rounds {
		current, err := h.secrets.Anew(ctx, ref)
		if err != nil {
			return err
		}
		all := strings.Fields(current)
		if slices.Contains(all, handed) {
			return nil
		}
		all = append([]string{handed}, all...)
		if len(all) > keptSecrets {
			h.log.WarnContext(ctx, "the oldest of the secrets that were handed over is dropped", "reference", ref, "kept", keptSecrets)
			all = all[:keptSecrets]
		}
		if err := h.secrets.Put(ctx, ref, strings.Join(all, "\n"), true); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s was written by others each time: the provider is told to come again", ref)
}
