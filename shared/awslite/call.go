package awslite

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
)

// A call is one request before it is signed, which is done for each attempt.
type call struct {
	service string
	method  string
	url     *url.URL
	header  http.Header
	body    []byte
	limit   int64 // of the answer, in bytes
	fault   func(service string, answer *http.Response, body []byte) *Error
}

// attempt makes the call once.
func (c *Client) attempt(ctx context.Context, call *call) ([]byte, error) {
	request, err := c.sign(ctx, call)
	if err != nil {
		return nil, err
	}
	answer, err := c.roundTrip(request)
	if err != nil {
		return nil, &brokenError{service: call.service, err: err}
	}
	defer answer.Body.Close() //nolint:errcheck // nothing was written
	body, err := read(answer, call.limit)
	if err != nil {
		return nil, &brokenError{service: call.service, err: err}
	}
	if int64(len(body)) > call.limit {
		return nil, fmt.Errorf("%s: the answer is over %d bytes", call.service, call.limit)
	}
	if answer.StatusCode/100 != 2 {
		return nil, call.fault(call.service, answer, body)
	}
	return body, nil
}

// read reads the answer's body, and one byte more than the limit so that the
// caller sees that there is more.
func read(answer *http.Response, limit int64) ([]byte, error) {
	if n := answer.ContentLength; n >= 0 && n <= limit {
		body := make([]byte, n)
		_, err := io.ReadFull(answer.Body, body)
		return body, err
	}
	return io.ReadAll(io.LimitReader(answer.Body, limit+1))
}

// sign returns the signed request of one attempt. It is put together by hand:
// the URL is known to be good, and parsing it again for each event costs.
func (c *Client) sign(ctx context.Context, call *call) (*http.Request, error) {
	header := make(http.Header, len(call.header)+6) // and what signing adds
	maps.Copy(header, call.header)
	address := *call.url // signing writes to it
	request := (&http.Request{
		Method:        call.method,
		URL:           &address,
		Host:          address.Host,
		Header:        header,
		ContentLength: int64(len(call.body)),
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
	}).WithContext(ctx)
	if len(call.body) > 0 {
		request.Body = io.NopCloser(bytes.NewReader(call.body))
		// With this the transport itself repeats a request that met a
		// connection which the service had closed while we were frozen.
		request.GetBody = func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(call.body)), nil
		}
	}
	hash := payloadHash(call.body)
	if call.service == serviceS3 {
		header["X-Amz-Content-Sha256"] = []string{hash}
	}
	if err := c.signer.SignHTTP(ctx, c.credentials, request, hash, call.service, c.region, c.now()); err != nil {
		return nil, fmt.Errorf("%s: sign: %w", call.service, err)
	}
	return request, nil
}

func payloadHash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
