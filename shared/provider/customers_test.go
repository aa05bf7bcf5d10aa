package provider_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pushpull/shared/config"
	"pushpull/shared/provider"
	"pushpull/shared/webhook"
)

// ownKeys are the presets whose public key signs for one customer alone.
var ownKeys = map[string]string{
	"discord":                "of the application",
	"discord-interactions":   "of the application",
	"github-secret-scanning": "GitHub sends alerts to partners that it admits by hand, at the address agreed with them",
	"keygen":                 "of the account",
	"kinde":                  "at the business's own host, which with.domain names",
	"paddle-classic":         "of the vendor",
	"sendgrid":               "of the webhook",
	"sendgrid-inbound":       "of the webhook",
	"telnyx":                 "of the account",
	"wix":                    "of the app",
}

// anyCustomer are the presets of providers that give nothing to tell customers
// apart by, with the reason; check and urls warn of them.
var anyCustomer = map[string]string{
	"ebay": "a notification names no account, and its challenge leaves the address no query",
	"wise": "not every event names the profile, and the address may have no query",
}

// Who is a customer of the same provider can have it sign events of his own.
func TestAKeyOfAllCustomersIsNeverAllThatAPresetAsksFor(t *testing.T) {
	t.Parallel()
	for _, name := range provider.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := provider.Load(name)
			if err != nil {
				t.Fatal(err)
			}
			if p.Webhook == nil {
				return
			}
			public, shared := publicKeys(*p.Webhook.Auth)
			_, own := ownKeys[name]
			_, open := anyCustomer[name]
			if unsaid := public && !shared; unsaid != own {
				t.Errorf("its key is public and not shared: %t, and in the table of those of one customer: %t", unsaid, own)
			}
			if unbound := shared && !bound(t, p); unbound != open {
				t.Errorf("its key is shared and nothing tells customers apart: %t, and in the table of such: %t", unbound, open)
			}
			if warned := webhook.ForAnyCustomer(load(t, name).hookOf()); warned != open {
				t.Errorf("warned of: %t, want %t", warned, open)
			}
		})
	}
}

// hookOf is the webhook of a source that gives every parameter.
func (c candidate) hookOf() config.Webhook {
	hook := c.hook
	if len(c.with) > 0 {
		hook.With = c.with
	}
	return hook
}

// publicKeys reports whether a scheme within has a public key, and whether one
// of all customers.
func publicKeys(a config.Auth) (public, shared bool) {
	public = slices.Contains([]string{"rsa", "rsa-pss", "ecdsa", "ed25519"}, a.Scheme) ||
		a.Scheme == "jwt" && !strings.HasPrefix(a.Algorithm[0], "HS")
	shared = a.Key.Shared
	for _, one := range a.Of {
		p, s := publicKeys(one)
		public, shared = public || p, shared || s
	}
	return public, shared
}

// bound reports whether a parameter of the source stands in what is signed or
// required, or the address shows a token.
func bound(t *testing.T, p provider.Preset) bool {
	t.Helper()
	text, err := json.Marshal([]any{p.Webhook.Require, p.Webhook.Auth})
	if err != nil {
		t.Fatal(err)
	}
	token := p.Webhook.Auth.Scheme == "all" && slices.ContainsFunc(p.Webhook.Auth.Of, func(a config.Auth) bool { return a.Scheme == "token" })
	return token || regexp.MustCompile(`\{with\.\w+\}`).Match(text)
}

// What the provider signed for another customer has no token of ours.
func TestAnEventOfAnotherCustomerIsRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"constant-contact", "kick", "plaid", "shipstation"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := load(t, name)
			v, err := webhook.Compile(*c.hook.Auth)
			if err != nil {
				t.Fatal(err)
			}
			r := c.request(t, c.preset.Samples[0])
			c.publish(t, r)
			c.sign(t, &r, noon)
			for query, want := range map[string]error{"": webhook.ErrMissing, "token=another": webhook.ErrSignature, "token=a-token": nil} {
				r.RawQuery = query
				if err := v.Verify(t.Context(), c.secret, r, noon); !errors.Is(err, want) {
					t.Errorf("?%s: %v, want %v", query, err, want)
				}
			}
		})
	}
}
