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
	if s.Poll != nil {
		l.checkPoll(t, *s.Poll)
		l.checkReadable(t, []string{"poll", "token"}, s.Poll.Token)
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
	l.checkSpec(t, "webhook", w.Event)
}

func (l *loader) checkAuth(t thing, w config.Webhook) {
	at := []string{"webhook", "auth"}
	switch w.Auth.Scheme {
	case "":
		l.missing(t, append(at, "scheme"), "hmac, or none in so many words")
		return
	case "none":
		l.warn(t, append(at, "scheme"), "anyone who knows the address can send events", "authenticate, if the provider can sign")
		l.foreign(t, at, "scheme none", "algorithm", "signature", "encoding", "key", "signed", "timestamp")
		return
	}
	if len(w.Secret) == 0 {
		l.missing(t, []string{"webhook", "secret"}, "a reference such as ssm:/pushpull/"+t.path[1]+"/webhook")
	}
	before := len(l.problems)
	if w.Auth.Signature.Header == "" {
		l.missing(t, append(at, "signature", "header"), "the header that carries the signature")
	}
	l.checkList(t, w.Auth.Signature)
	l.checkTimestamp(t, *w.Auth)
	l.checkSigned(t, *w.Auth)
	if len(l.problems) > before {
		return
	}
	// What the receiver would refuse is a problem here, whatever it is.
	if _, err := webhook.Compile(*w.Auth); err != nil {
		l.problem(t, at, err.Error(), "")
	}
}

// checkList: the parts of a list of signatures go together.
func (l *loader) checkList(t thing, s config.Signature) {
	at := []string{"webhook", "auth", "signature"}
	if s.Name == "" && s.Equals != "" && t.has(append(at, "equals")...) {
		l.missing(t, append(at, "name"), "the name of the items that are signatures, such as v1")
	}
}

func (l *loader) checkTimestamp(t thing, a config.Auth) {
	at := []string{"webhook", "auth", "timestamp"}
	ts := a.Timestamp
	if ts == nil {
		return
	}
	switch {
	case ts.Header == "" && ts.Name == "":
		l.missing(t, append(at, "header"), "or name, where it is an item of the signature's header")
	case ts.Header != "" && ts.Name != "":
		l.problem(t, append(at, "name"), "the time is in a header of its own or an item of the signature's, not both", "keep one of header and name")
	}
	if ts.Tolerance <= 0 {
		l.problem(t, append(at, "tolerance"), "a tolerance of nothing refuses every request", "write 5m")
	}
}

func (l *loader) checkSigned(t thing, a config.Auth) {
	at := []string{"webhook", "auth", "signed"}
	names, ok := l.placeholders(t, at, a.Signed)
	if !ok {
		return
	}
	known := []string{"body", "timestamp", "method", "path", "query", "url"}
	for _, name := range names {
		header, isHeader := strings.CutPrefix(name, "header.")
		switch {
		case isHeader && header != "":
		case !slices.Contains(known, name):
			l.problem(t, at, fmt.Sprintf("unknown placeholder {%s}", name), didYouMean(name, append(slices.Clone(known), "header.NAME")))
		case name == "timestamp" && a.Timestamp == nil && !t.has("webhook", "auth", "timestamp"):
			l.problem(t, at, "{timestamp} is signed, but nothing says where it is", "add timestamp: with header or name")
		}
	}
	if !slices.Contains(names, "body") {
		l.problem(t, at, "the body is not signed, so anyone who saw one request can send others", "sign {body}, if the provider does")
	}
	if a.Timestamp != nil && !slices.Contains(names, "timestamp") && !slices.Contains(names, "header."+a.Timestamp.Header) {
		l.problem(t, at, "the time is not signed, so an old request can be sent again with a new time", "sign {timestamp}, if the provider does")
	}
}

// placeholders are those of a template; a template that cannot be read is a problem.
func (l *loader) placeholders(t thing, at []string, template string) ([]string, bool) {
	parts, err := event.ParseTemplate(template)
	if err != nil {
		what := err.Error()
		if secretPath(at) { // the error quotes the text
			what = "a { or } without its other half"
		}
		l.problem(t, at, what, "")
		return nil, false
	}
	var names []string
	for _, p := range parts {
		if p.Placeholder != "" {
			names = append(names, p.Placeholder)
		}
	}
	return names, true
}

// checkSpec says each mistake of a Spec at the candidate that has it.
func (l *loader) checkSpec(t thing, half string, s *event.Spec) {
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
			l.problem(t, l.candidate(t, half, e.Field, e.Index, e.Text), e.Problem, "")
		}
	}
	if half == "poll" {
		l.checkRecords(t, *s)
	}
}

// candidate is the path of a candidate, as short or as long as the user wrote it.
func (l *loader) candidate(t thing, half, field string, index int, text string) []string {
	at := []string{half, "event", field}
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

// checkRecords: a record of a page has no headers and no query.
func (l *loader) checkRecords(t thing, s event.Spec) {
	for field, choices := range map[string]event.Choices{
		"identity": s.Identity, "type": s.Type, "time": s.Time, "entity": s.Entity, "version": s.Version,
	} {
		if !t.has("poll", "event", field) {
			continue // the preset's
		}
		for i, c := range choices {
			parts, err := event.ParseTemplate(c.Value)
			if err != nil {
				continue // said already
			}
			for _, p := range parts {
				if strings.HasPrefix(p.Placeholder, "header.") || strings.HasPrefix(p.Placeholder, "query.") {
					l.problem(t, l.candidate(t, "poll", field, i, ""), fmt.Sprintf("a polled record has no {%s}", p.Placeholder), "{body.…} is the record")
				}
			}
		}
	}
}

// foreign says which of the keys, written by the user, belong to another kind.
func (l *loader) foreign(t thing, at []string, kind string, keys ...string) {
	for _, key := range keys {
		if path := append(slices.Clone(at), key); t.has(path...) {
			l.atKey(t, path, fmt.Sprintf("%q has no meaning for %s", key, kind), "leave it out")
		}
	}
}
