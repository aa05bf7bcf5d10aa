package queue

import (
	"fmt"
	"time"
	"unicode/utf8"
)

// The limits of SQS, read in its Developer Guide in November 2026.
const (
	maxBatch      = 10        // messages of one call
	maxBytes      = 1_048_576 // of one message, and of all messages of one call
	maxAttributes = 10
	maxGroup      = 128 // characters of a message group
	maxDelay      = 15 * time.Minute

	// batchBytes is what we put into one call of several messages: a little
	// less, as SQS does not say to the byte what it counts.
	batchBytes = maxBytes - 8<<10

	// eventBytes is the size over which the data of an event go to the claim
	// check. The rest is room for the attributes of a dead letter.
	eventBytes = 1_000_000
)

// size returns what SQS counts of a message, in bytes: its body, and the name,
// type and value of each attribute.
func size(m Message) int {
	n := len(m.Body)
	for name, value := range m.Attributes {
		n += len(name) + len(attributeType) + len(value)
	}
	return n
}

// check returns why SQS would refuse a message: one that it refuses must not
// take the other nine of its batch with it.
func check(m Message, fifo bool) *Failure {
	switch {
	case m.Body == "":
		return refusal("MissingBody", "the body is empty")
	case size(m) > maxBytes:
		return refusal("MessageTooLong", fmt.Sprintf("%d bytes, the limit is %d", size(m), maxBytes))
	case !acceptable(m.Body):
		return refusal("InvalidMessageContents", "the body has a character that SQS refuses (a control character, or what is not UTF-8)")
	case len(m.Attributes) > maxAttributes:
		return refusal("TooManyAttributes", fmt.Sprintf("%d attributes, the limit is %d", len(m.Attributes), maxAttributes))
	case m.Delay < 0 || m.Delay > maxDelay:
		return refusal("InvalidDelay", fmt.Sprintf("delay %v, it may be 0 to %v", m.Delay, maxDelay))
	case fifo && m.Delay > 0:
		return refusal("InvalidDelay", "a FIFO queue has no delay for a single message")
	case fifo && m.Group == "":
		return refusal("MissingGroup", "a FIFO queue needs a message group")
	}
	for name, value := range m.Attributes {
		if value == "" || !acceptable(value) {
			return refusal("InvalidAttribute", "attribute "+name+": is empty, or has a character that SQS refuses")
		}
	}
	return nil
}

func refusal(code, message string) *Failure {
	return &Failure{Code: code, Message: message, Sender: true}
}

// acceptable reports whether SQS accepts the text: the characters of XML 1.0,
// #x9 | #xA | #xD | #x20–#xD7FF | #xE000–#xFFFD | #x10000–#x10FFFF.
func acceptable(text string) bool {
	for i := 0; i < len(text); {
		if len(text)-i >= 8 && ordinary(word(text[i:])) {
			i += 8
			continue
		}
		c := text[i]
		if c < utf8.RuneSelf {
			if c < 0x20 && c != '\t' && c != '\n' && c != '\r' {
				return false
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		if (r == utf8.RuneError && n == 1) || r == 0xFFFE || r == 0xFFFF {
			return false
		}
		i += n
	}
	return true
}
