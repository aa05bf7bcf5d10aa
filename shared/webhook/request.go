// Package webhook decides whether a request is what its provider sent, and
// answers the requests by which a provider verifies an address. A scheme and a
// handshake are data (config.Auth, config.Handshake): nothing here knows a
// provider by name.
//
// Its one invariant: nothing of a body is believed before Verify returned nil,
// and Verify returns nil only for what was signed with one of the secrets or
// keys, or where the scheme is none in so many words.
package webhook

import "strings"

// A Request is what arrived, as it arrived.
type Request struct {
	Method   string
	Path     string // as the provider wrote it, stage and base path included
	RawQuery string // without the question mark
	URL      string // the public address, https://host/path?query
	Header   Header
	Body     []byte // the raw bytes
	Plain    []byte // the body without its content encoding, for schemes that look into it; nil where it has none
	SourceIP string // the caller's address, as the gateway saw it
	Subject  string // of the caller's certificate, which the gateway checked; "" without one
}

// A Header is the fields of a request in their order; names by any case.
type Header []Field

// A Field is one line of a header.
type Field struct{ Name, Value string }

// Get returns the value of a field, "" where there is none. One that is there
// several times is joined by commas, as HTTP reads it.
func (h Header) Get(name string) string {
	value, found := "", false
	for i := range h {
		switch {
		case !strings.EqualFold(h[i].Name, name):
		case found:
			value += "," + h[i].Value
		default:
			value, found = h[i].Value, true
		}
	}
	return value
}

// Values returns each value of a field that may be there several times.
func (h Header) Values(name string) []string {
	var values []string
	for i := range h {
		if strings.EqualFold(h[i].Name, name) {
			values = append(values, h[i].Value)
		}
	}
	return values
}

// Set replaces a field, or adds it.
func (h *Header) Set(name, value string) {
	kept := (*h)[:0:0]
	for _, f := range *h {
		if !strings.EqualFold(f.Name, name) {
			kept = append(kept, f)
		}
	}
	*h = append(kept, Field{name, value})
}
