package sqs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	contentType  = "application/x-amz-json-1.0"
	targetPrefix = "AmazonSQS."

	// maxRequest leaves room for a batch of 1 MiB in which JSON escapes every byte.
	maxRequest = 8 << 20
)

// A call is one request, its body not yet read as JSON.
type call struct {
	action string
	host   string
	body   []byte
}

// An operation answers one call.
type operation func(ctx context.Context, c call) (any, error)

// operation finds what answers an action, or nil.
func (s *Server) operation(action string) operation {
	switch action {
	case "CreateQueue":
		return handle(s.createQueue)
	case "DeleteQueue":
		return handle(s.deleteQueue)
	case "PurgeQueue":
		return handle(s.purgeQueue)
	case "ListQueues":
		return handle(s.listQueues)
	case "GetQueueUrl":
		return handle(s.getQueueURL)
	case "GetQueueAttributes":
		return handle(s.getQueueAttributes)
	case "SetQueueAttributes":
		return handle(s.setQueueAttributes)
	case "TagQueue":
		return handle(s.tagQueue)
	case "UntagQueue":
		return handle(s.untagQueue)
	case "ListQueueTags":
		return handle(s.listQueueTags)
	case "ListDeadLetterSourceQueues":
		return handle(s.listDeadLetterSourceQueues)
	case "SendMessage":
		return handle(s.sendMessage)
	case "SendMessageBatch":
		return handle(s.sendMessageBatch)
	case "ReceiveMessage":
		return handle(s.receiveMessage)
	case "DeleteMessage":
		return handle(s.deleteMessage)
	case "DeleteMessageBatch":
		return handle(s.deleteMessageBatch)
	case "ChangeMessageVisibility":
		return handle(s.changeMessageVisibility)
	case "ChangeMessageVisibilityBatch":
		return handle(s.changeMessageVisibilityBatch)
	case "StartMessageMoveTask":
		return handle(s.startMessageMoveTask)
	case "ListMessageMoveTasks":
		return handle(s.listMessageMoveTasks)
	case "CancelMessageMoveTask":
		return handle(s.cancelMessageMoveTask)
	}
	return nil
}

// handle reads the request of an operation before it.
func handle[T any](answer func(context.Context, call, *T) (any, error)) operation {
	return func(ctx context.Context, c call) (any, error) {
		var in T
		if err := decode(c.body, &in); err != nil {
			return nil, err
		}
		return answer(ctx, c, &in)
	}
}

// ServeHTTP is the endpoint: SQS at every path, and the faults at /_faults.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == faultsPath {
		s.faults.serve(w, r)
		return
	}
	w.Header().Set("x-amzn-RequestId", newID())
	action, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
	if !ok {
		refuseQuery(w)
		return
	}
	body, err := readBody(w, r)
	if err != nil {
		writeError(w, err)
		return
	}
	answer, err := s.answer(r.Context(), call{action: action, host: r.Host, body: body})
	if err != nil {
		s.logFailure(action, err)
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

func (s *Server) answer(ctx context.Context, c call) (any, error) {
	op := s.operation(c.action)
	if op == nil {
		return nil, unknownOperation(c.action)
	}
	if err := s.faults.check(queueOf(c.body), c.action); err != nil {
		return nil, err
	}
	return op(ctx, c)
}

func unknownOperation(action string) *Error {
	switch action {
	case "AddPermission", "RemovePermission":
		return serviceError("UnsupportedOperation", "%s is not supported on one machine, where nobody else has access: leave it out.", action)
	}
	e := clientError("UnknownOperationException", "There is no operation %q.", shorten(action))
	e.query = "InvalidAction"
	return e
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	var b bytes.Buffer
	if n := r.ContentLength; n > 0 && n <= maxRequest {
		b.Grow(int(n) + bytes.MinRead)
	}
	if _, err := b.ReadFrom(http.MaxBytesReader(w, r.Body, maxRequest)); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, &Error{Code: "RequestEntityTooLarge", Message: fmt.Sprintf("The request is over %d bytes.", maxRequest), Status: http.StatusRequestEntityTooLarge}
		}
		return nil, clientError("SerializationException", "The request ended before its body did.")
	}
	return b.Bytes(), nil
}

// decode reads a request, and refuses what it would otherwise have to ignore or guess.
func decode(body []byte, into any) *Error {
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	if !utf8.Valid(body) {
		return clientError("SerializationException", "The request is not UTF-8.")
	}
	if loneSurrogate(body) {
		return clientError("InvalidMessageContents", "The request escapes half of a surrogate pair, which is no character.")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return decodeError(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return clientError("SerializationException", "Something follows the JSON object of the request.")
	}
	return nil
}

func decodeError(err error) *Error {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return clientError("SerializationException", "The parameter %s cannot be a %s.", shorten(t.Field), t.Value)
	}
	// encoding/json has no type for this one.
	if _, field, ok := strings.Cut(err.Error(), "unknown field "); ok {
		return serviceError("UnsupportedOperation", "The parameter %s is not known, or not supported on one machine.", shorten(field))
	}
	return clientError("SerializationException", "The request is not a JSON object as it should be: %s.", shorten(strings.TrimPrefix(err.Error(), "json: ")))
}

// loneSurrogate finds \ud800 to \udfff that is not half of a pair: encoding/json
// would make it U+FFFD, which is another message than the one that was sent.
func loneSurrogate(b []byte) bool {
	if !bytes.Contains(b, []byte(`\u`)) {
		return false
	}
	for i := 0; i+1 < len(b); i++ {
		if b[i] != '\\' {
			continue
		}
		i++
		half := surrogate(b, i-1)
		if half == 0 {
			continue
		}
		if half == lowHalf || surrogate(b, i+5) != lowHalf {
			return true
		}
		i += 10
	}
	return false
}

const (
	highHalf = 1
	lowHalf  = 2
)

// surrogate says whether the escape at i is half of a pair, and which.
func surrogate(b []byte, i int) int {
	if i+6 > len(b) || b[i] != '\\' || b[i+1] != 'u' {
		return 0
	}
	n, err := strconv.ParseUint(string(b[i+2:i+6]), 16, 32)
	switch {
	case err != nil || n < 0xD800 || n > 0xDFFF:
		return 0
	case n < 0xDC00:
		return highHalf
	}
	return lowHalf
}

// queueOf is the name of the queue that a request is for, as far as a fault needs it.
func queueOf(body []byte) string {
	_, rest, ok := bytes.Cut(body, []byte(`"QueueUrl"`))
	if !ok {
		return ""
	}
	_, rest, _ = bytes.Cut(rest, []byte(`"`))
	url, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(url[bytes.LastIndexByte(url, '/')+1:])
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil { // only strings, numbers and maps of them
		http.Error(w, "the answer cannot be encoded", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // nobody is there to be told
}

func writeError(w http.ResponseWriter, err error) {
	e := asError(err)
	fault := "Sender"
	if !e.sender() {
		fault = "Receiver"
	}
	w.Header().Set("x-amzn-query-error", e.queryCode()+";"+fault)
	writeJSON(w, e.Status, map[string]string{"__type": "com.amazonaws.sqs#" + e.Code, "message": e.Message})
}

func (s *Server) logFailure(action string, err error) {
	if _, known := errors.AsType[*Error](err); !known {
		s.log.Error("a call was not done", "action", action, "error", err)
	}
}

// refuseQuery answers a client of the old query protocol in its own language.
func refuseQuery(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = io.WriteString(w, `<?xml version="1.0"?>
<ErrorResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><Error><Type>Sender</Type><Code>InvalidAction</Code><Message>This endpoint speaks the AWS JSON 1.0 protocol (the X-Amz-Target header names the action), not the query protocol: use an SDK or aws command line of 2024 or later.</Message></Error><RequestId>`+w.Header().Get("x-amzn-RequestId")+`</RequestId></ErrorResponse>
`)
}
