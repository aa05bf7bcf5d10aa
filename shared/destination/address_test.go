package destination

import (
	"errors"
	"net/http"
	"testing"

	"pushpull/shared/config"
	"pushpull/shared/guard"
)

func TestHTTPDialsNoPrivateAddress(t *testing.T) {
	t.Parallel()
	url, _ := listen(t, func(http.ResponseWriter, *http.Request) { t.Error("it was dialled") })
	_, err := openTest(t, config.Destination{Kind: "http", URL: url}, nil).Deliver(t.Context(), sample("1"))
	if _, ok := errors.AsType[*Permanent](err); !ok || !errors.Is(err, guard.ErrPrivate) {
		t.Errorf("the error is %v, want a *Permanent for guard.ErrPrivate", err)
	}
}
