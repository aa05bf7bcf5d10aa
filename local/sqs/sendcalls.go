package sqs

import (
	"context"
	"time"
)

// The operations that send.

func (s *Server) sendMessage(_ context.Context, _ call, in *sendRequest) (any, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return nil, err
	}
	m, refused := s.outgoing(q, &in.sendEntry)
	if refused != nil {
		return nil, refused
	}
	arrived, err := q.send([]outgoing{m})
	if err != nil {
		return nil, err
	}
	return q.sent(&m, arrived[0]), nil
}

func (s *Server) sendMessageBatch(_ context.Context, _ call, in *sendBatchRequest) (any, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return nil, err
	}
	if refused := checkBatch(in.Entries); refused != nil {
		return nil, refused
	}
	var answer batchAnswer[sendBatchSuccess]
	var messages []outgoing
	var ids []string
	total := 0
	for i := range in.Entries {
		e := &in.Entries[i]
		total += e.size()
		m, refused := s.outgoing(q, &e.sendEntry)
		if refused != nil {
			answer.Failed = append(answer.Failed, failure(e.ID, refused))
			continue
		}
		messages, ids = append(messages, m), append(ids, e.ID)
	}
	if total > maxBytes {
		return nil, serviceError("BatchRequestTooLong", "Batch requests cannot be longer than %d bytes. You have sent %d bytes.", maxBytes, total)
	}
	if len(messages) == 0 {
		return answer, nil
	}
	arrived, err := q.send(messages)
	if err != nil {
		return nil, err
	}
	for i, a := range arrived {
		answer.Successful = append(answer.Successful, sendBatchSuccess{ids[i], q.sent(&messages[i], a)})
	}
	return answer, nil
}

func (q *queue) sent(m *outgoing, a *arrival) sendAnswer {
	out := sendAnswer{
		MessageID: a.record.id, MD5OfMessageBody: md5Hex(m.body), MD5OfMessageAttributes: md5OfAttributes(m.attributes),
	}
	if m.trace != "" {
		out.MD5OfMessageSystemAttributes = md5OfAttributes(map[string]MessageAttribute{
			attrTrace: {DataType: "String", StringValue: m.trace},
		})
	}
	if q.isFIFO() {
		out.SequenceNumber = sequenceNumber(a.sequence)
	}
	return out
}

// size is what the entry counts towards the limit of a batch, valid or not.
func (e *sendEntry) size() int {
	n := 0
	if e.MessageBody != nil {
		n = len(*e.MessageBody)
	}
	for name, a := range e.MessageAttributes {
		n += len(name) + len(a.DataType) + len(a.BinaryValue)
		if a.StringValue != nil {
			n += len(*a.StringValue)
		}
	}
	return n
}

// outgoing checks a message against the limits of SQS and of its queue.
func (s *Server) outgoing(q *queue, in *sendEntry) (outgoing, *Error) {
	q.mu.Lock()
	set := q.settings
	q.mu.Unlock()
	if in.MessageBody == nil {
		return outgoing{}, errMissing("MessageBody")
	}
	m := outgoing{body: *in.MessageBody, delay: set.delay, sender: s.account}
	if err := m.checkBody(in, set.maxMessage); err != nil {
		return outgoing{}, err
	}
	if err := m.readDelay(in, set); err != nil {
		return outgoing{}, err
	}
	if err := m.readTrace(in.MessageSystemAttributes); err != nil {
		return outgoing{}, err
	}
	return m, m.readIDs(in, set)
}

func (m *outgoing) checkBody(in *sendEntry, limit int) *Error {
	if m.body == "" {
		return errMissing("MessageBody")
	}
	attributes, err := fromWire(in.MessageAttributes)
	if err != nil {
		return err
	}
	if err := checkAttributes(attributes); err != nil {
		return err
	}
	m.attributes = attributes
	if n := size(m.body, attributes); n > limit {
		return errParameter("One or more parameters are invalid. Reason: Message must be shorter than %d bytes. It has %d.", limit, n)
	}
	if !allowedText(m.body) {
		return clientError("InvalidMessageContents", "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.")
	}
	return nil
}

func (m *outgoing) readDelay(in *sendEntry, set settings) *Error {
	if in.DelaySeconds == nil {
		return nil
	}
	n := *in.DelaySeconds
	if n < 0 || n > maxDelay {
		return errValue(n, "DelaySeconds", "DelaySeconds must be >= 0 and <= %d.", maxDelay)
	}
	if set.fifo {
		if n == 0 {
			return nil // the SDKs send it where a struct has a plain number
		}
		return errValue(n, "DelaySeconds", "The request include parameter that is not valid for this queue type.")
	}
	m.delay = time.Duration(n) * time.Second
	return nil
}

func (m *outgoing) readTrace(system map[string]wireAttribute) *Error {
	attributes, err := fromWire(system)
	if err != nil {
		return err
	}
	for name, a := range attributes {
		if name != attrTrace {
			return errParameter("Message system attribute name '%s' is invalid: it can only be %s.", shorten(name), attrTrace)
		}
		if a.DataType != "String" || a.StringValue == "" || !allowedText(a.StringValue) {
			return errParameter("The message system attribute '%s' must be a non-empty String.", name)
		}
		m.trace = a.StringValue
	}
	return nil
}

// readIDs checks the group and the deduplication id, which mean more on a FIFO queue.
func (m *outgoing) readIDs(in *sendEntry, set settings) *Error {
	if in.MessageGroupID != nil {
		m.group = *in.MessageGroupID
		if !allowedID(m.group) {
			return errID("MessageGroupId", m.group)
		}
	}
	if in.MessageDeduplicationID != nil {
		m.dedup = *in.MessageDeduplicationID
		if !allowedID(m.dedup) {
			return errID("MessageDeduplicationId", m.dedup)
		}
	}
	if !set.fifo {
		if m.dedup != "" {
			return errValue(m.dedup, "MessageDeduplicationId", "The request include parameter that is not valid for this queue type.")
		}
		return nil
	}
	if m.group == "" {
		return errMissing("MessageGroupId")
	}
	if m.dedup == "" {
		if !set.byContent {
			return errParameter("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
		}
		m.dedup = contentID(m.body)
	}
	return nil
}

func errID(parameter, value string) *Error {
	return errValue(shorten(value), parameter, "%s can only include alphanumeric and punctuation characters. 1 to %d in length.", parameter, maxID)
}

// fromWire refuses the list values, which SQS has names for but never had.
func fromWire(in map[string]wireAttribute) (map[string]MessageAttribute, *Error) {
	if len(in) == 0 {
		return nil, nil
	}
	out := make(map[string]MessageAttribute, len(in))
	for name, w := range in {
		if len(w.StringListValues) > 0 || len(w.BinaryListValues) > 0 {
			return nil, serviceError("UnsupportedOperation", "Message attribute list values in SendMessage operation are not supported.")
		}
		a := MessageAttribute{DataType: w.DataType, BinaryValue: w.BinaryValue}
		if w.StringValue != nil {
			a.StringValue = *w.StringValue
		}
		out[name] = a
	}
	return out, nil
}
