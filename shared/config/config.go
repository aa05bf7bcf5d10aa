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
	// Tables are the files that routes look things up in, by their names.
	Tables map[string]Table `json:"-"`
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
	// Order is what becomes of an event that is older than the newest one of its entity that was delivered: latest drops it, none delivers it. By default latest, where versions are numbers or times; latest compares others, too, as texts. strict delivers the events of an entity one after the other, as they came: a failure holds up those behind it.
	Order string `json:"order,omitempty" jsonschema:"enum=latest,enum=none,enum=strict"`
	// History is what is recorded of deliveries: all of them, which is the default, or failures only, which saves a write for each event that every destination takes at once.
	History string `json:"history,omitempty" jsonschema:"enum=all,enum=failures"`
	// KeepPayload stores the event's bytes beside the ledger entry; replay needs it.
	KeepPayload *bool `json:"keep_payload,omitempty" jsonschema:"default=true"`
	// Retention is how long those bytes are kept; as long as the window by default.
	Retention Duration `json:"retention,omitempty"`
	// Residency is a label, such as eu: its events go only to destinations with the same one.
	Residency string `json:"residency,omitempty" jsonschema:"minLength=1"`
	// Privacy is what is hidden in the data before they are queued or stored anywhere.
	Privacy *Privacy `json:"privacy,omitempty"`
	// Schema is what the data must be; members that it does not know are reported.
	Schema *Schema `json:"schema,omitempty"`
}
