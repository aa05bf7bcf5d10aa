package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/webhook"
)

const formType = "application/x-www-form-urlencoded"

// captured is a request that a stranger saw, and may change: the first sample of a preset.
func (o *orchard) captured(tb testing.TB, name string) webhook.Request {
	tb.Helper()
	return again(o.hook(tb, name).samples[0])
}

// Who saw one authentic request can send it again, which makes a duplicate. He
// must not be able to make another event of it.
func TestAnEventThatWasNeverSentCannotBeMadeOfOneThatWas(t *testing.T) {
	t.Parallel()
	const evil = `{"evil":true}`
	evilXML := base64.StdEncoding.EncodeToString([]byte("<evil><kind>evil</kind>" + strings.Repeat(" ", 64) + "</evil>"))
	for _, tt := range []struct {
		name   string
		preset string
		change func(r *webhook.Request)
	}{
		{"a form that is JSON too, for who reads it so", "gitea", func(r *webhook.Request) {
			payload := url.QueryEscape(string(r.Body))
			r.Header.Set("Content-Type", formType)
			r.Body = []byte(`{"evil":"&payload=` + payload + `&"}`)
		}},
		{"a form with the signed field, and another of its name in a charset of its own", "gitea", func(r *webhook.Request) {
			payload := url.QueryEscape(string(r.Body))
			r.Header.Set("Content-Type", formType+"; charset=iso-2022-jp")
			r.Body = []byte("%1B(Bpayload=" + url.QueryEscape(evil) + "&payload=" + payload)
		}},
		{"a form with the signed field twice", "gitea", func(r *webhook.Request) {
			payload := url.QueryEscape(string(r.Body))
			r.Header.Set("Content-Type", formType)
			r.Body = []byte("payload=" + url.QueryEscape(evil) + "&payload=" + payload)
		}},
		{"a multipart that is a form too, for a source whose body is a form", "braintree", func(r *webhook.Request) {
			fields, _ := url.ParseQuery(string(r.Body))
			multi(r, [2]string{`name="x"`, "&bt_payload=" + evilXML + "&"},
				[2]string{`name="bt_signature"`, fields.Get("bt_signature")}, [2]string{`name="bt_payload"`, fields.Get("bt_payload")})
		}},
		{"a form with the signed field, and another in another charset, for a source whose body is a form", "braintree", func(r *webhook.Request) {
			r.Header.Set("Content-Type", formType+"; charset=iso-2022-jp")
			r.Body = append([]byte("%1B(Bbt_payload="+url.QueryEscape(evilXML)+"&"), r.Body...)
		}},
		{"a form that is a multipart too, for a source whose body is a multipart", "dropbox-sign", func(r *webhook.Request) {
			payload := field(t, *r, "json")
			r.Header.Set("Content-Type", formType+"; boundary=x")
			r.Body = []byte("a=--x\r\nContent-Disposition: form-data; name=\"json\"\r\n\r\n" + evil + "\r\n--x--&json=" + url.QueryEscape(payload))
		}},
		{"a form with a field that is there twice, and so not signed", "vonage-sms", func(r *webhook.Request) {
			r.Body = append(r.Body, "&evil=1&evil=2"...)
		}},
		{"a form whose signed field is there again, for who reads the last", "paddle-classic", func(r *webhook.Request) {
			r.Body = append(r.Body, "&alert_name=evil&alert_id=evil"...)
		}},
		{"a form with a pair that nobody can decode", "paddle-classic", func(r *webhook.Request) {
			r.Body = append(r.Body, "&evil=%zz"...)
		}},
		{"a text that a challenge would sign", "x", func(r *webhook.Request) {
			r.Body = []byte("evil")
			signedByChallenge(t, r)
		}},
		{"a form that is JSON in UTF-16 too", "gitea", func(r *webhook.Request) {
			payload := "&payload=" + url.QueryEscape(string(r.Body)) + "&"
			if len(payload)%2 == 1 {
				payload += "&"
			}
			r.Header.Set("Content-Type", formType)
			r.Body = []byte("{\x00\"\x00e\x00\"\x00:\x00\"\x00" + payload + "\"\x00}\x00")
		}},
		{"a form that is JSON behind a byte order mark too", "gitea", func(r *webhook.Request) {
			payload := url.QueryEscape(string(r.Body))
			r.Header.Set("Content-Type", formType)
			r.Body = []byte("\xef\xbb\xbf {\"evil\":\"&payload=" + payload + "&\"}")
		}},
		{"a form whose field is signed elsewhere, in the query", "vonage-sms", func(r *webhook.Request) {
			r.RawQuery = "text=evil"
		}},
		{"a lengthened hash of what is said to be text", "hubspot-v1", func(r *webhook.Request) {
			r.Header.Set("Content-Type", "text/plain")
			r.Header.Set("X-HubSpot-Signature", lengthened(t, r.Header.Get("X-HubSpot-Signature"), 64+len(r.Body), evil))
			r.Body = append(r.Body, padding(64+len(r.Body))...)
			r.Body = append(r.Body, evil...)
		}},
		{"a number that a challenge would sign", "x", func(r *webhook.Request) {
			r.Body = []byte("666")
			signedByChallenge(t, r)
		}},
		{"a hash that was lengthened, as those with the secret in front can be", "hubspot-v1", func(r *webhook.Request) {
			r.Header.Set("X-HubSpot-Signature", lengthened(t, r.Header.Get("X-HubSpot-Signature"), 64+len(r.Body), evil))
			r.Body = append(r.Body, padding(64+len(r.Body))...)
			r.Body = append(r.Body, evil...)
		}},
		{"JSON with a member twice where its fields are signed", "sns", func(r *webhook.Request) {
			r.Body = []byte(strings.Replace(string(r.Body), `{`, `{"Message":"evil",`, 1))
		}},
		{"JSON with a member twice, behind", "sns", func(r *webhook.Request) {
			i := bytes.LastIndexByte(r.Body, '}')
			r.Body = append(r.Body[:i:i], `,"Mes\u0073age":"evil"}`...)
		}},
		{"a batch with one good item, and one without a signature", "adyen", func(r *webhook.Request) {
			r.Body = []byte(strings.Replace(string(r.Body), `"notificationItems":[`, `"notificationItems":[{"NotificationRequestItem":{"pspReference":"evil"}},`, 1))
		}},
		{"a batch with one good item, and a null", "adyen", func(r *webhook.Request) {
			r.Body = []byte(strings.Replace(string(r.Body), `"notificationItems":[`, `"notificationItems":[null,`, 1))
		}},
		{"a batch with the array twice", "adyen", func(r *webhook.Request) {
			r.Body = []byte(strings.Replace(string(r.Body), `{`, `{"notificationItems":[{"NotificationRequestItem":{"pspReference":"evil"}}],`, 1))
		}},
		{"a batch whose second item has the signature of the first", "adyen", func(r *webhook.Request) {
			first := gjson.GetBytes(r.Body, "notificationItems.0").Raw
			second := strings.Replace(first, gjson.Get(first, "NotificationRequestItem.pspReference").Str, "8666666666666666", 1)
			r.Body = []byte(strings.Replace(string(r.Body), `"notificationItems":[`, `"notificationItems":[`+second+`,`, 1))
		}},
		{"an item with the token of another item of the batch", "microsoft-graph", func(r *webhook.Request) {
			r.Body = []byte(strings.Replace(string(r.Body), `"value":[`, `"value":[{"subscriptionId":"evil"},`, 1))
		}},
		{"an item whose token is an array", "microsoft-graph", func(r *webhook.Request) {
			token := gjson.GetBytes(r.Body, "value.0.clientState").Raw
			r.Body = []byte(strings.Replace(string(r.Body), `"clientState":`+token, `"clientState":[`+token+`]`, 1))
		}},
		{"signed headers of which the time is none", "contentful", func(r *webhook.Request) {
			r.Header.Set("x-contentful-signed-headers", "x")
			r.Header.Set("x", r.Header.Get("x-contentful-timestamp"))
		}},
		{"a signed body that is said to be compressed", "github", func(r *webhook.Request) { r.Header.Set("Content-Encoding", "deflate") }},
		{"a signature header twice, another's beside the good one for another body", "github", func(r *webhook.Request) {
			r.Header = append(r.Header, webhook.Field{Name: "X-Hub-Signature-256", Value: "sha256=" + strings.Repeat("0", 64)})
			r.Body = []byte(evil)
		}},
		{"an Authorization header twice", "bitbucket", func(r *webhook.Request) { r.Body = []byte(evil) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := newOrchard(t)
			r := o.captured(t, tt.preset)
			if o.send(t, again(r)); len(o.queue.taken) == 0 {
				t.Fatalf("the request as it was is not taken: %s", o.logged)
			}
			genuine := o.queue.taken
			o.forget()
			tt.change(&r)
			got := o.send(t, r)
			for _, e := range o.queue.taken {
				if !slices.ContainsFunc(genuine, func(g event.Event) bool { return bytes.Equal(g.Data, e.Data) }) {
					t.Errorf("queued: %s %s", e.ContentType, e.Data)
				}
			}
			if len(o.queue.taken) == 0 && (got.Status < 400 || got.Status > 499) {
				t.Errorf("answered %d: %s", got.Status, o.logged)
			}
		})
	}
}

// What is around the signed field is not believed, whatever it says.
func TestAnEventOfASignedFieldIsThatFieldAlone(t *testing.T) {
	t.Parallel()
	const evil = `{"evil":true}`
	for _, tt := range []struct {
		name   string
		preset string
		change func(r *webhook.Request)
	}{
		{"a multipart with the signed field, and another of its name that is a file", "gitea", func(r *webhook.Request) {
			multi(r, [2]string{`name="payload"; filename="x"`, evil}, [2]string{`name="payload"`, string(r.Body)})
		}},
		{"a multipart with the signed field, and JSON before the first boundary", "gitea", func(r *webhook.Request) {
			multi(r, [2]string{`name="payload"`, string(r.Body)})
			r.Body = append([]byte(evil+"\r\n"), r.Body...)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := newOrchard(t)
			r := o.captured(t, tt.preset)
			want := string(r.Body)
			tt.change(&r)
			if got := o.send(t, r); got.Status != 202 || len(o.queue.taken) != 1 || string(o.queue.taken[0].Data) != want {
				t.Errorf("answered %d, queued %v", got.Status, o.queue.taken)
			}
		})
	}
}

// A host that is the provider's has more on it than its certificates: an API
// that answers what a stranger wrote there is not the provider's word.
func TestACertificateIsNotWhatAnAPIOfTheSameHostAnswers(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"https://sns.eu-central-1.amazonaws.com/?Action=GetTopicAttributes&TopicArn=evil",
		"https://sns.eu-central-1.amazonaws.com/?Action=GetTopicAttributes&x=SimpleNotificationService-0.pem",
		"https://sns.eu-central-1.amazonaws.com/?/SimpleNotificationService-0.pem",
	} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			o := newOrchard(t)
			h := o.hook(t, "sns")
			r := o.captured(t, "sns")
			signing := regexp.MustCompile(`"SigningCertURL":"[^"]*"`)
			r.Body = signing.ReplaceAll(r.Body, []byte(`"SigningCertURL":"`+address+`"`))
			if err := publish(h, r, planted.folder); err != nil {
				t.Fatal(err)
			}
			if err := webhook.Sign(*h.config.Auth, h.credentials, &r, "", sampleTime); err != nil {
				t.Fatal(err)
			}
			if got := o.send(t, r); got.Status != 401 || len(o.queue.taken) > 0 {
				t.Errorf("answered %d, queued %d: %s", got.Status, len(o.queue.taken), o.logged)
			}
		})
	}
}

// multi makes the body a multipart of these parts.
func multi(r *webhook.Request, parts ...[2]string) {
	r.Header.Set("Content-Type", `multipart/form-data; boundary="x"`)
	var b bytes.Buffer
	for _, p := range parts {
		b.WriteString("--x\r\nContent-Disposition: form-data; " + p[0] + "\r\n\r\n" + p[1] + "\r\n")
	}
	b.WriteString("--x--\r\n")
	r.Body = b.Bytes()
}

// field is a field of a multipart.
func field(tb testing.TB, r webhook.Request, name string) string {
	tb.Helper()
	_, rest, ok := strings.Cut(string(r.Body), `name="`+name+`"`)
	_, rest, _ = strings.Cut(rest, "\r\n\r\n")
	value, _, whole := strings.Cut(rest, "\r\n--")
	if !ok || !whole {
		tb.Fatalf("no field %s in %s", name, r.Body)
	}
	return value
}

// signedByChallenge has the body signed by X's check of the address.
func signedByChallenge(tb testing.TB, r *webhook.Request) {
	tb.Helper()
	o := newOrchard(tb)
	o.hook(tb, "x")
	check := webhook.Request{Method: "GET", Path: r.Path, RawQuery: "crc_token=" + url.QueryEscape(string(r.Body))}
	got := o.send(tb, check)
	r.Header.Set("x-twitter-webhooks-signature", gjson.Get(got.Body, "response_token").Str)
}

// Each challenge that is signed with the key of the events has a shape that no
// event's signed text has.
func TestNoHandshakeSignsWhatAnEventWouldBe(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		preset    string
		challenge func(text string) webhook.Request
		texts     []string
	}{
		{"Zoom's", "zoom", func(text string) webhook.Request {
			body, _ := json.Marshal(map[string]any{"event": "endpoint.url_validation", "payload": map[string]string{"plainToken": text}})
			return webhook.Request{Method: "POST", Body: body}
		}, []string{"v0:1764576000:{}", `{"event":"x"}`, "v0:1764576000:", "v0:1764576000:x", ":", "a b", "a\nb", "", strings.Repeat("a", 129)}},
		{"X's", "x", func(text string) webhook.Request {
			return webhook.Request{Method: "GET", RawQuery: "crc_token=" + url.QueryEscape(text)}
		}, []string{`{}`, `{"tweet_create_events":[]}`, "[]", `"a"`, " 1", "a\n", "", strings.Repeat("a", 257)}},
		{"LinkedIn's", "linkedin", func(text string) webhook.Request {
			return webhook.Request{Method: "GET", RawQuery: "challengeCode=" + url.QueryEscape(text)}
		}, []string{"hmacsha256={}", `hmacsha256=`, `{}`, "hmacsha256=00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000\n", ""}},
		{"Braintree's", "braintree", func(text string) webhook.Request {
			return webhook.Request{Method: "GET", RawQuery: "bt_challenge=" + url.QueryEscape(text)}
		}, []string{base64.StdEncoding.EncodeToString([]byte("<a/>")), strings.Repeat("a", 33), strings.Repeat("a", 64), strings.Repeat("a", 19), "0123456789abcdef0123\n", strings.ToUpper(strings.Repeat("a", 20))}},
	} {
		for _, text := range tt.texts {
			t.Run(tt.name+" "+text, func(t *testing.T) {
				t.Parallel()
				o := newOrchard(t)
				o.hook(t, tt.preset)
				r := tt.challenge(text)
				r.Path, r.SourceIP = "/webhooks/"+tt.preset, "192.0.2.1"
				if got := o.send(t, r); got.Status < 400 || got.Status > 499 || got.Body == "" || strings.Contains(got.Body, "oken") {
					t.Errorf("answered %d: %s", got.Status, got.Body)
				}
			})
		}
	}
}

// The longest challenge that Braintree's handshake signs is shorter than any payload.
func TestASignedChallengeIsNoPayload(t *testing.T) {
	t.Parallel()
	o := newOrchard(t)
	o.hook(t, "braintree")
	challenge := strings.Repeat("a", 32)
	got := o.send(t, webhook.Request{Method: "GET", Path: "/webhooks/braintree", RawQuery: "bt_challenge=" + challenge})
	if got.Status != 200 || !strings.HasPrefix(got.Body, "sample-public_key|") {
		t.Fatalf("answered %d: %s", got.Status, got.Body)
	}
	r := webhook.Request{Method: "POST", Path: "/webhooks/braintree", Body: []byte(url.Values{"bt_payload": {challenge}, "bt_signature": {got.Body}}.Encode())}
	r.Header.Set("Content-Type", formType)
	if got := o.send(t, r); got.Status != 401 || len(o.queue.taken) > 0 {
		t.Errorf("the challenge, sent as an event: %d %v", got.Status, o.queue.taken)
	}
}

// What a stranger had sent comes back as text, and only as text.
func TestAChallengeIsAnsweredAsTextWhateverItIs(t *testing.T) {
	t.Parallel()
	const html = "<script>alert(1)</script>"
	answered := 0
	o := newOrchard(t)
	for _, h := range o.all(t) {
		for i, one := range h.config.Handshakes {
			var got answer
			for _, text := range []string{html, "0123456789abcdef0123", "00000000-0000-0000-0000-000000000000", "1", "https://hooks.example.com/"} {
				o.forget()
				if got = o.send(t, greetingFor(h, one, text)); got.Status < 300 {
					break
				}
			}
			o.store(h)
			if got.Status > 299 {
				continue
			}
			answered++
			if got.Headers["x-content-type-options"] != "nosniff" && len(o.queue.taken) == 0 {
				t.Errorf("%s, handshake %d: without nosniff: %v", h.name, i, got)
			}
			media, _, _ := strings.Cut(got.Headers["content-type"], ";")
			switch {
			case got.Body == "":
			case media == "application/json":
				if !json.Valid([]byte(got.Body)) {
					t.Errorf("%s, handshake %d: no JSON: %s", h.name, i, got.Body)
				}
			case media != "text/plain":
				t.Errorf("%s, handshake %d: answered as %q: %s", h.name, i, media, got.Body)
			}
		}
	}
	if answered < 10 {
		t.Errorf("only %d handshakes were answered", answered)
	}
}

// greetingFor is a request that a handshake is about, with the text where any is taken.
func greetingFor(h *hook, one config.Handshake, text string) webhook.Request {
	when := maps.Clone(one.When)
	if one.Token != "" {
		when[one.Token] = verifyToken
	}

	r := webhook.Request{Method: "POST", Path: "/webhooks/" + h.name, SourceIP: "192.0.2.1"}
	r.Header.Set("Content-Type", "application/json")
	query, body := url.Values{}, map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(when)) {
		want := when[name]
		if want == "" {
			continue
		}
		value := strings.ReplaceAll(want, `\`, "")
		if strings.ContainsAny(want, "[*+|(^") {
			value = text
		}
		root, arg, _ := strings.Cut(name, ".")
		switch root {
		case "method":
			r.Method = value
		case "header":
			r.Header.Set(arg, value)
		case "query":
			query.Set(arg, value)
		case "body":
			set(body, strings.Split(arg, "."), value)
		}
	}
	r.RawQuery = query.Encode()
	if len(body) > 0 {
		r.Body, _ = json.Marshal(body)
	}
	return r
}

func set(object map[string]any, path []string, value string) {
	for _, step := range path[:len(path)-1] {
		inner, ok := object[step].(map[string]any)
		if !ok {
			inner = map[string]any{}
			object[step] = inner
		}
		object = inner
	}
	object[path[len(path)-1]] = value
}

// A secret that is handed over: the first is kept, and no stranger replaces it.
func TestASecretThatIsHandedOverIsNotReplacedByAStranger(t *testing.T) {
	t.Parallel()
	first, second := strings.Repeat("first-", 8), strings.Repeat("second", 8)
	asana := func(handed, token string) webhook.Request {
		r := webhook.Request{Method: "POST", Path: "/webhooks/asana", RawQuery: "token=" + token}
		r.Header.Set("X-Hook-Secret", handed)
		return r
	}
	notion := func(handed, token string) webhook.Request {
		r := webhook.Request{Method: "POST", Path: "/webhooks/notion", RawQuery: "token=" + token, Body: []byte(`{"verification_token":"` + handed + `"}`)}
		r.Header.Set("Content-Type", "application/json")
		return r
	}
	for name, hands := range map[string]func(handed, token string) webhook.Request{"asana": asana, "notion": notion} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOrchard(t)
			ref := o.hook(t, name).secretRef()
			o.secrets.drop(ref)
			if got := o.send(t, hands(second, "guessed")); got.Status != 403 || o.secrets.now[ref] != "" {
				t.Errorf("a stranger's first: %d, kept %q", got.Status, o.secrets.now[ref])
			}
			if got := o.send(t, hands(first, verifyToken)); got.Status != 200 || o.secrets.now[ref] != first {
				t.Fatalf("the first: %d, kept %q: %s", got.Status, o.secrets.now[ref], o.logged)
			}
			if got := o.send(t, hands(second, "guessed")); got.Status != 403 || o.secrets.now[ref] != first {
				t.Errorf("a stranger's second: %d, kept %q", got.Status, o.secrets.now[ref])
			}
			if got := o.send(t, hands(second, "")); got.Status != 403 || o.secrets.now[ref] != first {
				t.Errorf("a stranger's second, without a token: %d, kept %q", got.Status, o.secrets.now[ref])
			}
			if got := o.send(t, hands("line\r\nbreaks-and-more", verifyToken)); got.Status == 200 || o.secrets.now[ref] != first {
				t.Errorf("one with line breaks: %d, kept %q", got.Status, o.secrets.now[ref])
			}
			if got := o.send(t, hands(first, verifyToken)); got.Status != 200 || o.secrets.now[ref] != first {
				t.Errorf("the first again: %d, kept %q", got.Status, o.secrets.now[ref])
			}
			if got := o.send(t, hands(second, verifyToken)); got.Status != 200 || o.secrets.now[ref] != second+"\n"+first {
				t.Errorf("a second by who has the token: %d, kept %q", got.Status, o.secrets.now[ref])
			}
			for _, key := range []string{first, second} {
				h := o.hook(t, name)
				r := again(h.samples[0])
				if err := webhook.Sign(*h.config.Auth, webhook.Credentials{Secrets: []string{key}}, &r, "", sampleTime); err != nil {
					t.Fatal(err)
				}
				if got := o.send(t, r); got.Status > 299 {
					t.Errorf("an event signed with a secret that is kept: %d: %s", got.Status, o.logged)
				}
			}
			if strings.Contains(o.logged.String(), first) || strings.Contains(o.logged.String(), second) {
				t.Errorf("a secret is in the log: %s", o.logged)
			}
		})
	}
}

// drop makes it as if nothing had been stored at a reference.
func (s *fakeSecrets) drop(ref string) {
	delete(s.now, ref)
	delete(s.cached, ref)
}

// What is not the request's fault is never answered with what makes a provider give up.
func TestOurOwnMistakesAreAlways503(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		prepare func(o *orchard, h *hook)
		counts  func(h *hook) bool
	}{
		{"a secret that is not there", func(o *orchard, h *hook) { o.secrets.drop(h.secretRef()) }, usesSecret},
		{"a secret that is empty", func(o *orchard, h *hook) { o.secrets.now[h.secretRef()], o.secrets.cached[h.secretRef()] = "", "" }, usesSecret},
		{"a secret that is nothing but its prefix and spaces", func(o *orchard, h *hook) {
			o.secrets.now[h.secretRef()] = h.config.Auth.Key.Prefix
			o.secrets.cached[h.secretRef()] = h.config.Auth.Key.Prefix
		}, func(h *hook) bool { return h.config.Auth.Key.Prefix != "" }},
		{"a public key that is none", func(o *orchard, h *hook) {
			o.secrets.now[h.secretRef()], o.secrets.cached[h.secretRef()] = "no key", "no key"
		}, func(h *hook) bool { return h.credentials.Private != "" && usesSecret(h) }},
		{"a server of keys that is down", func(o *orchard, _ *hook) {
			o.keys = webhook.NewKeys(&http.Client{Transport: offline{}}, "", o.now)
		}, func(h *hook) bool { return webhook.FetchesKey(*h.config.Auth) && h.config.Auth.Scheme != "any" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := newOrchard(t)
			n := 0
			for _, h := range o.all(t) {
				if !tt.counts(h) {
					continue
				}
				n++
				o.forget()
				tt.prepare(o, h)
				if got := o.send(t, h.samples[0]); got.Status != 503 || len(o.queue.taken) > 0 {
					t.Errorf("%s: answered %d, queued %d: %s", h.name, got.Status, len(o.queue.taken), o.logged)
				}
				o.store(h)
			}
			if n == 0 {
				t.Error("no preset is of that kind")
			}
		})
	}
}

func usesSecret(h *hook) bool { return webhook.UsesSecret(*h.config.Auth) }

// An empty secret is no secret: nobody who knows that it is empty gets in.
func TestAnEmptySecretLetsNobodyInWhateverTheScheme(t *testing.T) {
	t.Parallel()
	o := newOrchard(t)
	for _, h := range o.all(t) {
		if !usesSecret(h) || h.credentials.Private != "" {
			continue
		}
		o.forget()
		o.secrets.now[h.secretRef()], o.secrets.cached[h.secretRef()] = "", ""
		for _, forged := range emptySigned(h) {
			if got := o.send(t, forged); got.Status < 300 || len(o.queue.taken) > 0 {
				t.Errorf("%s: answered %d, queued %d", h.name, got.Status, len(o.queue.taken))
			}
		}
		o.store(h)
	}
}

// emptySigned are requests as who takes the secret to be empty would sign them.
func emptySigned(h *hook) []webhook.Request {
	var made []webhook.Request
	for _, secret := range []string{"", ":"} {
		r := again(h.samples[0])
		if webhook.Sign(*h.config.Auth, webhook.Credentials{Secrets: []string{secret}}, &r, "", sampleTime) == nil {
			made = append(made, r)
		}
	}
	r := again(h.samples[0])
	for i := range r.Header {
		r.Header[i].Value = strings.ReplaceAll(r.Header[i].Value, h.credentials.Secrets[0], "")
	}
	return append(made, r)
}

func TestTheAnswerAndTheLogHoldNoLineBreaksOfAStranger(t *testing.T) {
	t.Parallel()
	const breaks = "x\r\nset-cookie: evil\r\n\r\n<html>\u2028\x1b[31m"
	for _, change := range []func(r *webhook.Request){
		func(r *webhook.Request) { r.Path = "/webhooks/" + breaks },
		func(r *webhook.Request) { r.Path = "/webhooks/../webhooks/../../etc/passwd" },
		func(r *webhook.Request) { r.Path = "/webhooks/.." },
		func(r *webhook.Request) { r.Path = "/webhooks/%2e%2e%2fgithub" },
		func(r *webhook.Request) { r.Path = "/webhooks/github\x00" },
		func(r *webhook.Request) { r.Method = breaks },
		func(r *webhook.Request) { r.Header.Set("X-Hub-Signature-256", breaks) },
		func(r *webhook.Request) { r.Header.Set("Content-Type", breaks) },
		func(r *webhook.Request) { r.Header.Set("Content-Encoding", breaks) },
		func(r *webhook.Request) { r.Header.Set("traceparent", breaks) },
		func(r *webhook.Request) { r.Header.Set("X-GitHub-Delivery", breaks) },
		func(r *webhook.Request) { r.RawQuery = url.QueryEscape(breaks) },
	} {
		o := newOrchard(t)
		r := o.captured(t, "github")
		change(&r)
		got := o.send(t, r)
		for name, value := range got.Headers {
			if strings.ContainsAny(value, "\r\n\x00") || name == "set-cookie" {
				t.Errorf("the answer's header %s is %q", name, value)
			}
		}
		for line := range strings.Lines(o.logged.String()) {
			if !json.Valid([]byte(line)) || strings.HasPrefix(line, "set-cookie") {
				t.Errorf("a line of the log is %q", line)
			}
		}
		for line := range strings.Lines(o.metered.String()) {
			if !json.Valid([]byte(line)) || strings.Contains(line, "evil") {
				t.Errorf("a line of the metrics is %q", line)
			}
		}
	}
}

func TestABombIsRefused(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	zeros := make([]byte, 1<<20)
	for range 64 {
		_, _ = w.Write(zeros)
	}
	_ = w.Close()
	const depth = 1 << 20
	deep := strings.Repeat(`{"a":`, depth/5) + "1" + strings.Repeat("}", depth/5)
	deepArray := strings.Repeat("[", depth) + strings.Repeat("]", depth)
	for _, tt := range []struct {
		name, preset, encoding string
		body                   []byte
	}{
		{"a gzip bomb, signed by nobody, where the body is looked into first", "adyen", "gzip", bomb.Bytes()},
		{"a gzip bomb, signed by nobody", "github", "gzip", bomb.Bytes()},
		{"a gzip of a gzip of a gzip of a gzip", "adyen", "gzip, gzip, gzip, gzip", bomb.Bytes()},
		{"objects in objects", "adyen", "", []byte(deep)},
		{"arrays in arrays", "adyen", "", []byte(deepArray)},
		{"arrays in arrays, where fields are signed", "sns", "", []byte(deepArray)},
		{"objects in an item", "adyen", "", []byte(`{"notificationItems":[` + strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000) + `]}`)},
		{"a form of a million fields", "vonage-sms", "", bytes.Repeat([]byte("a=1&"), 1<<20)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := newOrchard(t)
			r := o.captured(t, tt.preset)
			r.Body = tt.body
			if tt.encoding != "" {
				r.Header.Set("Content-Encoding", tt.encoding)
			}
			if got := o.send(t, r); got.Status < 400 || got.Status > 499 || len(o.queue.taken) > 0 {
				t.Errorf("answered %d: %s", got.Status, o.logged)
			}
		})
	}
}

// lengthened is the SHA-256 of what had that hash and length, with its padding
// and a text behind it: nobody needs the secret for that.
func lengthened(tb testing.TB, sum string, length int, text string) string {
	tb.Helper()
	raw, err := hex.DecodeString(sum)
	if err != nil {
		tb.Fatal(err)
	}
	return hex.EncodeToString(sha256From(tb, raw, length+len(padding(length)), text))
}
