package destination

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

// mendable is how long a delivery waits where a person has to act: an attempt a
// minute later would meet the same.
const mendable = 10 * time.Minute

// awsCodes is what the error codes of services mean, those of whole calls and
// those of single entries, as the API references have them:
//
//	retry  may pass by itself: a throttle, a service in trouble, a thing that is being changed
//	mend   passes once somebody mends it: a permission, a key, a resource that is not there
//	give   the same event would be refused again
//
// A code that is not here counts by its HTTP status: 408, 429 and 5xx may pass,
// 401 and 403 are for somebody to mend, other 4xx are permanent.
var awsCodes = sync.OnceValue(func() map[string]verdict {
	codes := map[string]verdict{}
	for verdict, names := range map[verdict]string{
		retryAWS: `
			Throttling ThrottlingException Throttled ThrottledException RequestThrottled RequestThrottledException
			TooManyRequestsException RequestLimitExceeded LimitExceededException OverLimit ServiceQuotaExceededException
			ProvisionedThroughputExceededException SlowDown BandwidthLimitExceeded PriorRequestNotComplete
			KmsThrottled KMSThrottling KMSThrottlingException EC2ThrottledException
			InternalFailure InternalFailureException InternalError InternalException InternalServerError
			InternalServiceError ServiceException ServiceUnavailable ServiceUnavailableException
			RequestTimeout RequestTimeoutException RequestTimeTooSkewed RequestExpired
			ConcurrentModificationException ConcurrentAccess OperationAborted ConditionalRequestConflict
			ResourceConflictException ResourceNotReadyException ResourceInUseException QueueDeletedRecently
			ENILimitReachedException ENINotReadyException SubnetIPAddressLimitReachedException
			EFSIOException EFSMountConnectivityException EFSMountFailureException EFSMountTimeoutException
			SnapStartException SnapStartNotReadyException SnapStartRegenerationFailureException SnapStartTimeoutException`,
		mendAWS: `
			AccessDenied AccessDeniedException AuthorizationError UnauthorizedOperation NotAuthorized
			NotAuthorizedForSourceException NotAuthorizedForDetailTypeException AllAccessDisabled OptInRequired
			ExpiredToken ExpiredTokenException InvalidToken InvalidClientTokenId UnrecognizedClientException
			InvalidAccessKeyId InvalidAccountIdException MissingAuthenticationToken IncompleteSignature
			InvalidSignatureException SignatureDoesNotMatch
			KmsAccessDenied KmsDisabled KmsInvalidKeyUsage KmsInvalidState KmsNotFound KmsOptInRequired
			KMSAccessDenied KMSDisabled KMSInvalidState KMSNotFound KMSOptInRequired
			KMSAccessDeniedException KMSDisabledException KMSInvalidStateException KMSNotFoundException
			InvalidKMSResourceException
			ResourceNotFoundException ResourceNotFound NotFound NoSuchBucket QueueDoesNotExist
			AWS.SimpleQueueService.NonExistentQueue PermanentRedirect AuthorizationHeaderMalformed InvalidBucketState
			InvalidRuntimeException InvalidZipFileException InvalidSecurityGroupIDException InvalidSubnetIDException
			OperationDisabledException`,
		giveAWS: `
			ValidationException ValidationError InvalidParameter InvalidParameterValue InvalidParameterValueException
			ParameterValueInvalid InvalidArgument InvalidArgumentException InvalidAttributeName InvalidAttributeValue
			InvalidMessageContents InvalidAddress InvalidSecurity UnsupportedOperation InvalidSourceException
			BatchRequestTooLong BatchEntryIdsNotDistinct EmptyBatchRequest InvalidBatchEntryId
			TooManyEntriesInBatchRequest MalformedDetail RedactionFailure SerializationException
			EntityTooLarge MaxMessageLengthExceeded RequestTooLargeException SerializedRequestEntityTooLargeException
			RequestEntityTooLargeException InvalidRequestContentException UnsupportedMediaTypeException
			RecursiveInvocationException InvalidBucketName KeyTooLongError InvalidRequest`,
	} {
		for name := range strings.FieldsSeq(names) {
			codes[name] = verdict
		}
	}
	return codes
})

// A verdict is what a service's error means for a delivery.
type verdict int

const (
	retryAWS verdict = iota
	mendAWS
	giveAWS
)

// unknownError is what the SDK calls an answer that names none.
const unknownError = "UnknownError"

// judgeAWS is the error of a whole call; nil for nil.
func judgeAWS(err error) error {
	if err == nil {
		return nil
	}
	status := 0
	if r, ok := errors.AsType[*awshttp.ResponseError](err); ok && r.Response != nil && r.Response.Response != nil {
		status = r.HTTPStatusCode()
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok && api.ErrorCode() != unknownError {
		return judgeCode(api.ErrorCode(), api.ErrorMessage(), status)
	}
	if status != 0 {
		return judgeCode("", http.StatusText(status), status)
	}
	return &Retryable{Err: fmt.Errorf("no answer: %w", cause(err))}
}

// judgeCode is the error of a call or of one of its entries. The status is 0
// where there is none.
func judgeCode(code, message string, status int) error {
	v, known := awsCodes()[code]
	if !known {
		v = byStatus(status)
	}
	err := errors.New(said(code, message, status))
	switch v {
	case retryAWS:
		return &Retryable{Err: err}
	case mendAWS:
		return &Retryable{Err: fmt.Errorf("%w: mend it, and it is tried again", err), After: mendable}
	case giveAWS:
	}
	return &Permanent{Err: err}
}

func byStatus(status int) verdict {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return mendAWS
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests:
		return retryAWS
	case status >= 300 && status < 500:
		return giveAWS
	}
	return retryAWS
}

// said is a service's own words, on one line and not without end.
func said(code, message string, status int) string {
	const most = 300
	text := strings.Join(strings.Fields(message), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	switch {
	case code == "" && status != 0:
		return fmt.Sprintf("answered %d: %s", status, text)
	case text == "":
		return code
	}
	return code + ": " + text
}

// cause leaves out what the SDK wraps around: it is the same in each error.
func cause(err error) error {
	if op, ok := errors.AsType[*smithy.OperationError](err); ok {
		return op.Err
	}
	return err
}
