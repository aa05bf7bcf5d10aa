package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"pushpull/shared/awslite"
)

// Bodies is the claim check: a store for bodies that are too large for the queue.
type Bodies interface {
	// Put stores a body and returns the reference to it. The same body twice is the same reference.
	Put(ctx context.Context, source string, body []byte) (ref string, err error)
	// Get returns the body of a reference, ErrBadReference where it is none of this store's,
	// fs.ErrNotExist where it is there no more.
	Get(ctx context.Context, ref string) ([]byte, error)
	// Delete deletes a body if it is there.
	Delete(ctx context.Context, source string, body []byte) error
}

// ErrBadReference is wrapped by the errors of references that are not this
// store's, and of bodies that are not the ones that were stored: asking again
// does not help.
var ErrBadReference = errors.New("not a reference of this claim check")

// maxBody bounds what is read back, in bytes. A function is never given so much.
const maxBody = 64 << 20

// OpenBodies returns the claim check at a location: s3://bucket, s3://bucket/prefix
// or file:///folder, which is made if it is not there. The client may be nil for a folder.
func OpenBodies(location string, client *awslite.Client) (Bodies, error) {
	if rest, ok := strings.CutPrefix(location, "s3://"); ok {
		return newBucket(rest, client)
	}
	if rest, ok := strings.CutPrefix(location, "file://"); ok {
		return newFolder(rest)
	}
	return nil, fmt.Errorf("BODIES %q: is neither s3://bucket nor file:///folder", location)
}

// objectName returns the name of a body within a store, <source>/<sha256>, so
// that the same body has the same name.
func objectName(source string, body []byte) (string, error) {
	if !sourceName(source) {
		return "", fmt.Errorf("source %q: cannot name a body", source)
	}
	sum := sha256.Sum256(body)
	return source + "/" + hex.EncodeToString(sum[:]), nil
}

// parseName returns the name within the store whose references begin with base.
// As references come from messages, it accepts only what objectName can have made.
func parseName(base, ref string) (string, error) {
	name, ok := strings.CutPrefix(ref, base)
	source, sum, _ := strings.Cut(name, "/")
	if !ok || !sourceName(source) || !isSum(sum) {
		return "", fmt.Errorf("%q: %w, which begin with %s", ref, ErrBadReference, base)
	}
	return name, nil
}

// intact returns the body if it is the one that was stored under the name.
func intact(ref, name string, body []byte) ([]byte, error) {
	sum := sha256.Sum256(body)
	if !strings.HasSuffix(name, "/"+hex.EncodeToString(sum[:])) {
		return nil, fmt.Errorf("%q: %w: what is there was changed", ref, ErrBadReference)
	}
	return body, nil
}

// sourceName reports whether s can be one part of a path on any system.
func sourceName(s string) bool {
	if s == "" || len(s) > 128 || s[0] == '.' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return s[len(s)-1] != '.'
}

func isSum(s string) bool {
	if len(s) != 2*sha256.Size {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
