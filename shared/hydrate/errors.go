package hydrate

import (
	"errors"
	"fmt"
	"net/http"

	"pushpull/shared/api"
	"pushpull/shared/apiauth"
)

// Missing is of an event that has nothing to be fetched.
type Missing struct {
	Reason string
	Keep   bool // the configuration says to deliver what came
}

func (e *Missing) Error() string { return e.Reason }

func permanent(format string, args ...any) error {
	return &api.Permanent{Reason: fmt.Sprintf(format, args...)}
}

// meaning is what a request that failed for good means for an event:
//
//	404, 410             the API does not have it
//	401, 403, 409        may pass: a credential is mended without a new event
//	no credential        the same
//	any other            for good: the same request would be answered the same
func meaning(err error) error {
	p, lasting := errors.AsType[*api.Permanent](err)
	if !lasting {
		return err
	}
	if e, ok := errors.AsType[*apiauth.Error](err); ok {
		return fmt.Errorf("hydrate.%s", e.Error())
	}
	switch p.Status {
	case 0:
		return err
	case http.StatusNotFound, http.StatusGone:
		return &Missing{Reason: fmt.Sprintf("the api does not have it (answered %d)", p.Status)}
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("the api answered %d: check hydrate.token and hydrate.auth, that the token did not expire, and that it may read this", p.Status)
	case http.StatusConflict:
		return fmt.Errorf("the api answered %d", p.Status)
	default:
		return permanent("the api answered %d: check hydrate.url and hydrate.headers", p.Status)
	}
}
