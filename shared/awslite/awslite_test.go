package awslite

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func env(values ...string) func(string) string {
	vars := map[string]string{
		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
		"AWS_SECRET_ACCESS_KEY": "not-a-real-key", "AWS_SESSION_TOKEN": "a-session",
	}
	for i := 0; i < len(values); i += 2 {
		vars[values[i]] = values[i+1]
	}
	return func(name string) string { return vars[name] }
}

// serve starts a service and returns a client of it that does not wait between attempts.
func serve(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c, err := New(env("AWS_ENDPOINT_URL", server.URL), nil)
	if err != nil {
		t.Fatal(err)
	}
	c.jitter = func() float64 { return 0.001 }
	return c
}

func TestJSONSendsOneSignedRequest(t *testing.T) {
	t.Parallel()
	for _, service := range []string{"sqs", "ssm", "secretsmanager"} {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if err := verifySignature(r, body, "not-a-real-key", "eu-central-1", service); err != nil {
					t.Error(err)
				}
				got := map[string]string{
					"method": r.Method, "path": r.URL.Path, "body": string(body),
					"type": r.Header.Get("Content-Type"), "target": r.Header.Get("X-Amz-Target"),
					"session": r.Header.Get("X-Amz-Security-Token"), "encoding": r.Header.Get("Accept-Encoding"),
				}
				want := map[string]string{
					"method": "POST", "path": "/", "body": `{"a":"ü"}`,
					"type": "application/x-amz-json-1.1", "target": "Service.Action",
					"session": "a-session", "encoding": "",
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
				_, _ = io.WriteString(w, `{"Answer":"yes"}`)
			})
			var out struct{ Answer string }
			if err := c.JSON(t.Context(), service, "Service.Action", "1.1", []byte(`{"a":"ü"}`), &out); err != nil {
				t.Fatal(err)
			}
			if out.Answer != "yes" {
				t.Errorf("answer %q", out.Answer)
			}
		})
	}
}

func TestObjectsAreWrittenAndReadByTheirEscapedPath(t *testing.T) {
	t.Parallel()
	objects := map[string][]byte{}
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := verifySignature(r, body, "not-a-real-key", "eu-central-1", "s3"); err != nil {
			t.Error(err)
		}
		if got := r.Header.Get("X-Amz-Content-Sha256"); got != sha(body) {
			t.Errorf("content hash %q", got)
		}
		path := r.URL.EscapedPath()
		switch r.Method {
		case http.MethodPut:
			objects[path] = body
		case http.MethodDelete:
			delete(objects, path)
			w.WriteHeader(http.StatusNoContent)
		default:
			object, ok := objects[path]
			if !ok {
				w.WriteHeader(http.StatusNotFound)
				_, _ = io.WriteString(w, `<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>no key</Message></Error>`)
			}
			_, _ = w.Write(object)
		}
	})
	const key = "a b/(c)+ü/d~e"
	body := []byte("\x00\xff bytes")
	if err := c.PutObject(t.Context(), "bodies", key, body); err != nil {
		t.Fatal(err)
	}
	if _, ok := objects["/bodies/a%20b/%28c%29%2B%C3%BC/d~e"]; !ok {
		t.Errorf("stored under another path: %v", objects)
	}
	got, err := c.GetObject(t.Context(), "bodies", key, 100)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(body, got); diff != "" {
		t.Error(diff)
	}
	if _, err := c.GetObject(t.Context(), "bodies", key, 3); err == nil {
		t.Error("an object over the limit was returned")
	}
	if err := c.DeleteObject(t.Context(), "bodies", key); err != nil || len(objects) > 0 {
		t.Errorf("it is not deleted: %v", err)
	}
	_, err = c.GetObject(t.Context(), "bodies", "other", 100)
	want := &Error{Service: "s3", Code: "NoSuchKey", Message: "no key", Status: 404}
	if e, _ := errors.AsType[*Error](err); !cmp.Equal(want, e) {
		t.Error(cmp.Diff(want, e))
	}
}

func TestObjectURL(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, region, endpoint, bucket, want string }{
		{"the bucket is part of the host", "eu-central-1", "", "bodies", "https://bodies.s3.eu-central-1.amazonaws.com/a%20b"},
		{"a bucket with dots is part of the path, as no certificate covers it", "eu-central-1", "", "my.bodies", "https://s3.eu-central-1.amazonaws.com/my.bodies/a%20b"},
		{"China has a domain of its own", "cn-north-1", "", "bodies", "https://bodies.s3.cn-north-1.amazonaws.com.cn/a%20b"},
		{"the bucket is part of the path of an endpoint of another kind", "eu-central-1", "http://127.0.0.1:9000/s3", "bodies", "http://127.0.0.1:9000/s3/bodies/a%20b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, err := New(env("AWS_REGION", test.region, "AWS_ENDPOINT_URL_S3", test.endpoint), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.objectURL(test.bucket, "a b").String(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	endpoints, err := endpointsOf(env("AWS_ENDPOINT_URL", "http://127.0.0.1:1", "AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:2/"), "eu-central-1")
	if err != nil {
		t.Fatal(err)
	}
	for service, e := range endpoints {
		got[service] = e.url.String()
	}
	want := map[string]string{
		"dynamodb": "http://127.0.0.1:1/", "kms": "http://127.0.0.1:1/", "s3": "http://127.0.0.1:1/", "secretsmanager": "http://127.0.0.1:1/",
		"sqs": "http://127.0.0.1:2/", "ssm": "http://127.0.0.1:1/",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNewSaysWhichSettingToMend(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, key, value, want string }{
		{"no region", "AWS_REGION", "", "set AWS_REGION"},
		{"no credentials", "AWS_SECRET_ACCESS_KEY", "", "AWS_SECRET_ACCESS_KEY"},
		{"an endpoint that is no URL", "AWS_ENDPOINT_URL_SSM", "127.0.0.1:1", "AWS_ENDPOINT_URL_SSM"},
		{"a region that is none", "AWS_REGION", "no region", "AWS_REGION"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := New(env(test.key, test.value), nil)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

// fault is what a service does to the first calls.
type fault func(w http.ResponseWriter, r *http.Request)

func answer(status int, body string) fault {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func cut(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

func half(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, "{")
}

func TestPassingFaultsAreTriedAgainAndOthersAreNot(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		fault    fault
		faults   int32
		wantCall int32
		wantCode string // "" for success
	}{
		{"a throttle with status 400", answer(400, `{"__type":"com.amazonaws.sqs#RequestThrottled","message":"slow"}`), 2, 3, ""},
		{"a throttle with status 429", answer(429, ``), 1, 2, ""},
		{"trouble of the service", answer(500, `{"__type":"InternalFailure"}`), 3, 4, ""},
		{"a page of a proxy", answer(503, `<html>`), 1, 2, ""},
		{"a cut connection", cut, 2, 3, ""},
		{"an answer that is cut", half, 1, 2, ""},
		{"trouble that does not pass", answer(500, `{"__type":"InternalFailure"}`), 100, 4, "InternalFailure"},
		{"a mistake of ours", answer(400, `{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"none"}`), 100, 1, "QueueDoesNotExist"},
		{"no permission", answer(400, `{"__type":"AccessDeniedException:http://x/","Message":"no"}`), 100, 1, "AccessDeniedException"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, 100, 1, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int32
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if calls.Add(1) <= test.faults {
					test.fault(w, r)
					return
				}
				_, _ = io.WriteString(w, `{}`)
			})
			err := c.JSON(t.Context(), "sqs", "AmazonSQS.SendMessageBatch", "1.0", []byte(`{}`), nil)
			code := ""
			if e, ok := errors.AsType[*Error](err); ok {
				code = e.Code
			}
			if code != test.wantCode || (err == nil) != (test.faults < 100) {
				t.Errorf("error %v, want code %q", err, test.wantCode)
			}
			if calls.Load() != test.wantCall {
				t.Errorf("%d calls, want %d", calls.Load(), test.wantCall)
			}
		})
	}
}

func TestRetriesEndWithTheCallersTime(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	c.jitter = func() float64 { return 1 }
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Millisecond)
	defer cancel()
	err := c.JSON(ctx, "sqs", "AmazonSQS.SendMessageBatch", "1.0", []byte(`{}`), nil)
	if e, ok := errors.AsType[*Error](err); !ok || e.Status != http.StatusServiceUnavailable {
		t.Errorf("error %v, want what the service said", err)
	}
	if calls.Load() != 1 {
		t.Errorf("%d calls: the wait before a second one was longer than the time left", calls.Load())
	}
}

func TestDelaysGrowAndAreBounded(t *testing.T) {
	t.Parallel()
	c := &Client{jitter: func() float64 { return 1 }, longest: longestWait}
	var got []time.Duration
	for n := 1; n < 8; n++ {
		got = append(got, c.delay(n, &Error{Status: 500}))
	}
	ms := time.Millisecond
	want := []time.Duration{50 * ms, 100 * ms, 200 * ms, 400 * ms, 800 * ms, 1000 * ms, 1000 * ms}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if d := c.delay(1, &brokenError{err: io.EOF}); d != 0 {
		t.Errorf("%v before a new connection is tried for the first time", d)
	}
}

func TestAnswersThatAreNotJSONAreNotQuoted(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"Value":hunter2}`) })
	var out struct{ Value string }
	err := c.JSON(t.Context(), "ssm", "AmazonSSM.GetParameter", "1.1", []byte(`{}`), &out)
	if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "'h'") {
		t.Errorf("error %v", err)
	}
}

func BenchmarkJSON(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{}`)
	}))
	defer server.Close()
	c, err := New(env("AWS_ENDPOINT_URL", server.URL), nil)
	if err != nil {
		b.Fatal(err)
	}
	body := []byte(strings.Repeat("x", 6000))
	b.ReportAllocs()
	for b.Loop() {
		if err := c.JSON(b.Context(), "sqs", "AmazonSQS.SendMessageBatch", "1.0", body, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	c, err := New(env(), nil)
	if err != nil {
		b.Fatal(err)
	}
	header := http.Header{"Content-Type": {"application/x-amz-json-1.0"}, "X-Amz-Target": {"AmazonSQS.SendMessageBatch"}}
	for _, size := range []struct {
		name  string
		bytes int
	}{{"nothing", 0}, {"6 KB", 6000}} {
		b.Run(size.name, func(b *testing.B) {
			call := &call{service: "sqs", method: "POST", url: c.endpoints["sqs"].url, header: header, body: make([]byte, size.bytes)}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.sign(b.Context(), call); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
