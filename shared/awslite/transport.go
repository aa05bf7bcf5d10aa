package awslite

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// The limits of a connection.
const (
	dialTimeout = 3 * time.Second // the handshake of TLS included
	// answerTimeout is for a request and its answer: one call that hangs must
	// not eat the time that the provider gives us. It is cut and made again.
	answerTimeout = 5 * time.Second
	// slowest is how fast a large body is expected to go, in bytes a second.
	slowest = 1 << 20
	maxIdle = 16               // connections to one host: a batch of events makes its calls at once
	idleFor = 50 * time.Second // services close what is idle for a minute
)

// A transport makes each request in the goroutine of its caller, on connections
// that are kept alive. net/http's own has two goroutines for each connection,
// and handing an event to them and back wakes threads: that costs a function
// which does one thing at a time a tenth of its CPU. What goes over the wire is
// written and read by net/http. It knows no proxy: who needs one hands New a client.
type transport struct {
	dialer net.Dialer
	tls    *tls.Config

	mu   sync.Mutex
	idle map[string][]*connection // by scheme and host, the latest used last
}

type connection struct {
	net.Conn
	key  string
	r    *bufio.Reader
	w    *bufio.Writer
	used time.Time // without a monotonic part, which stands still while we are frozen
}

func newTransport() *transport {
	return &transport{
		tls:  &tls.Config{MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(8)},
		idle: map[string][]*connection{},
	}
}

// RoundTrip makes one request. It may be called by many at once. A redirect is
// an answer like any other: following it would send a signed request elsewhere.
func (t *transport) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx := request.Context()
	c, reused, err := t.connect(ctx, request)
	if err != nil {
		return nil, err
	}
	if err := c.SetDeadline(limit(ctx, answerTimeout+time.Duration(request.ContentLength/slowest)*time.Second)); err != nil {
		return nil, t.broken(ctx, c, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	answer, err := c.exchange(request)
	if err != nil {
		stop()
		if reused { // the others have been idle for longer
			t.CloseIdleConnections()
		}
		return nil, t.broken(ctx, c, err)
	}
	answer.Body = t.body(c, answer, stop)
	return answer, nil
}

// exchange writes the request and reads the head of its answer.
func (c *connection) exchange(request *http.Request) (*http.Response, error) {
	if err := request.Write(c.w); err != nil {
		return nil, err
	}
	if err := c.w.Flush(); err != nil {
		return nil, err
	}
	const interim = 5 // more "100 Continue" than anybody sends
	for range interim {
		answer, err := http.ReadResponse(c.r, request)
		if err != nil || answer.StatusCode >= http.StatusOK {
			return answer, err
		}
	}
	return nil, fmt.Errorf("%d interim answers and no other", interim)
}

// broken closes a connection, and says why: that the caller's time is up comes
// first, as what the connection says then follows from it.
func (t *transport) broken(ctx context.Context, c *connection, err error) error {
	_ = c.Close()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// limit returns when something must have ended.
func limit(ctx context.Context, timeout time.Duration) time.Time {
	at := time.Now().Add(timeout)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(at) {
		return deadline
	}
	return at
}

// connect returns the connection to the request's host that was used last, or a new one.
func (t *transport) connect(ctx context.Context, request *http.Request) (c *connection, reused bool, err error) {
	key := request.URL.Scheme + "://" + request.URL.Host
	if c := t.take(key); c != nil {
		return c, true, nil
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := t.dial(ctx, request)
	if err != nil {
		return nil, false, err
	}
	return &connection{
		Conn: conn, key: key,
		r: bufio.NewReader(conn),
		w: bufio.NewWriterSize(conn, 16<<10), // an event in one write
	}, false, nil
}

func (t *transport) dial(ctx context.Context, request *http.Request) (net.Conn, error) {
	host, port := request.URL.Hostname(), request.URL.Port()
	secure := request.URL.Scheme == "https"
	if port == "" {
		port = "80"
		if secure {
			port = "443"
		}
	}
	conn, err := t.dialer.DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil || !secure {
		return conn, err
	}
	config := t.tls.Clone()
	config.ServerName = host
	handshaken := tls.Client(conn, config)
	if err := handshaken.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return handshaken, nil
}

// take returns the idle connection that was used last; nil without one that is young enough.
func (t *transport) take(key string) *connection {
	t.mu.Lock()
	defer t.mu.Unlock()
	idle := t.idle[key]
	if len(idle) == 0 {
		return nil
	}
	last := idle[len(idle)-1]
	if time.Now().Round(0).Sub(last.used) < idleFor {
		t.idle[key] = idle[:len(idle)-1]
		return last
	}
	for _, c := range idle { // the others are older still
		_ = c.Close()
	}
	t.idle[key] = idle[:0]
	return nil
}

// put keeps a connection for the next request.
func (t *transport) put(c *connection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.idle[c.key]) >= maxIdle {
		_ = c.Close()
		return
	}
	c.used = time.Now().Round(0)
	t.idle[c.key] = append(t.idle[c.key], c)
}

// CloseIdleConnections closes the connections that nobody uses.
func (t *transport) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, idle := range t.idle {
		for _, c := range idle {
			_ = c.Close()
		}
	}
	clear(t.idle)
}

// answerBody gives the connection back at its end.
type answerBody struct {
	io.Reader
	end func(whole bool)
}

func (b *answerBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil {
		b.end(err == io.EOF)
	}
	return n, err
}

// Close gives up what was not read, and the connection with it.
func (b *answerBody) Close() error {
	b.end(false)
	return nil
}

// body wraps the body of an answer, so that its connection is used again once
// it was read to its end, and closed otherwise.
func (t *transport) body(c *connection, answer *http.Response, stop func() bool) io.ReadCloser {
	ended := false
	end := func(whole bool) {
		if ended {
			return
		}
		ended = true
		if undisturbed := stop(); whole && undisturbed && !answer.Close && c.r.Buffered() == 0 {
			t.put(c)
			return
		}
		_ = c.Close()
	}
	if answer.Body == http.NoBody {
		end(true)
		return http.NoBody
	}
	return &answerBody{Reader: answer.Body, end: end}
}
