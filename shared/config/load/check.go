package load

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/webhook"
)

// The bounds of what AWS and providers can bear.
const (
	leastEvery = config.Duration(5 * time.Second)  // a poll job's delay has whole seconds, and an API its limits
	mostWait   = config.Duration(12 * time.Hour)   // a message's longest visibility timeout
	mostTime   = config.Duration(10 * time.Minute) // of one request, within a function's fifteen minutes
	// mostHydrate is of one request in the processor, whose batch waits for it.
	mostHydrate = config.Duration(30 * time.Second)
	mostCached  = config.Duration(15 * time.Minute)
)

func (l *loader) checkSource(t thing, s config.Source) {
	absent := func(half string) bool { return !t.has(half) && !l.slipped(t, []string{half}) }
	if absent("webhook") && absent("poll") {
		l.problem(t, nil, "a source without webhook and poll has no events", "add webhook:, poll: or both")
	}
	if s.Webhook != nil {
		l.checkWebhook(t, *s.Webhook)
		l.checkReadable(t, []string{"webhook", "secret"}, s.Webhook.Secret)
	}
	if s.Webhook != nil && s.Webhook.Hint && absent("poll") {
		l.problem(t, []string{"webhook", "hint"}, "a hint polls, and the source has no poll", "add poll:, or leave hint out, so that each request is an event")
	}
	polls := t.polls()
	for i, p := range s.Poll {
		l.checkPoll(polls[i], s, p)
	}
	if s.Window <= 0 {
		l.problem(t, []string{"window"}, "a ledger that remembers nothing recognises no duplicate", "30d is the default; providers resend for days")
	}
}

func (l *loader) checkWebhook(t thing, w config.Webhook) {
	at := []string{"webhook"}
	switch {
	case w.Auth == nil && w.Provider == "":
		absent := func(key string) bool { return !t.has("webhook", key) && !l.slipped(t, []string{"webhook", key}) }
		if absent("provider") && absent("auth") {
			l.problem(t, at, "neither provider nor auth", "name a preset in provider:, or say how requests are authenticated in auth:")
		}
	case w.Auth == nil: // the provider is unknown, which was said
	default:
		l.checkAuth(t, w)
	}
	l.checkHandshakes(t, w)
	l.checkBody(t, w)
	l.checkSpec(t, []string{"webhook", "event"}, w.Event)
	l.checkHydrate(t, w)
}

func (l *loader) checkAuth(t thing, w config.Webhook) {
	at := []string{"webhook", "auth"}
	switch w.Auth.Scheme {
	case "":
		l.missing(t, append(at, "scheme"), "hmac, or none in so many words")
		return
	case "none":
		l.warn(t, append(at, "scheme"), "anyone who knows the address can send events", openHint(t, w))
		l.foreign(t, at, "scheme none", "algorithm", "signature", "encoding", "key", "signed", "timestamp")
		return
	}
	if len(w.Secret) == 0 && webhook.UsesSecret(*w.Auth) {
		l.missing(t, []string{"webhook", "secret"}, "a reference such as ssm:/pushpull/"+t.path[1]+"/webhook")
	}
	before := len(l.problems)
	l.checkSignature(t, *w.Auth)
	l.checkTimestamp(t, *w.Auth)
	if len(l.problems) > before {
		return
	}
	// What the receiver would refuse is a problem here, whatever it is.
	v, err := webhook.Compile(*w.Auth)
	if err != nil {
		l.authProblems(t, err)
		return
	}
	if webhook.ForAnyCustomer(w) {
		l.warn(t, at, "the key signs for every customer of the provider, and nothing says whose an event is: any of them can have events sent here", "say in webhook.require what only your events say; or put a token into the address, and ask for it in auth with scheme all")
	}
	if !v.Covers(w.ReadField()) && w.Hydrate == nil {
		l.warn(t, at, "the provider does not sign the body: who saw one request can send others with it", hydrateHint(t, w))
	}
}

// authProblems puts each mistake at the key that its words begin with.
func (l *loader) authProblems(t thing, err error) {
	for text := range strings.Lines(err.Error()) {
		text = strings.TrimSpace(text)
		at := []string{"webhook", "auth"}
		for _, key := range []string{"algorithm", "encoding", "signature", "signed", "timestamp", "key", "equal", "claims", "cidrs", "subject", "of"} {
			if strings.HasPrefix(text, key) && t.has("webhook", "auth", key) {
				at = append(at, key)
			}
		}
		l.problem(t, at, strings.TrimPrefix(text, at[len(at)-1]+": "), "")
	}
}

// checkSignature: a signature is somewhere, and the parts of a list go together.
func (l *loader) checkSignature(t thing, a config.Auth) {
	at := []string{"webhook", "auth", "signature"}
	s := a.Signature
	switch a.Scheme {
	case "basic", "ip", "mtls", "all", "any":
		return
	}
	if len(s.Header) == 0 && s.Query == "" && s.Body == "" && s.Form == "" {
		l.missing(t, append(at, "header"), "the header that carries the signature, or its query, body or form")
	}
	if s.Name == "" && s.Equals != "" && t.has(append(at, "equals")...) {
		l.missing(t, append(at, "name"), "the name of the items that are signatures, such as v1")
	}
}

func (l *loader) checkTimestamp(t thing, a config.Auth) {
	at := []string{"webhook", "auth", "timestamp"}
	if a.Timestamp != nil && t.has(append(at, "tolerance")...) && a.Timestamp.Tolerance <= 0 {
		l.problem(t, append(at, "tolerance"), "a tolerance of nothing refuses every request", "write 5m")
	}
}

// placeholders are those of a template; a template that cannot be read is a problem.
func (l *loader) placeholders(t thing, at []string, template string) []string {
	parts, err := event.ParseTemplate(template)
	if err != nil {
		what := err.Error()
		if secretPath(at) { // the error quotes the text
			what = "a { or } without its other half"
		}
		l.problem(t, at, what, "")
		return nil
	}
	var names []string
	for _, p := range parts {
		if p.Placeholder != "" {
			names = append(names, p.Placeholder)
		}
	}
	return names
}

// checkSpec says each mistake of a Spec at the candidate that has it.
func (l *loader) checkSpec(t thing, at []string, s *event.Spec) {
	if s == nil {
		return
	}
	_, err := event.Compile(*s)
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	for _, err := range all {
		if e, ok := errors.AsType[*event.SpecError](err); ok {
			l.problem(t, l.candidate(t, at, e.Field, e.Index, e.Text), e.Problem, "")
		}
	}
}

// candidate is the path of a candidate, as short or as long as the user wrote it.
func (l *loader) candidate(t thing, at []string, field string, index int, text string) []string {
	at = append(slices.Clone(at), field)
	if index < 0 {
		return append(at, text)
	}
	for _, step := range []string{strconv.Itoa(index), "value"} {
		if t.has(append(slices.Clone(at), step)...) {
			at = append(at, step)
		}
	}
	return at
}

// foreign says which of the keys, written by the user, belong to another kind.
func (l *loader) foreign(t thing, at []string, kind string, keys ...string) {
	for _, key := range keys {
		if path := append(slices.Clone(at), key); t.has(path...) {
			l.atKey(t, path, fmt.Sprintf("%q has no meaning for %s", key, kind), "leave it out")
		}
	}
}
