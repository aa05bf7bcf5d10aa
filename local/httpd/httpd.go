// Package httpd serves the small requests that the functions and the services
// of one machine make of each other, several for each event: net/http's own
// server, which watches each connection in a goroutine of its own while it
// answers, costs more than the answers do.
//
// Its one invariant: what it is not sure to read as net/http would, it gives to
// net/http, connection and all, before a byte of it is used up.
package httpd

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"
)

// A Server is one listener's. Its requests have no context that ends with the
// connection: those whose handler is to notice that the client has gone are
// for net/http.
type Server struct {
	// Handler answers. A response is held until the handler returns, and then
	// written at once.
	Handler http.Handler
	// Watched tells the requests whose context is to end with the connection;
	// nil is none.
	Watched func(*http.Request) bool
	// Full is net/http's server, with its own limits, for all that is not plain.
	Full   *http.Server
	Logger *slog.Logger

	mu     sync.Mutex
	conns  map[net.Conn]bool
	closed bool
	given  *handover
}

// size of a connection's buffers: a head that is larger is not plain.
const size = 16 << 10

// Serve answers on l until Close. It always returns an error, http.ErrServerClosed after Close.
func (s *Server) Serve(l net.Listener) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errors.Join(http.ErrServerClosed, l.Close())
	}
	s.conns = map[net.Conn]bool{}
	s.given = &handover{conns: make(chan net.Conn), closed: make(chan struct{}), listener: l}
	s.mu.Unlock()
	go func() { _ = s.Full.Serve(s.given) }()
	for {
		conn, err := l.Accept()
		if s.ended() {
			if err == nil {
				_ = conn.Close()
			}
			return http.ErrServerClosed
		}
		switch {
		case err == nil && s.track(conn):
			go s.serve(conn)
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("accept a connection: %w", err)
		case err != nil: // too many files are open, perhaps: it may pass
			<-time.After(20 * time.Millisecond)
		}
	}
}

func (s *Server) ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

func (s *Server) track(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = c.Close()
		return false
	}
	s.conns[c] = true
	return true
}

func (s *Server) forget(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// Close closes the listener and every connection. Handlers under way go on, and
// their answers go nowhere.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.given == nil {
		return s.Full.Close()
	}
	for c := range s.conns {
		_ = c.Close()
	}
	return s.Full.Close() // which closes the handover, and that the listener
}

// serve answers the requests of a connection, one after the other.
func (s *Server) serve(conn net.Conn) {
	in := bufio.NewReaderSize(conn, size)
	out := &response{header: http.Header{}, head: make([]byte, 0, 1<<10)}
	for {
		head, err := readHead(in)
		if len(head) == 0 {
			break // nobody asks for more
		}
		var request *http.Request
		var length int64
		plain := err == nil
		if plain {
			request, length, plain = parse(head)
		}
		if !plain || s.Watched != nil && s.Watched(request) {
			s.forget(conn)
			s.given.give(&handed{Conn: conn, in: in})
			return
		}
		_, _ = in.Discard(len(head)) // they are buffered
		body := attach(request, in, length)
		request.RemoteAddr = conn.RemoteAddr().String()
		out.reset()
		if !s.answer(out, request) || out.writeTo(conn) != nil || !body.drain() {
			break
		}
	}
	s.forget(conn)
	_ = conn.Close()
}

// answer calls the handler, and reports false where it gave up: then the client
// must not take what there is for an answer.
func (s *Server) answer(w *response, r *http.Request) (whole bool) {
	defer func() {
		if p := recover(); p != nil && p != any(http.ErrAbortHandler) && s.Logger != nil {
			s.Logger.Error("a handler panicked", "path", r.URL.Path, "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
		}
	}()
	s.Handler.ServeHTTP(w, r)
	return true
}

// A handover is the listener that net/http's server takes connections from.
type handover struct {
	conns    chan net.Conn
	closed   chan struct{}
	once     sync.Once
	listener net.Listener
}

func (h *handover) give(c net.Conn) {
	select {
	case h.conns <- c:
	case <-h.closed:
		_ = c.Close()
	}
}

// Accept waits for a connection that is not plain.
func (h *handover) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// Close closes the listener itself, too.
func (h *handover) Close() error {
	err := net.ErrClosed
	h.once.Do(func() {
		close(h.closed)
		err = h.listener.Close()
	})
	return err
}

// Addr is the listener's.
func (h *handover) Addr() net.Addr { return h.listener.Addr() }

// handed is a connection of which something was read.
type handed struct {
	net.Conn
	in io.Reader
}

// Read reads what was read before, and then on.
func (h *handed) Read(p []byte) (int, error) { return h.in.Read(p) }
