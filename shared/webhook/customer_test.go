package webhook_test

import (
	"testing"

	"pushpull/shared/config"
	"pushpull/shared/webhook"
)

func TestAKeyOfAllCustomersNeedsSomethingBesides(t *testing.T) {
	t.Parallel()
	at := config.Signature{Header: config.Names{"S"}}
	shared := config.Auth{Scheme: "rsa", Signature: at, Key: config.Key{Shared: true}}
	own := config.Auth{Scheme: "rsa", Signature: at}
	token := config.Auth{Scheme: "token", Signature: config.Signature{Query: "token"}}
	for _, tt := range []struct {
		name string
		hook config.Webhook
		want bool
	}{
		{"a shared key alone", config.Webhook{Auth: &shared}, true},
		{"a key of one customer", config.Webhook{Auth: &own}, false},
		{"a shared key and a requirement", config.Webhook{Auth: &shared, Require: map[string]string{"body.account": "7"}}, false},
		{"a shared key and a value of the source", config.Webhook{Auth: &shared, With: map[string]string{"webhook_id": "7"}}, false},
		{"a shared key and a token", config.Webhook{Auth: &config.Auth{Scheme: "all", Of: []config.Auth{token, shared}}}, false},
		{"a shared key and one of several tokens", config.Webhook{Auth: &config.Auth{Scheme: "all", Of: []config.Auth{shared, {Scheme: "any", Of: []config.Auth{token, token}}}}}, false},
		{"a shared key and an address that calls", config.Webhook{Auth: &config.Auth{Scheme: "all", Of: []config.Auth{{Scheme: "ip"}, shared}}}, true},
		{"a shared key or a token", config.Webhook{Auth: &config.Auth{Scheme: "any", Of: []config.Auth{token, shared}}}, true},
		{"a shared key of tokens for an audience", config.Webhook{Auth: &config.Auth{Scheme: "jwt", Algorithm: config.Names{"RS256"}, Key: shared.Key, Audience: config.Names{"us"}}}, false},
		{"no auth", config.Webhook{}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := webhook.ForAnyCustomer(tt.hook); got != tt.want {
				t.Errorf("for any customer: %t, want %t", got, tt.want)
			}
		})
	}
}
