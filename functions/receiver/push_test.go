package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/rate"
	"pushpull/shared/webhook"

	"github.com/google/go-cmp/cmp"
)

// A push is a request as a provider makes it, to a source that takes everything
// or has the preset of that name.
type push struct {
	method, query string
	header        map[string]string
	body          []byte
}

// to makes the gateway's invocation of a request, its body in base64 where it is
// no text.
func (p push) to(tb testing.TB, source string) []byte {
	tb.Helper()
	method := p.method
	if method == "" {
		method = "POST"
	}
	header := map[string]string{"host": "hooks.example.com"}
	for name, value := range p.header {
		header[strings.ToLower(name)] = value
	}
	payload, err := json.Marshal(map[string]any{
		"version": "2.0", "rawPath": "/webhooks/" + source, "rawQueryString": p.query, "headers": header,
		"requestContext": map[string]any{
			"domainName": "hooks.example.com", "requestId": "UyW3DhxcIAMEJ4g=",
			"http":           map[string]any{"method": method, "sourceIp": "192.0.2.7"},
			"authentication": map[string]any{"clientCert": map[string]any{"subjectDN": "CN=webhooks.example.com,O=Example"}},
		},
		"body": base64.StdEncoding.EncodeToString(p.body), "isBase64Encoded": true,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return payload
}

func (w *world) add(name string, hook config.Webhook) {
	if hook.Auth == nil {
		hook.Auth = &config.Auth{Scheme: "token", Signature: config.Signature{Header: config.Names{"X-Token"}}}
		hook.Secret = config.Secrets{"ssm:/token"}
		w.secrets.now["ssm:/token"] = "the token"
	}
	w.config.sources[name] = config.Source{Webhook: &hook}
}

func zipped(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.Bytes()
}

// hmacOf is HMAC-SHA256 in hex.
func hmacOf(secret, text string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(text))
	return hex.EncodeToString(m.Sum(nil))
}

// What comes in, and the events that it is.
func TestBodiesBecomeEvents(t *testing.T) {
	t.Parallel()
	id := event.Choices{{Value: "{body.id}"}}
	type out struct{ ID, Type, ContentType, Data string }
	for _, tt := range []struct {
		name string
		hook config.Webhook
		push push
		want []out
	}{
		{
			"an array, each element an event",
			config.Webhook{Body: &config.Body{Each: config.Names{"[]"}}, Event: &event.Spec{Identity: id}},
			push{body: []byte(`[{"id":"1"}, {"id":"2"}]`)},
			[]out{{"1", "s", "application/json", `{"id":"1"}`}, {"2", "s", "application/json", `{"id":"2"}`}},
		},
		{
			"an envelope, with what is around its elements",
			config.Webhook{
				Body:  &config.Body{Each: config.Names{"events"}, Add: map[string]string{"account": "root.account"}},
				Event: &event.Spec{Identity: event.Choices{{Value: "{root.account}/{body.id}"}}, Type: event.Choices{{Value: "{body.type}"}}},
			},
			push{body: []byte(`{"account":7,"events":[{"id":1,"type":"a"}]}`)},
			[]out{{"7/1", "a", "application/json", `{"id":1,"type":"a","account":7}`}},
		},
		{
			"an empty batch is no event",
			config.Webhook{Body: &config.Body{Each: config.Names{"events"}}},
			push{body: []byte(`{"events":[]}`)},
			nil,
		},
		{
			"elements of one identity but not the same data are told apart",
			config.Webhook{
				Body: &config.Body{Each: config.Names{"[]"}}, Event: &event.Spec{Identity: event.Choices{{Value: "same"}}},
			},
			push{body: []byte(`[{"a":1},{"a":2},{"a":1}]`)},
			[]out{{"same", "s", "application/json", `{"a":1}`}, {"same#" + shortHash(`{"a":2}`), "s", "application/json", `{"a":2}`}, {"same", "s", "application/json", `{"a":1}`}},
		},
		{
			"a form, as it came",
			config.Webhook{Event: &event.Spec{Identity: event.Choices{{Value: "{body.MessageSid}"}}}},
			push{header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, body: []byte("MessageSid=SM1&Body=a+b")},
			[]out{{"SM1", "s", "application/x-www-form-urlencoded", "MessageSid=SM1&Body=a+b"}},
		},
		{
			"a form made JSON",
			config.Webhook{Body: &config.Body{ToJSON: true}, Event: &event.Spec{Identity: event.Choices{{Value: "{body.MessageSid}"}}}},
			push{header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, body: []byte("MessageSid=SM1&To=%2B1&To=%2B2")},
			[]out{{"SM1", "s", "application/json", `{"MessageSid":"SM1","To":["+1","+2"]}`}},
		},
		{
			"JSON in a form's field",
			config.Webhook{Body: &config.Body{Field: "payload"}, Event: &event.Spec{Identity: id}},
			push{header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, body: []byte(`payload=%7B%22id%22%3A%22x%22%7D`)},
			[]out{{"x", "s", "application/json", `{"id":"x"}`}},
		},
		{
			"XML made JSON",
			config.Webhook{Body: &config.Body{ToJSON: true}, Event: &event.Spec{Identity: event.Choices{{Value: "{body.order.@id}"}}}},
			push{header: map[string]string{"Content-Type": "text/xml"}, body: []byte(`<order id="9"><item>pen</item></order>`)},
			[]out{{"9", "s", "application/json", `{"order":{"@id":"9","item":"pen"}}`}},
		},
		{
			"lines of JSON",
			config.Webhook{Event: &event.Spec{Identity: id}},
			push{header: map[string]string{"Content-Type": "application/x-ndjson"}, body: []byte("{\"id\":1}\n\n{\"id\":2}\n")},
			[]out{{"1", "s", "application/json", `{"id":1}`}, {"2", "s", "application/json", `{"id":2}`}},
		},
		{
			"a gzip",
			config.Webhook{Event: &event.Spec{Identity: id}},
			push{header: map[string]string{"Content-Encoding": "gzip", "Content-Type": "application/json"}, body: zipped(`{"id":"zipped"}`)},
			[]out{{"zipped", "s", "application/json", `{"id":"zipped"}`}},
		},
		{
			"no body at all, a header says it",
			config.Webhook{Event: &event.Spec{Identity: event.Choices{{Value: "{header.X-Goog-Message-Number}"}}}},
			push{header: map[string]string{"X-Goog-Message-Number": "17"}},
			[]out{{"17", "s", "", ""}},
		},
		{
			"a GET, where the provider sends it",
			config.Webhook{Methods: config.Names{"GET", "POST"}, Event: &event.Spec{Identity: event.Choices{{Value: "{query.id}"}}}},
			push{method: "GET", query: "id=q1"},
			[]out{{"q1", "s", "", ""}},
		},
		{
			"JSON that is broken is kept as it came",
			config.Webhook{},
			push{header: map[string]string{"Content-Type": "application/json"}, body: []byte(`{"id":`)},
			[]out{{longHash(`{"id":`), "s", "application/json", `{"id":`}},
		},
		{
			"invalid UTF-8 within JSON is kept as it came",
			config.Webhook{Event: &event.Spec{Identity: id}},
			push{header: map[string]string{"Content-Type": "application/json"}, body: []byte("{\"id\":\"1\",\"x\":\"\xff\x00\"}")},
			[]out{{longHash("{\"id\":\"1\",\"x\":\"\xff\x00\"}"), "s", "application/json", "{\"id\":\"1\",\"x\":\"\xff\x00\"}"}},
		},
		{
			"a number beyond 2^53 stays as it was written",
			config.Webhook{Event: &event.Spec{Identity: id}},
			push{body: []byte(`{"id":9007199254740993}`)},
			[]out{{"9007199254740993", "s", "application/json", `{"id":9007199254740993}`}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.add("s", tt.hook)
			if tt.push.header == nil {
				tt.push.header = map[string]string{}
			}
			if tt.push.header["Content-Type"] == "" && len(tt.push.body) > 0 {
				tt.push.header["Content-Type"] = "application/json"
			}
			tt.push.header["X-Token"] = "the token"
			got := w.invoke(t.Context(), t, tt.push.to(t, "s"))
			if got.Status != 202 {
				t.Fatalf("answered %d: %s", got.Status, w.logged)
			}
			var events []out
			for _, e := range w.queue.taken {
				events = append(events, out{e.ID, e.Type, e.ContentType, string(e.Data)})
			}
			if diff := cmp.Diff(tt.want, events); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Who is refused with 415 gives up. What is authentic as it came is kept.
func TestABodyInNoEncodingIsKeptIfItIsAuthentic(t *testing.T) {
	t.Parallel()
	const plain = `{"id":"1","items":[{"id":"2"}]}`
	squeezed := string(zipped(plain))
	auth := &config.Auth{Scheme: "hmac", Signature: config.Signature{Header: config.Names{"S"}}}
	id := &event.Spec{Identity: event.Choices{{Value: "{body.id}"}}}
	events := config.Webhook{Auth: auth, Event: id, Body: &config.Body{Each: config.Names{"items"}, ToJSON: true}}
	greeted := config.Webhook{Auth: auth, Event: id, Handshakes: []config.Handshake{{When: map[string]string{"body.challenge": ".+"}, By: "anyone", Answer: config.Reply{Body: "{body.challenge}"}}}}
	required := config.Webhook{Auth: auth, Event: id, Require: map[string]string{"body.id": "1"}}
	fields := config.Webhook{Auth: &config.Auth{Scheme: "hmac", Signature: config.Signature{Header: config.Names{"S"}}, Signed: config.Names{"{body.id}"}}}
	open := config.Webhook{Auth: &config.Auth{Scheme: "none"}}
	type out struct{ ID, ContentType, Data, Encoding string }
	kept := func(data, contentType, encoding string) []out {
		return []out{{longHash(data), contentType, data, encoding}}
	}
	for _, tt := range []struct {
		name                        string
		hook                        config.Webhook
		encoding, contentType, body string
		signed                      string
		status                      int
		want                        []out
	}{
		{"an encoding that nobody knows", events, "lz4", "application/json", squeezed, squeezed, 202, kept(squeezed, "application/json", "lz4")},
		{"a gzip that is cut off", events, "gzip", "application/json", squeezed[:20], squeezed[:20], 202, kept(squeezed[:20], "application/json", "gzip")},
		{"a form in an encoding that nobody knows is not read as one", events, "lz4", formType, squeezed, squeezed, 202, kept(squeezed, formType, "lz4")},
		{"what says gzip, but somebody undid it on the way, is what it was", events, "gzip", "application/json", plain, plain, 202, []out{{"2", "application/json", `{"id":"2"}`, "gzip"}}},
		{"what says deflate, and could begin as one", events, "deflate", "application/json", plain, plain, 202, []out{{"2", "application/json", `{"id":"2"}`, "deflate"}}},
		{"what is not signed as it came", events, "lz4", "application/json", squeezed, plain, 401, nil},
		{"a handshake is looked for before", greeted, "lz4", "application/json", squeezed, squeezed, 202, kept(squeezed, "application/json", "lz4")},
		{"where the body must say something, and nobody can read it", required, "lz4", "application/json", squeezed, squeezed, 401, nil},
		{"where the body must say something, and does", required, "gzip", "application/json", plain, plain, 202, []out{{"1", "application/json", plain, "gzip"}}},
		{"where fields of the body are signed", fields, "gzip", "application/json", plain, "1", 415, nil},
		{"where nobody signs", open, "gzip", "application/json", plain, "", 415, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			tt.hook.Secret = config.Secrets{"ssm:/github"}
			w.add("s", tt.hook)
			p := push{header: map[string]string{"Content-Encoding": tt.encoding, "Content-Type": tt.contentType, "S": hmacOf(sampleSecret, tt.signed)}, body: []byte(tt.body)}
			if got := w.invoke(t.Context(), t, p.to(t, "s")); got.Status != tt.status {
				t.Fatalf("answered %d: %s", got.Status, w.logged)
			}
			var events []out
			for _, e := range w.queue.taken {
				events = append(events, out{e.ID, e.ContentType, string(e.Data), e.Headers["content-encoding"]})
			}
			if diff := cmp.Diff(tt.want, events); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A content type may be longer than what an event can carry. It is read by it all
// the same, or an event would be another than what was signed.
func TestALongContentTypeIsReadButNotCarried(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("s", config.Webhook{
		Auth:   &config.Auth{Scheme: "hmac", Field: "payload", Signature: config.Signature{Body: "sig"}, Signed: config.Names{"{body.id}"}},
		Secret: config.Secrets{"ssm:/github"}, Body: &config.Body{Field: "payload"},
	})
	w.add("form", config.Webhook{})
	long := formType + "; x=" + strings.Repeat("x", event.MaxText)
	payload := `{"id":"1","sig":"` + hmacOf(sampleSecret, "1") + `"}`
	form := "payload=" + url.QueryEscape(payload) + "&evil=1"
	for _, tt := range []struct{ source, contentType, data string }{{"s", "application/json", payload}, {"form", formType, form}} {
		w.queue.taken = nil
		p := push{header: map[string]string{"Content-Type": long, "X-Token": "the token"}, body: []byte(form)}
		if got := w.invoke(t.Context(), t, p.to(t, tt.source)); got.Status != 202 {
			t.Fatalf("%s: answered %d: %s", tt.source, got.Status, w.logged)
		}
		if e := w.queue.taken[0]; string(e.Data) != tt.data || e.ContentType != tt.contentType {
			t.Errorf("%s: the event is %q %s", tt.source, e.ContentType, e.Data)
		}
	}
}

func TestABatchIsAcknowledgedOnlyWhenAllOfItIsQueued(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("s", config.Webhook{Body: &config.Body{Each: config.Names{"[]"}}})
	w.queue.broken = errors.New("one was refused")
	p := push{header: map[string]string{"X-Token": "the token", "Content-Type": "application/json"}, body: []byte(`[1,2,3]`)}
	if got := w.invoke(t.Context(), t, p.to(t, "s")); got.Status != 503 {
		t.Errorf("answered %d, want 503", got.Status)
	}
}

func TestSelectedHeadersAndParametersTravelWithTheEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("s", config.Webhook{Headers: config.Names{"X-Shop", "X-Absent"}, Query: config.Names{"tenant"}})
	p := push{query: "tenant=a%20b&other=1", header: map[string]string{"X-Token": "the token", "X-Shop": "one", "Content-Type": "application/json"}, body: []byte(`{}`)}
	if got := w.invoke(t.Context(), t, p.to(t, "s")); got.Status != 202 {
		t.Fatalf("answered %d: %s", got.Status, w.logged)
	}
	e := w.queue.taken[0]
	if diff := cmp.Diff(event.Carried{"x-shop": "one"}, e.Headers); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(event.Carried{"tenant": "a b"}, e.Query); diff != "" {
		t.Error(diff)
	}
}

func TestAProviderGetsTheReplyThatItInsistsOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("s", config.Webhook{Reply: &config.Reply{Status: 200, Body: "[accepted]", Headers: map[string]string{"X-Echo": "{header.X-Client}"}}})
	p := push{header: map[string]string{"X-Token": "the token", "X-Client": "me", "Content-Type": "application/json"}, body: []byte(`{}`)}
	got := w.invoke(t.Context(), t, p.to(t, "s"))
	want := answer{Status: 200, Body: "[accepted]", Headers: map[string]string{
		"cache-control": "no-store", "content-type": "text/plain; charset=utf-8", "x-correlation-id": "UyW3DhxcIAMEJ4g=", "x-echo": "me", "x-content-type-options": "nosniff",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	delete(p.header, "X-Client")
	if got := w.invoke(t.Context(), t, p.to(t, "s")); got.Status != 202 {
		t.Errorf("where the reply cannot be made, the events are taken all the same: %d", got.Status)
	}
}

func TestARefusalHasTheStatusThatTheProviderWants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("s", config.Webhook{Refuse: 498, Require: map[string]string{"body.topic": "mine"}})
	for name, p := range map[string]push{
		"another token":   {header: map[string]string{"X-Token": "guess"}, body: []byte(`{"topic":"mine"}`)},
		"another topic":   {header: map[string]string{"X-Token": "the token"}, body: []byte(`{"topic":"yours"}`)},
		"the topic twice": {header: map[string]string{"X-Token": "the token"}, body: []byte(`{"topic":"mine","topic":"yours"}`)},
	} {
		if got := w.invoke(t.Context(), t, p.to(t, "s")); got.Status != 498 {
			t.Errorf("%s: answered %d, want 498", name, got.Status)
		}
	}
	if len(w.queue.taken) > 0 {
		t.Error("queued")
	}
}

func TestTheCallerMayBeKnownByAddressOrCertificate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, tt := range map[string]struct {
		auth config.Auth
		want int
	}{
		"near":     {config.Auth{Scheme: "ip", CIDRs: config.Names{"192.0.2.0/24"}}, 202},
		"far":      {config.Auth{Scheme: "ip", CIDRs: config.Names{"198.51.100.0/24"}}, 401},
		"known":    {config.Auth{Scheme: "mtls", Subject: `CN=webhooks\.example\.com,.*`}, 202},
		"stranger": {config.Auth{Scheme: "mtls", Subject: `CN=webhooks`}, 401},
	} {
		w.add(name, config.Webhook{Auth: &tt.auth})
		if got := w.invoke(t.Context(), t, push{body: []byte(`{}`)}.to(t, name)); got.Status != tt.want {
			t.Errorf("%s: answered %d, want %d", name, got.Status, tt.want)
		}
	}
}

// limiterOf says no after some.
type limiterOf struct{ left int }

func (l *limiterOf) Take(_ context.Context, _ string, _ rate.Limit, n int) rate.Decision {
	l.left -= n
	return rate.Decision{OK: l.left >= 0, Remaining: max(l.left, 0), RetryAfter: 3 * time.Second}
}

func TestWhatIsMoreThanTheRateIsToldToComeAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.limiter = &limiterOf{left: 2}
	w.add("s", config.Webhook{Rate: "100/s burst 500", Body: &config.Body{Each: config.Names{"[]"}}})
	forged := push{header: map[string]string{"X-Token": "guess"}, body: []byte(`[1,2,3,4,5]`)}
	if got := w.invoke(t.Context(), t, forged.to(t, "s")); got.Status != 401 {
		t.Fatalf("a forged request: %d", got.Status)
	}
	good := push{header: map[string]string{"X-Token": "the token", "Content-Type": "application/json"}, body: []byte(`[1,2]`)}
	if got := w.invoke(t.Context(), t, good.to(t, "s")); got.Status != 202 {
		t.Fatalf("forged requests count: %d", got.Status)
	}
	got := w.invoke(t.Context(), t, good.to(t, "s"))
	if got.Status != 429 || got.Headers["retry-after"] != "3" || got.Headers["ratelimit"] == "" || got.Headers["ratelimit-policy"] != `"source";q=500;w=5` {
		t.Errorf("answered %d %v", got.Status, got.Headers)
	}
	if len(w.queue.taken) != 2 {
		t.Errorf("%d events were queued", len(w.queue.taken))
	}
}

func TestHandshakesAreAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := map[string]string{"X-Token": "the token"}
	w.secrets.now["ssm:/verify"] = "mine"
	w.add("meta", config.Webhook{VerifyToken: config.Secrets{"ssm:/verify"}, Handshakes: []config.Handshake{{
		When: map[string]string{"method": "GET", "query.hub.challenge": "[0-9]+"}, By: "token", Token: "query.hub.verify_token",
		Answer: config.Reply{Body: "{query.hub.challenge}"},
	}}})
	w.add("signed", config.Webhook{Handshakes: []config.Handshake{{
		When: map[string]string{"body.type": "url_verification"}, Answer: config.Reply{Type: "application/json", Body: `{"challenge":"{body.challenge}"}`},
	}}})
	w.add("head", config.Webhook{Handshakes: []config.Handshake{{When: map[string]string{"method": "HEAD"}, By: "anyone", Answer: config.Reply{Body: "hello"}}}})
	for _, tt := range []struct {
		name, source string
		push         push
		status       int
		body, typ    string
	}{
		{"a challenge with the token", "meta", push{method: "GET", query: "hub.challenge=12&hub.verify_token=mine"}, 200, "12", "text/plain; charset=utf-8"},
		{"with another token", "meta", push{method: "GET", query: "hub.challenge=12&hub.verify_token=yours"}, 403, "", ""},
		{"with no token", "meta", push{method: "GET", query: "hub.challenge=12"}, 403, "", ""},
		{"of another shape", "meta", push{method: "GET", query: "hub.challenge=<b>&hub.verify_token=mine"}, 405, "", ""},
		{"a signed one", "signed", push{header: token, body: []byte(`{"type":"url_verification","challenge":"a\"b"}`)}, 200, `{"challenge":"a\"b"}`, "application/json"},
		{"a signed one, unsigned", "signed", push{body: []byte(`{"type":"url_verification","challenge":"x"}`)}, 401, "", ""},
		{"a HEAD has no body", "head", push{method: "HEAD"}, 200, "", "text/plain; charset=utf-8"},
	} {
		got := w.invoke(t.Context(), t, tt.push.to(t, tt.source))
		if got.Status != tt.status || tt.status == 200 && (got.Body != tt.body || got.Headers["content-type"] != tt.typ || got.Headers["x-content-type-options"] != "nosniff") {
			t.Errorf("%s: %d %q %v", tt.name, got.Status, got.Body, got.Headers)
		}
	}
	if len(w.queue.taken) > 0 {
		t.Error("a handshake is no event")
	}
}

func TestASecretThatIsHandedOverIsKeptAndUsed(t *testing.T) {
	t.Parallel()
	hook := config.Webhook{
		Secret: config.Secrets{"ssm:/asana"}, VerifyToken: config.Secrets{"ssm:/verify"},
		Auth: &config.Auth{Scheme: "hmac", Signature: config.Signature{Header: config.Names{"X-Hook-Signature"}}},
		Handshakes: []config.Handshake{{
			When: map[string]string{"header.X-Hook-Secret": ".+"}, By: "anyone", Token: "query.token", Keep: "header.X-Hook-Secret",
			Answer: config.Reply{Headers: map[string]string{"X-Hook-Secret": "{header.X-Hook-Secret}"}},
		}},
	}
	w := newWorld(t)
	w.secrets.now["ssm:/verify"] = "mine"
	w.add("asana", hook)
	hand := func(secret, query string) answer {
		return w.invoke(t.Context(), t, push{query: query, header: map[string]string{"X-Hook-Secret": secret}}.to(t, "asana"))
	}
	signed := func(secret string) int {
		r := webhook.Request{Body: []byte(`{}`)}
		if err := webhook.Sign(*hook.Auth, webhook.Credentials{Secrets: []string{secret}}, &r, "", time.Now()); err != nil {
			t.Fatal(err)
		}
		return w.invoke(t.Context(), t, push{header: map[string]string{"X-Hook-Signature": r.Header.Get("X-Hook-Signature")}, body: r.Body}.to(t, "asana")).Status
	}
	if got := signed("first"); got != 503 {
		t.Errorf("before any secret was handed over: %d", got)
	}
	if got := hand("first", ""); got.Status != 200 || got.Headers["x-hook-secret"] != "first" {
		t.Fatalf("the first: %d %v %s", got.Status, got.Headers, w.logged)
	}
	if got := signed("first"); got != 202 {
		t.Errorf("signed with what was kept: %d %s", got, w.logged)
	}
	if got := hand("evil", ""); got.Status != 401 {
		t.Errorf("a stranger's secret: %d", got.Status)
	}
	if got := hand("first", ""); got.Status != 200 {
		t.Errorf("the same again: %d", got.Status)
	}
	if got := hand("second", "token=mine"); got.Status != 200 {
		t.Errorf("another webhook's, with the token: %d %s", got.Status, w.logged)
	}
	for secret, want := range map[string]int{"first": 202, "second": 202, "evil": 401} {
		if got := signed(secret); got != want {
			t.Errorf("signed with %s: %d, want %d", secret, got, want)
		}
	}
	for _, never := range []string{"first", "second"} {
		if strings.Contains(w.logged.String(), never) {
			t.Errorf("a secret is in the log: %s", w.logged)
		}
	}
}

func TestASubscriptionIsConfirmedAtItsProviderOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var visited []string
	fail := error(nil)
	w.visit = func(_ context.Context, address string) error { visited = append(visited, address); return fail }
	w.add("sns", config.Webhook{Handshakes: []config.Handshake{{
		When: map[string]string{"body.Type": "SubscriptionConfirmation"}, Confirm: "body.SubscribeURL", Hosts: config.Names{`sns\.[a-z0-9-]+\.amazonaws\.com`},
	}}})
	for _, tt := range []struct {
		address string
		fail    error
		want    int
	}{
		{"https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=x", nil, 200},
		{"https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=x", errors.New("down"), 503},
		{"http://sns.eu-central-1.amazonaws.com/", nil, 401},
		{"https://sns.eu-central-1.amazonaws.com.evil.example/", nil, 401},
		{"https://sns.eu-central-1.amazonaws.com@169.254.169.254/", nil, 401},
		{"https://169.254.169.254/latest/meta-data", nil, 401},
		{"https://sns.eu-central-1.amazonaws.com:8443/", nil, 401},
	} {
		visited, fail = nil, tt.fail
		p := push{header: map[string]string{"X-Token": "the token"}, body: fmt.Appendf(nil, `{"Type":"SubscriptionConfirmation","SubscribeURL":%q}`, tt.address)}
		got := w.invoke(t.Context(), t, p.to(t, "sns"))
		if got.Status != tt.want || (len(visited) > 0) != (tt.want != 401) {
			t.Errorf("%s: answered %d, visited %v", tt.address, got.Status, visited)
		}
	}
}

// keeper is a source to which a secret may be handed over by who shows the token.
func keeper() config.Webhook {
	return config.Webhook{
		Secret: config.Secrets{"ssm:/asana"}, VerifyToken: config.Secrets{"ssm:/verify"},
		Auth: &config.Auth{Scheme: "hmac", Signature: config.Signature{Header: config.Names{"X-Hook-Signature"}}},
		Handshakes: []config.Handshake{{
			When: map[string]string{"header.X-Hook-Secret": ".+"}, By: "anyone", Token: "query.token", Keep: "header.X-Hook-Secret",
		}},
	}
}

func TestNoSecretIsLostThatAnotherReceiverKept(t *testing.T) {
	t.Parallel()
	for name, rival := range map[string]func(*fakeSecrets){
		"before we looked, and our cache is older": nil,
		"while we wrote": func(s *fakeSecrets) {
			s.now["ssm:/asana"], s.rival = "theirs\nfirst", nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.add("asana", keeper())
			w.secrets.now["ssm:/verify"], w.secrets.now["ssm:/asana"] = "mine", "first"
			w.secrets.rival = rival
			if rival == nil {
				w.secrets.behind = map[string]string{"ssm:/asana": "first"}
				w.secrets.now["ssm:/asana"] = "theirs\nfirst"
			}
			p := push{query: "token=mine", header: map[string]string{"X-Hook-Secret": "ours"}}
			if got := w.invoke(t.Context(), t, p.to(t, "asana")); got.Status != 200 {
				t.Fatalf("answered %d: %s", got.Status, w.logged)
			}
			if diff := cmp.Diff([]string{"ours", "theirs", "first"}, strings.Fields(w.secrets.now["ssm:/asana"])); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSecretsThatAreHandedOverAreBoundedAndPlain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("asana", keeper())
	w.secrets.now["ssm:/verify"] = "mine"
	for i := range keptSecrets + 3 {
		p := push{query: "token=mine", header: map[string]string{"X-Hook-Secret": fmt.Sprintf("secret-%d", i)}}
		if got := w.invoke(t.Context(), t, p.to(t, "asana")); got.Status != 200 {
			t.Fatalf("secret %d: answered %d: %s", i, got.Status, w.logged)
		}
	}
	kept := strings.Fields(w.secrets.now["ssm:/asana"])
	if len(kept) != keptSecrets || kept[0] != fmt.Sprintf("secret-%d", keptSecrets+2) {
		t.Errorf("%d are kept, the first %s", len(kept), kept[0])
	}
	if !strings.Contains(w.logged.String(), "is dropped") {
		t.Error("the owner is not told that one was dropped")
	}
	p := push{query: "token=mine", header: map[string]string{"X-Hook-Secret": "two words"}}
	if got := w.invoke(t.Context(), t, p.to(t, "asana")); got.Status != 400 {
		t.Errorf("a secret with a space: answered %d", got.Status)
	}
}

// Nobody signs the content type.
func TestARequestSentAgainUnderAnotherTypeIsTheSameEvent(t *testing.T) {
	t.Parallel()
	for _, contentType := range []string{
		"application/json", "text/plain", "application/xml", "application/jwt", "application/x-ndjson", "application/octet-stream",
		"application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "",
	} {
		w := newWorld(t)
		p := push{header: map[string]string{"Content-Type": contentType, "X-Token": "the token"}, body: []byte(`{"id":"evt_1","type":"paid"}`)}
		w.add("s", config.Webhook{Event: &event.Spec{Identity: event.Choices{{Value: "{body.id}"}}, Type: event.Choices{{Value: "{body.type}"}}}})
		if got := w.invoke(t.Context(), t, p.to(t, "s")); got.Status != 202 || len(w.queue.taken) != 1 {
			t.Errorf("%q: answered %d, %d events", contentType, got.Status, len(w.queue.taken))
			continue
		}
		if e := w.queue.taken[0]; e.ID != "evt_1" || e.Type != "paid" {
			t.Errorf("%q: the event is %s %s", contentType, e.Type, e.ID)
		}
	}
}

// A handshake that nobody signs is looked for in a small body only, compressed or not.
func TestAStrangersLargeBodyIsNotLookedInto(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("s", config.Webhook{Handshakes: []config.Handshake{{
		When: map[string]string{"body.challenge": ".+"}, By: "anyone", Answer: config.Reply{Body: "{body.challenge}"},
	}}})
	small := `{"challenge":"x"}`
	large := `{"challenge":"x","padding":"` + strings.Repeat("a", 70<<10) + `"}`
	for name, tt := range map[string]struct {
		push push
		want int
	}{
		"a small one":             {push{body: []byte(small)}, 200},
		"a small one, compressed": {push{body: zipped(small), header: map[string]string{"Content-Encoding": "gzip"}}, 200},
		"a large one":             {push{body: []byte(large)}, 401},
		"a large one, compressed": {push{body: zipped(large), header: map[string]string{"Content-Encoding": "gzip"}}, 401},
	} {
		if got := w.invoke(t.Context(), t, tt.push.to(t, "s")); got.Status != tt.want {
			t.Errorf("%s: answered %d, want %d", name, got.Status, tt.want)
		}
	}
}
