// Package awslite makes the few AWS calls of the function on the provider's
// clock: one signed HTTP request, without the SDK's middleware, endpoint rules
// and credential chain, which cost the receiver more at start and for each event
// than its own work does (`make bench` compares the two). Signing is the SDK's own.
package awslite

import (
	"context"
	"errors"
	"net/http"
)

// A Client calls AWS services in one region with the credentials that Lambda
// puts into the environment. It is safe for concurrent use.
type Client struct{}

// New reads AWS_REGION, the credentials, and AWS_ENDPOINT_URL_<SERVICE> (or
// AWS_ENDPOINT_URL) from getenv.
func New(getenv func(string) string, hc *http.Client) (*Client, error) {
	return nil, errors.ErrUnsupported
}

// JSON makes one call of the AWS JSON protocol; service is the signing name
// (sqs, ssm, secretsmanager), target the X-Amz-Target, version 1.0 or 1.1.
// It retries what is worth it (throttles, 5xx, broken connections) while ctx lasts.
func (c *Client) JSON(ctx context.Context, service, target, version string, in []byte, out any) error {
	return errors.ErrUnsupported
}

// An Error is what a service answered.
type Error struct {
	Service string
	Code    string // such as QueueDoesNotExist, without its namespace
	Message string
	Status  int
}

func (e *Error) Error() string { return e.Service + ": " + e.Code + ": " + e.Message }
