package provider_test

import (
	"errors"
	"testing"
	"time"

	"pushpull/shared/webhook"
)

// Where nobody says whether a retry is signed anew, one that is not must still be taken.
func TestTheLastRetryIsTakenThoughItIsNotSignedAnew(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		last, late time.Duration
	}{
		{"affirm", 23 * time.Hour, 25 * time.Hour},
		{"lob", 4 * 24 * time.Hour, 6 * 24 * time.Hour},
		{"mercado-pago", 4 * 24 * time.Hour, 6 * 24 * time.Hour},
		{"paypal", 72 * time.Hour, 74 * time.Hour},
		{"shippo", 23 * time.Hour, 25 * time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := load(t, tt.name)
			v, err := webhook.Compile(*c.hook.Auth)
			if err != nil {
				t.Fatal(err)
			}
			r := c.request(t, c.preset.Samples[0])
			c.publish(t, r)
			c.sign(t, &r, noon)
			if err := v.Verify(t.Context(), c.secret, r, noon.Add(tt.last)); err != nil {
				t.Errorf("after %s: %v", tt.last, err)
			}
			if err := v.Verify(t.Context(), c.secret, r, noon.Add(tt.late)); !errors.Is(err, webhook.ErrStale) {
				t.Errorf("after %s: %v, want ErrStale", tt.late, err)
			}
		})
	}
}
