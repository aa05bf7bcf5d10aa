package webhook

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"pushpull/shared/config"
)

// Who may have a handshake answered.
const (
	ByEvent  = "event"  // who signs events
	ByToken  = "token"  // who shows verify_token
	ByAnyone = "anyone" // inert text only, so that it is no harm
)

// maxStranger bounds the body that is looked into before its sender is known.
const maxStranger = 64 << 10

// A Handshake is one kind of request that is no event, made ready. It is safe
// for concurrent use.
type Handshake struct {
	By     string
	Refuse int // the status for another token

	conditions conditions
	token      *piece
	keep       *piece
	confirm    *piece
	hosts      []*regexp.Regexp
	answer     *Reply
}

// CompileHandshake makes a handshake ready. The error says everything that is
// wrong with it.
func CompileHandshake(c config.Handshake) (*Handshake, error) {
	h := &Handshake{By: c.By, Refuse: c.Refuse}
	if h.By == "" {
		h.By = ByEvent
	}
	if h.Refuse == 0 {
		h.Refuse = 403
	}
	var errs []error
	fail := func(where string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", where, err))
		}
	}
	var err error
	h.conditions, err = parseConditions(c.When)
	fail("when", err)
	for _, p := range []struct {
		where, name string
		to          **piece
	}{{"token", c.Token, &h.token}, {"keep", c.Keep, &h.keep}, {"confirm", c.Confirm, &h.confirm}} {
		if p.name == "" {
			continue
		}
		made, err := parsePlaceholder(p.name)
		fail(p.where, err)
		*p.to = &made
	}
	h.answer, err = CompileReply(c.Answer, 200)
	fail("answer", err)
	if c.Confirm != "" {
		h.hosts, err = pinned(template{{}}, c.Hosts)
		fail("confirm", err)
	}
	switch {
	case len(c.When) == 0:
		errs = append(errs, errors.New("when is absent: every request would be this handshake"))
	case h.By == ByToken && c.Token == "":
		errs = append(errs, errors.New("token is absent: say where verify_token is shown, such as query.hub.verify_token"))
	case !slices.Contains([]string{ByEvent, ByToken, ByAnyone}, h.By):
		errs = append(errs, fmt.Errorf("by %q: there are event, token and anyone", h.By))
	case c.Confirm != "" && h.By != ByEvent:
		errs = append(errs, errors.New("confirm fetches an address of the request's choice: only of one that is signed (by: event)"))
	case c.Keep != "" && h.By == ByEvent:
		errs = append(errs, errors.New("keep is of a secret that nobody has yet, so the request cannot be signed: say by: anyone, or by: token"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return h, nil
}

// Is reports whether a request is this handshake. Of a body that nobody has
// authenticated only a small one is looked into.
func (h *Handshake) Is(r Request, authentic bool) bool {
	if !authentic && max(len(r.Body), len(r.Plain)) > maxStranger && h.conditions.readBody() {
		return false
	}
	return h.conditions.hold(&view{r: &r})
}

// Shows reports whether the request shows one of the tokens.
func (h *Handshake) Shows(r Request, tokens []string) bool {
	if h.token == nil {
		return false
	}
	text, err := h.token.value(&view{r: &r})
	return err == nil && text != "" && shown([][]byte{[]byte(text)}, tokens) == nil
}

// Keep is the secret that the request hands over; "" where it hands none over.
func (h *Handshake) Keep(r Request) string {
	if h.keep == nil {
		return ""
	}
	text, err := h.keep.value(&view{r: &r})
	if err != nil || len(text) > 1024 {
		return ""
	}
	return text
}

// Keeps reports whether this is a handshake that hands a secret over.
func (h *Handshake) Keeps() bool { return h.keep != nil }

// Confirm is the address that is to be fetched before the answer, "" where there
// is none. The error says that it is not the provider's.
func (h *Handshake) Confirm(r Request) (string, error) {
	if h.confirm == nil {
		return "", nil
	}
	address, err := h.confirm.value(&view{r: &r})
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrMissing, err)
	}
	if _, err := allowed(address, h.hosts); err != nil {
		return "", fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return address, nil
}

// Signs reports whether the answer needs a secret.
func (h *Handshake) Signs() bool { return h.answer.Signs() }

// Answer is what the provider is told.
func (h *Handshake) Answer(c Credentials, r Request) (Answer, error) { return h.answer.Answer(c, r) }

// conditions are placeholders with what their whole values must match.
type conditions []condition

type condition struct {
	value  piece
	exact  string
	match  *regexp.Regexp // nil where exact is all
	absent bool
}

func parseConditions(texts map[string]string) (conditions, error) {
	var list conditions
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		value, err := parsePlaceholder(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		want := texts[name]
		c := condition{value: value, exact: want, absent: want == ""}
		if want != "" && regexp.QuoteMeta(want) != want {
			if c.match, err = wholeMatch(want); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
			}
		}
		list = append(list, c)
	}
	// What costs nothing is asked first, and the body last.
	slices.SortStableFunc(list, func(a, b condition) int { return cost(a.value.source) - cost(b.value.source) })
	return list, errors.Join(errs...)
}

func cost(s source) int {
	switch s {
	case method:
		return 0
	case header:
		return 1
	case queryParameter:
		return 2
	default:
		return 3
	}
}

func (c conditions) readBody() bool {
	return slices.ContainsFunc(c, func(one condition) bool { return cost(one.value.source) == 3 })
}

func (c conditions) hold(v *view) bool {
	for i := range c {
		text, err := c[i].value.value(v)
		switch {
		case c[i].absent:
			if err == nil && text != "" {
				return false
			}
		case err != nil:
			return false
		case c[i].match != nil:
			if len(text) > maxSignature || !c[i].match.MatchString(text) {
				return false
			}
		case text != c[i].exact:
			return false
		}
	}
	return true
}

// A Requirement is what an authentic request must say.
type Requirement struct{ conditions conditions }

// CompileRequirement makes it ready; without conditions everything meets it.
func CompileRequirement(texts map[string]string) (Requirement, error) {
	list, err := parseConditions(texts)
	return Requirement{list}, err
}

// Met says which condition a request does not meet. The document is the body as
// JSON where it is something else; nil where it is JSON itself. Of a body with a
// member twice none is met: others may read the other.
func (q Requirement) Met(r Request, document []byte) error {
	v := &view{r: &r, item: document}
	for i := range q.conditions {
		one := q.conditions[i : i+1]
		if one.readBody() && duplicateKey(v.json()) {
			return fmt.Errorf("%w: the body has a member twice, or is too deep to tell", ErrSignature)
		}
		if !one.hold(v) {
			return fmt.Errorf("%w: %s is not what require says", ErrSignature, one[0].value.name)
		}
	}
	return nil
}

// ReadsBody reports whether it looks into the body.
func (q Requirement) ReadsBody() bool { return q.conditions.readBody() }
