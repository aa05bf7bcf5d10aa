package httpd

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// start serves the handler, and returns the address.
func start(t testing.TB, h http.Handler, watched func(*http.Request) bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Handler: h, Watched: watched, Full: &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		if err := <-ended; err != http.ErrServerClosed { //nolint:errorlint // exactly that
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// echo answers what it was asked.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	w.Header().Set("X-Answer", "yes")
	w.WriteHeader(http.StatusAccepted)
	_, _ = fmt.Fprintf(w, "%s %s %s %s host=%s body=%q err=%v header=%v trailer=%v length=%d coding=%v",
		r.Method, r.URL, r.RequestURI, r.Proto, r.Host, body, err, r.Header, r.Trailer, r.ContentLength, r.TransferEncoding)
}

// say sends text and returns the answers, without their dates.
func say(t testing.TB, address, text string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	_ = conn.(*net.TCPConn).CloseWrite()
	in := bufio.NewReader(conn)
	var all strings.Builder
	for {
		answer, err := http.ReadResponse(in, nil)
		if err != nil {
			return all.String()
		}
		body, err := io.ReadAll(answer.Body)
		_, _ = fmt.Fprintf(&all, "%d %s %q %q %d %v\n", answer.StatusCode, body, answer.Header["X-Answer"], answer.Header["Content-Type"], answer.ContentLength, err)
	}
}

func TestItAnswersAsNetHTTPDoes(t *testing.T) {
	t.Parallel()
	ours, theirs := start(t, http.HandlerFunc(echo), nil), httptest.NewServer(http.HandlerFunc(echo))
	t.Cleanup(theirs.Close)
	const post = "POST /a HTTP/1.1\r\nHost: h\r\n"
	for name, text := range map[string]string{
		"a request":                       "GET /2018-06-01/x_y HTTP/1.1\r\nHost: h:1\r\nUser-Agent: go\r\n\r\n",
		"two in one write":                post + "Content-Length: 3\r\n\r\nabc" + "GET /b HTTP/1.1\r\nHost: h\r\n\r\n",
		"a body":                          post + "content-length: 4\r\nX-A:  1 \r\nx-a: 2\r\n\r\nbody",
		"no body":                         post + "\r\n",
		"a body that ends early":          post + "Content-Length: 9\r\n\r\nbody",
		"chunks":                          post + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n",
		"chunks with a trailer":           post + "Transfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n3\r\nabc\r\n0\r\nX-End: why\r\n\r\n",
		"chunks that end early":           post + "Transfer-Encoding: chunked\r\n\r\n3\r\nab",
		"chunks of no length":             post + "Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n",
		"a length and chunks":             post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"two lengths":                     post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
		"a length that is none":           post + "Content-Length: +3\r\n\r\nabc",
		"another coding":                  post + "Transfer-Encoding: gzip\r\n\r\nabc",
		"a query and escapes":             "GET /a%20b?c=d HTTP/1.1\r\nHost: h\r\n\r\n",
		"another method":                  "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx",
		"HTTP/1.0":                        "GET / HTTP/1.0\r\n\r\n",
		"no host":                         "GET / HTTP/1.1\r\n\r\n",
		"two hosts":                       "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"a client that waits to be asked": post + "Expect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
		"the last of a connection":        "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
		"a folded header":                 "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n",
		"a space before the colon":        "GET / HTTP/1.1\r\nHost: h\r\nX : a\r\n\r\n",
		"bare line feeds":                 "GET / HTTP/1.1\nHost: h\n\n",
		"a header of another alphabet":    "GET / HTTP/1.1\r\nHost: h\r\nX: ü\r\n\r\n",
		"a head of 40 KB":                 "GET / HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("a", 40<<10) + "\r\n\r\n",
		"half a head":                     "GET / HTTP/1.1\r\nHost: ",
		"what is no HTTP":                 "\x16\x03\x01 hello\r\n\r\n",
		"nothing":                         "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, got := say(t, theirs.Listener.Addr().String(), text), say(t, ours, text)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnAnswerGoesOutWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	large := bytes.Repeat([]byte("x"), 3<<20)
	address := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/large":
			_, _ = w.Write(large)
		case "/broken":
			_, _ = w.Write(large)
			panic(http.ErrAbortHandler)
		case "/split":
			w.Header().Set("X-Answer", "a\r\nX-Evil: b")
		case "/none":
			w.WriteHeader(http.StatusNoContent)
		}
	}), nil)
	if got := len(say(t, address, "GET /large HTTP/1.1\r\nHost: h\r\n\r\n")); got < len(large) {
		t.Errorf("%d bytes of %d", got, len(large))
	}
	if got := say(t, address, "GET /broken HTTP/1.1\r\nHost: h\r\n\r\n"); got != "" {
		t.Errorf("a handler that gave up answered %.80s", got)
	}
	if got, want := say(t, address, "GET /split HTTP/1.1\r\nHost: h\r\n\r\n"), "200  [\"a  X-Evil: b\"] [] 0 <nil>\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := say(t, address, "GET /none HTTP/1.1\r\nHost: h\r\n\r\n"); !strings.HasPrefix(got, "204") {
		t.Error(got)
	}
	// What the handler did not read is not the next request.
	got := say(t, address, "POST /none HTTP/1.1\r\nHost: h\r\nContent-Length: 32\r\n\r\nGET /large HTTP/1.1\r\nHost: h\r\n\r\nGET /none HTTP/1.1\r\nHost: h\r\n\r\n")
	if strings.Count(got, "204 ") != 2 || strings.Contains(got, "200 ") {
		t.Errorf("%.200s", got)
	}
}

func TestAWatchedRequestEndsWithItsConnection(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	address := start(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		close(ended)
	}), func(r *http.Request) bool { return r.Header.Get("X-Wait") != "" })
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: h\r\nX-Wait: 1\r\n\r\n")
	_ = conn.Close()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the handler was not told that its client has gone")
	}
}

// FuzzParse proves that what is taken is read as net/http reads it.
func FuzzParse(f *testing.F) {
	f.Add("GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
	f.Add("POST /a_b/C-d HTTP/1.1\r\nHost: h\r\nX: \t1\r\nx:2 \r\nContent-Length: 12\r\nConnection: Keep-Alive\r\n\r\n")
	f.Add("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n")
	f.Fuzz(func(t *testing.T, head string) {
		if !strings.HasSuffix(head, "\r\n\r\n") || strings.Count(head, "\r\n\r\n") != 1 {
			return
		}
		got, length, plain := parse([]byte(head))
		if !plain {
			return
		}
		want, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head)))
		if err != nil {
			t.Fatalf("%q was taken, but %v", head, err)
		}
		a := []any{want.Method, want.RequestURI, want.URL.Path, want.Host, want.ContentLength, want.TransferEncoding, want.Close}
		b := []any{got.Method, got.RequestURI, got.URL.Path, got.Host, length, got.TransferEncoding, false}
		if diff := cmp.Diff(a, b); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(want.Header, got.Header); diff != "" {
			t.Error(diff)
		}
	})
}
