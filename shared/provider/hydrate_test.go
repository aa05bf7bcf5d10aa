package provider_test

import (
	"net/url"
	"testing"

	"pushpull/shared/body"
	"pushpull/shared/config"
	"pushpull/shared/event"
	"pushpull/shared/hydrate"
	"pushpull/shared/provider"
	"pushpull/shared/webhook"
)

// thin are the samples whose events have an address to be fetched from, by preset.
// What is not here is a preset without hydrate.
func thin() map[string]map[string]string {
	return map[string]map[string]string{
		"bigcommerce":     {"store/order/statusUpdated": "api.bigcommerce.com"},
		"dropbox-sign":    {"signature_request_signed": "api.hellosign.com"},
		"hubspot":         {"contact.propertyChange": "api.hubapi.com"},
		"lever":           {"candidateStageChange": "api.lever.co"},
		"mercado-pago":    {"payment.updated": "api.mercadopago.com"},
		"microsoft-graph": {"updated": "graph.microsoft.com"},
		"mollie":          {"payment-link.paid": "api.mollie.com"},
		"mollie-classic":  {"updated": "api.mollie.com"},
		"notion":          {"page.content_updated": "api.notion.com"},
		"shipstation-v1":  {"ORDER_NOTIFY": "ssapi.shipstation.com"},
		"signwell":        {"document_completed": "www.signwell.com"},
		"strava":          {"activity.create": "www.strava.com"},
		"stripe":          {"v2.core.account.updated": "api.stripe.com"},
		"xero":            {"CONTACT.UPDATE": "api.xero.com"},
	}
}

func TestEveryPresetThatHydratesFindsTheAddressInItsSamples(t *testing.T) {
	t.Parallel()
	for _, name := range provider.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := load(t, name)
			if c.preset.Webhook == nil || c.hook.Hydrate == nil {
				if thin()[name] != nil || provider.HydrateOf(name, name) != "" {
					t.Error("it has no hydrate")
				}
				return
			}
			h := *c.hook.Hydrate
			if len(h.Token) > 0 || h.Auth == nil {
				t.Error("the token is a source's to say, and auth the preset's")
			}
			h.Token = config.Secrets{"env:KEY"}
			h.Secrets = map[string]config.Secrets{"client_secret": {"env:SECRET"}, "refresh_token": {"ssm:/pushpull/refresh"}}
			h.With = map[string]string{"client_id": "app", "tenant": "one"}
			if _, err := hydrate.Open(name, h, hydrate.NewEnv(hydrate.Options{})); err != nil {
				t.Fatal(err)
			}
			rule, err := hydrate.Compile(h)
			if err != nil {
				t.Fatal(err)
			}
			if len(thin()[name]) == 0 {
				t.Error("it is not in thin: say which of its samples have an address")
			}
			for _, s := range c.preset.Samples {
				want, ok := thin()[name][s.Type]
				if !ok {
					continue
				}
				for _, e := range c.events(t, s) {
					u, _, err := rule.Request(e)
					if err != nil || u.Host != want {
						t.Errorf("%s: the address is %v, %v; want one of %s", s.Type, u, err, want)
					}
				}
			}
		})
	}
}

func TestWhatTurnsHydrateOn(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"mollie":          "hydrate: { token: ssm:/pushpull/shop/key }",
		"microsoft-graph": "hydrate: { secrets: { client_secret: ssm:/pushpull/shop/client_secret }, with: { client_id: …, tenant: … } }",
		"strava":          "hydrate: { secrets: { client_secret: ssm:/pushpull/shop/client_secret, refresh_token: ssm:/pushpull/shop/refresh_token }, with: { client_id: … } }",
		"github":          "",
		"nobody":          "",
	} {
		if got := provider.HydrateOf(name, "shop"); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// events are what the receiver makes of a sample.
func (c candidate) events(t *testing.T, s provider.Sample) []event.Event {
	t.Helper()
	r := c.request(t, s)
	reader, err := body.Compile(bodyOf(c.hook))
	if err != nil {
		t.Fatal(err)
	}
	identifier, err := event.Compile(*c.hook.Event)
	if err != nil {
		t.Fatal(err)
	}
	query := map[string]string{}
	for _, name := range c.hook.Query {
		query[name] = queryOf(t, r, name)
	}
	var events []event.Event
	for _, p := range reader.Read(r.Body, r.Header.Get("Content-Type")).Parts {
		f := identifier.Identify(event.Input{
			Body: p.View, Root: p.Root, Parent: p.Parent, Data: p.Data, Header: r.Header.Get,
			Query: func(name string) string { return query[name] }, DefaultType: "event",
		})
		events = append(events, event.Event{
			ID: f.ID, Type: f.Type, Subject: f.Entity, Version: f.Version, ContentType: p.ContentType, Data: p.Data, Query: query,
		})
	}
	if len(events) == 0 {
		t.Errorf("%s makes no event", s.Type)
	}
	return events
}

func bodyOf(w config.Webhook) config.Body {
	if w.Body == nil {
		return config.Body{}
	}
	return *w.Body
}

func queryOf(t *testing.T, r webhook.Request, name string) string {
	t.Helper()
	values, err := url.ParseQuery(r.RawQuery)
	if err != nil {
		t.Fatal(err)
	}
	return values.Get(name)
}
