package provider_test

import (
	"testing"

	"pushpull/shared/event"
	"pushpull/shared/webhook"
)

// The last character of a token has bits that no reader looks at.
func TestAPlaidTokenInAnotherSpellingIsNoSecondEvent(t *testing.T) {
	t.Parallel()
	c := load(t, "plaid")
	identifier, err := event.Compile(*c.hook.Event)
	if err != nil {
		t.Fatal(err)
	}
	v, err := webhook.Compile(*c.hook.Auth)
	if err != nil {
		t.Fatal(err)
	}
	r := c.request(t, c.preset.Samples[0])
	c.sign(t, &r, noon)
	identify := func() string {
		if err := v.Verify(t.Context(), c.secret, r, noon); err != nil {
			t.Fatal(err)
		}
		return identifier.Identify(event.Input{Body: r.Body, Header: r.Header.Get}).ID
	}
	first := identify()
	token := r.Header.Get("Plaid-Verification")
	last := map[byte]string{'A': "B", 'Q': "R", 'g': "h", 'w': "x"}[token[len(token)-1]]
	r.Header.Set("Plaid-Verification", token[:len(token)-1]+last)
	if second := identify(); second != first {
		t.Errorf("the same token is the events %s and %s", first, second)
	}
}
