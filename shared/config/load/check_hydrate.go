package load

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/hydrate"
	"pushpull/shared/provider"
)

// checkHydrate compiles what the processor would compile, and asks for what it
// would lack.
func (l *loader) checkHydrate(t thing, w config.Webhook) {
	h := w.Hydrate
	if h == nil {
		return
	}
	at := []string{"webhook", "hydrate"}
	l.checkHydrateRule(t, *h)
	l.checkHydrateAuth(t, *h)
	l.checkReadable(t, append(at, "token"), h.Token)
	if h.Timeout <= 0 || h.Timeout > mostHydrate {
		l.problem(t, append(at, "timeout"), fmt.Sprintf("a timeout of %s", h.Timeout), "more than nothing, and at most 30s: a batch of events waits for it")
	}
	for i, choice := range h.URL {
		l.checkCarried(t, l.hydrateKey(t, "url", strconv.Itoa(i)), choice.Value, w)
	}
	for name, value := range h.Headers {
		l.checkCarried(t, append(at, "headers", name), value, w)
		if carriesSecret(name) {
			l.problem(t, append(at, "headers", name), fmt.Sprintf("the header %s carries a secret (its value is not shown)", name), "use auth: { type: api_key, in: header, name: "+name+" } and token:")
		}
	}
}

func (l *loader) checkHydrateRule(t thing, h config.Hydrate) {
	at := []string{"webhook", "hydrate"}
	if len(h.URL) == 0 {
		l.missing(t, append(at, "url"), "where the provider's API has the data, such as https://api.example.com/things/{body.id}")
		return
	}
	if slices.ContainsFunc(h.URL, func(c event.Choice) bool { return strings.Contains(c.Value, "{with.") }) {
		return // a parameter has no value, which was said
	}
	_, err := hydrate.Compile(h)
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	for _, err := range all {
		if m, ok := errors.AsType[*hydrate.Mistake](err); ok {
			what, mend, _ := strings.Cut(m.Problem, ": ")
			l.problem(t, l.hydrateKey(t, m.Field, m.Key), what, mend)
		}
	}
}

// hydrateKey is the path of a key, as short or as long as the user wrote it.
func (l *loader) hydrateKey(t thing, field, key string) []string {
	at := []string{"webhook", "hydrate", field}
	for _, step := range []string{key, "value"} {
		if step != "" && t.has(append(slices.Clone(at), step)...) {
			at = append(at, step)
		}
	}
	return at
}

func (l *loader) checkHydrateAuth(t thing, h config.Hydrate) {
	at := []string{"webhook", "hydrate", "auth"}
	if h.Auth == nil {
		l.missing(t, at, "type: bearer, basic or api_key, or none in so many words")
		return
	}
	l.checkAPIAuth(t, at, *h.Auth)
	switch kind := h.Auth.Type; {
	case kind == "":
	case kind != "none" && len(h.Token) == 0:
		l.missing(t, []string{"webhook", "hydrate", "token"}, "a reference such as ssm:/pushpull/"+t.path[1]+"/key")
	case kind == "none" && len(h.Token) > 0:
		l.atKey(t, []string{"webhook", "hydrate", "token"}, "a token that auth none does not use", "leave it out, or choose an auth")
	}
}

// checkCarried: headers and query parameters are there only if they travel.
func (l *loader) checkCarried(t thing, at []string, template string, w config.Webhook) {
	names, _ := l.placeholders(t, at, template)
	for _, name := range names {
		name, _, _ = strings.Cut(name, "|")
		root, arg, _ := strings.Cut(name, ".")
		switch {
		case root == "header" && !slices.ContainsFunc(w.Headers, func(h string) bool { return strings.EqualFold(h, arg) }):
			l.problem(t, at, fmt.Sprintf("{%s} does not travel with the event", name), "add "+arg+" to webhook.headers")
		case root == "query" && !slices.Contains(w.Query, arg):
			l.problem(t, at, fmt.Sprintf("{%s} does not travel with the event", name), "add "+arg+" to webhook.query")
		}
	}
}

// hydrateHint is what helps where the body is not signed.
func hydrateHint(t thing, w config.Webhook) string {
	if provider.Hydrates(w.Provider) {
		return "add hydrate: { token: ssm:/pushpull/" + t.path[1] + "/key } to fetch it from the API instead"
	}
	return "believe no more of an event than its id, and fetch the rest from the provider's API: say how in hydrate"
}

// openHint is what helps where anyone can send events. A hydrate leaves that so:
// it keeps forged data out, not forged events.
func openHint(t thing, w config.Webhook) string {
	const mend = "authenticate, if the provider can sign"
	if w.Hydrate == nil && provider.Hydrates(w.Provider) {
		return mend + "; else " + hydrateHint(t, w)
	}
	return mend
}
