package webhook_test

import (
	"errors"
	"net/url"
	"testing"

	"pushpull/shared/config"
	"pushpull/shared/webhook"
)

// Of a header that is there twice, each signature is tried, and anything else is
// one text, joined by commas: to add a line changes what is signed.
func TestAHeaderThatIsThereTwice(t *testing.T) {
	t.Parallel()
	auth := config.Auth{Scheme: "hmac", Signature: config.Signature{Header: config.Names{"S"}}, Signed: config.Names{"{header.Topic}.{body}"}}
	good, joined := sign(secret, "a.{}"), sign(secret, "a,b.{}")
	for _, tt := range []struct {
		name   string
		header webhook.Header
		want   error
	}{
		{"a good signature first", header("Topic", "a", "S", good, "S", "00"), nil},
		{"a good signature last", header("Topic", "a", "S", "00", "s", good), nil},
		{"no good signature", header("Topic", "a", "S", "00", "S", "01"), webhook.ErrSignature},
		{"a signed header, and another behind it", header("Topic", "a", "topic", "b", "S", good), webhook.ErrSignature},
		{"a signed header, and another before it", header("Topic", "b", "Topic", "a", "S", good), webhook.ErrSignature},
		{"a signed header, and an empty one", header("Topic", "a", "Topic", "", "S", good), webhook.ErrSignature},
		{"a header that was signed as one text", header("Topic", "a", "Topic", "b", "S", joined), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := webhook.Request{Header: tt.header, Body: []byte("{}")}
			if err := compile(t, auth).Verify(t.Context(), webhook.Credentials{Secrets: []string{secret}}, r, noon); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
	if got := header("A", "1", "b", "2", "a", "3").Get("a"); got != "1,3" {
		t.Errorf("joined: %q", got)
	}
}

// A multipart has more than its fields, and of its files nothing is signed.
func TestAWholeFormIsURLEncoded(t *testing.T) {
	t.Parallel()
	const multi = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x\r\nContent-Disposition: form-data; name=\"b\"; filename=\"b\"\r\n\r\nevil\r\n--x--\r\n"
	for signed, text := range map[string]string{
		"{sorted_form}": "a1", "{sorted_params}": "&a=1", "{php_form}": `a:1:{s:1:"a";s:1:"1";}`, "{sorted_url}": "https://hooks.example.com/?a1",
	} {
		auth := config.Auth{Scheme: "hmac", Signature: config.Signature{Header: config.Names{"S"}}, Signed: config.Names{signed}}
		for name, tt := range map[string]struct {
			contentType, body string
			want              error
		}{
			"a form":                         {"application/x-www-form-urlencoded", "a=1", nil},
			"a multipart of the same fields": {"multipart/form-data; boundary=x", multi, webhook.ErrMissing},
		} {
			t.Run(signed+" of "+name, func(t *testing.T) {
				t.Parallel()
				r := webhook.Request{
					Method: "POST", URL: "https://hooks.example.com/", Body: []byte(tt.body),
					Header: header("S", sign(secret, text), "Content-Type", tt.contentType),
				}
				if err := compile(t, auth).Verify(t.Context(), webhook.Credentials{Secrets: []string{secret}}, r, noon); !errors.Is(err, tt.want) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
			})
		}
	}
}

// Some write a byte order mark before their JSON. It is no part of the document,
// but of the bytes that are signed.
func TestAByteOrderMarkIsNotLookedAt(t *testing.T) {
	t.Parallel()
	const mark = "\xef\xbb\xbf"
	at := config.Signature{Header: config.Names{"S"}}
	for _, tt := range []struct {
		name, body string
		auth       config.Auth
		signed     string
		want       error
	}{
		{"a member that is signed", mark + `{"a":"1"}`, config.Auth{Signature: at, Signed: config.Names{"{body.a}"}}, "1", nil},
		{"a member that is signed, twice", mark + `{"a":"1","a":"1"}`, config.Auth{Signature: at, Signed: config.Names{"{body.a}"}}, "1", webhook.ErrSignature},
		{"the raw bytes", mark + `{"a":"1"}`, config.Auth{Signature: at}, mark + `{"a":"1"}`, nil},
		{"the bytes without it, which did not arrive", mark + `{"a":"1"}`, config.Auth{Signature: at}, `{"a":"1"}`, webhook.ErrSignature},
		{"two of them are no JSON", mark + mark + `{"a":"1"}`, config.Auth{Signature: at, Signed: config.Names{"{body.a}"}}, "1", webhook.ErrMissing},
		{"items of a batch", mark + `{"i":[{"a":"1","s":"` + sign(secret, "1") + `"}]}`, config.Auth{Signature: config.Signature{Body: "s"}, Signed: config.Names{"{body.a}"}, Each: "i"}, "", nil},
		{"JSON in a form's field", "p=" + url.QueryEscape(mark+`{"a":"1"}`), config.Auth{Signature: at, Signed: config.Names{"{body.a}"}, Field: "p"}, "1", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.auth.Scheme = "hmac"
			r := webhook.Request{Body: []byte(tt.body), Header: header("S", sign(secret, tt.signed), "Content-Type", "application/x-www-form-urlencoded")}
			if err := compile(t, tt.auth).Verify(t.Context(), webhook.Credentials{Secrets: []string{secret}}, r, noon); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}
