// Package config is the configuration as the functions see it: complete,
// validated, with every preset and default already filled in.
//
// Its one invariant: a value of these types came through package load, so
// nothing here is checked again. The YAML is read by shared/config/load, which
// the receiver does not link.
package config

import (
	"pushpull/shared/event"
)

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
	// Poll is how we pull events from the provider's API.
	Poll *Poll `json:"poll,omitempty"`
	// Grace is how late a webhook may be before an event that only the poll found counts as missed.
	Grace Duration `json:"grace,omitempty" jsonschema:"default=5m"`
	// Window is how long the ledger remembers an event, and so recognises its duplicates.
	Window Duration `json:"window,omitempty" jsonschema:"default=30d"`
	// KeepPayload stores the event's bytes beside the ledger entry; replay needs it.
	KeepPayload *bool `json:"keep_payload,omitempty" jsonschema:"default=true"`
}

// A Poll is how one resource of a provider's API is read.
type Poll struct {
	// Provider names a preset: everything below comes from it, and may be overridden here.
	Provider string `json:"provider,omitempty"`
	// Resource is which of the preset's resources is read, such as events.
	Resource string `json:"resource,omitempty"`
	// Token is the reference to the credential; {token} in auth.
	Token Secrets `json:"token,omitempty"`
	// With gives values for the {names} in base_url and request, such as owner and repo.
	With map[string]string `json:"with,omitempty"`
	// Every is how often the source is polled, from 5 seconds up.
	Every Duration `json:"every,omitempty" jsonschema:"default=15m"`
	// BaseURL is the API's address: https, but for loopback.
	BaseURL string `json:"base_url,omitempty"`
	// Auth is how requests are authenticated.
	Auth *PollAuth `json:"auth,omitempty"`
	// Request is the request for the first page.
	Request *Request `json:"request,omitempty"`
	// Records is where a page holds its records.
	Records *Records `json:"records,omitempty"`
	// Pagination is how one page leads to the next.
	Pagination *Pagination `json:"pagination,omitempty"`
	// Incremental is how a poll goes on where the last one ended.
	Incremental *Incremental `json:"incremental,omitempty"`
	// Conditional sends the last answer's ETag, so that no change costs nothing.
	Conditional string `json:"conditional,omitempty" jsonschema:"enum=none,enum=etag,default=none"`
	// Event says where a record carries what identifies the event; {body.…} is the record.
	Event *event.Spec `json:"event,omitempty"`
}

// PollAuth is how requests to an API are authenticated.
type PollAuth struct {
	// Type is none, bearer, basic or api_key.
	Type string `json:"type" jsonschema:"enum=none,enum=bearer,enum=basic,enum=api_key"`
	// Prefix stands before a bearer token. Default "Bearer".
	Prefix string `json:"prefix,omitempty"`
	// Username and Password are templates for basic; {token} is the credential. Default {token} and nothing.
	Username string `json:"username,omitempty"`
	// Password is the second half of basic.
	Password string `json:"password,omitempty"`
	// In is where an api_key goes.
	In string `json:"in,omitempty" jsonschema:"enum=header,enum=query"`
	// Name is the header's or the parameter's name.
	Name string `json:"name,omitempty"`
}

// A Request is the request for the first page. Values are templates over With.
type Request struct {
	// Path is appended to base_url.
	Path string `json:"path"`
	// Params are the query parameters.
	Params map[string]string `json:"params,omitempty"`
	// Headers are sent as they stand.
	Headers map[string]string `json:"headers,omitempty"`
	// Timeout bounds one request.
	Timeout Duration `json:"timeout,omitempty" jsonschema:"default=30s"`
	// MaxBytes bounds one page, in bytes.
	MaxBytes int `json:"max_bytes,omitempty" jsonschema:"minimum=1,maximum=268435456,default=33554432"`
}

// Records is where a page holds its records.
type Records struct {
	// Path leads to the array, such as data.items; empty where the page is the array.
	Path string `json:"path,omitempty"`
	// Optional says that the API leaves the array out when it has nothing; else its absence is an error.
	Optional bool `json:"optional,omitempty"`
}

// Pagination is how one page leads to the next.
type Pagination struct {
	// Type is none, link_header (RFC 8288), cursor (in the body) or keyset (a field of the last record).
	Type string `json:"type" jsonschema:"enum=none,enum=link_header,enum=cursor,enum=keyset"`
	// CursorPath leads to the next cursor in the body (cursor) or in the last record (keyset).
	CursorPath string `json:"cursor_path,omitempty"`
	// CursorParam is the query parameter that takes it.
	CursorParam string `json:"cursor_param,omitempty"`
	// HasMorePath leads to a flag that is true while there are more pages.
	HasMorePath string `json:"has_more_path,omitempty"`
	// MaxPages bounds one run; a longer one goes on in its continuation.
	MaxPages int `json:"max_pages,omitempty" jsonschema:"minimum=1,maximum=1000000,default=1000"`
}

// Incremental is how a poll goes on where the last one ended.
type Incremental struct {
	// CursorPath leads to the field of a record that the API filters by, such as created.
	CursorPath string `json:"cursor_path"`
	// StartParam is the query parameter that takes the lower bound, such as created[gte]; empty where the API has none and reading stops at the first page that is all known.
	StartParam string `json:"start_param,omitempty"`
	// Format is how the lower bound is written.
	Format string `json:"format,omitempty" jsonschema:"enum=rfc3339,enum=unix,enum=unix_ms,enum=text,default=rfc3339"`
	// Order is how the API sorts: asc saves the checkpoint with each page, desc and none at the end of the run.
	Order string `json:"order,omitempty" jsonschema:"enum=asc,enum=desc,enum=none,default=none"`
	// Lookback is read again in each run, for records that become visible late.
	Lookback Duration `json:"lookback,omitempty"`
	// Initial is how far back the very first poll reads.
	Initial Duration `json:"initial,omitempty" jsonschema:"default=24h"`
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
