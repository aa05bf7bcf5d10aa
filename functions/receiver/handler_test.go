package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pushpull/shared/event"
	"pushpull/shared/webhook"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"
)

func TestSamplesAreQueuedAsTheEventsTheyAre(t *testing.T) {
	t.Parallel()
	push := event.Event{
		ID: "72d3162e-cc78-11e3-81ab-4c9367dc0958", Source: "github", Type: "push",
		Time: sampleTime.Add(-2 * time.Second), Subject: "Codertocat/Hello-World:refs/heads/main",
		ContentType: "application/json", Data: bodyOfSample(t, "github-push.json"), CorrelationID: "UyW3DhxcIAMEJ4g=",
	}
	rest, function := push, push
	rest.CorrelationID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
	function.CorrelationID = "7c1a6f0e-1f0b-4a86-9e5c-0f3f7a0a5b11"
	for file, want := range map[string]event.Event{
		"github-push.json":              push,
		"github-push-base64.json":       push,
		"github-push-rest-v1.json":      rest,
		"github-push-function-url.json": function,
		"github-ping.json": {
			ID: "0b989ba4-242f-11e5-81e1-c7b6966d2516", Source: "github", Type: "ping", Subject: "Codertocat/Hello-World",
			ContentType: "application/json", CorrelationID: "UyW3DhxcIAMEJ4g=",
		},
		"stripe-invoice-paid.json": {
			ID: "evt_1NG8Du2eZvKYlo2CUI79vXWy", Source: "stripe", Type: "invoice.paid", Time: sampleTime.Add(-time.Second),
			Subject: "in_1MtHbELkdIwHu7ixl4OzzPMv", ContentType: "application/json; charset=utf-8", CorrelationID: "UyW3DhxcIAMEJ4g=",
		},
		"standard-webhooks-user-created.json": {
			ID: "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", Source: "standard", Type: "user.created", Time: sampleTime.Add(-876544 * time.Microsecond),
			ContentType: "application/json", CorrelationID: "UyW3DhxcIAMEJ4g=",
		},
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			got := w.invoke(t.Context(), t, sample(t, file, nil))
			wantAnswer := answer{
				Status: 202, Body: `{"status":"accepted"}`,
				Headers: map[string]string{"content-type": "application/json", "cache-control": "no-store", "x-correlation-id": want.CorrelationID},
			}
			if diff := cmp.Diff(wantAnswer, got); diff != "" {
				t.Error(diff)
			}
			if want.Data == nil {
				want.Data = bodyOfSample(t, file)
			}
			want.Transport = event.Webhook
			want.ReceivedTime, want.VerifiedTime = sampleTime.Add(time.Second), sampleTime.Add(time.Second)
			if diff := cmp.Diff([]event.Event{want}, w.queue.taken); diff != "" {
				t.Error(diff)
			}
			if !strings.Contains(w.metered.String(), `"EventsReceived":1`) || !strings.Contains(w.metered.String(), `"ReceiveTime":[`) {
				t.Errorf("metrics: %s", w.metered)
			}
			if line := w.lines(t)[0]; line["msg"] != "event received" || line["id"] != want.ID || line["correlationid"] != want.CorrelationID {
				t.Errorf("log: %v", line)
			}
		})
	}
}

func TestWhatIsNotTakenIsAnsweredAndLogged(t *testing.T) {
	t.Parallel()
	const push = "github-push.json"
	for _, tt := range []struct {
		name    string
		file    string
		change  func(map[string]any)
		prepare func(*world)
		status  int
		reason  string
	}{
		{"a source that is not there", push, at("/webhooks/nobody"), nil, 404, "unknown_source"},
		{"a source that is only polled", push, at("/webhooks/polled"), nil, 404, "unknown_source"},
		{"no source", push, at("/webhooks/"), nil, 404, "unknown_source"},
		{"a path below a source", push, at("/webhooks/github/x"), nil, 404, "unknown_source"},
		{"another path", push, at("/"), nil, 404, "unknown_source"},
		{"a source in another case", push, at("/webhooks/GitHub"), nil, 404, "unknown_source"},
		{"a GET", push, method("GET"), nil, 405, "method"},
		{"a PUT", push, method("PUT"), nil, 405, "method"},
		{"a GET of a source that is not there", push, all(method("GET"), at("/webhooks/nobody")), nil, 404, "unknown_source"},

		{"no signature", push, with("x-hub-signature-256", ""), nil, 401, "no_signature"},
		{"a wrong signature", push, with("x-hub-signature-256", "sha256=00"), nil, 401, "wrong_signature"},
		{"a body that was changed on its way", "github-push-tampered.json", nil, nil, 401, "wrong_signature"},
		{"a push sent to another source", push, at("/webhooks/stripe"), nil, 401, "no_signature"},
		{"a timestamp that is too old", "stripe-invoice-paid.json", nil, later(6 * time.Minute), 401, "stale_timestamp"},
		{"a timestamp from the future", "stripe-invoice-paid.json", nil, later(-6 * time.Minute), 401, "stale_timestamp"},
		{"a webhook-id that was changed", "standard-webhooks-user-created.json", with("webhook-id", "msg_2"), nil, 401, "wrong_signature"},

		{"a body over the source's limit", push, at("/webhooks/small"), nil, 413, "too_large"},
		{"a base64 body over the source's limit", "github-push-base64.json", at("/webhooks/small"), nil, 413, "too_large"},
		{"a content encoding that nobody knows, and nobody signs", push, all(at("/webhooks/open"), with("content-encoding", "lzma")), nil, 415, "content_encoding"},
		{"JSON that is broken, though authentic", push, all(at("/webhooks/open"), bodyOf(`{"a":`)), nil, 400, "malformed"},
		{"JSON that is broken and not authentic", push, bodyOf(`{"a":`), nil, 401, "wrong_signature"},
		{"base64 that is broken", push, func(m map[string]any) { m["isBase64Encoded"] = true }, nil, 400, "malformed"},

		{"a queue that does not take it", push, nil, func(w *world) { w.queue.broken = errors.New("throttled") }, 503, "queue"},
		{"a panic", push, nil, func(w *world) { w.queue.panics = "the payload" }, 503, "panic"},
		{"a panic of the runtime", push, nil, func(w *world) { w.handler.queue = nil }, 503, "panic"},
		{"secrets that cannot be read", push, nil, func(w *world) { w.secrets.broken = errors.New("down") }, 503, "secret"},
		{"a secret that is not there", push, at("/webhooks/lost"), nil, 503, "secret"},
		{"a secret that is empty", push, at("/webhooks/empty"), nil, 503, "secret"},
		{"a wrong signature, when it cannot be known whether the secret was rotated", push, with("x-hub-signature-256", "sha256=00"), func(w *world) { w.secrets.anewFail = errors.New("down") }, 503, "secret"},
		{"a configuration that cannot be read", push, nil, func(w *world) { w.config.broken = errors.New("torn") }, 503, "config"},
		{"a source without a scheme", push, at("/webhooks/hollow"), nil, 503, "config"},
		{"a source whose spec is wrong", push, at("/webhooks/wrong"), nil, 503, "config"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if tt.prepare != nil {
				tt.prepare(w)
			}
			got := w.invoke(t.Context(), t, sample(t, tt.file, tt.change))
			checkProblem(t, tt.status, got)
			if len(w.queue.taken) > 0 {
				t.Errorf("and yet queued: %v", w.queue.taken)
			}
			lines := w.lines(t)
			last := lines[len(lines)-1]
			want := map[string]any{"msg": "request rejected", "status": float64(tt.status), "reason": tt.reason, "correlationid": "UyW3DhxcIAMEJ4g="}
			for key, value := range want {
				if last[key] != value {
					t.Errorf("the log has %s %v, want %v", key, last[key], value)
				}
			}
			if level := map[bool]string{true: "ERROR", false: "WARN"}[tt.status == 503]; last["level"] != level {
				t.Errorf("logged as %v, want %s", last["level"], level)
			}
			if !strings.Contains(w.metered.String(), `"reason":"`+tt.reason+`","RequestsRejected":1`) {
				t.Errorf("metrics: %s", w.metered)
			}
			for _, never := range []string{sampleSecret, "Practicality", "greetings.yml", "the payload", "sha256="} {
				if strings.Contains(w.logged.String(), never) || strings.Contains(got.Body, never) {
					t.Errorf("%q was told: %s %s", never, w.logged, got.Body)
				}
			}
		})
	}
}

// checkProblem says what every refusal has, and that it has nothing more.
func checkProblem(tb testing.TB, status int, got answer) {
	tb.Helper()
	problem, err := json.Marshal(map[string]any{"type": "about:blank", "title": http.StatusText(status), "status": status})
	if err != nil {
		tb.Fatal(err)
	}
	want := map[string]string{"content-type": "application/problem+json", "cache-control": "no-store", "x-correlation-id": "UyW3DhxcIAMEJ4g="}
	switch status {
	case 405:
		want["allow"] = "POST"
	case 503:
		want["retry-after"] = "10"
	}
	if got.Status != status {
		tb.Errorf("answered %d, want %d", got.Status, status)
	}
	if diff := cmp.Diff(want, got.Headers); diff != "" {
		tb.Error(diff)
	}
	var gotBody, wantBody map[string]any
	if json.Unmarshal([]byte(got.Body), &gotBody) != nil || json.Unmarshal(problem, &wantBody) != nil || !cmp.Equal(wantBody, gotBody) {
		tb.Errorf("body %s, want %s", got.Body, problem)
	}
}

func method(name string) func(map[string]any) {
	return func(m map[string]any) {
		m["requestContext"].(map[string]any)["http"].(map[string]any)["method"] = name
	}
}

func bodyOf(body string) func(map[string]any) { return func(m map[string]any) { m["body"] = body } }

func later(d time.Duration) func(*world) {
	return func(w *world) {
		w.now = func() time.Time { return sampleTime.Add(d) }
	}
}

func TestWhatIsNoRequestIsAnsweredToo(t *testing.T) {
	t.Parallel()
	for name, payload := range map[string]string{
		"nothing": "", "no JSON": "{", "no object": "[]", "another service's event": `{"Records":[]}`, "a request without a method": `{"rawPath":"/webhooks/github"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := newWorld(t).invoke(t.Context(), t, []byte(payload)); got.Status != 400 {
				t.Errorf("answered %d, want 400", got.Status)
			}
		})
	}
}

func TestWhatIsTakenAllTheSame(t *testing.T) {
	t.Parallel()
	const push = "github-push.json"
	for _, tt := range []struct {
		name   string
		file   string
		change func(map[string]any)
	}{
		{"behind a stage", push, at("/prod/webhooks/github")},
		{"behind a base path that is called webhooks too", push, at("/webhooks/v1/webhooks/github")},
		{"with a slash at the end", push, at("/webhooks/github/")},
		{"a vendor's JSON", push, with("content-type", "application/vnd.github.v3+json")},
		{"a content type in capitals with parameters", push, with("content-type", "Application/JSON; Charset=UTF-8")},
		{"no content type", push, with("content-type", "")},
		{"one of two secrets", push, at("/webhooks/rotating")},
		{"a REST API that sends no lists of headers", "github-push-rest-v1.json", func(m map[string]any) { m["multiValueHeaders"] = nil }},
		{"a REST API behind a base path", "github-push-rest-v1.json", func(m map[string]any) {
			m["requestContext"].(map[string]any)["path"] = "/hooks/webhooks/github"
		}},
		{"a source without authentication, in so many words", push, all(at("/webhooks/open"), with("x-hub-signature-256", ""))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if got := w.invoke(t.Context(), t, sample(t, tt.file, tt.change)); got.Status != 202 {
				t.Fatalf("answered %d: %s", got.Status, w.logged)
			}
			if len(w.queue.taken) != 1 || !bytes.Equal(bodyOfSample(t, push), w.queue.taken[0].Data) {
				t.Errorf("queued: %v", w.queue.taken)
			}
		})
	}
}

func TestASecretThatWasRotatedAMomentAgoIsReadAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secrets.cached["ssm:/github"] = "the secret before"
	for range 3 {
		if got := w.invoke(t.Context(), t, sample(t, "github-push.json", nil)); got.Status != 202 {
			t.Fatalf("answered %d: %s", got.Status, w.logged)
		}
	}
	if w.secrets.anew != 1 {
		t.Errorf("read anew %d times, want once", w.secrets.anew)
	}
}

func TestAStrangerCannotFillTheLog(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 9000)
	for name, change := range map[string]func(map[string]any){
		"path":         at("/webhooks/" + long),
		"method":       method(long),
		"content type": with("content-type", long),
		"signature":    with("x-hub-signature-256", long),
		"trace":        with("traceparent", long),
		"request id":   func(m map[string]any) { m["requestContext"].(map[string]any)["requestId"] = long },
	} {
		w := newWorld(t)
		w.invoke(t.Context(), t, sample(t, "github-push.json", change))
		if n := w.logged.Len(); n > 1000 {
			t.Errorf("a long %s makes %d bytes of log", name, n)
		}
	}
}

func TestASecretOfARotationThatIsGoneKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	delete(w.secrets.now, "ssm:/old")
	if got := w.invoke(t.Context(), t, sample(t, "github-push.json", at("/webhooks/rotating"))); got.Status != 202 {
		t.Errorf("signed with the secret that is there: %d", got.Status)
	}
	if !strings.Contains(w.logged.String(), "secret not resolved") {
		t.Errorf("the owner is not told: %s", w.logged)
	}
	got := w.invoke(t.Context(), t, sample(t, "github-push.json", all(at("/webhooks/rotating"), with("x-hub-signature-256", "sha256=00"))))
	if got.Status != 503 {
		t.Errorf("signed with what may be the one that is gone: %d", got.Status)
	}
	if len(w.queue.taken) != 1 {
		t.Errorf("%d events were queued", len(w.queue.taken))
	}
}

// The secret that could not be read may be there when it is asked for again.
func TestASecretThatIsThereASecondLaterVerifies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secrets.cached["ssm:/old"], w.secrets.broken = "old", errors.New("too many calls")
	if got := w.invoke(t.Context(), t, sample(t, "github-push.json", at("/webhooks/rotating"))); got.Status != 202 {
		t.Errorf("answered %d: %s", got.Status, w.logged)
	}
}

func TestNothingIsReadAnewForARequestWithoutASignature(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.invoke(t.Context(), t, sample(t, "github-push.json", with("x-hub-signature-256", "")))
	if w.secrets.anew != 0 {
		t.Errorf("read anew %d times", w.secrets.anew)
	}
}

func TestAPanicEndsOneRequestOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.queue.panics = "x"
	if got := w.invoke(t.Context(), t, sample(t, "github-push.json", nil)); got.Status != 503 {
		t.Errorf("answered %d, want 503", got.Status)
	}
	w.queue.panics = nil
	if got := w.invoke(t.Context(), t, sample(t, "github-push.json", nil)); got.Status != 202 {
		t.Errorf("answered %d, want 202", got.Status)
	}
}

func TestAQueueThatHangsIsToldBeforeTheTimeIsUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.queue.hangs = true
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		got := w.invoke(ctx, t, sample(t, "github-push.json", nil))
		checkProblem(t, 503, got)
		if ctx.Err() != nil {
			t.Error("the time was up")
		}
	})
}

func TestTracesAreTakenUp(t *testing.T) {
	t.Parallel()
	const w3c = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	const amazon = "Root=1-692d4c00-4f2d1f0e3c5b6a7988a7b6c5;Parent=53995c3f42cd8ad8;Sampled=1"
	for _, tt := range []struct {
		name                string
		header, value       string
		correlation, parent string
	}{
		{"W3C trace context", "traceparent", w3c, "0af7651916cd43dd8448eb211c80319c", w3c},
		{"AWS's header", "x-amzn-trace-id", amazon, "UyW3DhxcIAMEJ4g=", "00-692d4c004f2d1f0e3c5b6a7988a7b6c5-53995c3f42cd8ad8-01"},
		{"AWS's header without a parent", "x-amzn-trace-id", "Root=1-692d4c00-4f2d1f0e3c5b6a7988a7b6c5", "UyW3DhxcIAMEJ4g=", ""},
		{"a trace id of zeros", "traceparent", "00-00000000000000000000000000000000-b7ad6b7169203331-01", "UyW3DhxcIAMEJ4g=", ""},
		{"a trace id in capitals", "traceparent", strings.ToUpper(w3c), "UyW3DhxcIAMEJ4g=", ""},
		{"a trace that is too long", "traceparent", w3c + "-x", "UyW3DhxcIAMEJ4g=", ""},
		{"quotes and line ends", "traceparent", "\"\r\n" + w3c, "UyW3DhxcIAMEJ4g=", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			got := w.invoke(t.Context(), t, sample(t, "github-push.json", with(tt.header, tt.value)))
			if got.Headers["x-correlation-id"] != tt.correlation {
				t.Errorf("answered with the correlation id %q", got.Headers["x-correlation-id"])
			}
			if e := w.queue.taken[0]; e.CorrelationID != tt.correlation || e.TraceParent != tt.parent {
				t.Errorf("queued with correlation %q and parent %q", e.CorrelationID, e.TraceParent)
			}
		})
	}
}

func TestTheRuntimeSaysWhatTheGatewayDoesNot(t *testing.T) {
	t.Parallel()
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "invocation-1"})
	//nolint:staticcheck,revive // the runtime uses a plain text as its key
	ctx = context.WithValue(ctx, "x-amzn-trace-id", "Root=1-692d4c00-4f2d1f0e3c5b6a7988a7b6c5;Parent=53995c3f42cd8ad8;Sampled=0;Lineage=1:a:0")
	w := newWorld(t)
	got := w.invoke(ctx, t, sample(t, "github-push.json", func(m map[string]any) { delete(m["requestContext"].(map[string]any), "requestId") }))
	if got.Headers["x-correlation-id"] != "invocation-1" || w.queue.taken[0].TraceParent != "00-692d4c004f2d1f0e3c5b6a7988a7b6c5-53995c3f42cd8ad8-00" {
		t.Errorf("answered %v, queued %+v", got.Headers, w.queue.taken[0])
	}
	if got := w.invoke(ctx, t, nil); got.Headers["x-correlation-id"] != "invocation-1" {
		t.Errorf("what is no request is answered with %v", got.Headers)
	}
}

func TestARequestIDCannotBreakTheAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.invoke(t.Context(), t, sample(t, "github-push.json", func(m map[string]any) {
		m["requestContext"].(map[string]any)["requestId"] = "a\"\\\r\n\x00é" + strings.Repeat("b", 200)
	}))
	if id := got.Headers["x-correlation-id"]; !strings.HasPrefix(id, "ab") || len(id) > 128 {
		t.Errorf("the correlation id is %q", id)
	}
}

func TestTheAddressIsTheOneThatTheProviderCalled(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, file string
		change     func(map[string]any)
		want       string
	}{
		{"an HTTP API", "github-push.json", func(m map[string]any) { m["rawQueryString"] = "b=%20&a=1" }, "https://abcdef1234.execute-api.us-east-1.amazonaws.com/webhooks/github?b=%20&a=1"},
		{"a REST API, with its stage", "github-push-rest-v1.json", func(m map[string]any) {
			m["multiValueQueryStringParameters"] = map[string]any{"b": []string{"2", "3"}, "a": []string{" "}}
		}, "https://abcdef1234.execute-api.us-east-1.amazonaws.com/prod/webhooks/github?a=+&b=2&b=3"},
		{"a REST API with single parameters", "github-push-rest-v1.json", func(m map[string]any) {
			m["queryStringParameters"] = map[string]any{"a": "1"}
		}, "https://abcdef1234.execute-api.us-east-1.amazonaws.com/prod/webhooks/github?a=1"},
		{"no domain name but a host", "github-push.json", func(m map[string]any) {
			delete(m["requestContext"].(map[string]any), "domainName")
		}, "https://abcdef1234.execute-api.us-east-1.amazonaws.com/webhooks/github"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := readRequest(sample(t, tt.file, tt.change))
			if err != nil {
				t.Fatal(err)
			}
			if got := r.url(""); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// FuzzUnquote holds our reading of JSON strings to the standard library's.
func FuzzUnquote(f *testing.F) {
	for _, s := range []string{`""`, `"a\n\t\"\\\/\b\f\r"`, `"\u00e9\ud834\udd1e"`, `"\ud834"`, `"\ud834\u0041"`, `"\udd1e\ud834x"`, `"é𝄞"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var want string
		if json.Unmarshal([]byte(s), &want) != nil || s[0] != '"' || s[len(s)-1] != '"' || strings.ToValidUTF8(s, "") != s {
			return
		}
		if got := string(unquote([]byte(s))); got != want {
			t.Errorf("%q is %q, want %q", s, got, want)
		}
	})
}

// FuzzInvoke sends anything: it is answered, with nothing worse than a 503, and
// nothing that was not signed is queued.
func FuzzInvoke(f *testing.F) {
	for _, name := range []string{
		"github-push.json", "github-push-base64.json", "github-push-rest-v1.json", "github-push-function-url.json",
		"github-push-tampered.json", "stripe-invoice-paid.json", "standard-webhooks-user-created.json",
	} {
		f.Add(sample(f, name, nil))
	}
	f.Add([]byte(`{"rawPath":"/webhooks/github","requestContext":{"http":{"method":"POST"}},"headers":{"x-hub-signature-256":"sha256=00"},"body":"\ud800","isBase64Encoded":true}`))
	f.Add([]byte(`{"path":"/webhooks/github","httpMethod":"POST","multiValueHeaders":{"a":null},"body":0}`))
	w := newWorld(f)
	for _, open := range []string{"open", "small", "wrong", "hollow"} {
		delete(w.config.sources, open)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		w.queue.taken, w.queue.broken = nil, nil
		w.logged.Reset()
		w.metered.Reset()
		got := w.invoke(t.Context(), t, payload)
		if got.Status > 500 && got.Status != 503 || got.Status < 200 || got.Status == 500 {
			t.Fatalf("answered %d", got.Status)
		}
		if strings.Contains(w.logged.String(), "panicked") {
			t.Fatal(w.logged.String())
		}
		if (got.Status == 202) != (len(w.queue.taken) == 1) {
			t.Fatalf("answered %d with %d events queued", got.Status, len(w.queue.taken))
		}
		for _, e := range w.queue.taken {
			if !signedWith(t, w, e, payload) {
				t.Fatalf("queued without its signature: %q", e.Data)
			}
		}
	})
}

// signedWith says whether the payload holds the signature of the event's bytes,
// made anew from the source's scheme and secret.
func signedWith(t *testing.T, w *world, e event.Event, payload []byte) bool {
	t.Helper()
	r, err := readRequest(payload)
	if err != nil {
		t.Fatal(err)
	}
	hook := w.config.sources[e.Source].Webhook
	again := webhook.Request{Header: slices.Clone(r.header), Body: e.Data}
	if err := webhook.Sign(*hook.Auth, webhook.Credentials{Secrets: []string{w.secrets.now[hook.Secret[len(hook.Secret)-1]]}}, &again, "", sampleTime); err != nil {
		t.Fatal(err)
	}
	header := hook.Auth.Signature.Header[0]
	return strings.Contains(strings.ToLower(r.header.Get(header)), strings.ToLower(again.Header.Get(header)))
}

func BenchmarkInvoke(b *testing.B) {
	for _, name := range []string{"github-push.json", "github-push-base64.json", "stripe-invoice-paid.json"} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b)
			payload := sample(b, name, nil)
			b.SetBytes(int64(len(payload)))
			b.ReportAllocs()
			for b.Loop() {
				w.queue.taken = w.queue.taken[:0]
				w.logged.Reset()
				w.metered.Reset()
				if got, err := w.Invoke(b.Context(), payload); err != nil || !bytes.HasPrefix(got, []byte(`{"statusCode":202`)) {
					b.Fatalf("%s %v", got, err)
				}
			}
		})
	}
}

// FuzzMembers holds our reading of objects to the standard library's.
func FuzzMembers(f *testing.F) {
	f.Add([]byte(`{"a":1,"b" : [{"c":"]}\\\""}, 2 ] , "d":null,"e":{} ,"f":"x"}`))
	f.Add([]byte(` {} `))
	f.Add([]byte(`[1]`))
	f.Add([]byte(`7`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if !json.Valid(b) {
			return
		}
		want := map[string]json.RawMessage{}
		if json.Unmarshal(b, &want) != nil {
			want = nil // not an object
		}
		members(b, func(name, value []byte) {
			var key string
			if json.Unmarshal([]byte(`"`+string(name)+`"`), &key) != nil || want == nil || !json.Valid(value) {
				t.Fatalf("%q: member %q is %q", b, name, value)
			}
			if _, ok := want[key]; !ok {
				t.Fatalf("%q: there is no member %q", b, name)
			}
		})
		got := 0
		last := map[string]string{}
		members(b, func(name, value []byte) {
			got++
			var key string
			_ = json.Unmarshal([]byte(`"`+string(name)+`"`), &key)
			last[key] = string(value)
		})
		if len(last) != len(want) {
			t.Fatalf("%q: %d members, want %d", b, len(last), len(want))
		}
		for key, value := range want {
			if last[key] != string(value) {
				t.Fatalf("%q: member %q is %q, want %q", b, key, last[key], value)
			}
		}
	})
}
