package queue

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"pushpull/shared/awslite"
)

// bucket keeps bodies in S3. How long they stay there is the bucket's lifecycle.
type bucket struct {
	client *awslite.Client
	name   string
	prefix string // "" or with a slash at its end
}

func newBucket(location string, client *awslite.Client) (*bucket, error) {
	name, prefix, _ := strings.Cut(location, "/")
	if name == "" {
		return nil, fmt.Errorf("BODIES %q: has no bucket, it is written s3://bucket/prefix", "s3://"+location)
	}
	if client == nil {
		return nil, errors.New("BODIES: a bucket needs an AWS client")
	}
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		prefix += "/"
	}
	return &bucket{client: client, name: name, prefix: prefix}, nil
}

func (b *bucket) base() string { return "s3://" + b.name + "/" + b.prefix }

// Put always writes, as that begins the body's time in the bucket anew.
func (b *bucket) Put(ctx context.Context, source string, body []byte) (string, error) {
	name, err := objectName(source, body)
	if err != nil {
		return "", err
	}
	if err := b.client.PutObject(ctx, b.name, b.prefix+name, body); err != nil {
		return "", fmt.Errorf("put %s: %w", b.base()+name, err)
	}
	return b.base() + name, nil
}

func (b *bucket) Get(ctx context.Context, ref string) ([]byte, error) {
	name, err := parseName(b.base(), ref)
	if err != nil {
		return nil, err
	}
	body, err := b.client.GetObject(ctx, b.name, b.prefix+name, maxBody)
	if e, ok := errors.AsType[*awslite.Error](err); ok && e.Status == http.StatusNotFound {
		return nil, fmt.Errorf("get %s: %w: %w", ref, fs.ErrNotExist, err)
	}
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", ref, err)
	}
	return intact(ref, name, body)
}

func (b *bucket) Delete(ctx context.Context, source string, body []byte) error {
	name, err := objectName(source, body)
	if err != nil {
		return err
	}
	if err := b.client.DeleteObject(ctx, b.name, b.prefix+name); err != nil {
		return fmt.Errorf("delete %s: %w", b.base()+name, err)
	}
	return nil
}
