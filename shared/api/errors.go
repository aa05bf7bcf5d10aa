package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Limited is an API, or our own budget for it, that asks to wait. It is a reason
// to come back at Until, not to sleep and not to count a failure.
type Limited struct {
	Until  time.Time // by the local clock
	Status int       // 0 where no request was made
}

func (e *Limited) Error() string {
	until := e.Until.UTC().Format(time.RFC3339)
	if e.Status == 0 {
		return "the credential's budget has no room before " + until + ": it is asked again then"
	}
	return fmt.Sprintf("the api limits requests (status %d): it is asked again after %s", e.Status, until)
}

// Permanent is a failure that trying again does not heal.
type Permanent struct {
	Status int // the HTTP status, 0 where it is not one
	Reason string
	Err    error // the cause, where no request was made: an *apiauth.Error, guard.ErrPrivate
}

func (e *Permanent) Error() string { return e.Reason }

// Unwrap returns the cause; nil where there is none.
func (e *Permanent) Unwrap() error { return e.Err }

// Expired is a cursor, token or bound that the API no longer takes.
type Expired struct {
	Status int
	Reason string
}

func (e *Expired) Error() string { return e.Reason }

// TooLarge is a page that the API could not make: ask for a smaller one.
type TooLarge struct{ Status int }

func (e *TooLarge) Error() string {
	return fmt.Sprintf("status %d: the page is too large for the api: ask for a smaller one with pagination.page_size", e.Status)
}

// lasting tells whether the same request would meet the same error.
func lasting(err error) bool {
	_, permanent := errors.AsType[*Permanent](err)
	_, expired := errors.AsType[*Expired](err)
	_, large := errors.AsType[*TooLarge](err)
	return permanent || expired || large
}

func permanent(status int, format string, args ...any) error {
	return &Permanent{Status: status, Reason: fmt.Sprintf(format, args...)}
}

// refused explains a status that will not heal.
func refused(status int) error {
	why := map[int]string{
		http.StatusBadRequest:          "the api refused the request as malformed: check request and incremental",
		http.StatusUnauthorized:        "the api refused the credential: check token and auth, and that the token did not expire",
		http.StatusPaymentRequired:     "the account may not use this api: check its plan",
		http.StatusForbidden:           "the credential may not read this: give it the permission, or use another",
		http.StatusNotFound:            "the api has nothing at this address (or hides it from this credential): check base_url, request.path and with",
		http.StatusMethodNotAllowed:    "the api does not take this method: check request.method",
		http.StatusNotAcceptable:       "the api has no answer of this kind: check request.headers.Accept",
		http.StatusGone:                "the api no longer has this: check request.path, or say incremental.on_expired if it is a cursor that expired",
		http.StatusUnprocessableEntity: "the api refused the request's values: check request and incremental",
	}[status]
	if why == "" {
		why = "the api refused the request: check request"
	}
	return permanent(status, "status %d: %s", status, why)
}

func foreign(u *url.URL) error {
	return permanent(0, "the api leads to another host, %s://%s, which must not get the credential: if it is right, add it to request.hosts", short(u.Scheme), short(u.Host))
}

// short keeps what an API chose from filling an error.
func short(text string) string {
	const most = 100
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

// withoutURL drops the address, which may hold an api key, from a client's error.
func withoutURL(err error, u *url.URL) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	return fmt.Errorf("request to %s: %w", short(u.Host), err)
}
