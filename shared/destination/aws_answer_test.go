package destination

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/event"
)

// verdictOf is retry, mend or give, "" for no error.
func verdictOf(err error) string {
	if r, ok := errors.AsType[*Retryable](err); ok {
		if r.After > 0 {
			return "mend"
		}
		return "retry"
	}
	if _, ok := errors.AsType[*Permanent](err); ok {
		return "give"
	}
	if err != nil {
		return "neither a *Retryable nor a *Permanent: " + err.Error()
	}
	return ""
}

func TestErrorsOfCallsMeanWhatTheServiceSays(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		kind   string
		status int
		code   string
		want   string
	}{
		{"eventbridge", 400, "ThrottlingException", "retry"},
		{"eventbridge", 500, "InternalException", "retry"},
		{"eventbridge", 400, "AccessDeniedException", "mend"},
		{"eventbridge", 400, "ResourceNotFoundException", "mend"},
		{"eventbridge", 400, "ValidationException", "give"},
		{"sqs", 403, "RequestThrottled", "retry"},
		{"sqs", 400, "KmsThrottled", "retry"},
		{"sqs", 500, "InternalError", "retry"},
		{"sqs", 400, "com.amazonaws.sqs#QueueDoesNotExist", "mend"},
		{"sqs", 403, "AccessDeniedException", "mend"},
		{"sqs", 400, "KmsDisabled", "mend"},
		{"sqs", 400, "InvalidMessageContents", "give"},
		{"sqs", 400, "UnsupportedOperation", "give"},
		{"sns", 429, "Throttled", "retry"},
		{"sns", 500, "InternalError", "retry"},
		{"sns", 403, "AuthorizationError", "mend"},
		{"sns", 404, "NotFound", "mend"},
		{"sns", 400, "KMSAccessDenied", "mend"},
		{"sns", 400, "InvalidParameter", "give"},
		{"sns", 400, "BatchRequestTooLong", "give"},
		{"kinesis", 400, "ProvisionedThroughputExceededException", "retry"},
		{"kinesis", 400, "LimitExceededException", "retry"},
		{"kinesis", 500, "InternalFailureException", "retry"},
		{"kinesis", 400, "ResourceNotFoundException", "mend"},
		{"kinesis", 400, "KMSNotFoundException", "mend"},
		{"kinesis", 400, "InvalidArgumentException", "give"},
		{"firehose", 503, "ServiceUnavailableException", "retry"},
		{"firehose", 400, "InvalidKMSResourceException", "mend"},
		{"firehose", 400, "ResourceNotFoundException", "mend"},
		{"firehose", 400, "InvalidArgumentException", "give"},
		{"firehose", 400, "InvalidSourceException", "give"},
		{"lambda", 429, "TooManyRequestsException", "retry"},
		{"lambda", 500, "ServiceException", "retry"},
		{"lambda", 502, "ENILimitReachedException", "retry"},
		{"lambda", 409, "ResourceConflictException", "retry"},
		{"lambda", 403, "AccessDeniedException", "mend"},
		{"lambda", 404, "ResourceNotFoundException", "mend"},
		{"lambda", 502, "KMSAccessDeniedException", "mend"},
		{"lambda", 502, "InvalidRuntimeException", "mend"},
		{"lambda", 413, "RequestTooLargeException", "give"},
		{"lambda", 400, "InvalidRequestContentException", "give"},
		{"lambda", 400, "RecursiveInvocationException", "give"},
		{"s3", 503, "SlowDown", "retry"},
		{"s3", 400, "RequestTimeout", "retry"},
		{"s3", 409, "OperationAborted", "retry"},
		{"s3", 403, "AccessDenied", "mend"},
		{"s3", 404, "NoSuchBucket", "mend"},
		{"s3", 301, "PermanentRedirect", "mend"},
		{"s3", 400, "InvalidArgument", "give"},
		{"s3", 400, "EntityTooLarge", "give"},
		{"kinesis", 400, "ExpiredTokenException", "mend"},
		{"kinesis", 400, "UnrecognizedClientException", "mend"},
		{"kinesis", 429, "SomethingNew", "retry"},
		{"kinesis", 503, "SomethingNew", "retry"},
		{"kinesis", 403, "SomethingNew", "mend"},
		{"kinesis", 418, "SomethingNew", "give"},
	} {
		t.Run(test.kind+" "+test.code, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			c.refuse = func([]string) (int, string) { return test.status, test.code }
			_, err := c.open(t, configs(c)[test.kind]).Deliver(t.Context(), sample("1"))
			if got := verdictOf(err); got != test.want {
				t.Errorf("it is to %s, want %s: %v", got, test.want, err)
			}
			code := test.code[strings.LastIndex(test.code, "#")+1:]
			if err == nil || !strings.Contains(err.Error(), code) && test.code != "PermanentRedirect" {
				t.Errorf("the error %v does not name the code", err)
			}
			if got := c.ids(); len(got) != 0 {
				t.Errorf("it took %v", got)
			}
		})
	}
}

func TestAnAnswerWithoutACodeIsJudgedByItsStatus(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.refuse = func([]string) (int, string) { return 502, "" }
	_, err := c.open(t, configs(c)["kinesis"]).Deliver(t.Context(), sample("1"))
	if verdictOf(err) != "retry" || !strings.Contains(err.Error(), "answered 502: Bad Gateway") {
		t.Errorf("the error is %v", err)
	}
}

func TestEntriesOfACallFailAlone(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ kind, throttled, denied, refused string }{
		{"eventbridge", "ThrottlingException", "NotAuthorizedForSourceException", "MalformedDetail"},
		{"eventbridge", "InternalFailure", "AccessDeniedException", "InvalidArgument"},
		{"sqs", "InternalError", "KmsAccessDenied", "InvalidMessageContents"},
		{"sns", "InternalError", "KMSDisabled", "InvalidParameter"},
		{"kinesis", "ProvisionedThroughputExceededException", "KMSDisabledException", "InvalidArgumentException"},
		{"kinesis", "InternalFailure", "AccessDeniedException", "ValidationException"},
		{"firehose", "ServiceUnavailableException", "AccessDeniedException", "InvalidArgumentException"},
	} {
		t.Run(test.kind+" "+test.throttled, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			codes := map[string]string{"throttled": test.throttled, "denied": test.denied, "refused": test.refused}
			c.fail = func(id string) string { return codes[id] }
			got := map[string]string{}
			events := []event.Event{sample("good"), sample("throttled"), sample("denied"), sample("refused"), sample("fine")}
			for i, o := range batcher(t, c, test.kind).DeliverBatch(t.Context(), events) {
				got[events[i].ID] = verdictOf(o.Err)
			}
			want := map[string]string{"good": "", "fine": "", "throttled": "retry", "denied": "mend", "refused": "give"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{"good", "fine"}, c.ids()); diff != "" {
				t.Error(diff)
			}
			if len(c.calls) != 1 {
				t.Errorf("%d calls, want one", len(c.calls))
			}
		})
	}
}

func batcher(t *testing.T, c *cloud, kind string) Batcher {
	t.Helper()
	g, ok := c.open(t, configs(c)[kind]).(*gatherer)
	if !ok {
		t.Fatalf("events for %s are not gathered", kind)
	}
	return g.to
}

func TestAnEventThatSpoilsACallFailsAlone(t *testing.T) {
	t.Parallel()
	for kind := range configs(&cloud{}) {
		if kind == "lambda" || kind == "s3" {
			continue
		}
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			c.refuse = func(ids []string) (int, string) {
				if slices.Contains(ids, "bad") {
					return 400, "ValidationException"
				}
				return 0, ""
			}
			all := batcher(t, c, kind).DeliverBatch(t.Context(), []event.Event{sample("a"), sample("bad"), sample("b")})
			got := []string{verdictOf(all[0].Err), verdictOf(all[1].Err), verdictOf(all[2].Err)}
			if diff := cmp.Diff([]string{"", "give", ""}, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{"a", "b"}, c.ids()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAFunctionThatFailedMayBeInvokedAgain(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.fail = func(string) string { return "Unhandled" }
	result, err := c.open(t, configs(c)["lambda"]).Deliver(t.Context(), sample("1"))
	if verdictOf(err) != "retry" || !strings.Contains(err.Error(), "Unhandled") || strings.Contains(err.Error(), "not for the log") {
		t.Errorf("the error is %v", err)
	}
	if result.Status != 200 {
		t.Errorf("the status is %d", result.Status)
	}
}

func TestACallThatTakesTooLongMayBeMadeAgain(t *testing.T) {
	t.Parallel()
	for kind, d := range configs(&cloud{url: "http://192.0.2.1"}) {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			held := make(chan struct{})
			t.Cleanup(func() { close(held) })
			c.refuse = func([]string) (int, string) { <-held; return 0, "" }
			d.Timeout = 1 // a nanosecond
			if kind == "sqs" {
				d.Queue = configs(c)[kind].Queue
			}
			_, err := c.open(t, d).Deliver(t.Context(), sample("1"))
			if verdictOf(err) != "retry" {
				t.Errorf("the error is %v, want a *Retryable", err)
			}
		})
	}
}
