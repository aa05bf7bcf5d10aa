package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"strings"
	"time"
)

// timed is a body that must come along: reading it may take its time once, and
// again for each MiB. The time between the reads does not count, as it is ours.
type timed struct {
	body   io.ReadCloser
	cancel context.CancelCauseFunc
	cause  func() error
	most   time.Duration
	left   time.Duration
}

func (b *timed) Read(p []byte) (int, error) {
	began := time.Now()
	timer := time.AfterFunc(b.left, func() { b.cancel(errSlow) })
	n, err := b.body.Read(p)
	timer.Stop()
	earned := time.Duration(float64(b.most) * float64(n) / (1 << 20))
	b.left = min(max(b.left-time.Since(began), 0)+earned, b.most)
	if err != nil && err != io.EOF { //nolint:errorlint // as a Reader's contract has it
		if b.cause() == errSlow { //nolint:errorlint // it is itself
			err = errSlow
		}
		err = fmt.Errorf("read the answer: %w", err)
	}
	return n, err
}

func (b *timed) Close() error {
	err := b.body.Close()
	b.cancel(nil)
	return err
}

// unpacked is the body without its Content-Encoding.
func (a *Answer) unpacked() (io.Reader, error) {
	if !strings.EqualFold(a.Header.Get("Content-Encoding"), "gzip") {
		return a.Body, nil
	}
	z, err := gzip.NewReader(a.Body)
	if err == io.EOF { //nolint:errorlint // of an empty body
		return bytes.NewReader(nil), nil
	}
	if err != nil {
		return nil, fmt.Errorf("the answer says gzip and is not: %w", err)
	}
	return z, nil
}

// beginning is as much of the body as can be had, at most.
func (a *Answer) beginning(most int64) []byte {
	r, err := a.unpacked()
	if err != nil {
		return nil
	}
	body, _ := io.ReadAll(io.LimitReader(r, most)) // what was cut short still tells something
	return body
}

// All reads the body whole, unpacked and bounded, and closes it.
func (a *Answer) All(most int) ([]byte, error) {
	defer a.Body.Close() //nolint:errcheck // it was only read
	r, err := a.unpacked()
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(r, int64(most)+1))
	if err != nil {
		return nil, err
	}
	if len(body) > most {
		return nil, permanent(0, "an answer is larger than %d bytes: ask for smaller pages, or raise request.max_bytes", most)
	}
	return bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), nil
}

// refill reads the body whole to look into it, and leaves one, unpacked, to be read.
func (a *Answer) refill(most int) ([]byte, error) {
	body, err := a.All(most)
	if err != nil {
		return nil, err
	}
	a.Header = a.Header.Clone()
	a.Header.Del("Content-Encoding")
	a.Body = io.NopCloser(bytes.NewReader(body))
	return body, nil
}
