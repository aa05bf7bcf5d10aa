package webhook

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"pushpull/shared/config"
)

// Sign makes r what a provider with this scheme would send: it sets the
// signature, the timestamp where the scheme has one, and, where id is not empty,
// every other header that is signed and not there yet (such as webhook-id). It
// is for samples, tests and the sandbox.
func Sign(auth config.Auth, c Credentials, r *Request, id string, at time.Time) error {
	made, err := compile(auth)
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	if err := made.sign(c, r, signing{id: id, at: at}); err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	return nil
}

// signing is what a scheme signs with besides its credentials.
type signing struct {
	id   string
	at   time.Time
	item []byte                                // with each, the element that is signed
	set  func(path string, value string) error // with each, sets a value of it
}

// stamp writes the timestamp at its place, and returns it.
func (o signing) stamp(s *stamp, r *Request) string {
	if s == nil {
		return ""
	}
	text := writeTime(o.at, s.Unit)
	switch {
	case !s.placed:
	case s.at.source == header:
		r.Header.Set(s.at.arg, text)
	case s.at.source == queryParameter:
		setQuery(r, s.at.arg, text)
	case s.at.source == bodyPath:
		if body, err := sjson.SetRawBytes(r.Body, s.at.arg, []byte(quoted(gjson.GetBytes(r.Body, s.at.arg), text))); err == nil {
			r.Body = body
		}
	case s.at.source == formField:
		setForm(r, s.at.arg, text)
	default:
	}
	return text
}

// quoted writes a text as JSON of the kind that stands there now.
func quoted(now gjson.Result, text string) string {
	if now.Type == gjson.Number {
		return text
	}
	return `"` + text + `"`
}

// fill sets the headers that are signed and not there.
func (o signing) fill(what signed, r *Request, s *stamp) {
	for _, t := range what {
		for i := range t {
			name := t[i].arg
			isStamp := s != nil && strings.EqualFold(name, s.Header)
			if t[i].source == header && o.id != "" && !isStamp && r.Header.Get(name) == "" {
				r.Header.Set(name, o.id)
			}
		}
	}
}

// put writes the signature at its place.
func (o signing) put(p place, r *Request, text string) error {
	switch {
	case len(p.Header) > 0:
		r.Header.Set(strings.Replace(p.Header[0], "*", "1", 1), p.wrap(text))
	case p.Query != "":
		setQuery(r, p.Query, text)
	case p.Form != "":
		setForm(r, p.Form, text)
	case p.Body == wholeBody:
		r.Body = []byte(text)
	case o.set != nil:
		return o.set(p.path, text)
	default:
		body, err := sjson.SetBytes(r.Body, p.path, text)
		if err != nil {
			return err
		}
		r.Body = body
	}
	return nil
}

func setQuery(r *Request, name, value string) {
	pairs := slices.DeleteFunc(strings.Split(r.RawQuery, "&"), func(pair string) bool {
		key, _, _ := strings.Cut(pair, "=")
		return pair == "" || key == url.QueryEscape(name)
	})
	r.RawQuery = strings.Join(append(pairs, url.QueryEscape(name)+"="+url.QueryEscape(value)), "&")
	if base, _, _ := strings.Cut(r.URL, "?"); base != "" {
		r.URL = base + "?" + r.RawQuery
	}
}

func setForm(r *Request, name, value string) {
	if media := r.Header.Get("Content-Type"); strings.HasPrefix(media, "multipart/") {
		setPart(r, name, value)
		return
	}
	fields, err := url.ParseQuery(string(r.Body))
	if err != nil {
		return
	}
	fields.Set(name, value)
	r.Body = []byte(fields.Encode())
}

// setPart puts a field before the others of a multipart.
func setPart(r *Request, name, value string) {
	_, boundary, _ := strings.Cut(r.Header.Get("Content-Type"), "boundary=")
	boundary = strings.Trim(boundary, `"`)
	part := "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
	r.Body = append([]byte(part), r.Body...)
}

// sign signs every element.
func (e *each) sign(c Credentials, r *Request, o signing) error {
	n := len(gjson.GetBytes(r.Body, e.path).Array())
	for i := range n {
		path := fmt.Sprintf("%s.%d", e.path, i)
		o.item = []byte(gjson.GetBytes(r.Body, path).Raw)
		o.set = func(inner, value string) (err error) {
			r.Body, err = sjson.SetBytes(r.Body, path+"."+inner, value)
			return err
		}
		if err := e.of.sign(c, r, o); err != nil {
			return err
		}
	}
	return nil
}
