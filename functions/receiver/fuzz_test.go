package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pushpull/shared/body"
	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/provider"
	"pushpull/shared/webhook"
)

// words are what an edit may write, besides bytes of the fuzzer's own.
var words = []string{
	"", "x", "0", "null", "[]", "{}", "{", "}", "]", ",", "&", "=", "%", "%00", "+", "\r\n", "\x00", "\xff", "\xef\xbb\xbf", "--x", "--x--", "..", ".",
	"application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "text/xml", "application/x-ndjson",
	"application/jwt", "application/json; charset=utf-16", "application/x-www-form-urlencoded; charset=iso-2022-jp", "text/xml; charset=shift_jis",
	"gzip", "deflate", "br", "zstd", "identity", "gzip, gzip", "GET", "HEAD", "PUT", "OPTIONS", "DELETE", "POST", "true", "false", "Content-Type", "Content-Encoding",
	"Authorization", "Basic Og==", "Bearer ", "sha256=", "v1=", "t=", "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA", "1764576000", "1764576001000",
	`{"evil":true}`, `,"evil":true`, `"evil":`, "&evil=1", "&evil=1&evil=2", "payload=", "&payload=", "%1B(B", "https://example.com/cert.pem", "127.0.0.1", "2001:db8::1",
}

// A program is bytes that the fuzzer chose, read as edits of a request.
type program []byte

func (p *program) next() int {
	if len(*p) == 0 {
		return 0
	}
	b := (*p)[0]
	*p = (*p)[1:]
	return int(b)
}

// text is a word, or bytes of the program.
func (p *program) text() string {
	n := p.next()
	if n < len(words) {
		return words[n]
	}
	n = min(n-len(words), len(*p))
	text := string((*p)[:n])
	*p = (*p)[n:]
	return text
}

// at is an index up to n.
func (p *program) at(n int) int { return (p.next()<<8 | p.next()) % (n + 1) }

// edit changes a request by one step of the program.
func (p *program) edit(r *webhook.Request, h *hook) {
	switch p.next() % 20 {
	case 0: // a byte of the body
		if i := p.at(len(r.Body)); i < len(r.Body) {
			r.Body[i] = byte(p.next())
		}
	case 1:
		r.Body = slices.Insert(r.Body, p.at(len(r.Body)), []byte(p.text())...)
	case 2:
		i := p.at(len(r.Body))
		r.Body = slices.Delete(r.Body, i, min(len(r.Body), i+p.next()))
	case 3:
		r.Body = append(r.Body, p.text()...)
	case 4:
		r.Body = []byte(p.text())
	case 5:
		r.Body = append([]byte(p.text()), r.Body...)
	case 6: // a header's value
		if i := p.at(len(r.Header)); i < len(r.Header) {
			r.Header[i].Value = p.text()
		}
	case 7:
		if i := p.at(len(r.Header)); i < len(r.Header) {
			value := r.Header[i].Value
			cut := p.at(len(value))
			r.Header[i].Value = value[:cut] + p.text() + value[cut:]
		}
	case 8:
		if i := p.at(len(r.Header)); i < len(r.Header) {
			r.Header = slices.Delete(r.Header, i, i+1)
		}
	case 9:
		r.Header = append(r.Header, webhook.Field{Name: p.text(), Value: p.text()})
	case 10: // one that is there twice
		if i := p.at(len(r.Header)); i < len(r.Header) {
			r.Header = slices.Insert(r.Header, p.at(len(r.Header)), webhook.Field{Name: r.Header[i].Name, Value: p.text()})
		}
	case 11:
		r.Header.Set("Content-Type", p.text())
	case 12:
		r.Method = p.text()
	case 13:
		r.RawQuery += "&" + p.text()
	case 14:
		r.RawQuery = p.text()
	case 15:
		r.Path += p.text()
	case 16:
		r.SourceIP = p.text()
	case 17: // compressed, or said to be
		if encoding := p.text(); p.next()%2 == 0 {
			r.Header.Set("Content-Encoding", encoding)
		} else {
			r.Body = inGzip(r.Body)
			r.Header.Set("Content-Encoding", "gzip")
		}
	case 18: // the body or the headers of another request that was signed
		other := again(h.samples[p.at(len(h.samples)-1)])
		if p.next()%2 == 0 {
			r.Body = other.Body
		} else {
			r.Header = other.Header
		}
	case 19: // the body in a form's field, or in a part
		name := []string{"payload", "json", "data", p.text()}[p.next()%4]
		if p.next()%2 == 0 {
			r.Body = []byte(p.text() + name + "=" + url.QueryEscape(string(r.Body)) + p.text())
			r.Header.Set("Content-Type", formType)
		} else {
			multi(r, [2]string{p.text(), p.text()}, [2]string{`name="` + name + `"`, string(r.Body)})
		}
	}
}

func inGzip(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

// FuzzPresets sends each preset's own requests, signed as they should be and
// then changed, and anything else. Whatever comes is answered, and nothing is
// queued but what was signed.
func FuzzPresets(f *testing.F) {
	o := newOrchard(f)
	names := provider.Names()
	judges := map[string]*judge{}
	for i := range names {
		f.Add(uint16(i), uint8(0), []byte{byte(i % 20), 0, 1, byte(len(words) + 3), 'a', 'b', 'c'}, []byte(nil))
	}
	f.Add(uint16(0), uint8(0), []byte(nil), []byte(`{"rawPath":"/webhooks/github","requestContext":{"http":{"method":"POST"}},"body":"{}"}`))
	f.Add(uint16(0), uint8(0), []byte(nil), []byte(`{"path":"/webhooks/github","httpMethod":"POST","multiValueHeaders":{"a":null},"body":0}`))
	for _, name := range []string{"gitea", "braintree", "adyen", "sns", "x", "hubspot-v1", "vonage-sms", "paddle-classic", "microsoft-graph"} {
		i := slices.Index(names, name)
		f.Add(uint16(i), uint8(0), []byte{19, 0, 0, 0, 0, 0}, []byte(nil))
		f.Add(uint16(i), uint8(0), []byte{3, 71, 11, 24}, []byte(nil))
	}
	for _, name := range []string{"github", "zoom", "twilio"} {
		o.hook(f, name)
	}
	f.Fuzz(func(t *testing.T, which uint16, sample uint8, edits, raw []byte) {
		o.forget()
		h := o.hook(t, names[int(which)%len(names)])
		if h == nil {
			return
		}
		if judges[h.name] == nil {
			judges[h.name] = newJudge(t, o, h)
		}
		if len(raw) > 0 {
			got := o.invoke(t.Context(), t, raw)
			checkAnswer(t, o, got, true)
			if len(o.queue.taken) > 0 {
				t.Fatalf("queued, though nobody who makes up bytes knows a secret: %s", raw)
			}
			return
		}
		n := int(sample) % len(h.samples)
		r := again(h.samples[n])
		p := program(edits)
		for range 8 {
			if len(p) > 0 {
				p.edit(&r, h)
			}
		}
		r = asSent(r)
		got := o.send(t, again(r))
		checkAnswer(t, o, got, webhook.FetchesKey(*h.config.Auth))
		for _, e := range o.queue.taken {
			if e.Source != h.name {
				t.Fatalf("%s: queued for %s", h.name, e.Source)
			}
			if err := judges[h.name].judge(r, e); err != "" {
				t.Fatalf("%s: %s: queued %q from %s %s?%s %v %q", h.name, err, e.Data, r.Method, r.Path, r.RawQuery, r.Header, r.Body)
			}
		}
		if o.secrets.now[h.secretRef()] != h.credentials.Secrets[0] {
			t.Fatalf("%s: the secret was replaced", h.name)
		}
	})
}

// asSent is the request after its way through JSON, which has no bytes that are no UTF-8 in texts.
func asSent(r webhook.Request) webhook.Request {
	valid := func(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
	for i, field := range r.Header {
		r.Header[i] = webhook.Field{Name: valid(field.Name), Value: valid(field.Value)}
	}
	r.Method, r.Path, r.RawQuery = valid(r.Method), valid(r.Path), valid(r.RawQuery)
	return r
}

var reasonOf = regexp.MustCompile(`"reason":"([a-z_]+)"`)

// checkAnswer: no answer says that we are broken, unless a key could not be fetched.
func checkAnswer(t *testing.T, o *orchard, got answer, fetches bool) {
	t.Helper()
	if got.Status < 200 || got.Status > 499 && got.Status != 503 {
		t.Fatalf("answered %d", got.Status)
	}
	if got.Status == 503 {
		if reason := reasonOf.FindStringSubmatch(o.logged.String()); !fetches || reason == nil || reason[1] != "key" {
			t.Fatalf("503, though nothing of ours is broken: %s", o.logged)
		}
	}
	if got.Status > 299 && len(o.queue.taken) > 0 {
		t.Fatalf("refused with %d, and queued", got.Status)
	}
	for name, value := range got.Headers {
		if strings.ContainsAny(name+value, "\r\n\x00") {
			t.Fatalf("the answer's header %q is %q", name, value)
		}
	}
	switch media := got.Headers["content-type"]; {
	case got.Body == "": // Discord wants the type even so
	case strings.HasSuffix(media, "json"):
		if !json.Valid([]byte(got.Body)) {
			t.Fatalf("the answer is no JSON: %q", got.Body)
		}
	case got.Headers["x-content-type-options"] != "nosniff",
		!strings.HasPrefix(media, "text/plain") && len(o.queue.taken) == 0:
		t.Fatalf("the answer is %q: %v", got.Body, got.Headers)
	}
	if len(got.Body) > 16<<10 {
		t.Fatalf("an answer of %d bytes", len(got.Body))
	}
}

// A judge decides by other means than the engine's whether an event is authentic.
type judge struct {
	hook    *hook
	queued  [][]byte            // the data of all events of the samples as they were
	fields  map[string]bool     // what of these is signed, where single fields are
	paths   []string            // of those fields
	forms   map[string]bool     // the signed forms, written in one way
	parents map[string]struct{} // the bodies as they were signed
	covers  bool
}

var bodyField = regexp.MustCompile(`\{body\.([^}|?]+)`)

func newJudge(tb testing.TB, o *orchard, h *hook) *judge {
	tb.Helper()
	v, err := webhook.Compile(*h.config.Auth)
	if err != nil {
		tb.Fatal(err)
	}
	j := &judge{hook: h, covers: v.Covers(""), fields: map[string]bool{}, forms: map[string]bool{}, parents: map[string]struct{}{}}
	for _, found := range bodyField.FindAllStringSubmatch(signedOf(*h.config.Auth), -1) {
		if !slices.Contains(j.paths, found[1]) {
			j.paths = append(j.paths, found[1])
		}
	}
	for _, r := range h.samples {
		o.forget()
		o.send(tb, again(r))
		for _, e := range o.queue.taken {
			j.queued = append(j.queued, bytes.Clone(e.Data))
			j.fields[fieldsOf(e.Data, j.paths)] = true
		}
		j.forms[formOf(r)] = true
		j.parents[string(r.Body)] = struct{}{}
	}
	o.forget()
	return j
}

func signedOf(a config.Auth) string {
	text := strings.Join(a.Signed, "")
	for _, one := range a.Of {
		text += signedOf(one)
	}
	return text
}

// judge says why an event is not authentic; "" where it is.
func (j *judge) judge(r webhook.Request, e event.Event) string {
	if slices.ContainsFunc(j.queued, func(b []byte) bool { return bytes.Equal(b, e.Data) }) {
		return "" // it was sent before: a duplicate
	}
	if kind := j.shows(*j.hook.config.Auth, r, e); kind != "" {
		return kind
	}
	return ""
}

// shows goes by the scheme.
func (j *judge) shows(a config.Auth, r webhook.Request, e event.Event) string {
	switch a.Scheme {
	case "any":
		all := ""
		for _, one := range a.Of {
			said := j.shows(one, r, e)
			if said == "" {
				return ""
			}
			all += said + "; "
		}
		return all
	case "all":
		for _, one := range a.Of {
			if said := j.shows(one, r, e); said != "" {
				return said
			}
		}
		return ""
	case "token", "basic":
		return j.hasSecret(r)
	case "ip", "mtls":
		return "" // the gateway says who calls
	case "jwt":
		return j.hasToken(a, r)
	}
	switch signed := strings.Join(a.Signed, ""); {
	case signed == "" || strings.Contains(signed, "{body}") || strings.Contains(signed, "{body|"):
		_, sent := j.parents[string(r.Body)]
		decoded, err := body.Decode(r.Body, r.Header.Get("Content-Encoding"), 1<<20)
		if !sent || err == nil && !bytes.Equal(decoded, r.Body) {
			return "a body that was never signed"
		}
	case strings.Contains(signed, "{sorted_") || strings.Contains(signed, "{php_form}"):
		if !j.forms[formOf(r)] || r.Header.Get("Content-Encoding") != "" {
			return "a form that was never signed"
		}
	case strings.Contains(signed, "{form."):
		if !strings.Contains(signed, "{timestamp}{form.token}") { // Mailgun's routes, of which the rest is not signed
			return "a field that was never signed"
		}
	case len(j.paths) > 0:
		if !j.fields[fieldsOf(e.Data, j.paths)] {
			return "fields that were never signed"
		}
	}
	return ""
}

// hasSecret looks for the secret in all that a request may show it in.
func (j *judge) hasSecret(r webhook.Request) string {
	secret := j.hook.credentials.Secrets[0]
	texts := []string{string(r.Body)}
	query, _ := url.ParseQuery(r.RawQuery) // of the pairs that can be read
	for _, values := range query {
		texts = append(texts, values...)
	}
	for _, f := range r.Header {
		texts = append(texts, f.Value)
		if _, basic, ok := strings.Cut(f.Value, " "); ok {
			decoded, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(basic))
			texts = append(texts, string(decoded))
		}
	}
	if slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, secret) }) {
		return ""
	}
	if r.Header.Get("Content-Encoding") == "gzip" && slices.Equal(j.hook.config.Auth.Signature.Header, nil) {
		return "" // it is within
	}
	return "without the secret"
}

// hasToken looks for a token that was signed, and, where it holds the body's
// hash, for its body.
func (j *judge) hasToken(a config.Auth, r webhook.Request) string {
	covered := a.Signature.Body == "*" || a.Signature.Detached || slices.ContainsFunc(slices.Collect(maps.Values(a.Claims)), func(c string) bool { return strings.Contains(c, "{body|") })
	if _, sent := j.parents[string(r.Body)]; covered && !sent {
		return "a body that no token was signed for"
	}
	for _, s := range j.hook.samples {
		for _, f := range s.Header {
			token := f.Value
			dot := strings.LastIndex(token, ".")
			if dot < 0 {
				continue
			}
			_, token, _ = strings.Cut(" "+token[:dot], " ")
			token = strings.TrimPrefix(token, "Bearer ")
			for _, sent := range r.Header {
				if len(token) > 20 && strings.Contains(sent.Value, token) {
					return ""
				}
			}
			if strings.Contains(r.RawQuery, token) {
				return ""
			}
		}
		if s.RawQuery != "" && strings.Contains(r.RawQuery, s.RawQuery[:len(s.RawQuery)/2]) || a.Signature.Body != "" && bytes.Contains(r.Body, s.Body[:len(s.Body)/2]) {
			return ""
		}
	}
	return "without a token that was signed"
}

// fieldsOf are the values of the signed fields, by the standard library's reading.
func fieldsOf(data []byte, paths []string) string {
	var document any
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
	d.UseNumber()
	if d.Decode(&document) != nil {
		return "none"
	}
	var b strings.Builder
	for _, path := range paths {
		value := document
		for step := range strings.SplitSeq(path, ".") {
			object, _ := value.(map[string]any)
			value = object[step]
		}
		text, _ := json.Marshal(value)
		b.Write(text)
		b.WriteByte('\n')
	}
	return b.String()
}

// formOf is a form's distinct fields, each name joined with its value, sorted,
// and the query beside it: the same for all forms that are signed alike.
func formOf(r webhook.Request) string {
	var fields []string
	for pair := range strings.SplitSeq(string(r.Body), "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, _ = url.QueryUnescape(name)
		value, _ = url.QueryUnescape(value)
		if name == "p_signature" {
			value = strings.TrimSpace(value) // as who verifies it does
		}
		fields = append(fields, name+value)
	}
	slices.Sort(fields)
	return strings.Join(slices.Compact(fields), "")
}
