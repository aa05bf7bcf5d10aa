package apiauth_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushpull/shared/apiauth"
	"pushpull/shared/config"
)

func TestAMistakeIsNamedByItsKey(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		auth config.APIAuth
		want string // the beginning
	}{
		{"a type that there is not", config.APIAuth{Type: "digest"}, `auth.type: "digest" is not known`},
		{"a token that is not given", config.APIAuth{Type: "bearer"}, "token: is missing"},
		{"a password in the open", config.APIAuth{Type: "basic", Username: "me", Password: "hunter2"}, "auth.password: neither username nor password is a secret"},
		{"a key without a name", config.APIAuth{Type: "api_key", Value: "{app}"}, "auth.name: is missing"},
		{"a key in the open", config.APIAuth{Type: "api_key", Name: "X", Value: "hunter2"}, "auth.value: a secret is never written here"},
		{"a placeholder that nothing fills", config.APIAuth{Type: "api_key", Keys: map[string]string{"X": "{nobody}"}}, "auth.keys.X: {nobody} has no value"},
		{"half a brace", config.APIAuth{Type: "api_key", Name: "X", Value: "{app"}, "auth.value: a { or }"},
		{"a filter that there is not", config.APIAuth{Type: "api_key", Name: "X", Value: "{app|rot13}"}, `auth.value: unknown filter "rot13"`},
		{"oauth2 without an address", config.APIAuth{Type: "oauth2", ClientID: "id"}, "auth.token_url: is missing"},
		{"oauth2 without a secret", config.APIAuth{Type: "oauth2", ClientID: "id", TokenURL: "/token"}, "secrets.client_secret: is missing"},
		{"a token address without TLS", config.APIAuth{Type: "oauth2", ClientID: "id", TokenURL: "http://api.example.com/token"}, "auth.token_url: a credential is sent there without TLS"},
		{"an unknown grant", config.APIAuth{Type: "oauth2", ClientID: "id", TokenURL: "/token", Grant: "implicit"}, `auth.grant: "implicit" is none of`},
		{"a rotation that has nowhere to write", config.APIAuth{Type: "oauth2", Grant: "refresh_token", RefreshToken: "fixed", Rotate: true, ClientID: "id", TokenURL: "/token"}, "auth.rotate: the new refresh token is written back"},
		{"a rotation of what does not rotate", config.APIAuth{Type: "oauth2", Rotate: true, ClientID: "id", ClientSecret: "{app}", TokenURL: "/token"}, "auth.rotate: only grant refresh_token"},
		{"a client secret in the open", config.APIAuth{Type: "oauth2", ClientID: "id", TokenURL: "/token", ClientSecret: "hunter2"}, "auth.client_secret: a secret is never written here"},
		{"keys that are none", config.APIAuth{Type: "api_key", Keys: map[string]string{"X": "hunter2"}}, "auth.keys: none of them is a secret"},
		{"a login in the open", config.APIAuth{Type: "session", TokenPath: "token", Login: &config.Request{Path: "/login", JSON: map[string]any{"p": "hunter2"}}}, "auth.login: it shows no secret"},
		{"a login without TLS", config.APIAuth{Type: "session", TokenPath: "token", Login: &config.Request{Path: "http://example.com/login"}}, "auth.login.path: a credential is sent there without TLS"},
		{"an algorithm that is no signature", config.APIAuth{Type: "jwt_bearer", Key: "{app}", Algorithm: "none"}, `auth.algorithm: "none" is none of`},
		{"a session without a login", config.APIAuth{Type: "session", TokenPath: "token"}, "auth.login: is missing"},
		{"a signature of nothing", config.APIAuth{Type: "hmac", Key: "{app}", Name: "X"}, "auth.signed: is missing"},
		{"half a pair of AWS keys", config.APIAuth{Type: "aws_sigv4", Service: "s3", AccessKey: "{app}"}, "auth.access_key: access_key and secret_key go together"},
		{"mtls without a certificate", config.APIAuth{Type: "mtls"}, "auth.certificate: is missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := apiauth.New(&tt.auth, apiauth.Options{Secrets: map[string]config.Secrets{"app": {"ssm:/app"}, "fixed": {"env:FIXED"}}})
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("the error is %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error has the secret: %v", err)
			}
		})
	}
}

func TestPlaceholdersAreThoseOfAllTexts(t *testing.T) {
	t.Parallel()
	got := apiauth.Placeholders(&config.APIAuth{
		TokenURL: "https://{domain}/token", Params: map[string]string{"a": "{audience}"}, Signed: "{body|sha256|hex}{token}",
		Login: &config.Request{Path: "/{tenant}", JSON: map[string]any{"list": []any{"{password}"}}},
	})
	if diff := cmp.Diff([]string{"audience", "body", "domain", "password", "tenant", "token"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestHostsAreThoseThatGetTheCredentialBesides(t *testing.T) {
	t.Parallel()
	w := newWorld(map[string]string{"/client_secret": "s"})
	a := w.process(t, config.APIAuth{Type: "oauth2", ClientID: "id", TokenURL: "https://{tenant}.example.net/token"}, map[string]string{"tenant": "acme"})
	if diff := cmp.Diff([]string{"acme.example.net"}, a.Hosts()); diff != "" {
		t.Error(diff)
	}
}
