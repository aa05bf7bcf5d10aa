package webhook_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"pushpull/shared/config"
	"pushpull/shared/webhook"
)

// Whoever knows that a secret is empty could sign: no scheme takes one.
func TestNoSchemeTakesAnEmptySecret(t *testing.T) {
	t.Parallel()
	at := config.Signature{Header: config.Names{"S"}}
	for name, auth := range map[string]config.Auth{
		"hmac":                  {Scheme: "hmac", Signature: at},
		"hmac of a hash of it":  {Scheme: "hmac", Signature: at, Key: config.Key{Hash: "sha1"}},
		"hmac with a suffix":    {Scheme: "hmac", Signature: at, Key: config.Key{Suffix: "&"}},
		"hmac in base64":        {Scheme: "hmac", Signature: at, Key: config.Key{Prefix: "whsec_", Encoding: "base64"}},
		"digest":                {Scheme: "digest", Signature: at, Signed: config.Names{"{body}{secret}"}},
		"token":                 {Scheme: "token", Signature: at},
		"token with a prefix":   {Scheme: "token", Signature: config.Signature{Header: config.Names{"S"}, Prefix: config.Names{"Bearer ", ""}}},
		"basic":                 {Scheme: "basic"},
		"jwt":                   {Scheme: "jwt", Algorithm: config.Names{"HS256"}, Signature: at},
		"jwt with a public key": {Scheme: "jwt", Algorithm: config.Names{"RS256"}, Signature: at},
		"ed25519":               {Scheme: "ed25519", Signature: at},
		"ecdsa":                 {Scheme: "ecdsa", Signature: at},
		"rsa":                   {Scheme: "rsa", Signature: at},
		"rsa-pss":               {Scheme: "rsa-pss", Signature: at},
		"any":                   {Scheme: "any", Of: []config.Auth{{Scheme: "token", Signature: at}, {Scheme: "hmac", Signature: at}}},
		"all":                   {Scheme: "all", Of: []config.Auth{{Scheme: "token", Signature: at}, {Scheme: "hmac", Signature: at}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := compile(t, auth)
			for _, secrets := range [][]string{nil, {}, {""}, {"", ""}, {auth.Key.Prefix}} {
				for _, shown := range []string{"", "AA", sign("", "{}"), "Bearer ", "e30.e30.AA", `eyJhbGciOiJIUzI1NiJ9.e30.AA`, `eyJhbGciOiJSUzI1NiJ9.e30.AA`} {
					r := webhook.Request{Body: []byte("{}"), Header: header("S", shown, "Authorization", "Basic ")}
					if err := v.Verify(t.Context(), webhook.Credentials{Secrets: secrets}, r, noon); err == nil {
						t.Errorf("%q with the secrets %q is taken", shown, secrets)
					}
				}
			}
		})
	}
}

// Of what is there twice one reader takes the first and another the last.
func TestWhatIsThereTwiceIsNotBelieved(t *testing.T) {
	t.Parallel()
	const formType = "application/x-www-form-urlencoded"
	form := func(s config.Signature, signed string) config.Auth {
		return config.Auth{Scheme: "hmac", Signature: s, Signed: config.Names{signed}}
	}
	inHeader := config.Signature{Header: config.Names{"S"}}
	php := `a:1:{s:1:"a";s:1:"1";}`
	for _, tt := range []struct {
		name        string
		auth        config.Auth
		signed      string // what the signature is of
		contentType string
		query, body string
		want        error
	}{
		{"a field that is signed", form(inHeader, "{form.a}"), "1", formType, "", "a=1", nil},
		{"a field that is signed, twice", form(inHeader, "{form.a}"), "1", formType, "", "a=1&a=2", webhook.ErrMissing},
		{"a field that is signed, with another in other letters of percent signs", form(inHeader, "{form.a}"), "1", formType, "", "a=1&%61=2", webhook.ErrMissing},
		{"a field that is signed, in a form that is JSON too", form(inHeader, "{form.a}"), "1", formType, "", `{"e":"&a=1&"}`, webhook.ErrMissing},
		{"a field that is signed, in a form that is an array too", form(inHeader, "{form.a}"), "1", formType, "", ` ["&a=1&"]`, webhook.ErrMissing},
		{"a field that is signed, in a charset where names have several spellings", form(inHeader, "{form.a}"), "1", formType + "; charset=iso-2022-jp", "", "a=1", webhook.ErrMissing},
		{"a field that is signed, in UTF-8", form(inHeader, "{form.a}"), "1", formType + "; charset=UTF-8", "", "a=1", nil},
		{"a parameter that is signed", form(inHeader, "{query.a}"), "1", "", "a=1", "", nil},
		{"a parameter that is signed, twice", form(inHeader, "{query.a}"), "1", "", "a=1&a=2", "", webhook.ErrMissing},
		{"sorted parameters", form(inHeader, "{sorted_params}"), "&a=1&b=2", formType, "b=2", "a=1", nil},
		{"sorted parameters of which one is there twice", form(inHeader, "{sorted_params}"), "&a=1", formType, "", "a=1&b=2&b=3", webhook.ErrMissing},
		{"sorted parameters of which one is in the query too", form(inHeader, "{sorted_params}"), "&a=1", formType, "a=2", "a=1", webhook.ErrMissing},
		{"sorted parameters of JSON with a member twice", form(inHeader, "{sorted_params}"), "&a=1", "application/json", "", `{"a":"1","a":"2"}`, webhook.ErrMissing},
		{"a form as PHP has it", form(inHeader, "{php_form}"), php, formType, "", "a=1", nil},
		{"a form as PHP has it, with a field twice", form(inHeader, "{php_form}"), php, formType, "", "a=1&a=2", webhook.ErrMissing},
		{"a member that is signed", form(inHeader, "{body.a}"), "1", "", "", `{"a":"1"}`, nil},
		{"a member that is signed, twice", form(inHeader, "{body.a}"), "1", "", "", `{"a":"1","a":"2"}`, webhook.ErrSignature},
		{"a member that is signed, twice, once with an escape", form(inHeader, "{body.a}"), "1", "", "", `{"a":"1","\u0061":"2"}`, webhook.ErrSignature},
		{"another member twice, beside one that is signed", form(inHeader, "{body.a}"), "1", "", "", `{"a":"1","b":{"c":1,"c":2}}`, webhook.ErrSignature},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := webhook.Request{Method: "POST", RawQuery: tt.query, Body: []byte(tt.body), Header: header("S", sign(secret, tt.signed), "Content-Type", tt.contentType)}
			if err := compile(t, tt.auth).Verify(t.Context(), webhook.Credentials{Secrets: []string{secret}}, r, noon); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestAPlaceholderHasFewFilters(t *testing.T) {
	t.Parallel()
	auth := github
	auth.Signed = config.Names{"{body" + strings.Repeat("|hex", 5) + "}"}
	if _, err := webhook.Compile(auth); err == nil || !strings.Contains(err.Error(), "filters") {
		t.Errorf("five filters: %v", err)
	}
	auth.Signed = config.Names{"{body" + strings.Repeat("|hex", 4) + "}"}
	if _, err := webhook.Compile(auth); err != nil {
		t.Errorf("four filters: %v", err)
	}
}

// An item of a batch is good by its own signature or token, not by its neighbour's.
func TestEachItemOfABatchIsProved(t *testing.T) {
	t.Parallel()
	signed := config.Auth{Scheme: "hmac", Each: "items", Signature: config.Signature{Body: "sig"}, Signed: config.Names{"{body.id}"}}
	shown := config.Auth{Scheme: "token", Each: "items", Signature: config.Signature{Body: "token"}}
	a, b := sign(secret, "a"), sign(secret, "b")
	for _, tt := range []struct {
		name string
		auth config.Auth
		body string
		want error
	}{
		{"each its own", signed, `{"items":[{"id":"a","sig":"` + a + `"},{"id":"b","sig":"` + b + `"}]}`, nil},
		{"the first's on the second", signed, `{"items":[{"id":"a","sig":"` + a + `"},{"id":"b","sig":"` + a + `"}]}`, webhook.ErrSignature},
		{"none on the second", signed, `{"items":[{"id":"a","sig":"` + a + `"},{"id":"b"}]}`, webhook.ErrMissing},
		{"none on the first", signed, `{"items":[{"id":"b"},{"id":"a","sig":"` + a + `"}]}`, webhook.ErrMissing},
		{"a null beside a good one", signed, `{"items":[{"id":"a","sig":"` + a + `"},null]}`, webhook.ErrMissing},
		{"an item whose id is an object", signed, `{"items":[{"id":{"a":1},"sig":"` + a + `"}]}`, webhook.ErrMissing},
		{"two lists of items", signed, `{"items":[{"id":"a","sig":"` + a + `"}],"items":[{"id":"c"}]}`, webhook.ErrSignature},
		{"two ids in an item", signed, `{"items":[{"id":"a","sig":"` + a + `","id":"c"}]}`, webhook.ErrSignature},
		{"no items", signed, `{"items":[]}`, webhook.ErrMissing},
		{"items that are no list", signed, `{"items":{"id":"a","sig":"` + a + `"}}`, webhook.ErrMissing},
		{"no JSON", signed, url.QueryEscape(`{"items":[]}`), webhook.ErrMissing},
		{"a token on each", shown, `{"items":[{"token":"` + secret + `"},{"token":"` + secret + `"}]}`, nil},
		{"a token on the first", shown, `{"items":[{"token":"` + secret + `"},{}]}`, webhook.ErrMissing},
		{"another's token on the second", shown, `{"items":[{"token":"` + secret + `"},{"token":"x"}]}`, webhook.ErrSignature},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := webhook.Request{Body: []byte(tt.body)}
			if err := compile(t, tt.auth).Verify(t.Context(), webhook.Credentials{Secrets: []string{secret}}, r, noon); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}
