package destination

import (
	"errors"
	"net/http"
	"net/url"
	"testing"

	"pushpull/shared/config"
	"pushpull/shared/guard"
)

func TestHTTPDialsNoPrivateAddress(t *testing.T) {
	t.Parallel()
	address, _ := listen(t, func(http.ResponseWriter, *http.Request) { t.Error("it was dialled") })
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	for name, host := range map[string]string{
		"an address that is written":      "127.0.0.1",
		"one that a name stands for":      "localhost",
		"one of IPv4 in the form of IPv6": "[::ffff:127.0.0.1]",
	} {
		t.Run(name, func(t *testing.T) {
			d := openTest(t, config.Destination{Kind: "http", URL: "http://" + host + ":" + u.Port()}, nil)
			_, err := d.Deliver(t.Context(), sample("1"))
			if _, ok := errors.AsType[*Permanent](err); !ok || !errors.Is(err, guard.ErrPrivate) {
				t.Errorf("the error is %v, want a *Permanent for guard.ErrPrivate", err)
			}
		})
	}
}
