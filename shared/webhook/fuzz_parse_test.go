package webhook

import (
	"crypto"
	"crypto/sha256"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pushpull/shared/body"
	"pushpull/shared/config"
	"pushpull/shared/form"
)

// noonHere is noon of the tests outside.
var noonHere = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// FuzzTemplate evaluates any template on any request: what it makes is bounded
// by what the request has, and the three ways to make it agree.
func FuzzTemplate(f *testing.F) {
	for _, text := range []string{
		"", "{timestamp}.{body}", "v0:{timestamp}:{body}", "{method}\n{path}\n{signed_headers.x}\n{body}", "{body.a.b?|lower}", `{body.a\.b}`, "{header.X-Id|upper|sha256|hex|base64}",
		"{sorted_params}{php_form}{sorted_form}{sorted_url}{canonical_request}", `{"a":"{query.a}","b":{"c":1}}`, "{url|unescape_url}{query|unescape}", "{", "}", "{}", "{x}", "{{body}}", "{body|}",
		"{body|hex|hex|hex|hex|hex|hex|hex|hex|hex|hex|hex|hex}",
	} {
		for _, loose := range []bool{false, true} {
			f.Add(text, loose, []byte(`{"a":{"b":"C"},"a.b":1}`), "a=1&b=%20", "x,y")
			f.Add(text, loose, []byte(`a=1&b=2`), "a=1&b=%20", "x,y")
		}
	}
	f.Fuzz(func(t *testing.T, text string, loose bool, b []byte, query, value string) {
		made, err := parseTemplate(text, loose)
		if err != nil {
			if made != nil || err.Error() == "" {
				t.Fatalf("a template beside the error %v", err)
			}
			return
		}
		r := &Request{Method: "POST", Path: "/p", RawQuery: query, URL: "https://h/p?" + query, Body: b, Header: Header{{"Content-Type", "application/x-www-form-urlencoded"}, {"x", value}, {"X-Id", value}}}
		got, err := made.text(&view{r: r, timestamp: "1"})
		sum := sha256.New()
		if hashErr := made.writeTo(sum, &view{r: r, timestamp: "1"}); (hashErr == nil) != (err == nil) {
			t.Fatalf("as text: %v, into a hash: %v", err, hashErr)
		}
		escaped, escapedErr := made.escaped(&view{r: r, timestamp: "1"}, func(s string) string { return s })
		if (escapedErr == nil) != (err == nil) || err == nil && escaped != got {
			t.Fatalf("as text %q, %v, in an answer %q, %v", got, err, escaped, escapedErr)
		}
		if err != nil {
			return
		}
		if want := sha256.Sum256([]byte(got)); string(sum.Sum(nil)) != string(want[:]) {
			t.Fatal("the hash is of another text")
		}
		size := len(b) + 2*len(query) + 2*len(value) + 100
		if most := len(text) + len(made)*size*16<<maxFilters; len(got) > most {
			t.Fatalf("%d bytes of a template of %d and a request of %d", len(got), len(text), size)
		}
		if !slices.ContainsFunc(made, func(p piece) bool { return p.source != literal }) && loose && got != text {
			t.Fatalf("%q without placeholders is %q", text, got)
		}
	})
}

// FuzzPlace reads a signature of any form: what is read is bounded, and what we
// write reads back.
func FuzzPlace(f *testing.F) {
	add := func(s config.Signature, stamp config.Timestamp, value string) {
		prefix := ""
		if len(s.Prefix) > 0 {
			prefix = s.Prefix[0]
		}
		f.Add(s.Separator, s.Equals, s.Name, s.Groups, prefix, s.JSON, stamp.Name, stamp.First, value)
	}
	add(config.Signature{}, config.Timestamp{}, "c0ffee")
	add(config.Signature{Prefix: config.Names{"sha256="}}, config.Timestamp{}, "sha256=c0ffee")
	add(config.Signature{Separator: ",", Name: "v1"}, config.Timestamp{Name: "t"}, "t=1,v1=c0ffee,v1=00")
	add(config.Signature{Separator: " ", Equals: ",", Name: "v1"}, config.Timestamp{}, "v1,c0ffee v1a,00")
	add(config.Signature{Separator: ","}, config.Timestamp{First: true}, "1700000000,c0ffee,00")
	add(config.Signature{Separator: ",", Name: "v1", Groups: " "}, config.Timestamp{Name: "t"}, "t=1,v1=c0 t=2,v1=00")
	add(config.Signature{Separator: "&", Equals: "|", Name: "*"}, config.Timestamp{}, "key|c0ffee&key|00")
	add(config.Signature{Equals: "/SHA256/", Name: "*"}, config.Timestamp{}, "key1/SHA256/c0ffee")
	add(config.Signature{JSON: "signature"}, config.Timestamp{}, "eyJzaWduYXR1cmUiOiJjMGZmZWUifQ==")
	f.Fuzz(func(t *testing.T, separator, equals, name, groups, prefix, inJSON, stampName string, first bool, value string) {
		s := config.Signature{Header: config.Names{"S", "X-*"}, Separator: separator, Equals: equals, Name: name, Groups: groups, JSON: inJSON}
		if prefix != "" {
			s.Prefix = config.Names{prefix}
		}
		p, err := newPlace(s)
		if err != nil {
			return
		}
		var stamp *stamp
		if stampName != "" || first {
			if stamp, err = newStamp(&config.Timestamp{Name: stampName, First: first}, p); err != nil {
				return
			}
		}
		decode, encode, _ := encodingOf("hex", "")
		read := func(h Header) ([]claim, error) { return p.claims(&view{r: &Request{Header: h}}, decode, stamp) }
		got, err := read(Header{{"S", value}, {"x-1", value}, {"x-y", value}})
		if (err == nil) != (len(got) > 0) || len(got) > maxSignatures {
			t.Fatalf("%d groups and the error %v", len(got), err)
		}
		for _, c := range got {
			if len(c.signatures) == 0 || len(c.signatures) > maxSignatures || slices.ContainsFunc(c.signatures, func(b []byte) bool { return len(b) == 0 }) {
				t.Fatalf("signatures %q", c.signatures)
			}
			if stamp != nil && (c.timestamp == "" || len(c.timestamp) > maxTimestamp) {
				t.Fatalf("the timestamp %q", c.timestamp)
			}
		}
		if !distinct(separator, p.Equals, name, groups, prefix, stampName) || inJSON != "" {
			return
		}
		written := p.write(encode([]byte("signature")), "1700000000", stamp)
		got, err = read(Header{{"S", written}})
		if err != nil || len(got) != 1 || len(got[0].signatures) != 1 || string(got[0].signatures[0]) != "signature" || stamp != nil && got[0].timestamp != "1700000000" {
			t.Fatalf("%q reads as %q: %v", written, got, err)
		}
	})
}

// distinct reports whether the texts can be told apart, and from hex digits: the
// first four are signs, the names letters that are no digits.
func distinct(separator, equals, name, groups, prefix, stamp string) bool {
	signs := separator + equals + groups
	for i, c := range signs {
		if !strings.ContainsRune(",;|/:&=", c) || strings.ContainsRune(signs[i+1:], c) {
			return false
		}
	}
	letters := func(s string) bool { return strings.Trim(s, "ghijklmnopqrstuvwxyz") == "" }
	return (name == "*" || letters(name)) && letters(prefix) && letters(stamp) && (name == "" || name == "*" || name != stamp)
}

// FuzzForm: what a signature is checked on is what becomes the event. For each
// field that is there once the body's reader has the same value.
func FuzzForm(f *testing.F) {
	multi := "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x\r\nContent-Disposition: form-data; name=\"b\"; filename=\"f\"\r\n\r\n2\r\n--x--\r\n"
	for _, c := range [][2]string{
		{"application/x-www-form-urlencoded", "a=1&b=2&a=3"},
		{"application/x-www-form-urlencoded; charset=utf-8", "a=%C3%A9+x&b"},
		{"application/x-www-form-urlencoded; charset=iso-2022-jp", "%1B(Ba=2&a=1"},
		{"application/x-www-form-urlencoded", `{"e":"&a=1&"}`},
		{"application/x-www-form-urlencoded", "{\x00\"\x00e\x00\"\x00:\x00\"\x00&a=1&&\"\x00}\x00"},
		{"application/x-www-form-urlencoded; boundary=x", "c=" + multi + "&a=2"},
		{"application/x-www-form-urlencoded", "a=%zz&b;c=1"},
		{"multipart/form-data; boundary=x", multi},
		{"multipart/form-data; boundary=x", "a=2&" + multi},
		{"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=31\r\n--x--"},
		{"multipart/form-data; boundary=x", "--x\r\nContent-Type: text/plain; charset=utf-16\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\x00\r\n--x--"},
	} {
		f.Add(c[0], []byte(c[1]))
	}
	var readers []*body.Reader
	for _, format := range []string{"auto", "form", "multipart"} {
		r, err := body.Compile(config.Body{Format: format})
		if err != nil {
			f.Fatal(err)
		}
		readers = append(readers, r)
	}
	f.Fuzz(func(t *testing.T, contentType string, b []byte) {
		fields := form.Exact(contentType, b)
		if fields == nil {
			return
		}
		n := 0
		for name, values := range fields {
			n += len(values)
			value, once := single(fields, name)
			if !once || !utf8.ValidString(name) || !utf8.ValidString(value) {
				continue
			}
			for i, r := range readers {
				m := r.Read(b, contentType)
				if m.Unreadable != nil || len(m.Parts) != 1 || len(b) == 0 {
					continue
				}
				var object map[string]any
				if err := json.Unmarshal(m.Parts[0].View, &object); err != nil {
					t.Fatalf("reader %d: %v: %s", i, err, m.Parts[0].View)
				}
				got, ok := object[name].(string)
				if list, several := object[name].([]any); several { // a file of the same name, which is no field
					for _, one := range list {
						if text, isText := one.(string); isText && (!ok || text == got) {
							got, ok = text, true
						} else if isText {
							t.Fatalf("reader %d: %q is there several times: %v", i, name, list)
						}
					}
				}
				if !ok || got != value {
					t.Fatalf("reader %d: %q is %q, the event has %v", i, name, value, object[name])
				}
			}
		}
		if n > 10_000 {
			t.Fatalf("%d fields", n)
		}
	})
}

// FuzzCanonical: the forms of a request that are signed say all there is to say.
func FuzzCanonical(f *testing.F) {
	for _, c := range [][5]string{
		{"POST", "https://h/p?b=2&a=1", "b=2&a=1", "application/x-www-form-urlencoded", "z=1&y=&x=%20"},
		{"GET", "https://h/p", "", "", ""},
		{"POST", "https://h/p", "", "application/json", `{"a":"1","b":2,"sig":"x"}`},
		{"POST", "https://h/p", "a=1", "application/json", `{"a":"2"}`},
		{"POST", "https://h/p", "", "application/x-www-form-urlencoded", "a=1&a=2&p_signature=x"},
		{"POST", "https://h/p", "jwt=x&a=1,2&a=3", "application/x-www-form-urlencoded", "a=1;s:1:\"b\""},
	} {
		f.Add(c[0], c[1], c[2], c[3], []byte(c[4]))
	}
	f.Fuzz(func(t *testing.T, method, address, query, contentType string, b []byte) {
		r := Request{Method: method, URL: address, RawQuery: query, Path: "/p", Header: Header{{"Content-Type", contentType}}, Body: b}
		for name, canonical := range canonicals {
			text, ok := canonical(&view{r: &r})
			if again, still := canonical(&view{r: &r}); again != text || still != ok {
				t.Fatalf("%s is %q once and %q then", name, text, again)
			}
			if !ok && text != "" && name != "sorted_params" && name != "php_form" && name != "sorted_url" {
				t.Fatalf("%s is absent, and %q", name, text)
			}
			if most := 200 + 12*(len(method)+len(address)+len(query)+len(b)); len(text) > most {
				t.Fatalf("%s has %d bytes", name, len(text))
			}
		}
		fields, isForm := wholeForm(&view{r: &r})
		if !isForm {
			return
		}
		want := url.Values{}
		for name, values := range fields {
			if !slices.Contains(signatureFields, name) {
				want[name] = values
			}
		}
		if text, ok := phpForm(&view{r: &r}); ok && !equalValues(unserialize(t, text), want) {
			t.Fatalf("php_form of %v is %q", want, text)
		}
		if text, ok := sortedParams(&view{r: &r}); ok {
			for name, values := range want {
				if len(values) != 1 || !strings.Contains(text, "&"+name+"=") {
					t.Fatalf("sorted_params without %q of %v: %q", name, want, text)
				}
			}
		}
		if text, ok := sortedForm(&view{r: &r}); ok {
			for name, values := range fields {
				for _, value := range values {
					if !strings.Contains(text, value) || !strings.Contains(text, name) {
						t.Fatalf("sorted_form without %q: %q", name, text)
					}
				}
			}
		}
	})
}

// unserialize reads a:N:{s:N:"name";s:N:"value";…} as PHP does.
func unserialize(t *testing.T, text string) url.Values {
	t.Helper()
	fields := url.Values{}
	_, text, _ = strings.Cut(text, "{")
	next := func() string {
		size, rest, ok := strings.Cut(strings.TrimPrefix(text, "s:"), `:"`)
		n := 0
		for _, c := range size {
			n = n*10 + int(c-'0')
		}
		if !ok || n+2 > len(rest) || rest[n:n+2] != `";` {
			t.Fatalf("not as PHP writes it: %q", text)
		}
		text = rest[n+2:]
		return rest[:n]
	}
	for text != "}" {
		name := next()
		fields.Add(name, next())
	}
	return fields
}

func equalValues(a, b url.Values) bool { return a.Encode() == b.Encode() }

// usable verifies with a key by every scheme: whatever it is, nothing breaks.
func usable(t *testing.T, key crypto.PublicKey) {
	t.Helper()
	if key == nil {
		t.Fatal("no key, and no error")
	}
	signature := make([]byte, 256)
	for _, name := range []string{"ed25519", "ecdsa", "rsa", "rsa-pss"} {
		p := &publicKey{name: name, hash: crypto.SHA256, new: sha256.New}
		for _, n := range []int{0, 64, 256} {
			if p.good(key, []byte("text"), signature[:n]) {
				t.Fatalf("a signature of %d zeros is good for %s with %v", n, name, key)
			}
		}
	}
}

var publicKeys = []string{
	"", " ", "{}", "0000000000000000000000000000000000000000000000000000000000000001", "whpk_MCowBQYDK2VwAyEA", "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n",
	`-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n`,
	`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"a"}`,
	`{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`,
	`{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}`, `{"kty":"RSA","n":"AQAB","e":"AQAB"}`, `{"kty":"RSA","n":"` + strings.Repeat("_", 342) + `","e":"AQAB"}`,
	`{"kty":"RSA","n":"` + strings.Repeat("_", 341) + `A","e":"AQAB"}`, `{"kty":"RSA","n":"x","e":"/////////////w"}`, `{"kty":"oct","k":"AAAA"}`,
}

// FuzzPublicKey: a text is a key that can be used, or an error.
func FuzzPublicKey(f *testing.F) {
	for _, text := range publicKeys {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, err := parsePublic(text)
		if err == nil {
			usable(t, key)
		} else if key != nil {
			t.Fatalf("a key beside the error %v", err)
		}
	})
}

// FuzzKeyDocument: a document has keys that can be used, or is an error.
func FuzzKeyDocument(f *testing.F) {
	kinds := []string{"jwks", "pem", "certificate", "github"}
	for i, text := range publicKeys {
		f.Add([]byte(text), uint8(i))
		f.Add([]byte(`{"keys":[`+text+`,{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`), uint8(0))
		quoted, _ := json.Marshal(text)
		f.Add([]byte(`{"public_keys":[{"key_identifier":"a","key":`+string(quoted)+`}]}`), uint8(3))
	}
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), uint8(2))
	f.Fuzz(func(t *testing.T, text []byte, which uint8) {
		keys, err := parseDocument(text, kinds[int(which)%len(kinds)], noonHere, false)
		if err != nil {
			return
		}
		if len(keys.list) == 0 {
			t.Fatal("no keys, and no error")
		}
		for _, one := range keys.list {
			usable(t, one.key)
		}
	})
}

// FuzzAddress: an address that is allowed leads to the pinned host, over https
// and its port, by the standard client's reading.
func FuzzAddress(f *testing.F) {
	hosts, err := pinned(template{{}}, []string{`sns\.[a-z0-9-]{3,}\.amazonaws\.com`})
	if err != nil {
		f.Fatal(err)
	}
	for _, address := range []string{
		"https://sns.eu-central-1.amazonaws.com/x.pem", "http://sns.eu-central-1.amazonaws.com/", "https://sns.eu-central-1.amazonaws.com:8443/", "https://sns.eu-central-1.amazonaws.com@example.com/",
		"https://example.com/sns.eu-central-1.amazonaws.com", `https://example.com\@sns.eu-central-1.amazonaws.com/`, "https://sns.eu-central-1.amazonaws.com.example.com/", "https:sns.eu-central-1.amazonaws.com",
		"https://[::1]/", "https://sns.eu-central-1.amazonaws.com#@example.com/", "HTTPS://sns.eu-central-1.amazonaws.com:443/", "//sns.eu-central-1.amazonaws.com/", "https://sns.x%2f.amazonaws.com/",
	} {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		if _, err := allowed(address, hosts); err != nil {
			return
		}
		rest, ok := strings.CutPrefix(strings.ToLower(address), "https://")
		host, _, _ := strings.Cut(rest, "/")
		host, _, _ = strings.Cut(host, "?")
		host = strings.TrimSuffix(strings.TrimSuffix(host, "#"), ":443")
		host = strings.TrimSuffix(host, ":")
		if !ok || !strings.HasPrefix(host, "sns.") || !strings.HasSuffix(host, ".amazonaws.com") || strings.ContainsAny(host, "@\\:#% ") {
			t.Fatalf("%q is allowed", address)
		}
	})
}
