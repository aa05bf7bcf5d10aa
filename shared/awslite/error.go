package awslite

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// An Error is what a service answered.
type Error struct {
	Service string
	Code    string // such as QueueDoesNotExist, without its namespace
	Message string
	Status  int
	Answer  []byte // as it came, of the JSON protocol; it may hold what no log should
}

func (e *Error) Error() string {
	text := e.Service + ": " + e.Code
	if e.Code == "" {
		text = e.Service + ": HTTP status " + strconv.Itoa(e.Status)
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// Passing reports whether the same call may succeed a moment later: the service
// throttled it, or was in trouble itself.
func (e *Error) Passing() bool {
	return e.Status >= 500 || e.Status == http.StatusTooManyRequests || e.Throttled()
}

// Throttled reports whether the service asked for fewer calls.
func (e *Error) Throttled() bool {
	return e.Status == http.StatusTooManyRequests || ThrottleCode(e.Code)
}

// ThrottleCode reports whether a service's error code asks for fewer calls. The
// services each have words of their own for it, often with status 400.
func ThrottleCode(code string) bool {
	switch code {
	case "BandwidthLimitExceeded", "LimitExceededException", "OverLimit", "PriorRequestNotComplete",
		"ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestTimeout", "SlowDown",
		"TooManyRequestsException", "TooManyUpdates", "TransactionInProgressException":
		return true
	}
	return strings.Contains(code, "Throttl") // ThrottlingException, RequestThrottled, KmsThrottled …
}

// A brokenError is a call without an answer. Whether the service acted on it is
// not known, so only calls that may be made twice belong in this package.
type brokenError struct {
	service string
	err     error
}

func (e *brokenError) Error() string { return e.service + ": no answer: " + e.err.Error() }
func (e *brokenError) Unwrap() error { return e.err }

// jsonFault reads the error of the AWS JSON protocol:
// {"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "…"}.
func jsonFault(service string, answer *http.Response, body []byte) *Error {
	var fault struct {
		Type    string `json:"__type"`
		Code    string `json:"code"`
		Message string `json:"message"` // or Message: the decoder ignores case
	}
	// What is not JSON (a proxy's page) has its status to tell.
	_ = json.Unmarshal(body, &fault)
	code := fault.Type
	if code == "" {
		code = answer.Header.Get("X-Amzn-Errortype")
	}
	if code == "" {
		code = fault.Code
	}
	return &Error{Service: service, Code: bareCode(code), Message: fault.Message, Status: answer.StatusCode, Answer: body}
}

// bareCode returns the code without the namespace before and the address behind it.
func bareCode(code string) string {
	code = code[strings.LastIndexByte(code, '#')+1:]
	code, _, _ = strings.Cut(code, ":")
	return code
}

// xmlFault reads the error of S3, which is XML of two known elements: linking a
// decoder for it would cost the receiver's start.
func xmlFault(service string, answer *http.Response, body []byte) *Error {
	return &Error{
		Service: service,
		Code:    element(body, "Code"),
		Message: element(body, "Message"),
		Status:  answer.StatusCode,
	}
}

// element returns the text of the first element of that name; "" where there is none.
func element(body []byte, name string) string {
	_, rest, found := bytes.Cut(body, []byte("<"+name+">"))
	text, _, closed := bytes.Cut(rest, []byte("</"+name+">"))
	if !found || !closed {
		return ""
	}
	return string(text)
}
