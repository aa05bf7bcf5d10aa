package sqs

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// The limits of SQS, as of the developer guide's quota pages, read 2026-11-23.
const (
	maxBytes      = 1 << 20 // of a message, and of a batch, with attributes
	maxEntries    = 10      // of a batch, and of one receive
	maxAttributes = 10      // of a message
	maxInFlight   = 120_000 // of a queue
	maxVisibility = 43_200  // seconds
	maxDelay      = 900     // seconds
	maxWait       = 20      // seconds
	maxName       = 256     // characters of an attribute's name, and of its type
	maxID         = 128     // characters of a group or deduplication id
	maxTags       = 50      // of a queue
)

var (
	queueNames  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)
	entryIDs    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)
	attrNames   = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,256}$`)
	numberValue = regexp.MustCompile(`^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$`)
)

const fifoSuffix = ".fifo"

// checkQueueName wants .fifo at the end of the name of a FIFO queue, and nowhere else.
func checkQueueName(name string, fifo bool) *Error {
	stem := name
	if fifo {
		stem = strings.TrimSuffix(name, fifoSuffix)
	}
	if !queueNames.MatchString(stem) || len(name) > 80 || fifo && stem == name {
		if fifo {
			return errParameter("The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.")
		}
		return errParameter("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	return nil
}

// allowedText says whether SQS takes every character of s:
// #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.
func allowedText(s string) bool {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c < 0x20 && c != '\t' && c != '\n' && c != '\r' {
				return false
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || r == 0xFFFE || r == 0xFFFF {
			return false
		}
		i += n
	}
	return true
}

// allowedID says whether s is a message group or deduplication id: up to 128
// letters, digits and punctuation of ASCII.
func allowedID(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= maxID
}

// size is what SQS counts of a message: its body and, for each attribute, the
// name, the type and the value.
func size(body string, attributes map[string]MessageAttribute) int {
	n := len(body)
	for name, a := range attributes {
		n += len(name) + len(a.DataType) + len(a.StringValue) + len(a.BinaryValue)
	}
	return n
}

// checkAttributes checks the attributes of a message, but for their size.
func checkAttributes(attributes map[string]MessageAttribute) *Error {
	if len(attributes) > maxAttributes {
		return errParameter("Number of message attributes [%d] exceeds the allowed maximum [%d].", len(attributes), maxAttributes)
	}
	for name, a := range attributes {
		if err := checkAttributeName(name); err != nil {
			return err
		}
		if err := checkAttribute(name, a); err != nil {
			return err
		}
	}
	return nil
}

func checkAttributeName(name string) *Error {
	if !attrNames.MatchString(name) {
		return errParameter("The message attribute name %q is invalid. Attribute name can contain A-Z, a-z, 0-9, underscore (_), hyphen (-), and period (.) characters, and is at most %d long.", shorten(name), maxName)
	}
	if strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, "..") {
		return errParameter("Invalid message attribute name %q: a period can neither begin nor end it, nor follow another.", shorten(name))
	}
	lower := strings.ToLower(name)
	if strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon.") {
		return errParameter("Message (user) attribute name '%s' is reserved: it begins with AWS. or Amazon.", shorten(name))
	}
	return nil
}

func checkAttribute(name string, a MessageAttribute) *Error {
	kind, _, _ := strings.Cut(a.DataType, ".")
	switch {
	case a.DataType == "":
		return errParameter("The message attribute '%s' must contain a non-empty message attribute type.", name)
	case len(a.DataType) > maxName:
		return errParameter("The type of the message attribute '%s' is longer than %d characters.", name, maxName)
	case kind != "String" && kind != "Number" && kind != "Binary":
		return errParameter("The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
	case kind == "Binary" && a.StringValue != "", kind != "Binary" && a.BinaryValue != nil:
		return errParameter("The message attribute '%s' with type '%s' must use field '%s'.", name, a.DataType, map[bool]string{true: "Binary", false: "String"}[kind == "Binary"])
	case kind == "Binary" && len(a.BinaryValue) == 0, kind != "Binary" && a.StringValue == "":
		return errParameter("Message (user) attribute '%s' must contain a non-empty value of type '%s'.", name, a.DataType)
	case kind == "Number" && !numberValue.MatchString(a.StringValue):
		return errParameter("Can't cast the value of message (user) attribute '%s' to a number.", name)
	case !allowedText(a.StringValue) || !allowedText(a.DataType):
		return clientError("InvalidMessageContents", "The message attribute '%s' holds characters outside the allowed set.", name)
	}
	return nil
}
