// Package config is the configuration as the functions see it: complete,
// validated, with every preset and default already filled in.
//
// Its one invariant: a value of these types came through package load, so
// nothing here is checked again. The YAML is read by shared/config/load, which
// the receiver does not link.
package config

// Config is everything under config/.
type Config struct {
	// Sources are the services that have events for you, by name.
	Sources map[string]Source `json:"sources,omitempty"`
	// Destinations are where events are delivered, by name.
	Destinations map[string]Destination `json:"destinations,omitempty"`
	// Routes say which events go where; an event takes every route that matches.
	Routes []Route `json:"routes,omitempty"`
}

// A Source is a service that has events for you, by one transport or both.
type Source struct {
	// Webhook is how the provider pushes events to us.
	Webhook *Webhook `json:"webhook,omitempty"`
	// Poll is how we pull events from the provider's API: one resource of it, or a list of several.
	Poll Polls `json:"poll,omitempty"`
	// Grace is how late a webhook may be before an event that only the poll found counts as missed.
	Grace Duration `json:"grace,omitempty" jsonschema:"default=5m"`
	// Window is how long the ledger remembers an event, and so recognises its duplicates.
	Window Duration `json:"window,omitempty" jsonschema:"default=30d"`
	// KeepPayload stores the event's bytes beside the ledger entry; replay needs it.
	KeepPayload *bool `json:"keep_payload,omitempty" jsonschema:"default=true"`
}

// A Destination is where events are delivered. Kind decides which fields count.
type Destination struct {
	// Kind is http or file.
	Kind string `json:"kind" jsonschema:"enum=http,enum=file"`
	// URL is where an http destination listens.
	URL string `json:"url,omitempty"`
	// Sign is the reference to the secret deliveries are signed with (Standard Webhooks), or several during a rotation.
	Sign Secrets `json:"sign,omitempty"`
	// Headers are sent with each delivery; values may be secret references.
	Headers map[string]string `json:"headers,omitempty"`
	// Timeout bounds one attempt.
	Timeout Duration `json:"timeout,omitempty" jsonschema:"default=15s"`
	// AllowPrivate lets an http destination be on a private or loopback address.
	AllowPrivate bool `json:"allow_private,omitempty"`
	// Path is the file of a file destination (NDJSON); a relative one is in the data folder (.pushpull/ locally, /tmp in Lambda).
	Path string `json:"path,omitempty"`
	// Retry is how often and how long delivery is tried.
	Retry *Retry `json:"retry,omitempty"`
}

// Retry is how often and how long delivery is tried before an event is a dead letter.
type Retry struct {
	// Attempts is the most attempts made.
	Attempts int `json:"attempts,omitempty" jsonschema:"minimum=1,maximum=100,default=12"`
	// First is the wait after the first failure; it doubles, with full jitter.
	First Duration `json:"first,omitempty" jsonschema:"default=5s"`
	// Max is the longest wait.
	Max Duration `json:"max,omitempty" jsonschema:"default=1h"`
}

// A Route sends the events of some sources to some destinations.
type Route struct {
	// From names the sources; "*" is all of them.
	From Names `json:"from"`
	// To names the destinations.
	To Names `json:"to"`
}
