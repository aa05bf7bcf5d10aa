package dynamodb

import (
	"fmt"
	"net/http"
)

// An apiError is an answer that says no, as AWS words it. It travels as an
// error through the package and becomes the JSON body at the door.
type apiError struct {
	status  int
	code    string // ConditionalCheckFailedException
	message string

	item    item                 // the old item of a failed condition, where asked for
	reasons []cancellationReason // of a cancelled transaction
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

const (
	codeValidation        = "ValidationException"
	codeSerialization     = "SerializationException"
	codeNotFound          = "ResourceNotFoundException"
	codeInUse             = "ResourceInUseException"
	codeConditionFailed   = "ConditionalCheckFailedException"
	codeCancelled         = "TransactionCanceledException"
	codeUnknownOperation  = "UnknownOperationException"
	codeTokenMismatch     = "IdempotentParameterMismatchException" //nolint:gosec // the name of an error
	codeInternal          = "InternalServerError"
	codeLimitExceeded     = "LimitExceededException"
	codeItemCollection    = "ItemCollectionSizeLimitExceededException"
	codeThroughput        = "ProvisionedThroughputExceededException"
	typePrefix            = "com.amazonaws.dynamodb.v20120810#"
	typePrefixCoral       = "com.amazon.coral.service#"
	typePrefixCoralChecks = "com.amazon.coral.validate#"
)

// qualified is the error's name as __type carries it: AWS prefixes those that
// its framework makes differently from those of the service.
func qualified(code string) string {
	switch code {
	case codeValidation:
		return typePrefixCoralChecks + code
	case codeSerialization, codeUnknownOperation, "ThrottlingException", "AccessDeniedException":
		return typePrefixCoral + code
	}
	return typePrefix + code
}

func failf(code, format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, code: code, message: fmt.Sprintf(format, args...)}
}

// invalid is a ValidationException in AWS's words.
func invalid(format string, args ...any) *apiError {
	return failf(codeValidation, format, args...)
}

// invalidValue is a ValidationException about a value in the request.
func invalidValue(format string, args ...any) *apiError {
	return invalid("One or more parameter values were invalid: "+format, args...)
}

func tableNotFound() *apiError {
	return failf(codeNotFound, "Requested resource not found")
}

func namedTableNotFound(name string) *apiError {
	return failf(codeNotFound, "Requested resource not found: Table: %s not found", name)
}

func conditionFailed(old item) *apiError {
	e := failf(codeConditionFailed, "The conditional request failed")
	e.item = old
	return e
}
