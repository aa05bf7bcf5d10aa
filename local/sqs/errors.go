package sqs

import (
	"errors"
	"fmt"
	"net/http"
)

// An Error is what a call answers when it cannot do what was asked.
type Error struct {
	Code    string // as the SDKs know it: QueueDoesNotExist
	Message string
	Status  int // of the HTTP answer

	query string // the code of the old query protocol, which clients still compare with
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// queryCode is what x-amzn-query-error says, without the sender or receiver part.
func (e *Error) queryCode() string {
	if e.query != "" {
		return e.query
	}
	return e.Code
}

// sender says whether the caller is at fault, so that trying again does not help.
func (e *Error) sender() bool { return e.Status < http.StatusInternalServerError }

const namespace = "AWS.SimpleQueueService."

// clientError is an error of the caller, whose query code is its own name.
func clientError(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Status: http.StatusBadRequest}
}

// serviceError is an error of the caller whose query code has SQS's old prefix.
func serviceError(code, format string, args ...any) *Error {
	e := clientError(code, format, args...)
	e.query = namespace + code
	return e
}

func errNoQueue() *Error {
	e := clientError("QueueDoesNotExist", "The specified queue does not exist.")
	e.query = namespace + "NonExistentQueue"
	return e
}

func errQueueExists(attribute string) *Error {
	e := clientError("QueueNameExists", "A queue already exists with the same name and a different value for attribute %s", attribute)
	e.query = "QueueAlreadyExists"
	return e
}

// errValue refuses one value of one parameter, in the words of AWS.
func errValue(value any, parameter, reason string, args ...any) *Error {
	return errParameter("Value %v for parameter %s is invalid. Reason: %s", value, parameter, fmt.Sprintf(reason, args...))
}

func errParameter(format string, args ...any) *Error {
	e := clientError("InvalidParameterValueException", format, args...)
	e.query = "InvalidParameterValue"
	return e
}

func errMissing(parameter string) *Error {
	e := clientError("MissingRequiredParameterException", "The request must contain the parameter %s.", parameter)
	e.query = "MissingParameter"
	return e
}

func errAttributeName(name string) *Error {
	return clientError("InvalidAttributeName", "Unknown Attribute %s.", name)
}

func errAttributeValue(name, reason string, args ...any) *Error {
	return clientError("InvalidAttributeValue", "Invalid value for the parameter %s. Reason: %s", name, fmt.Sprintf(reason, args...))
}

func errHandle(handle string) *Error {
	return clientError("ReceiptHandleIsInvalid", "The input receipt handle %q is not a valid receipt handle.", shorten(handle))
}

func errInternal() *Error {
	return &Error{Code: "InternalFailure", Message: "The store did not take it; the log says why.", Status: http.StatusInternalServerError}
}

// asError turns any error into one that can be answered. What it does not know
// is internal: the log has it, the caller does not.
func asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return errInternal()
}

// shorten keeps an error from repeating a hostile parameter in full.
func shorten(s string) string {
	if len(s) > 64 {
		return s[:64] + "…"
	}
	return s
}
