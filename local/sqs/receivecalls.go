package sqs

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"
)

// The operations that receive, and those that follow a receive.

func (s *Server) receiveMessage(ctx context.Context, _ call, in *receiveMessageRequest) (any, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return nil, err
	}
	r, refused := q.readReceive(in)
	if refused != nil {
		return nil, refused
	}
	messages, err := q.receive(ctx, r)
	if err != nil {
		return nil, err
	}
	var answer receiveAnswer
	for i := range messages {
		answer.Messages = append(answer.Messages, messages[i].wire(in))
	}
	return answer, nil
}

func (q *queue) readReceive(in *receiveMessageRequest) (receiveRequest, *Error) {
	q.mu.Lock()
	set := q.settings
	q.mu.Unlock()
	r := receiveRequest{max: 1, wait: set.wait, visibility: set.visibility, attempt: in.ReceiveRequestAttemptID}
	if n := in.MaxNumberOfMessages; n != nil {
		if *n < 1 || *n > maxEntries {
			return r, errValue(*n, "MaxNumberOfMessages", "Must be between 1 and %d, if provided.", maxEntries)
		}
		r.max = *n
	}
	if n := in.WaitTimeSeconds; n != nil {
		if *n < 0 || *n > maxWait {
			return r, errValue(*n, "WaitTimeSeconds", "Must be >= 0 and <= %d, if provided.", maxWait)
		}
		r.wait = time.Duration(*n) * time.Second
	}
	if n := in.VisibilityTimeout; n != nil {
		if *n < 0 || *n > maxVisibility {
			return r, errValue(*n, "VisibilityTimeout", "Must be between 0 and %d, if provided.", maxVisibility)
		}
		r.visibility = time.Duration(*n) * time.Second
	}
	for _, name := range slices.Concat(in.AttributeNames, in.MessageSystemAttributeNames) {
		if !systemAttributeNames[name] {
			return r, errAttributeName(name)
		}
	}
	if r.attempt != "" && !set.fifo {
		return r, errValue(shorten(r.attempt), "ReceiveRequestAttemptId", "The request include parameter that is not valid for this queue type.")
	}
	if r.attempt != "" && !allowedID(r.attempt) {
		return r, errID("ReceiveRequestAttemptId", r.attempt)
	}
	return r, nil
}

// wire shows of a message what was asked for.
func (m *Message) wire(in *receiveMessageRequest) wireMessage {
	out := wireMessage{MessageID: m.MessageID, ReceiptHandle: m.ReceiptHandle, MD5OfBody: m.MD5OfBody, Body: m.Body}
	wanted := slices.Concat(in.AttributeNames, in.MessageSystemAttributeNames)
	if len(wanted) > 0 {
		out.Attributes = maps.Clone(m.Attributes)
		if !slices.Contains(wanted, "All") {
			maps.DeleteFunc(out.Attributes, func(name, _ string) bool { return !slices.Contains(wanted, name) })
		}
	}
	shown := map[string]MessageAttribute{}
	for name, a := range m.MessageAttributes {
		if !matches(name, in.MessageAttributeNames) {
			continue
		}
		shown[name] = a
		if out.MessageAttributes == nil {
			out.MessageAttributes = map[string]wireAttribute{}
		}
		out.MessageAttributes[name] = a.wire()
	}
	out.MD5OfMessageAttributes = md5OfAttributes(shown) // of those shown: the SDKs compare
	return out
}

// matches says whether an attribute was asked for: by name, by prefix.*, by .* or All.
func matches(name string, wanted []string) bool {
	for _, w := range wanted {
		if w == name || w == "All" {
			return true
		}
		if prefix, ok := strings.CutSuffix(w, ".*"); ok && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func (a MessageAttribute) wire() wireAttribute {
	if strings.HasPrefix(a.DataType, "Binary") {
		return wireAttribute{DataType: a.DataType, BinaryValue: a.BinaryValue}
	}
	return wireAttribute{DataType: a.DataType, StringValue: &a.StringValue}
}

func (s *Server) deleteMessage(_ context.Context, _ call, in *deleteRequest) (any, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return nil, err
	}
	if in.ReceiptHandle == "" {
		return nil, errMissing("ReceiptHandle")
	}
	return nothing{}, firstRefusal(q.remove([]string{in.ReceiptHandle}))
}

func (s *Server) deleteMessageBatch(_ context.Context, _ call, in *deleteBatchRequest) (any, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return nil, err
	}
	if refused := checkBatch(in.Entries); refused != nil {
		return nil, refused
	}
	ids, handles := make([]string, len(in.Entries)), make([]string, len(in.Entries))
	for i, e := range in.Entries {
		ids[i], handles[i] = e.ID, e.ReceiptHandle
	}
	refused, err := q.remove(handles)
	if err != nil {
		return nil, err
	}
	return outcome(ids, refused), nil
}

func checkTimeout(n *int) *Error {
	if n == nil {
		return errMissing("VisibilityTimeout")
	}
	if *n < 0 || *n > maxVisibility {
		return errValue(*n, "VisibilityTimeout", "Must be between 0 and %d, if provided.", maxVisibility)
	}
	return nil
}

func (s *Server) changeMessageVisibility(_ context.Context, _ call, in *visibilityRequest) (any, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return nil, err
	}
	if in.ReceiptHandle == "" {
		return nil, errMissing("ReceiptHandle")
	}
	if refused := checkTimeout(in.VisibilityTimeout); refused != nil {
		return nil, refused
	}
	h := hold{in.ReceiptHandle, time.Duration(*in.VisibilityTimeout) * time.Second}
	return nothing{}, firstRefusal(q.extend([]hold{h}))
}

func (s *Server) changeMessageVisibilityBatch(_ context.Context, _ call, in *visibilityBatchRequest) (any, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return nil, err
	}
	if refused := checkBatch(in.Entries); refused != nil {
		return nil, refused
	}
	var ids, wrong []string
	var holds []hold
	var bad []*Error
	for _, e := range in.Entries {
		if refused := checkTimeout(e.VisibilityTimeout); refused != nil {
			wrong, bad = append(wrong, e.ID), append(bad, refused)
			continue
		}
		ids = append(ids, e.ID)
		holds = append(holds, hold{e.ReceiptHandle, time.Duration(*e.VisibilityTimeout) * time.Second})
	}
	refused, err := q.extend(holds)
	if err != nil {
		return nil, err
	}
	return outcome(append(ids, wrong...), append(refused, bad...)), nil
}
