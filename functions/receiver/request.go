package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"pushpull/shared/event"
	"pushpull/shared/webhook"

	"github.com/tidwall/gjson"
)

// errTooLarge is returned for a body over the source's limit.
var errTooLarge = errors.New("the body is over the limit")

// A request is what the gateway took from a provider.
type request struct {
	method string
	path   string // as the provider wrote it: with the stage, encoded
	query  string // without the question mark
	host   string
	id     string // the gateway's

	sourceIP string // the caller's address
	subject  string // of the caller's certificate, where the gateway asked for one

	header webhook.Header
	body   []byte // the exact bytes, after decodeBody

	text     []byte // the body as the gateway wrote it: a JSON string, null or nothing
	isBase64 bool
}

// readRequest reads a payload of an HTTP API (2.0), a REST API (1.0) or a
// function URL (2.0), by hand: to decode it by reflection takes longer than all
// the rest of the receiver. What it returns shares memory with the payload until
// decodeBody is called.
func readRequest(payload []byte) (*request, error) {
	if !event.ValidJSON(payload) {
		return nil, errors.New("the invocation is not JSON")
	}
	r := &request{}
	v1 := restRequest{}
	members(payload, func(name, value []byte) {
		switch string(name) {
		case "rawPath":
			r.path = text(value)
		case "rawQueryString":
			r.query = text(value)
		case "headers":
			r.header = readHeaders(gjson.ParseBytes(value))
		case "body":
			r.text = value
		case "isBase64Encoded":
			r.isBase64 = string(value) == "true"
		case "requestContext":
			r.readContext(value, &v1)
		default:
			v1.read(name, value)
		}
	})
	v1.complete(r)
	if r.method == "" || r.path == "" {
		return nil, errors.New("the invocation is no request of an HTTP API, a REST API or a function URL")
	}
	return r, nil
}

func (r *request) readContext(context []byte, v1 *restRequest) {
	members(context, func(name, value []byte) {
		switch string(name) {
		case "requestId":
			r.id = text(value)
		case "domainName":
			r.host = text(value)
		case "http":
			members(value, func(name, value []byte) {
				switch string(name) {
				case "method":
					r.method = text(value)
				case "sourceIp":
					r.sourceIP = text(value)
				}
			})
		case "identity": // of a REST API
			r.sourceIP = gjson.GetBytes(value, "sourceIp").Str
			r.subject = gjson.GetBytes(value, "clientCert.subjectDN").Str
		case "authentication":
			r.subject = gjson.GetBytes(value, "clientCert.subjectDN").Str
		case "path":
			v1.stagePath = text(value)
		}
	})
}

// text is a value that is a JSON string; "" where it is something else.
func text(value []byte) string {
	if value[0] != '"' {
		return ""
	}
	return string(unquote(value))
}

func readHeaders(headers gjson.Result) webhook.Header {
	h := make(webhook.Header, 0, 24)
	headers.ForEach(func(name, value gjson.Result) bool {
		if value.Type == gjson.String {
			h = append(h, webhook.Field{Name: name.Str, Value: value.Str})
		}
		return true
	})
	return h
}

// A restRequest is what a REST API (1.0) says in other words than the rest.
type restRequest struct {
	method    string
	path      string
	stagePath string
	headers   gjson.Result
	query     gjson.Result
	queries   gjson.Result
}

func (v *restRequest) read(name, value []byte) {
	switch string(name) {
	case "httpMethod":
		v.method = text(value)
	case "path":
		v.path = text(value)
	case "multiValueHeaders":
		v.headers = gjson.ParseBytes(value)
	case "queryStringParameters":
		v.query = gjson.ParseBytes(value)
	case "multiValueQueryStringParameters":
		v.queries = gjson.ParseBytes(value)
	}
}

// complete fills in what a REST API said its own way.
func (v *restRequest) complete(r *request) {
	if r.method == "" {
		r.method = v.method
	}
	if r.path == "" && v.path != "" {
		r.path = v.path
		if v.stagePath != "" && sourceName(v.stagePath) == sourceName(v.path) {
			r.path = v.stagePath // with the stage, as the provider wrote it
		}
	}
	if h := readMultiHeaders(v.headers); len(h) > 0 {
		r.header = h
	}
	if r.query == "" {
		r.query = v.encodeQuery()
	}
}

func readMultiHeaders(headers gjson.Result) webhook.Header {
	if !headers.IsObject() {
		return nil
	}
	h := make(webhook.Header, 0, 24)
	headers.ForEach(func(name, values gjson.Result) bool {
		values.ForEach(func(_, value gjson.Result) bool {
			if value.Type == gjson.String {
				h = append(h, webhook.Field{Name: name.Str, Value: value.Str})
			}
			return true
		})
		return true
	})
	return h
}

// encodeQuery writes the query anew, sorted by name: a REST API does not tell
// how it was written.
func (v *restRequest) encodeQuery() string {
	query := url.Values{}
	add := func(name, value gjson.Result) bool {
		if value.Type == gjson.String {
			query.Add(name.Str, value.Str)
		}
		return true
	}
	if v.queries.IsObject() {
		v.queries.ForEach(func(name, values gjson.Result) bool {
			values.ForEach(func(_, value gjson.Result) bool { return add(name, value) })
			return true
		})
	} else {
		v.query.ForEach(add)
	}
	return query.Encode()
}

// url is the address that the provider called: the one that it was given, where
// the source says so, else that of the gateway.
func (r *request) url(public string) string {
	if public == "" {
		host := r.host
		if host == "" {
			host = r.header.Get("Host")
		}
		public = "https://" + host + r.path
	}
	if r.query == "" {
		return public
	}
	return public + "?" + r.query
}

// decodeBody makes the exact bytes of what the gateway wrote.
func (r *request) decodeBody(most int) error {
	if len(r.text) == 0 || r.text[0] != '"' {
		r.body = []byte{}
		return nil
	}
	body := unquote(r.text)
	if r.isBase64 {
		if base64.StdEncoding.DecodedLen(len(body)) > most+3 {
			return errTooLarge
		}
		n, err := base64.StdEncoding.Decode(body, body)
		if err != nil {
			return fmt.Errorf("the body is not the base64 that the gateway says it is: %w", err)
		}
		body = body[:n]
	}
	if len(body) > most {
		return errTooLarge
	}
	r.body = body
	return nil
}

// unquote returns the bytes of a JSON string that is known to be valid, in one
// allocation. Half of a surrogate pair becomes U+FFFD.
func unquote(s []byte) []byte {
	s = s[1 : len(s)-1]
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		from := i
		for i < len(s) && s[i] != '\\' {
			i++
		}
		out = append(out, s[from:i]...)
		if i == len(s) {
			break
		}
		switch c := s[i+1]; c {
		case 'u':
			r := hexRune(s[i:])
			i += 6
			if utf16.IsSurrogate(r) {
				pair := utf16.DecodeRune(r, hexRune(s[i:]))
				if pair != utf8.RuneError {
					i += 6
				}
				r = pair
			}
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, unescaped(c))
			i += 2
		}
	}
	return out
}

// hexRune reads the \uXXXX that s begins with; U+FFFD where it begins with something else.
func hexRune(s []byte) rune {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return utf8.RuneError
	}
	n, err := strconv.ParseUint(string(s[2:6]), 16, 16)
	if err != nil {
		return utf8.RuneError
	}
	return rune(n)
}

func unescaped(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c // a quote, a backslash or a slash
}
