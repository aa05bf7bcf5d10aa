package presets

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"pushpull/shared/webhook"
)

const (
	plain   = "text/plain; charset=utf-8"
	asJSON  = "application/json"
	asForm  = "application/x-www-form-urlencoded"
	someone = "0123456789abcdefABCDEF"
)

// A greeting is a request by which a provider verifies an address, and what its
// documentation says is to be answered. In its texts {token} is the value of
// verify_token, {secret} that of the secret, {now} the time.
type greeting struct {
	preset  string
	method  string // POST if empty
	query   string
	headers map[string]string
	form    bool
	body    string

	status  int // 200 if 0
	typ     string
	say     string
	answer  func(t *testing.T, p sender) string // for an answer that is to be reckoned
	answers map[string]string                   // headers
	refused bool                                // it is not answered, for its reason in the table
}

// greetings is every handshake of every preset.
var greetings = []greeting{ //nolint:gochecknoglobals // a table
	{preset: "adobe-io", method: "GET", query: "challenge=8f6-a_Z0", typ: plain, say: "8f6-a_Z0"},
	{preset: "adobe-io-cloudevents", method: "GET", query: "challenge=8f6-a_Z0", typ: plain, say: "8f6-a_Z0"},
	{preset: "adobe-sign", method: "GET", headers: map[string]string{"X-AdobeSign-ClientId": "{secret}"}, typ: asJSON, say: `{"xAdobeSignClientId":"{secret}"}`},
	{preset: "airship", method: "GET", typ: asJSON, say: `{"confirmation_code":"a-confirmation-code"}`},
	{preset: "asana", query: "token={token}", headers: map[string]string{"X-Hook-Secret": someone}, answers: map[string]string{"X-Hook-Secret": someone}},
	{preset: "bitbucket-data-center", headers: map[string]string{"X-Event-Key": "diagnostics:ping"}, body: `{"test":true}`},
	{preset: "braintree", method: "GET", query: "bt_challenge=abcdef0123456789abcd", typ: plain, answer: func(t *testing.T, p sender) string {
		key := sha1.Sum([]byte(p.secret(t)))
		return "a_public_key|" + hex.EncodeToString(mac(sha1.New, key[:], "abcdef0123456789abcd"))
	}},
	{preset: "cloudevents", method: "OPTIONS", headers: map[string]string{"WebHook-Request-Origin": "eventgrid.azure.net"}, answers: map[string]string{"WebHook-Allowed-Origin": "eventgrid.azure.net", "WebHook-Allowed-Rate": "", "Allow": "POST"}},
	{preset: "cloudevents", method: "OPTIONS", headers: map[string]string{"WebHook-Request-Origin": "eventgrid.azure.net", "WebHook-Request-Rate": "120"}, answers: map[string]string{"WebHook-Allowed-Origin": "eventgrid.azure.net", "WebHook-Allowed-Rate": "*", "Allow": "POST"}},
	{preset: "cloudevents-batch", method: "OPTIONS", headers: map[string]string{"WebHook-Request-Origin": "eventgrid.azure.net"}, answers: map[string]string{"WebHook-Allowed-Origin": "eventgrid.azure.net", "WebHook-Allowed-Rate": "", "Allow": "POST"}},
	{preset: "cloudevents-batch", method: "OPTIONS", headers: map[string]string{"WebHook-Request-Origin": "eventgrid.azure.net", "WebHook-Request-Rate": "120"}, answers: map[string]string{"WebHook-Allowed-Origin": "eventgrid.azure.net", "WebHook-Allowed-Rate": "*", "Allow": "POST"}},
	{preset: "discord", body: `{"version":1,"application_id":"1234560123453231555","type":0}`, status: 204, typ: asJSON},
	{preset: "discord-interactions", body: `{"id":"1","application_id":"2","type":1,"version":1}`, typ: asJSON, say: `{"type":1}`},
	{preset: "dropbox", method: "GET", query: "challenge=AbC_d-1", typ: "text/plain", say: "AbC_d-1"},
	{preset: "ebay", method: "GET", query: "challenge_code=a8628072-3d33-45ee-9004-bee86830a22d", typ: asJSON, answer: func(t *testing.T, p sender) string {
		address := "https://" + strings.TrimPrefix(p.URL, "http://") + "/webhooks/ebay"
		sum := sha256.Sum256([]byte("a8628072-3d33-45ee-9004-bee86830a22d" + p.token(t) + address))
		return `{"challengeResponse":"` + hex.EncodeToString(sum[:]) + `"}`
	}},
	{
		preset: "event-grid", headers: map[string]string{"aeg-event-type": "SubscriptionValidation"}, typ: asJSON,
		body: `[{"id":"1","topic":"/subscriptions/1","subject":"","data":{"validationCode":"512d38b6-c7b8-40c8-89fe-f46f9e9622b6","validationUrl":"https://rp-eastus2.eventgrid.azure.net/"},"eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","eventTime":"2026-01-25T22:12:19.4556811Z","metadataVersion":"1","dataVersion":"1"}]`,
		say:  `{"validationResponse":"512d38b6-c7b8-40c8-89fe-f46f9e9622b6"}`,
	},
	{preset: "fitbit", method: "GET", query: "verify={token}", status: 204},
	{preset: "front", headers: map[string]string{"X-Front-Challenge": "tyqBwtBB7"}, body: `{"type":"sync","authorization":{"id":"cmp_1"},"payload":null}`, typ: asJSON, say: `{"challenge":"tyqBwtBB7"}`},
	{preset: "google-channels", headers: map[string]string{"X-Goog-Resource-State": "sync", "X-Goog-Channel-ID": "1", "X-Goog-Message-Number": "1"}},
	{preset: "gusto", query: "token={token}", body: `{"verification_token":"rWKIH9pDZeVKLFnLHLsMW6Ct","webhook_subscription_uuid":"1"}`},
	{preset: "instagram", method: "GET", query: "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}", typ: plain, say: "1158201444"},
	{preset: "intercom", method: "HEAD"},
	{preset: "linkedin", method: "GET", query: "challengeCode=890e4665-4dfe-4ab1-b689-ed553bceeed0", typ: asJSON, answer: func(t *testing.T, p sender) string {
		const code = "890e4665-4dfe-4ab1-b689-ed553bceeed0"
		return `{"challengeCode":"` + code + `","challengeResponse":"` + hex.EncodeToString(mac(sha256.New, []byte(p.secret(t)), code)) + `"}`
	}},
	{preset: "mailchimp", method: "GET"},
	{preset: "mandrill", method: "HEAD"},
	{preset: "mandrill", form: true, body: "mandrill_events=%5B%5D"},
	{preset: "messenger", method: "GET", query: "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}", typ: plain, say: "1158201444"},
	{preset: "meta", method: "GET", query: "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}", typ: plain, say: "1158201444"},
	{
		preset: "microsoft-graph", query: "validationToken=Validation%3A+Testing+client+application+reachability+for+subscription+Request-Id%3A+52f5", typ: "text/plain",
		say: "Validation: Testing client application reachability for subscription Request-Id: 52f5",
	},
	{preset: "monday", body: `{"challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}`, typ: asJSON, say: `{"challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}`},
	{preset: "notion", query: "token={token}", body: `{"verification_token":"secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl"}`},
	{preset: "nylas", method: "GET", query: "challenge=bc609b38-c81f-47fb-a275-1d9bd61be5ba", typ: plain, say: "bc609b38-c81f-47fb-a275-1d9bd61be5ba"},
	{preset: "okta", method: "GET", headers: map[string]string{"X-Okta-Verification-Challenge": "LAsdk_9.x"}, typ: asJSON, say: `{"verification":"LAsdk_9.x"}`},
	{preset: "onfleet", method: "GET", query: "check=yxiCFyyE4vs0", typ: plain, say: "yxiCFyyE4vs0"},
	{preset: "ringcentral", headers: map[string]string{"Validation-Token": "4d6a-8f4c.1"}, answers: map[string]string{"Validation-Token": "4d6a-8f4c.1"}},
	{preset: "salesforce-marketing-cloud", body: `{"callbackId":"4c9b7f9e-1","verificationKey":"8c1f5ad2-aaaa-4f01"}`, refused: true},
	{preset: "slack", body: `{"token":"x","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}`, typ: plain, say: "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"},
	{preset: "slack-interactivity", form: true, body: "token=x&ssl_check=1"},
	{preset: "smartsheet", headers: map[string]string{"Smartsheet-Hook-Challenge": "b7b5a8ee-6f4c"}, body: `{"challenge":"b7b5a8ee-6f4c","webhookId":1}`, answers: map[string]string{"Smartsheet-Hook-Response": "b7b5a8ee-6f4c"}},
	// The address that it asks to have fetched is on no host of Amazon's. One that
	// is would be called by the test, which calls nobody.
	{preset: "sns", body: `{"Type":"SubscriptionConfirmation","MessageId":"165545c9-2a5c-472c-8df2-7ff2be2b3b1b","Token":"2336412f37","TopicArn":"arn:aws:sns:eu-west-1:123456789012:orders",` +
		`"Message":"You have chosen to subscribe","SubscribeURL":"https://sns.example.com/?Action=ConfirmSubscription","Timestamp":"{now}","SignatureVersion":"2",` +
		`"SigningCertURL":"https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"}`, refused: true},
	{preset: "statsig", body: `{"event":"url_verification","verification_code":"code_1-2"}`, typ: asJSON, say: `{"verification_code":"code_1-2"}`},
	{preset: "strava", method: "GET", query: "hub.mode=subscribe&hub.challenge=15f7d1a91c1f40f8a748fd134752feb3&hub.verify_token={token}", typ: asJSON, say: `{"hub.challenge":"15f7d1a91c1f40f8a748fd134752feb3"}`},
	{preset: "trello", method: "HEAD"},
	{
		preset: "twitch", headers: map[string]string{"Twitch-Eventsub-Message-Id": "e76c6bd4", "Twitch-Eventsub-Message-Type": "webhook_callback_verification"},
		body: `{"challenge":"pogchamp-kappa-360noscope-vohiyo","subscription":{"id":"f1c2"}}`, typ: plain, say: "pogchamp-kappa-360noscope-vohiyo",
	},
	{preset: "vercel-log-drain", method: "GET", answers: map[string]string{"x-vercel-verify": parameters["vercel-log-drain.verify"]}},
	{preset: "vercel-log-drain", headers: map[string]string{"x-vercel-verify": "anything"}, answers: map[string]string{"x-vercel-verify": parameters["vercel-log-drain.verify"]}},
	{preset: "viber", body: `{"event":"webhook","timestamp":1457764197627,"message_token":"241256543215"}`},
	{preset: "websub", method: "GET", query: "hub.mode=subscribe&hub.topic=https%3A%2F%2Fexample.com%2Ffeed&hub.challenge=meet%2Bme&hub.lease_seconds=864000", typ: plain, say: "meet+me"},
	{preset: "whatsapp", method: "GET", query: "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}", typ: plain, say: "1158201444"},
	{preset: "woocommerce", form: true, body: "webhook_id=42"},
	{preset: "worldline", method: "GET", headers: map[string]string{"X-GCS-Webhooks-Endpoint-Verification": "abc-1.2"}, typ: plain, say: "abc-1.2"},
	{preset: "x", method: "GET", query: "crc_token=foo-123&nonce=1", typ: asJSON, answer: func(t *testing.T, p sender) string {
		return `{"response_token":"sha256=` + base64.StdEncoding.EncodeToString(mac(sha256.New, []byte(p.secret(t)), "foo-123")) + `"}`
	}},
	{preset: "youtube", method: "GET", query: "hub.mode=subscribe&hub.topic=https%3A%2F%2Fwww.youtube.com%2Ffeeds%2Fvideos.xml%3Fchannel_id%3DUCabcdefghijklmnopqrstuv&hub.challenge=1234567890&hub.lease_seconds=432000", typ: plain, say: "1234567890"},
	{preset: "zoom", body: `{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event_ts":1654503849680,"event":"endpoint.url_validation"}`, typ: asJSON, answer: func(t *testing.T, p sender) string {
		const token = "qgg8vlvZRS6UYooatFL8Aw"
		return `{"plainToken":"` + token + `","encryptedToken":"` + hex.EncodeToString(mac(sha256.New, []byte(p.secret(t)), token)) + `"}`
	}},
}

func mac(algorithm func() hash.Hash, key []byte, text string) []byte {
	h := hmac.New(algorithm, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// greetAll sends every handshake, and what looks like it and is not.
func (s *system) greetAll(t *testing.T) {
	t.Helper()
	t.Run("every handshake is answered", func(t *testing.T) {
		for i, g := range greetings {
			t.Run(fmt.Sprintf("%s %d", g.preset, i), func(t *testing.T) {
				t.Parallel()
				s.sender(t, g.preset).greet(t, g)
			})
		}
	})
	for _, name := range webhooks(t) {
		p := s.sender(t, name)
		for i := range p.hook.Handshakes {
			if !slices.ContainsFunc(greetings, func(g greeting) bool { return g.preset == name && p.handshake(t, p.greeting(t, g)) == i }) {
				t.Errorf("no greeting is handshake %d of %s: add one to greetings", i, name)
			}
		}
	}
}

func (p sender) greet(t *testing.T, g greeting) {
	t.Helper()
	r := p.greeting(t, g)
	i := p.handshake(t, r)
	if i < 0 {
		t.Fatal("it is no handshake of the preset")
	}
	h := p.hook.Handshakes[i]
	stranger := r
	switch cmp.Or(h.By, webhook.ByEvent) {
	case webhook.ByEvent:
		r = p.signed(t, r)
		stranger.Header = slices.DeleteFunc(slices.Clone(stranger.Header), func(f webhook.Field) bool { return f.Value == p.secret(t) })
		if got := p.send(t.Context(), t, stranger); got.Status != cmp.Or(p.hook.Refuse, 401) && got.Status != 405 {
			t.Errorf("without a signature: answered %d", got.Status)
		}
	case webhook.ByToken:
		stranger.RawQuery = strings.ReplaceAll(stranger.RawQuery, p.token(t), "another")
		if got := p.send(t.Context(), t, stranger); got.Status != cmp.Or(h.Refuse, 403) {
			t.Errorf("with another token: answered %d, want %d", got.Status, cmp.Or(h.Refuse, 403))
		}
	}
	got := p.send(t.Context(), t, r)
	if g.refused {
		if got.Status != 401 {
			t.Errorf("answered %d %s, want 401", got.Status, got.Body)
		}
		return
	}
	want := answer{Status: cmp.Or(g.status, 200), Type: g.typ, Body: p.fill(t, g.say)}
	if g.answer != nil {
		want.Body = g.answer(t, p)
	}
	if got.Status != want.Status || got.Type != want.Type || got.Body != want.Body {
		t.Errorf("answered %d %q %q, want %d %q %q", got.Status, got.Type, got.Body, want.Status, want.Type, want.Body)
	}
	for name, value := range g.answers {
		if got := got.header.Get(name); got != value {
			t.Errorf("answered with %s: %q, want %q", name, got, value)
		}
	}
	if got.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Error("a browser may take the answer for something else: it is without nosniff")
	}
}

// greeting is the request, not signed.
func (p sender) greeting(t *testing.T, g greeting) webhook.Request {
	t.Helper()
	r := webhook.Request{Method: cmp.Or(g.method, http.MethodPost), RawQuery: p.fill(t, g.query), Body: []byte(p.fill(t, g.body))}
	if g.form {
		r.Header.Set("Content-Type", asForm)
	} else if g.body != "" {
		r.Header.Set("Content-Type", asJSON)
	}
	for name, value := range g.headers {
		r.Header.Set(name, p.fill(t, value))
	}
	return p.addressed(r)
}

func (p sender) fill(t *testing.T, text string) string {
	t.Helper()
	if strings.Contains(text, "{token}") {
		text = strings.ReplaceAll(text, "{token}", p.token(t))
	}
	if strings.Contains(text, "{secret}") {
		text = strings.ReplaceAll(text, "{secret}", p.secret(t))
	}
	return strings.ReplaceAll(text, "{now}", time.Now().UTC().Format(time.RFC3339))
}

// handshake is which of the preset's the request is; -1 where it is none.
func (p sender) handshake(t *testing.T, r webhook.Request) int {
	t.Helper()
	for i, one := range p.hook.Handshakes {
		h, err := webhook.CompileHandshake(one)
		if err != nil {
			t.Fatal(err)
		}
		if h.Is(r, false) {
			return i
		}
	}
	return -1
}

// handOver plays the providers that hand a secret over, before anything else: it
// is stored, what they sign with it is taken, and a stranger's is not stored.
func (s *system) handOver(t *testing.T) (events int) {
	t.Helper()
	for _, c := range []struct {
		preset, secret string
		by             func(secret, token string) webhook.Request
	}{
		{"asana", "b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81", func(secret, token string) webhook.Request {
			return webhook.Request{RawQuery: "token=" + token, Header: webhook.Header{{Name: "X-Hook-Secret", Value: secret}}}
		}},
		{"notion", "secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl", func(secret, token string) webhook.Request {
			return webhook.Request{RawQuery: "token=" + token, Body: []byte(`{"verification_token":"` + secret + `"}`)}
		}},
		{"salesforce-marketing-cloud", "3fkXoX3o0Vt0Q9Yw0bWlE1mV0v8m3CNN", func(secret, _ string) webhook.Request {
			return webhook.Request{Body: []byte(`{"callbackId":"4c9b7f9e-1","verificationKey":"` + secret + `"}`)}
		}},
	} {
		t.Run("the secret is handed over by "+c.preset, func(t *testing.T) {
			events += s.sender(t, c.preset).handsOver(t, c.secret, c.by)
		})
	}
	return events
}

func (p sender) handsOver(t *testing.T, secret string, by func(secret, token string) webhook.Request) int {
	t.Helper()
	ref := p.hook.Secret[0]
	token := ""
	if len(p.hook.VerifyToken) > 0 {
		token = p.token(t)
		if got := p.send(t.Context(), t, by("of-somebody-else-entirely", "another")); got.Status != 403 {
			t.Errorf("a stranger's secret: answered %d, want 403", got.Status)
		}
	}
	if value, err := p.secrets.Value(ref); err == nil {
		t.Fatalf("there is a secret already: %q", value)
	}
	if got := p.send(t.Context(), t, by(secret, token)); got.Status != 200 {
		t.Fatalf("answered %d %s", got.Status, got.Body)
	}
	until(t, "the secret is stored", func() (string, bool) {
		value, err := p.secrets.Value(ref)
		return fmt.Sprintf("%q: %v", value, err), value == secret
	})
	event := p.signed(t, p.request(p.preset.Samples[0]))
	if got := p.send(t.Context(), t, event); got.Status != p.wantStatus() {
		t.Errorf("an event signed with it: answered %d %s", got.Status, got.Body)
	}
	forged := event
	forged.Body = bytes.Replace(event.Body, []byte("{"), []byte("{ "), 1)
	if got := p.send(t.Context(), t, forged); got.Status != 401 {
		t.Errorf("an event changed since: answered %d", got.Status)
	}
	return cmp.Or(batches[p.name+" "+p.preset.Samples[0].Type], 1)
}

// triggerAnother triggers for a provider that has handed over a second secret by
// now. A receiver that read the first a moment ago takes it after some seconds.
func (s *system) triggerAnother(t *testing.T) (events int) {
	t.Helper()
	until(t, "what is signed with the second secret is taken", func() (string, bool) {
		_, err := s.Command(t.Context(), "trigger", "asana", "task.changed")
		return fmt.Sprint(err), err == nil
	})
	return batches["asana task.changed"]
}
