package gateway

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// fake is a function that keeps the last event and answers what it is told.
type fake struct {
	got    event
	answer string
	err    error
}

func (f *fake) invoke(_ context.Context, _ string, payload []byte) ([]byte, error) {
	if err := json.Unmarshal(payload, &f.got); err != nil {
		return nil, err
	}
	return []byte(f.answer), f.err
}

func serve(t *testing.T, f *fake) *httptest.Server {
	t.Helper()
	if f.answer == "" {
		f.answer = `{"statusCode":202}`
	}
	g := New(Options{
		Routes: []Route{{Function: "F", Method: "ANY", Path: "/webhooks/{source}"}, {Function: "F", Method: "GET", Path: "/all/{rest+}"}},
		Invoke: f.invoke, Now: func() time.Time { return time.Date(2026, 11, 23, 20, 14, 3, 5e6, time.UTC) },
	})
	s := httptest.NewServer(g)
	t.Cleanup(s.Close)
	return s
}

func do(t *testing.T, method, url, contentType, body string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	req.Header["X-Twice"] = []string{"a", "b"}
	req.Header.Set("Cookie", "c1=v1; c2=v2")
	req.Header.Set("User-Agent", "tester")
	res, err := (&http.Client{Timeout: time.Minute}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	out, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(out)
}

func TestARequestBecomesAPayload2Event(t *testing.T) {
	t.Parallel()
	f := &fake{}
	s := serve(t, f)
	status, _, _ := do(t, "POST", s.URL+"/webhooks/github?a=1&a=2&b=%20x", "application/json", `{"x":"<é>"}`)
	if status != 202 {
		t.Fatalf("status %d", status)
	}
	host := strings.TrimPrefix(s.URL, "http://")
	_, port, _ := strings.Cut(host, ":")
	want := event{
		Version: "2.0", RouteKey: "ANY /webhooks/{source}", RawPath: "/webhooks/github", RawQueryString: "a=1&a=2&b=%20x",
		Cookies: []string{"c1=v1", "c2=v2"},
		Headers: map[string]string{
			"accept-encoding": "gzip", "content-type": "application/json", "content-length": "12", "host": host, "user-agent": "tester",
			"x-twice": "a,b", "x-forwarded-for": "127.0.0.1", "x-forwarded-port": port, "x-forwarded-proto": "http",
		},
		QueryStringParameters: map[string]string{"a": "1,2", "b": " x"}, PathParameters: map[string]string{"source": "github"},
		RequestContext: requestContext{
			AccountID: "000000000000", APIID: "local", DomainName: host, DomainPrefix: "local", RouteKey: "ANY /webhooks/{source}", Stage: "$default",
			Time: "23/Nov/2026:20:14:03 +0000", TimeEpoch: 1795464843005,
			HTTP: httpContext{Method: "POST", Path: "/webhooks/github", Protocol: "HTTP/1.1", SourceIP: "127.0.0.1", UserAgent: "tester"},
		},
		Body: `{"x":"<é>"}`,
	}
	if f.got.RequestContext.RequestID == "" || f.got.Headers["x-amzn-trace-id"] == "" {
		t.Error("no request id or trace id")
	}
	delete(f.got.Headers, "x-amzn-trace-id")
	if diff := cmp.Diff(want, f.got, cmpopts.IgnoreFields(requestContext{}, "RequestID")); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

func TestEveryBodyArrivesByteForByte(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		contentType, body string
		base64            bool
	}{
		"JSON is text":                      {"application/json; charset=utf-8", `{"a":1}`, false},
		"a form is not":                     {"application/x-www-form-urlencoded", "a=1", true},
		"bytes are not":                     {"application/octet-stream", "\x00\xff", true},
		"text that is not UTF-8 is not":     {"text/plain", "\xff\xfe", true},
		"JSON that is not UTF-8 is not":     {"application/json", "{\"a\":\"\xe9\"}", true},
		"without a type it is text":         {"", "plain", false},
		"a type that cannot be read is not": {"a/b/c;;", "x", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fake{}
			do(t, "POST", serve(t, f).URL+"/webhooks/x", tt.contentType, tt.body)
			got := f.got.Body
			if f.got.IsBase64Encoded {
				raw, err := base64.StdEncoding.DecodeString(got)
				if err != nil {
					t.Fatal(err)
				}
				got = string(raw)
			}
			if got != tt.body || f.got.IsBase64Encoded != tt.base64 {
				t.Errorf("body %q, base64 %v: want %q, %v", got, f.got.IsBase64Encoded, tt.body, tt.base64)
			}
		})
	}
}

func TestAnswersBecomeResponses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answer string
		err    error
		status int
		body   string
		header http.Header
	}{
		"a whole answer":                  {answer: `{"statusCode":405,"headers":{"allow":"POST","x-n":5},"cookies":["a=1","b=2"],"body":"no"}`, status: 405, body: "no", header: http.Header{"Allow": {"POST"}, "X-N": {"5"}, "Set-Cookie": {"a=1", "b=2"}}},
		"a body in base64":                {answer: `{"statusCode":200,"body":"AP8=","isBase64Encoded":true}`, status: 200, body: "\x00\xff"},
		"JSON without a status":           {answer: `{"ok":true}`, status: 200, body: `{"ok":true}`, header: http.Header{"Content-Type": {"application/json"}}},
		"a text":                          {answer: `"hello"`, status: 200, body: "hello"},
		"no JSON is a failure":            {answer: `nonsense`, status: 500, body: `{"message":"Internal Server Error"}`},
		"an odd status is a failure":      {answer: `{"statusCode":99}`, status: 500, body: `{"message":"Internal Server Error"}`},
		"a failing function is a failure": {err: errors.New("secret detail"), status: 500, body: `{"message":"Internal Server Error"}`},
		"a slow function is unavailable":  {err: context.DeadlineExceeded, status: 503, body: `{"message":"Service Unavailable"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, header, body := do(t, "GET", serve(t, &fake{answer: tt.answer, err: tt.err}).URL+"/webhooks/x", "", "")
			if status != tt.status || body != tt.body {
				t.Errorf("%d %q, want %d %q", status, body, tt.status, tt.body)
			}
			for name, want := range tt.header {
				if diff := cmp.Diff(want, header.Values(name)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}

func TestRequestsBeyondTheLimitsAreRefused(t *testing.T) {
	t.Parallel()
	f := &fake{}
	s := serve(t, f)
	if status, _, _ := do(t, "POST", s.URL+"/webhooks/x", "", strings.Repeat("x", maxBody+1)); status != 413 {
		t.Errorf("a body over 10 MB: %d, want 413", status)
	}
	if status, _, _ := do(t, "POST", s.URL+"/webhooks/x?"+strings.Repeat("x", maxHeaders), "", ""); status != 431 {
		t.Errorf("headers over 10 KB: %d, want 431", status)
	}
	for _, path := range []string{"/", "/webhooks", "/webhooks/", "/webhooks/a/b", "/other"} {
		if status, _, body := do(t, "POST", s.URL+path, "", ""); status != 404 || body != `{"message":"Not Found"}` {
			t.Errorf("%s: %d %s, want 404", path, status, body)
		}
	}
	if status, _, _ := do(t, "GET", s.URL+"/all/a/b/c", "", ""); status != 202 || f.got.PathParameters["rest"] != "a/b/c" {
		t.Errorf("a greedy path: %d, %v", status, f.got.PathParameters)
	}
	if status, _, body := do(t, "GET", s.URL+"/healthz", "", ""); status != 200 || !strings.Contains(body, "ok") {
		t.Errorf("health: %d %s", status, body)
	}
}

func TestAFloodIsThrottled(t *testing.T) {
	t.Parallel()
	g := New(Options{Rate: 0.001, Burst: 2, Routes: []Route{{Function: "F", Method: "ANY", Path: "/x"}}, Invoke: (&fake{answer: "{}"}).invoke})
	var got []int
	for range 3 {
		w := httptest.NewRecorder()
		g.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/x", nil))
		got = append(got, w.Code)
	}
	if diff := cmp.Diff([]int{200, 200, 429}, got); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
}
