package webhook

import (
	"slices"
	"strings"

	"pushpull/shared/config"
)

// ForAnyCustomer reports whether what passes may be of any customer of the
// provider: its key signs for all of them, and neither a requirement, a value of
// the source nor a secret of one's own says whose the event is.
func ForAnyCustomer(w config.Webhook) bool {
	return w.Auth != nil && len(w.Require) == 0 && len(w.With) == 0 && sharedAlone(*w.Auth)
}

// sharedAlone reports whether a key of all customers is all that it takes.
func sharedAlone(auth config.Auth) bool {
	switch auth.Scheme {
	case "all":
		return slices.ContainsFunc(auth.Of, sharedAlone) && !slices.ContainsFunc(auth.Of, ownSecret)
	case "any":
		return slices.ContainsFunc(auth.Of, sharedAlone)
	}
	return auth.Key.Shared && len(auth.Audience) == 0
}

// ownSecret reports whether a scheme asks for something that only the provider
// and the source know.
func ownSecret(auth config.Auth) bool {
	switch auth.Scheme {
	case "hmac", "digest", "token", "basic":
		return true
	case "jwt":
		return len(auth.Algorithm) > 0 && strings.HasPrefix(auth.Algorithm[0], "HS")
	case "all":
		return slices.ContainsFunc(auth.Of, ownSecret)
	case "any":
		return !slices.ContainsFunc(auth.Of, func(one config.Auth) bool { return !ownSecret(one) })
	}
	return false
}
