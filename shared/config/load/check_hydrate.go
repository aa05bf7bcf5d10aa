package load

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"pushpull/shared/apiauth"
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
	at := func(keys ...string) []string { return append([]string{"webhook", "hydrate"}, keys...) }
	l.checkHydrateRule(t, *h)
	l.checkHydrateAuth(t, *h)
	l.checkRateLimit(t, at("rate_limit"), h.RateLimit)
	if h.Retry != nil && len(h.Retry.ShrinkPageOn) > 0 {
		l.atKey(t, at("retry", "shrink_page_on"), "a hydrate has no pages", "leave it out")
	}
	if h.Timeout <= 0 || h.Timeout > mostHydrate {
		l.problem(t, at("timeout"), fmt.Sprintf("a timeout of %s", h.Timeout), "more than nothing, and at most 30s: a batch of events waits for it")
	}
	if h.Cache > mostCached {
		l.problem(t, at("cache"), fmt.Sprintf("a cache of %s", h.Cache), "at most 15m: a function is not kept for longer without work")
	}
	for i, choice := range h.URL {
		l.checkCarried(t, l.hydrateKey(t, "url", strconv.Itoa(i)), choice.Value, w)
	}
	for name, value := range h.Headers {
		l.checkCarried(t, at("headers", name), value, w)
		if carriesSecret(name) {
			l.problem(t, at("headers", name), fmt.Sprintf("the header %s carries a secret (its value is not shown)", name), "use auth: { type: api_key, in: header, name: "+name+" } and token:")
		}
	}
}

// checkHydrateAuth looks at the credential, and at what it takes from secrets and with.
func (l *loader) checkHydrateAuth(t thing, h config.Hydrate) {
	at := []string{"webhook", "hydrate"}
	l.checkAPIAuth(t, at, h.Auth, apiauth.Options{Token: h.Token, Secrets: h.Secrets, With: h.With})
	l.checkReadable(t, append(at, "token"), h.Token)
	for _, name := range slices.Sorted(maps.Keys(h.Secrets)) {
		l.checkReadable(t, append(at, "secrets", name), h.Secrets[name])
	}
	used := apiauth.Placeholders(h.Auth)
	for _, name := range slices.Sorted(maps.Keys(h.With)) {
		if !slices.Contains(used, name) {
			l.atKey(t, append(at, "with", name), fmt.Sprintf("auth does not use {%s}", name), orElse(didYouMeanOnly(name, used), "leave it out; for url and headers, {with."+name+"} is of webhook.with"))
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

// checkCarried: headers and query parameters are there only if they travel.
func (l *loader) checkCarried(t thing, at []string, template string, w config.Webhook) {
	for _, name := range l.placeholders(t, at, template) {
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
	if says := provider.HydrateOf(w.Provider, t.path[1]); says != "" {
		return "add " + says + " to fetch it from the API instead"
	}
	return "believe no more of an event than its id, and fetch the rest from the provider's API: say how in hydrate"
}

// openHint is what helps where anyone can send events. A hydrate leaves that so:
// it keeps forged data out, not forged events.
func openHint(t thing, w config.Webhook) string {
	const mend = "authenticate, if the provider can sign"
	if w.Hydrate == nil && provider.HydrateOf(w.Provider, t.path[1]) != "" {
		return mend + "; else " + hydrateHint(t, w)
	}
	return mend
}
