package config

import (
	"encoding/json"
	"strings"
)

// A Destination is where events are delivered. Kind decides which fields count.
type Destination struct {
	// Kind is the service that events are delivered to.
	Kind string `json:"kind" jsonschema:"enum=http,enum=eventbridge,enum=sqs,enum=sns,enum=kinesis,enum=firehose,enum=s3,enum=lambda,enum=postgres,enum=slack,enum=log,enum=file"`
	// URL is where an http destination listens; of postgres the database, without a password: postgres://user@host:5432/database; of slack its API, where that is another.
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

	// Method is how an http destination is asked.
	Method string `json:"method,omitempty" jsonschema:"enum=POST,enum=PUT,enum=PATCH"`
	// Auth is how http requests are authenticated, as a poll's: oauth2, basic, mtls and others.
	Auth *APIAuth `json:"auth,omitempty"`
	// Token is the reference to the credential: {token} in auth, or the token of a Slack app.
	Token Secrets `json:"token,omitempty"`
	// Secrets are references to what else auth needs, by name, such as client_secret; {client_secret} in auth.
	Secrets map[string]Secrets `json:"secrets,omitempty"`
	// With gives values for the {names} in auth, such as client_id.
	With map[string]string `json:"with,omitempty"`
	// Responses say what statuses mean that an http destination uses in its own way.
	Responses *Responses `json:"responses,omitempty"`

	// Bus is the name or ARN of an EventBridge bus.
	Bus string `json:"bus,omitempty"`
	// Queue is the URL of an SQS queue; one that ends with .fifo keeps the events of an entity in order.
	Queue string `json:"queue,omitempty"`
	// Topic is the ARN of an SNS topic; one that ends with .fifo keeps the events of an entity in order.
	Topic string `json:"topic,omitempty"`
	// Stream is the name of a Firehose stream; the name or ARN of a Kinesis stream.
	Stream string `json:"stream,omitempty"`
	// Function is the name or ARN of a Lambda function, with its version or alias if that is meant.
	Function string `json:"function,omitempty"`
	// Bucket is the S3 bucket that objects are put into.
	Bucket string `json:"bucket,omitempty"`
	// Prefix is what the names of S3 objects begin with; {source}, {type}, {yyyy}, {mm}, {dd} and {hh} are the event's. Default {source}/{type}/{yyyy}/{mm}/{dd}/{hh}.
	Prefix string `json:"prefix,omitempty"`

	// Password is the reference to the database user's password.
	Password Secrets `json:"password,omitempty"`
	// CA is the reference to the certificates (PEM) that a database's own is verified with. Default: those of the system.
	CA Secrets `json:"ca,omitempty"`
	// Table is the database's table, with or without its schema: events, or app.events.
	Table string `json:"table,omitempty"`
	// Mode is what a row is: an event, or the newest version of an entity.
	Mode string `json:"mode,omitempty" jsonschema:"enum=events,enum=entities"`
	// Deletes are the types of events that mark an entity as deleted. Default *.deleted.
	Deletes Names `json:"deletes,omitempty"`
	// Migrate has the table made, and added to by later versions. Default true.
	Migrate *bool `json:"migrate,omitempty"`

	// WebhookURL is the reference to the address of a Slack incoming webhook, which is a secret.
	WebhookURL Secrets `json:"webhook_url,omitempty"`
	// Channel is where a Slack app posts: C0123456789, or #name.
	Channel string `json:"channel,omitempty"`
	// Message makes of an event the message: jq whose output is a text, or an object with text, blocks and what else Slack takes.
	Message string `json:"message,omitempty"`

	// Payload has a log destination write the data, too.
	Payload bool `json:"payload,omitempty"`

	// Residency is a label, such as eu: only to destinations that have it go the events of sources that have it.
	Residency string `json:"residency,omitempty" jsonschema:"minLength=1"`
	// Format is how events are written: of s3 ndjson (default) or parquet; of an http batch json (default) or ndjson.
	Format string `json:"format,omitempty" jsonschema:"enum=json,enum=ndjson,enum=parquet"`
	// Compression is how what is sent is compressed: gzip, zstd or none. Default: of s3 gzip, or zstd for parquet; of http none.
	Compression string `json:"compression,omitempty" jsonschema:"enum=none,enum=gzip,enum=zstd"`
	// Batch gathers events into one call where the service has a call for several.
	Batch *Batch `json:"batch,omitempty"`

	// Rate is how many deliveries it gets at most, from all functions together: "50/s". Units are s, m and h.
	Rate string `json:"rate,omitempty"`
	// Concurrency is how many deliveries to it may be under way at once, in all functions together.
	Concurrency int `json:"concurrency,omitempty" jsonschema:"minimum=1,maximum=100"`
	// Breaker is when deliveries wait because the destination is down.
	Breaker *Breaker `json:"breaker,omitempty"`

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
	// Total is how long after the first attempt there may be another. By default only attempts count.
	Total Duration `json:"total,omitempty"`
}

// Breaker is when deliveries to a destination wait, without an attempt, because
// most of them fail: it is open then. One probe at a time finds out when it is well.
type Breaker struct {
	// Failures is the share of deliveries that must fail, in percent.
	Failures int `json:"failures,omitempty" jsonschema:"minimum=1,maximum=100,default=50"`
	// Least is how many deliveries there must be to judge by.
	Least int `json:"least,omitempty" jsonschema:"minimum=1,maximum=10000,default=10"`
	// Window is the time over which they are counted.
	Window Duration `json:"window,omitempty" jsonschema:"default=1m"`
	// Open is how long it stays open before a probe.
	Open Duration `json:"open,omitempty" jsonschema:"default=30s"`
	// Off has no breaker: each delivery is attempted.
	Off bool `json:"off,omitempty"`
}

// Responses say what statuses mean that the destination uses in its own way. They
// count before the usual meaning.
type Responses struct {
	// Success are statuses that say the destination has the event, such as 409 where it knows it already.
	Success Statuses `json:"success,omitempty"`
	// Retry are statuses that pass by themselves.
	Retry Statuses `json:"retry,omitempty"`
	// Permanent are statuses at which the event is given up.
	Permanent Statuses `json:"permanent,omitempty"`
}

// Statuses are HTTP statuses: 404, 5xx or 500-503.
type Statuses []string

// UnmarshalJSON takes numbers and texts.
func (s *Statuses) UnmarshalJSON(b []byte) error {
	var items []json.RawMessage
	if err := json.Unmarshal(b, &items); err != nil {
		return err
	}
	*s = make(Statuses, len(items))
	for i, item := range items {
		(*s)[i] = strings.Trim(string(item), `"`)
	}
	return nil
}

// Batch is how events for one destination are gathered into one call.
type Batch struct {
	// Size is the most events of one call; the service's own limit if it is left out.
	Size int `json:"size,omitempty" jsonschema:"minimum=1,maximum=500"`
	// Wait is how long an event waits for company.
	Wait Duration `json:"wait,omitempty" jsonschema:"default=5ms"`
}
