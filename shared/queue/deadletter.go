package queue

import (
	"strings"
	"unicode/utf8"
)

// AttributeTo is the name of the one destination that a message is for, where it is
// a replay or a redriven dead letter that is not for all.
const AttributeTo = "pushpull.to"

// Attribute names of a dead letter. A message that carries them and comes back
// to the queue was redriven: its event may be claimed although it is dead.
const (
	AttributeReason      = "pushpull.reason"      // why it is dead, for people
	AttributeDestination = "pushpull.destination" // the destinations that did not get it, separated by commas
	AttributeKey         = "pushpull.key"         // <source>/<identity>
)

// maxAttribute bounds the value of one attribute of a dead letter, in bytes.
const maxAttribute = 2 << 10

// DeadLetter returns the message for the dead-letter queue: the body as the
// event queue gave it, so that it can be redriven as it is, and why it is there.
// Group is that of the source; key and destinations may be empty, where the body
// could not be read. Whatever reason holds is made acceptable to SQS.
func DeadLetter(body, group, key, reason string, destinations ...string) Message {
	m := Message{Body: body, Group: group, Attributes: make(map[string]string, 3)}
	for name, value := range map[string]string{
		AttributeReason:      reason,
		AttributeDestination: strings.Join(destinations, ","),
		AttributeKey:         key,
	} {
		if value = attribute(value, maxAttribute); value != "" { // SQS refuses an empty one
			m.Attributes[name] = value
		}
	}
	if excess := size(m) - maxBytes; excess > 0 {
		// The body matters, and the reason is in the log too.
		kept := max(0, len(m.Attributes[AttributeReason])-excess)
		m.Attributes[AttributeReason] = attribute(m.Attributes[AttributeReason], kept)
		if m.Attributes[AttributeReason] == "" {
			delete(m.Attributes, AttributeReason)
		}
	}
	return m
}

// attribute returns a text that SQS accepts as the value of an attribute, of at
// most so many bytes: U+FFFD stands for what it refuses, an ellipsis for what was cut.
func attribute(text string, limit int) string {
	const ellipsis = "…"
	text = strings.Map(func(r rune) rune {
		if (r < 0x20 && r != '\t' && r != '\n' && r != '\r') || r == 0xFFFE || r == 0xFFFF {
			return utf8.RuneError
		}
		return r // strings.Map has made U+FFFD of what is not UTF-8
	}, text)
	if len(text) <= limit {
		return text
	}
	if limit < len(ellipsis) {
		return ""
	}
	cut := limit - len(ellipsis)
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + ellipsis
}
