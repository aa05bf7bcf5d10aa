package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"pushpull/local/gateway"
	"pushpull/local/httpd"
)

// listen opens the sockets: the gateway's where asked, the others where they
// were the last time if that is free, so that what was configured with them
// (an aws command line, a destination's tests) goes on working.
func (s *Stack) listen(ctx context.Context, before Address) (listeners, error) {
	var l listeners
	var lc net.ListenConfig
	var err error
	if l.gateway, err = lc.Listen(ctx, "tcp", s.o.Addr); err != nil {
		return l, fmt.Errorf("listen for webhooks: %w: choose another address with --addr 127.0.0.1:0", err)
	}
	s.sockets = append(s.sockets, l.gateway)
	again := func(base string) net.Listener {
		if u, parseErr := url.Parse(base); parseErr == nil && u.Port() != "" {
			if at, listenErr := lc.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", u.Port())); listenErr == nil {
				s.sockets = append(s.sockets, at)
				return at
			}
		}
		at, listenErr := lc.Listen(ctx, "tcp", "127.0.0.1:0")
		if listenErr != nil {
			err = errors.Join(err, listenErr)
			return nil
		}
		s.sockets = append(s.sockets, at)
		return at
	}
	l.sqs, l.dynamodb, l.secrets = again(before.SQS), again(before.DynamoDB), again(before.Secrets)
	if s.o.Sandbox {
		l.sandbox = again(before.Sandbox)
	}
	if err != nil {
		return l, fmt.Errorf("listen: %w", err)
	}
	s.address = Address{
		PID: os.Getpid(), Region: region, Gateway: base(l.gateway), SQS: base(l.sqs), DynamoDB: base(l.dynamodb), Secrets: base(l.secrets),
		Queues: map[string]string{}, Tables: map[string]string{}, Data: s.o.Data,
		Config: filepath.Join(s.o.Data, "config"), Bodies: fileURL(filepath.Join(s.o.Data, "bodies")),
	}
	if l.sandbox != nil {
		s.address.Sandbox = base(l.sandbox)
	}
	return l, nil
}

const region = "us-east-1"

// base is the URL of a listener, by an address that can be called.
func base(l net.Listener) string {
	host, port, _ := net.SplitHostPort(l.Addr().String())
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// fileURL is file:///folder, also on Windows (file:///C:/folder).
func fileURL(path string) string {
	path = filepath.ToSlash(path)
	if path != "" && path[0] != '/' {
		path = "/" + path
	}
	return (&url.URL{Scheme: "file", Path: path}).String()
}

// serve answers at every listener. The gateway's /healthz says 503 until all is up.
func (s *Stack) serve(l listeners) error {
	routes := make([]gateway.Route, 0, len(s.template.Routes))
	for _, r := range s.template.Routes {
		routes = append(routes, gateway.Route{Function: r.Function, Method: r.Method, Path: r.Path})
	}
	front := gateway.New(gateway.Options{
		Routes: routes, Invoke: s.invokeWhenUp, Rate: s.template.Throttle.Rate, Burst: s.template.Throttle.Burst,
		Region: region, Now: s.o.Now, Logger: s.o.Logger, Ready: s.ready.Load,
	})
	s.serveAt(l.gateway, gateway.Server(front))
	s.serveAt(l.sqs, s.plain(s.queues, waits))
	s.serveAt(l.dynamodb, s.plain(s.tables, nil))
	s.serveAt(l.secrets, s.plain(s.secrets, nil))
	if s.provider != nil {
		s.serveAt(l.sandbox, gateway.Server(s.provider.sandbox))
	}
	return nil
}

// plain serves what the functions ask of a service.
func (s *Stack) plain(h http.Handler, watched func(*http.Request) bool) *httpd.Server {
	return &httpd.Server{Handler: h, Watched: watched, Full: gateway.Server(h), Logger: s.o.Logger}
}

// waits tells the call that must not take messages for a client that has gone.
func waits(r *http.Request) bool { return r.Header.Get("X-Amz-Target") == "AmazonSQS.ReceiveMessage" }

// A server answers at a listener until it is closed.
type server interface {
	Serve(l net.Listener) error
	Close() error
}

func (s *Stack) serveAt(l net.Listener, server server) {
	s.servers = append(s.servers, server)
	go func() {
		if err := server.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			s.o.Logger.Error("a listener ended", "address", l.Addr().String(), "error", err)
		}
	}()
}

// invokeWhenUp holds a webhook that comes while the functions start.
func (s *Stack) invokeWhenUp(ctx context.Context, function string, payload []byte) ([]byte, error) {
	for !s.ready.Load() {
		timer := time.NewTimer(50 * time.Millisecond)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, fmt.Errorf("the functions are not up: %w", ctx.Err())
		case <-timer.C:
		}
	}
	return s.runtime.Invoke(ctx, function, payload)
}
