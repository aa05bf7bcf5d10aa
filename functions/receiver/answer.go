package main

import (
	"net/http"
	"strconv"

	"pushpull/shared/event"
	"pushpull/shared/rate"
	"pushpull/shared/webhook"
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
	allow  string       // 405: the methods that are taken
	limit  *rate.Header // 429: the limit, and when there is room again
}

func refuse(status int, reason string, err error) *refusal {
	return &refusal{status: status, reason: reason, err: err}
}

// answer is problem details as RFC 9457 has them, of the kind about:blank: the
// title is the status in words, and there is no more to learn from it.
func (r *refusal) answer(correlation string) []byte {
	var headers []webhook.Field
	switch {
	case r.status == http.StatusMethodNotAllowed:
		headers = append(headers, webhook.Field{Name: "allow", Value: r.allow})
	case r.status == http.StatusServiceUnavailable:
		headers = append(headers, webhook.Field{Name: "retry-after", Value: retryAfter})
	case r.limit != nil:
		headers = append(headers, webhook.Field{Name: "retry-after", Value: r.limit.RetryAfter},
			webhook.Field{Name: "ratelimit", Value: r.limit.Limit}, webhook.Field{Name: "ratelimit-policy", Value: r.limit.Policy})
	}
	return appendAnswer(r.status, "application/problem+json", correlation, headers,
		`{"type":"about:blank","title":"`+http.StatusText(r.status)+`","status":`+strconv.Itoa(r.status)+`}`)
}

// A reply is what a provider is told that was not refused.
type reply struct {
	webhook.Answer
	bare bool // a HEAD has no body
}

// accepted is the reply for events that the queue has.
var accepted = reply{Answer: webhook.Answer{Status: http.StatusAccepted, Type: "application/json", Body: `{"status":"accepted"}`}}

func (r reply) write(correlation string) []byte {
	if r.bare {
		r.Body = ""
	}
	return appendAnswer(r.Status, r.Type, correlation, r.Headers, r.Body)
}

// appendAnswer writes what the gateway wants, which is the same for its three kinds.
func appendAnswer(status int, contentType, correlation string, headers []webhook.Field, body string) []byte {
	b := make([]byte, 0, 384+len(body))
	b = append(b, `{"statusCode":`...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, `,"headers":{"cache-control":"no-store"`...)
	if contentType != "" {
		b = append(b, `,"content-type":`...)
		b = event.AppendText(b, contentType)
	}
	if correlation != "" {
		b = append(b, `,"`+correlationHeader+`":"`...)
		b = append(b, correlation...) // in characters that need no escape
		b = append(b, '"')
	}
	for _, h := range headers {
		b = append(b, ',')
		b = event.AppendText(b, h.Name)
		b = append(b, ':')
		b = event.AppendText(b, h.Value)
	}
	b = append(b, `},"body":`...)
	b = event.AppendText(b, body)
	return append(b, `,"isBase64Encoded":false}`...)
}
