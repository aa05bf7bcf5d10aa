package webhook_test

import (
	"strings"
	"testing"

	"pushpull/shared/config"
	"pushpull/shared/webhook"
)

func TestWhatIsSignedOfTheHeadAndWhatIsNot(t *testing.T) {
	t.Parallel()
	at := config.Signature{Header: config.Names{"S"}}
	hmac := func(signed string) config.Auth {
		return config.Auth{Scheme: "hmac", Signature: at, Signed: config.Names{signed}}
	}
	stamped := hmac("{timestamp}.{body}")
	stamped.Timestamp = &config.Timestamp{Header: "T"}
	equal := hmac("{body}")
	equal.Equal = map[string]string{"query.id": "{body.id}"}
	token := config.Auth{Scheme: "token", Signature: at}
	for _, tt := range []struct {
		name string
		auth config.Auth
		asks string
		want bool
	}{
		{"a header beside a signed body is not signed", hmac("{body}"), "header.X-Id", false},
		{"a header within what is signed is, whatever its case", hmac("{header.x-id}.{body}"), "header.X-Id", true},
		{"the header of the timestamp is signed as the timestamp", stamped, "header.t", true},
		{"the header of the signature cannot be another", hmac("{body}"), "header.S", true},
		{"a parameter of a signed address is signed", hmac("{url}{body}"), "query.id", true},
		{"a parameter is not, where the address without it is signed", hmac("{address}{body}"), "query.id", false},
		{"what must equal something signed is as good as signed", equal, "query.id", true},
		{"a token signs nothing, so nothing is less believed than the rest", token, "header.X-Id", true},
		{"of all, one that signs is enough", config.Auth{Scheme: "all", Of: []config.Auth{hmac("{body}"), hmac("{header.X-Id}")}}, "header.X-Id", true},
		{"of any, all must sign", config.Auth{Scheme: "any", Of: []config.Auth{hmac("{body}"), hmac("{header.X-Id}")}}, "header.X-Id", false},
		{"a claim of the query signs the query", config.Auth{Scheme: "jwt", Algorithm: config.Names{"HS256"}, Signature: at, Claims: map[string]string{"qsh": "{canonical_request|sha256|hex}"}}, "query.event", true},
		{"a claim of the query signs no header", config.Auth{Scheme: "jwt", Algorithm: config.Names{"HS256"}, Signature: at, Claims: map[string]string{"qsh": "{canonical_request|sha256|hex}"}}, "header.X-Id", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := compile(t, tt.auth).Signs(tt.asks); got != tt.want {
				t.Errorf("%s is signed: %t, want %t", tt.asks, got, tt.want)
			}
		})
	}
}

func TestWhatFitsEveryRequestIsNoSignature(t *testing.T) {
	t.Parallel()
	at := config.Signature{Header: config.Names{"S"}}
	for _, tt := range []struct{ name, scheme, signed, says string }{
		{"a digest of verify_token", "digest", "{verify_token}", "{verify_token}"},
		{"a digest of verify_token and the body", "digest", "{verify_token}{body}", "{verify_token}"},
		{"a digest of the secret alone", "digest", "{secret}", "nothing of the request"},
		{"a hash of a word", "hmac", "webhook", "nothing of the request"},
		{"a signature of a word", "rsa", "webhook", "nothing of the request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			one := config.Auth{Scheme: tt.scheme, Signature: at, Signed: config.Names{tt.signed}}
			for _, auth := range []config.Auth{one, {Scheme: "all", Of: []config.Auth{{Scheme: "token", Signature: at}, one}}} {
				if _, err := webhook.Compile(auth); err == nil || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("error %v, want one that says %q", err, tt.says)
				}
			}
		})
	}
}

// RFC 9110, 11.1: the name of a scheme may be written in any case.
func TestTheCaseOfAnAuthorizationSchemeDoesNotCount(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, header, value string
		want                bool
	}{
		{"as it is usual", "Authorization", "Bearer s3cret", true},
		{"in small letters", "Authorization", "bearer s3cret", true},
		{"in capitals", "authorization", "BEARER s3cret", true},
		{"the token in other letters", "Authorization", "bearer S3CRET", false},
		{"no scheme", "Authorization", "s3cret", false},
		{"another header is no list of schemes", "X-Token", "bearer s3cret", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			auth := config.Auth{Scheme: "token", Signature: config.Signature{Header: config.Names{tt.header}, Prefix: config.Names{"Bearer "}}}
			r := webhook.Request{Header: header(tt.header, tt.value)}
			err := compile(t, auth).Verify(t.Context(), webhook.Credentials{Secrets: []string{"s3cret"}}, r, noon)
			if (err == nil) != tt.want {
				t.Errorf("taken: %v, want %t", err, tt.want)
			}
		})
	}
}
