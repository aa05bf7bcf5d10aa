package main

import (
	"net/http"
	"strconv"
)

// retryAfter is when a provider should come again after a 503, in seconds.
const retryAfter = "10"

// correlationHeader tells the provider what to name when it asks us about a request.
const correlationHeader = "x-correlation-id"

// A refusal is why a request is not taken: what the provider is told (the
// status) and what the owner is told (the rest).
type refusal struct {
	status int
	reason string // one of a closed list, as it is a metric's dimension
	err    error
}

func refuse(status int, reason string, err error) *refusal { return &refusal{status, reason, err} }

// accepted is the answer for an event that the queue has.
func accepted(correlation string) []byte {
	return appendAnswer(http.StatusAccepted, "application/json", correlation, "", `{\"status\":\"accepted\"}`)
}

// answer is problem details as RFC 9457 has them, of the kind about:blank: the
// title is the status in words, and there is no more to learn from it.
func (r *refusal) answer(correlation string) []byte {
	extra := ""
	switch r.status {
	case http.StatusMethodNotAllowed:
		extra = `,"allow":"POST"`
	case http.StatusServiceUnavailable:
		extra = `,"retry-after":"` + retryAfter + `"`
	}
	return appendAnswer(r.status, "application/problem+json", correlation, extra,
		`{\"type\":\"about:blank\",\"title\":\"`+http.StatusText(r.status)+`\",\"status\":`+strconv.Itoa(r.status)+`}`)
}

// appendAnswer writes what the gateway wants, which is the same for its three
// kinds. Every text is ours, or was reduced to characters that need no escape.
func appendAnswer(status int, contentType, correlation, headers, body string) []byte {
	b := make([]byte, 0, 384)
	b = append(b, `{"statusCode":`...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, `,"headers":{"content-type":"`...)
	b = append(b, contentType...)
	b = append(b, `","cache-control":"no-store"`...)
	if correlation != "" {
		b = append(b, `,"`+correlationHeader+`":"`...)
		b = append(b, correlation...)
		b = append(b, '"')
	}
	b = append(b, headers...)
	b = append(b, `},"body":"`...)
	b = append(b, body...)
	return append(b, `","isBase64Encoded":false}`...)
}
