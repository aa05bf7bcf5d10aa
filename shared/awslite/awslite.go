// Package awslite makes the few AWS calls of the function on the provider's
// clock: one signed HTTP request, without the SDK's middleware, endpoint rules
// and credential chain, which cost the receiver more at start and for each event
// than its own work does (`make bench` compares the two). Signing is the SDK's own.
//
// Its one invariant: a call returns nil only when the service answered 2xx.
package awslite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// maxAnswer bounds what is read of an answer of the JSON protocol, in bytes. The
// largest that we ask for is ten received messages of 1 MiB in all, escaped.
const maxAnswer = 8 << 20

// A Client calls AWS services in one region with the credentials that Lambda
// puts into the environment. It is safe for concurrent use.
type Client struct {
	roundTrip   func(*http.Request) (*http.Response, error)
	signer      *v4.Signer
	credentials aws.Credentials
	region      string
	endpoints   map[string]endpoint // by signing name
	now         func() time.Time
	jitter      func() float64 // 0 ≤ jitter < 1
	attempts    int            // the first and those that follow
	longest     time.Duration  // between two attempts
}

// New reads AWS_REGION, the credentials, and AWS_ENDPOINT_URL_<SERVICE> (or
// AWS_ENDPOINT_URL) from getenv. With a nil hc the client has connections of its
// own, tuned for one small function.
func New(getenv func(string) string, hc *http.Client) (*Client, error) {
	region := getenv("AWS_REGION")
	if region == "" {
		region = getenv("AWS_DEFAULT_REGION")
	}
	if region == "" {
		return nil, errors.New("no AWS region: set AWS_REGION (Lambda does)")
	}
	credentials := aws.Credentials{
		AccessKeyID:     getenv("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    getenv("AWS_SESSION_TOKEN"),
		Source:          "environment",
	}
	if !credentials.HasKeys() {
		return nil, errors.New("no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (Lambda does)")
	}
	endpoints, err := endpointsOf(getenv, region)
	if err != nil {
		return nil, err
	}
	roundTrip := newTransport().RoundTrip
	if hc != nil {
		roundTrip = hc.Do
	}
	return &Client{
		roundTrip: roundTrip,
		// S3 signs the path as it is sent; the path of every other call is "/".
		signer:      v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }),
		credentials: credentials,
		region:      region,
		endpoints:   endpoints,
		now:         time.Now,
		jitter:      rand.Float64,
		attempts:    maxAttempts,
		longest:     longestWait,
	}, nil
}

// Retrying returns a client that shares the connections of c and makes a call
// that many times at most, the longest wait between two of them.
func (c *Client) Retrying(attempts int, longest time.Duration) *Client {
	patient := *c
	patient.attempts, patient.longest = attempts, longest
	return &patient
}

// JSON makes one call of the AWS JSON protocol; service is the signing name
// (dynamodb, kms, sqs, ssm, secretsmanager), target the X-Amz-Target, version 1.0 or 1.1. A nil
// out ignores the answer; a *[]byte is given it as it is.
//
// It retries what is worth it (throttles, 5xx, broken connections) while ctx
// lasts, so a call may be made twice: only calls that may be belong here.
func (c *Client) JSON(ctx context.Context, service, target, version string, in []byte, out any) error {
	endpoint, ok := c.endpoints[service]
	if !ok {
		return fmt.Errorf("%s: not a service that awslite knows", service)
	}
	body, err := c.do(ctx, &call{
		service: service,
		method:  http.MethodPost,
		url:     endpoint.url,
		header: map[string][]string{
			"Content-Type": {"application/x-amz-json-" + version},
			"X-Amz-Target": {target},
		},
		body:  in,
		limit: maxAnswer,
		fault: jsonFault,
	})
	if err != nil {
		return err
	}
	switch out := out.(type) {
	case nil:
		return nil
	case *[]byte:
		*out = body
		return nil
	default:
		if err := json.Unmarshal(body, out); err != nil {
			// The decoder's own words may quote the answer, which may hold a secret.
			return fmt.Errorf("%s: %s: the answer is not the JSON that was expected", service, target)
		}
		return nil
	}
}
