package provider_test

import (
	"errors"
	"strings"
	"testing"

	"pushpull/shared/event"
	"pushpull/shared/provider"
)

func TestEveryPresetLoadsAndSaysAllItMust(t *testing.T) {
	t.Parallel()
	for _, name := range provider.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := provider.Load(name)
			if err != nil {
				t.Fatal(err)
			}
			if p.Name != name || p.Title == "" || p.Verified == "" || len(p.Docs) == 0 || len(p.Types) == 0 {
				t.Errorf("name (that of the file), title, verified, docs and types must be there: %+v", p)
			}
			if p.Webhook == nil && p.Poll == nil {
				t.Error("a preset has a webhook half, a poll half, or both")
			}
			if p.Webhook != nil {
				setup := strings.Join(p.Setup, "\n")
				if !strings.Contains(setup, "{url}") || !strings.Contains(setup, "{secret}") {
					t.Error("setup must say where {url} and {secret} go")
				}
				if _, err := event.Compile(p.Webhook.Event); err != nil {
					t.Error(err)
				}
			}
			if p.Poll != nil {
				for resource, r := range p.Poll.Resources {
					if r.BaseURL == "" || r.Request == nil || r.Auth == nil || r.Pagination == nil || r.Event == nil {
						t.Errorf("resource %s lacks its address, request, auth, pagination or event", resource)
						continue
					}
					if _, err := event.Compile(*r.Event); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
}

func TestAProviderWithoutAFileIsUnknown(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "nobody", "../config/load/schema", "stripe.yaml"} {
		if _, err := provider.Load(name); !errors.Is(err, provider.ErrUnknown) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
