package load

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"pushpull/shared/body"
	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/rate"
	"pushpull/shared/webhook"
)

// checkHandshakes compiles what the receiver would compile, so that it never
// meets a mistake, and asks for the secrets that the handshakes need.
func (l *loader) checkHandshakes(t thing, w config.Webhook) {
	at := []string{"webhook"}
	for i, h := range w.Handshakes {
		made, err := webhook.CompileHandshake(h)
		if err != nil {
			l.problem(t, append(at, "handshakes", strconv.Itoa(i)), err.Error(), "")
			continue
		}
		uses := h.Answer.Sign != nil && strings.Contains(strings.Join(h.Answer.Sign.Signed, ""), "{verify_token}")
		if (h.By == webhook.ByToken || uses) && len(w.VerifyToken) == 0 {
			l.missing(t, append(at, "verify_token"), "a reference such as ssm:/pushpull/"+t.path[1]+"/verify_token, with the token that the provider shows")
		}
		if made.Keeps() {
			l.checkKept(t, w)
		}
	}
	if w.Reply != nil {
		if _, err := webhook.CompileReply(*w.Reply, 202); err != nil {
			l.problem(t, append(at, "reply"), err.Error(), "")
		}
	}
	if _, err := webhook.CompileRequirement(w.Require); err != nil {
		l.problem(t, append(at, "require"), err.Error(), "")
	}
	l.checkReadable(t, append(at, "verify_token"), w.VerifyToken)
	if w.Auth != nil {
		l.checkReadable(t, append(at, "auth"), webhook.References(*w.Auth))
	}
}

// checkKept: a secret that is handed over is written where it is read.
func (l *loader) checkKept(t thing, w config.Webhook) {
	at := []string{"webhook", "secret"}
	switch {
	case len(w.Secret) == 0:
		l.missing(t, at, "an ssm: reference, to which the secret that the provider hands over is written")
	case !strings.HasPrefix(w.Secret[0], "ssm:"):
		l.problem(t, at, "the provider hands the secret over, and it can be written to an ssm: reference only", "write ssm:/pushpull/"+t.path[1]+"/webhook")
	case l.inAWS:
		l.warn(t, at, "the provider hands the secret over in its first request, which the receiver may keep only if the stack lets it", "deploy with KeepHandedSecrets=true, and set it back when the secret is there")
	}
}

func (l *loader) checkBody(t thing, w config.Webhook) {
	at := []string{"webhook"}
	if w.Body != nil {
		if _, err := body.Compile(*w.Body); err != nil {
			l.problem(t, append(at, "body"), err.Error(), "")
		}
		l.checkElements(t, w)
	}
	if w.Rate != "" {
		if _, err := rate.Parse(w.Rate); err != nil {
			l.problem(t, append(at, "rate"), err.Error(), "")
		}
	}
	if w.URL != "" {
		u, err := url.Parse(w.URL)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" {
			l.problem(t, append(at, "url"), "this is not an address without a query", "write it as it was given to the provider: https://hooks.example.com/webhooks/"+t.path[1])
		}
	}
}

// checkElements: where a body has several events, an identity that is the
// request's would be the same for all of them.
func (l *loader) checkElements(t thing, w config.Webhook) {
	if len(w.Body.Each) == 0 || w.Event == nil {
		return
	}
	for i, c := range w.Event.Identity {
		parts, err := event.ParseTemplate(c.Value)
		if err != nil {
			continue // said by checkSpec
		}
		own := false
		for _, p := range parts {
			name := p.Placeholder
			own = own || strings.HasPrefix(name, "body.") || name == "entity" || name == "version"
		}
		if !own {
			l.problem(t, l.candidate(t, []string{"webhook", "event"}, "identity", i, "value"),
				fmt.Sprintf("%q is the same for all events of a request", c.Value), "add something of the element, such as {body.id}")
		}
	}
}
