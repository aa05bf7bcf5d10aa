package webhook

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"pushpull/shared/config"
	"pushpull/shared/event"
)

// The limits of what is looked at before a request is known to be authentic.
const (
	maxSignatures = 16      // in one request
	maxSignature  = 8 << 10 // bytes of the signature's header or value
	maxNumbered   = 100     // headers X-Signature-1, -2, …
)

// wholeBody is signature.body where the body is the signature: a JWT.
const wholeBody = "*"

// A place is where a request carries its signature, token or JWT, and how it is
// written there.
type place struct {
	config.Signature
	path  string // of Body
	inner string // of JSON
}

func newPlace(s config.Signature) (place, error) {
	places := 0
	for _, there := range []bool{len(s.Header) > 0, s.Query != "", s.Body != "", s.Form != ""} {
		if there {
			places++
		}
	}
	if s.Equals == "" {
		s.Equals = "="
	}
	switch {
	case places == 0:
		return place{}, errors.New("signature is nowhere: say in which header, query, body or form it is")
	case places > 1:
		return place{}, errors.New("signature is in several places: keep one of header, query, body and form")
	case slices.Contains(s.Header, ""):
		return place{}, errors.New("signature.header is empty: name the header that carries the signature")
	case s.Separator != "" && s.Separator == s.Equals && s.Name != "":
		return place{}, fmt.Errorf("separator and equals of the signature are both %q: items could not be told from values", s.Separator)
	case s.Groups != "" && s.Groups == s.Separator:
		return place{}, fmt.Errorf("groups and separator of the signature are both %q: groups could not be told from items", s.Groups)
	}
	p := place{Signature: s}
	for _, of := range []struct {
		where, path string
		to          *string
	}{{"body", s.Body, &p.path}, {"json", s.JSON, &p.inner}} {
		if of.path == "" {
			continue
		}
		path, err := event.ParsePath(of.path)
		if err != nil {
			return place{}, fmt.Errorf("signature.%s: %w", of.where, err)
		}
		*of.to = path
	}
	return p, nil
}

// words says where it is, for messages.
func (p *place) words() string {
	switch {
	case len(p.Header) > 0:
		return "header " + strings.Join(p.Header, " or ")
	case p.Query != "":
		return "query parameter " + p.Query
	case p.Body == wholeBody:
		return "body"
	case p.Body != "":
		return "body." + p.Body
	}
	return "form field " + p.Form
}

// values are the texts at the place, those that are there.
func (p *place) values(v *view) ([]string, error) {
	var values []string
	switch {
	case len(p.Header) > 0:
		values = p.headers(v.r.Header)
	case p.Query != "":
		if one, ok := single(v.query(), p.Query); ok {
			values = []string{one}
		}
	case p.Body == wholeBody:
		values = []string{string(v.plain())}
	case p.Body != "":
		if one, ok := v.path(p.path); ok {
			values = []string{one}
		}
	default:
		if one, ok := single(v.form(), p.Form); ok {
			values = []string{one}
		}
	}
	size := 0
	for _, value := range values {
		size += len(value)
	}
	if size == 0 {
		return nil, fmt.Errorf("%w: %s is absent", ErrMissing, p.words())
	}
	if size > maxSignature && p.Body != wholeBody {
		return nil, fmt.Errorf("%w: %s is over %d bytes", ErrSignature, p.words(), maxSignature)
	}
	if p.JSON != "" {
		return p.unwrap(values)
	}
	return values, nil
}

// headers are the values of the headers; a name that ends in * is several.
func (p *place) headers(h Header) []string {
	var values []string
	for _, name := range p.Header {
		prefix, numbered := strings.CutSuffix(name, "*")
		if !numbered {
			values = append(values, h.Values(name)...)
			continue
		}
		for i := range h {
			rest, ok := cutPrefixFold(h[i].Name, prefix)
			if ok && rest != "" && strings.Trim(rest, "0123456789") == "" && len(values) < maxNumbered {
				values = append(values, h[i].Value)
			}
		}
	}
	return values
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// unwrap reads values that are base64 of a JSON object with the signature in it.
func (p *place) unwrap(values []string) ([]string, error) {
	var inner []string
	for _, value := range values {
		text, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.TrimSpace(value), "="))
		if err != nil || !gjson.ValidBytes(text) {
			continue
		}
		if one := gjson.GetBytes(text, p.inner); one.Type == gjson.String {
			inner = append(inner, one.Str)
		}
	}
	if len(inner) == 0 {
		return nil, fmt.Errorf("%w: %s does not have the form of a signature", ErrSignature, p.words())
	}
	return inner, nil
}

// A claim is what a request says of itself: how it was signed, and when.
type claim struct {
	signatures [][]byte
	timestamp  string // as it was written, since that is what was signed
}

// claims reads the signature, of each group where it has several. At least one
// has a signature.
func (p *place) claims(v *view, decode func(string) ([]byte, error), stamp *stamp) ([]claim, error) {
	values, err := p.values(v)
	if err != nil {
		return nil, err
	}
	var groups []claim
	named := 0
	if p.Groups == "" {
		groups = []claim{{}}
	}
	for _, value := range values {
		if p.Groups == "" {
			named += p.readItems(value, decode, stamp, &groups[0])
			continue
		}
		for group := range strings.SplitSeq(value, p.Groups) {
			if len(groups) < maxSignatures && strings.TrimSpace(group) != "" {
				groups = append(groups, claim{})
				named += p.readItems(group, decode, stamp, &groups[len(groups)-1])
			}
		}
	}
	if named == 0 {
		return nil, fmt.Errorf("%w: %s has no item %q", ErrMissing, p.words(), p.Name)
	}
	var missing error
	whole := groups[:0]
	for _, c := range groups {
		if len(c.signatures) == 0 {
			continue
		}
		if err := stamp.complete(&c, v); err != nil {
			missing = err
			continue
		}
		whole = append(whole, c)
	}
	switch {
	case len(whole) > 0:
		return whole, nil
	case missing != nil:
		return nil, missing
	}
	return nil, fmt.Errorf("%w: %s does not have the form of a signature", ErrSignature, p.words())
}

// readItems reads one list of the signature. It returns how many items had the
// signature's name, whether they could be decoded or not.
func (p *place) readItems(value string, decode func(string) ([]byte, error), stamp *stamp, c *claim) (named int) {
	first := stamp.first()
	for more := true; more; {
		item := value
		if more = false; p.Separator != "" {
			item, value, more = strings.Cut(value, p.Separator)
		}
		item = strings.TrimSpace(item)
		if first {
			c.timestamp, first = item, false
			continue
		}
		if p.Name != "" {
			name, rest, ok := strings.Cut(item, p.Equals)
			if ok && stamp.is(name) && c.timestamp == "" {
				c.timestamp = rest
				continue
			}
			if !ok || p.Name != "*" && name != p.Name {
				continue
			}
			item = rest
		}
		named++
		text, ok := p.cutPrefix(item)
		if !ok || len(c.signatures) == maxSignatures {
			continue
		}
		if b, err := decode(text); err == nil && len(b) > 0 {
			c.signatures = append(c.signatures, b)
		}
	}
	return named
}

// cutPrefix cuts the first of the prefixes that is there; without prefixes
// nothing. In Authorization it is a scheme, whose case does not count (RFC 9110, 11.1).
func (p *place) cutPrefix(s string) (string, bool) {
	cut := strings.CutPrefix
	if slices.ContainsFunc(p.Header, func(name string) bool { return strings.EqualFold(name, "Authorization") }) {
		cut = cutPrefixFold
	}
	for _, prefix := range p.Prefix {
		if rest, ok := cut(s, prefix); ok {
			return rest, true
		}
	}
	return s, len(p.Prefix) == 0
}

// write is the signature as it stands at its place.
func (p *place) write(text, timestamp string, stamp *stamp) string {
	if len(p.Prefix) > 0 {
		text = p.Prefix[0] + text
	}
	switch {
	case p.Name == "*":
		text = "key" + p.Equals + text
	case p.Name != "":
		text = p.Name + p.Equals + text
	}
	switch {
	case stamp.first():
		return timestamp + p.Separator + text
	case stamp != nil && stamp.Name != "":
		return stamp.Name + p.Equals + timestamp + p.Separator + text
	}
	return text
}

// wrap is the value of a header whose signature is in a JSON object in base64.
func (p *place) wrap(text string) string {
	if p.JSON == "" {
		return text
	}
	return base64.StdEncoding.EncodeToString([]byte(`{"` + p.JSON + `":"` + text + `"}`))
}
