package awslite

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// PutObject stores an object. The same key again replaces it.
func (c *Client) PutObject(ctx context.Context, bucket, key string, body []byte) error {
	_, err := c.do(ctx, &call{
		service: serviceS3,
		method:  http.MethodPut,
		url:     c.objectURL(bucket, key),
		header:  http.Header{"Content-Type": {"application/octet-stream"}},
		body:    body,
		limit:   maxAnswer,
		fault:   xmlFault,
	})
	return err
}

// GetObject returns an object, an error where it is over limit bytes.
func (c *Client) GetObject(ctx context.Context, bucket, key string, limit int64) ([]byte, error) {
	return c.do(ctx, &call{
		service: serviceS3,
		method:  http.MethodGet,
		url:     c.objectURL(bucket, key),
		limit:   limit,
		fault:   xmlFault,
	})
}

// DeleteObject deletes an object; one that is not there is deleted. Of a bucket with
// versions the older ones stay.
func (c *Client) DeleteObject(ctx context.Context, bucket, key string) error {
	_, err := c.do(ctx, &call{
		service: serviceS3,
		method:  http.MethodDelete,
		url:     c.objectURL(bucket, key),
		limit:   maxAnswer,
		fault:   xmlFault,
	})
	return err
}

// objectURL returns the address of an object: the bucket is part of the host,
// but for endpoints that are not AWS's own and names that its certificate does
// not cover, where it is the first part of the path.
func (c *Client) objectURL(bucket, key string) *url.URL {
	at := c.endpoints[serviceS3]
	u := *at.url
	if at.custom || strings.Contains(bucket, ".") {
		u.Path += bucket + "/" + key
		u.RawPath = at.url.EscapedPath() + escapeKey(bucket) + "/" + escapeKey(key)
	} else {
		u.Host = bucket + "." + u.Host
		u.Path += key
		u.RawPath = at.url.EscapedPath() + escapeKey(key)
	}
	return &u
}

// escapeKey escapes all but the unreserved characters and the slash: the one
// way in which S3 computes the path that was signed.
func escapeKey(key string) string {
	const hex = "0123456789ABCDEF"
	escaped := make([]byte, 0, len(key))
	for i := range len(key) {
		switch c := key[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c == '-', c == '.', c == '_', c == '~', c == '/':
			escaped = append(escaped, c)
		default:
			escaped = append(escaped, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(escaped)
}
