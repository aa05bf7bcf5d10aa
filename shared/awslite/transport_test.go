package awslite

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// counted starts a server that counts its connections.
func counted(t *testing.T, handler http.HandlerFunc, secure bool) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	if secure {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return server, &connections
}

// post sends a body and returns the answer's.
func post(ctx context.Context, t *transport, url, body string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	answer, err := t.RoundTrip(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	return string(b), err
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // all of it first: the server does not read while it writes
	_, _ = w.Write(body)
}

func TestAConnectionIsUsedAgain(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("with TLS %v", secure), func(t *testing.T) {
			t.Parallel()
			server, connections := counted(t, echo, secure)
			transport := newTransport()
			if secure {
				transport.tls.RootCAs = x509.NewCertPool()
				transport.tls.RootCAs.AddCert(server.Certificate())
			}
			t.Cleanup(transport.CloseIdleConnections)
			for i := range 20 {
				// Of sizes that are sent with a length, in chunks, and not at all.
				want := strings.Repeat("x", i*i*i*30)
				got, err := post(t.Context(), transport, server.URL, want)
				if err != nil || got != want {
					t.Fatalf("%d bytes came back as %d, %v", len(want), len(got), err)
				}
			}
			if n := connections.Load(); n != 1 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

func TestACertificateOfSomebodyElseIsRefused(t *testing.T) {
	t.Parallel()
	server, _ := counted(t, echo, true)
	_, err := post(t.Context(), newTransport(), server.URL, "x")
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
		t.Errorf("error %v", err)
	}
}

func TestManyAtOnceEachHaveTheirOwnAnswer(t *testing.T) {
	t.Parallel()
	server, connections := counted(t, echo, false)
	transport := newTransport()
	t.Cleanup(transport.CloseIdleConnections)
	var wait sync.WaitGroup
	for i := range 16 {
		wait.Go(func() {
			for j := range 20 {
				want := fmt.Sprint(i, "-", j)
				if got, err := post(t.Context(), transport, server.URL, want); err != nil || got != want {
					t.Errorf("got %q, want %q, %v", got, want, err)
				}
			}
		})
	}
	wait.Wait()
	for _, idle := range transport.idle {
		if len(idle) > maxIdle {
			t.Errorf("%d idle connections", len(idle))
		}
	}
	if connections.Load() == 0 {
		t.Error("no connection was counted")
	}
}

func TestACallThatItsCallerGaveUpEndsAtOnce(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	server, connections := counted(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.URL.Path == "/hang" {
			close(arrived)
			<-r.Context().Done()
		}
	}, false)
	transport := newTransport()
	t.Cleanup(transport.CloseIdleConnections)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	if _, err := post(ctx, transport, server.URL+"/hang", "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	// The connection of a call that was given up may still get its answer.
	if _, err := post(t.Context(), transport, server.URL, "x"); err != nil || connections.Load() != 2 {
		t.Errorf("%d connections, %v", connections.Load(), err)
	}
}

func TestAConnectionThatTheServiceClosedMeanwhileCostsOneAttempt(t *testing.T) {
	t.Parallel()
	server, _ := counted(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "{}") }, false)
	c, err := New(env("AWS_ENDPOINT_URL", server.URL), nil)
	if err != nil {
		t.Fatal(err)
	}
	c.jitter = func() float64 { t.Error("it waited"); return 0 }
	for range 3 {
		if err := c.JSON(t.Context(), "sqs", "AmazonSQS.SendMessageBatch", "1.0", []byte(`{}`), nil); err != nil {
			t.Fatal(err)
		}
		server.CloseClientConnections()
	}
}

func TestAnIdleConnectionIsNotUsedForEver(t *testing.T) {
	t.Parallel()
	server, connections := counted(t, echo, false)
	transport := newTransport()
	t.Cleanup(transport.CloseIdleConnections)
	for range 2 {
		if _, err := post(t.Context(), transport, server.URL, "x"); err != nil {
			t.Fatal(err)
		}
		for _, idle := range transport.idle {
			idle[0].used = time.Now().Add(-idleFor)
		}
	}
	if n := connections.Load(); n != 2 {
		t.Errorf("%d connections", n)
	}
}

func TestAnAnswerThatSaysCloseIsBelieved(t *testing.T) {
	t.Parallel()
	server, connections := counted(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		echo(w, r)
	}, false)
	transport := newTransport()
	for range 2 {
		if got, err := post(t.Context(), transport, server.URL, "x"); err != nil || got != "x" {
			t.Fatal(got, err)
		}
	}
	if n := connections.Load(); n != 2 {
		t.Errorf("%d connections", n)
	}
}

func TestAnAnswerThatWasNotReadDoesNotBecomeTheNext(t *testing.T) {
	t.Parallel()
	server, _ := counted(t, echo, false)
	transport := newTransport()
	t.Cleanup(transport.CloseIdleConnections)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader("first"))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := post(t.Context(), transport, server.URL, "second"); err != nil || got != "second" {
		t.Errorf("got %q, %v", got, err)
	}
}
