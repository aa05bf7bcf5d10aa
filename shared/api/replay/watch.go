package replay

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"pushpull/shared/api"
)

// leastShown is how long what a credential puts into a request must be to be
// taken for a secret: a timestamp, which a signature has besides, is none.
const leastShown = 16

// notSecret are times and numbers.
var notSecret = regexp.MustCompile(`^[\d.:,TZ+ -]*$|GMT$`)

// Watch is the credential; the scrubber learns whatever it puts into requests, such
// as a token that was got meanwhile.
func Watch(auth api.Auth, s *Scrubber) api.Auth { return &watched{auth, s} }

type watched struct {
	api.Auth
	s *Scrubber
}

// Apply is the credential's.
func (w *watched) Apply(ctx context.Context, req *http.Request, body []byte) error {
	before, query := req.Header.Clone(), req.URL.Query()
	if err := w.Auth.Apply(ctx, req, body); err != nil {
		return err
	}
	for name, values := range req.Header {
		for _, value := range values {
			if before.Get(name) != value {
				w.learn(value)
			}
		}
	}
	for name, values := range req.URL.Query() {
		for _, value := range values {
			if query.Get(name) != value {
				w.learn(value)
			}
		}
	}
	for _, cookie := range req.Cookies() {
		w.learn(cookie.Value)
	}
	return nil
}

// learn takes a value, and what of it follows the name of its scheme.
func (w *watched) learn(value string) {
	if len(value) < leastShown || notSecret.MatchString(value) {
		return
	}
	w.s.Learn(value)
	scheme, rest, ok := strings.Cut(value, " ")
	if !ok {
		return
	}
	w.s.Learn(rest)
	if plain, err := base64.StdEncoding.DecodeString(rest); err == nil && strings.EqualFold(scheme, "basic") {
		_, password, _ := strings.Cut(string(plain), ":")
		w.s.Learn(password)
	}
}

// Strip is the credential's.
func (w *watched) Strip(u *url.URL) {
	if auth, ok := w.Auth.(interface{ Strip(u *url.URL) }); ok {
		auth.Strip(u)
	}
}
