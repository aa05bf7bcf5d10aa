package config

import "encoding/json"

// A Route sends the events of some sources to some destinations, as they are or
// as it makes them.
type Route struct {
	// Name is what the ledger calls its deliveries: <name>/<destination>. A route that changes the data has one by default, made of its sources.
	Name string `json:"name,omitempty" jsonschema:"pattern=^[a-z0-9][a-z0-9_-]{0\\,62}$"`
	// From names the sources; "*" is all of them.
	From Names `json:"from"`
	// When is a condition in jq on the event: {id, source, type, time, subject, version, transport, data}.
	When string `json:"when,omitempty" jsonschema:"minLength=1"`
	// Enrich adds to the data what tables beside the configuration have.
	Enrich []Enrich `json:"enrich,omitempty"`
	// Transform is jq on the event; its one output is the new data, and no output is no delivery.
	Transform string `json:"transform,omitempty" jsonschema:"minLength=1"`
	// Split is jq on the event; each of its outputs, 100 at most, is the data of an event of its own.
	Split string `json:"split,omitempty" jsonschema:"minLength=1"`
	// Privacy is what is hidden in the data before they are delivered.
	Privacy *Privacy `json:"privacy,omitempty"`
	// Schema is what the data must be to be delivered.
	Schema *Schema `json:"schema,omitempty"`
	// To names the destinations.
	To Names `json:"to"`
}

// Changes tells whether an event may be delivered as something else than it is.
func (r Route) Changes() bool {
	return len(r.Enrich) > 0 || r.Transform != "" || r.Split != "" || r.Privacy != nil || r.Schema != nil
}

// Enrich adds to the data what a table has for a key.
type Enrich struct {
	// Table is a file in the folder tables: CSV, whose first column is the key, or YAML, a mapping.
	Table string `json:"table"`
	// Key is jq on the event that gives the key to look up.
	Key string `json:"key" jsonschema:"minLength=1"`
	// Into is where in the data it is put, such as .customer.plan.
	Into string `json:"into"`
	// Missing says what becomes of an event whose key the table does not have.
	Missing string `json:"missing,omitempty" jsonschema:"enum=keep,enum=dead"`
}

// Schema is what data must be, and what becomes of those that are not.
type Schema struct {
	// File is a JSON Schema (2020-12) in the folder schemas, as JSON or YAML.
	File string `json:"file,omitempty"`
	// Inline is the JSON Schema itself.
	Inline json.RawMessage `json:"inline,omitempty"`
	// OnFail is what becomes of an event whose data are not so: to the dead letters, on its way with the mark schemaerror, or dropped with a count.
	OnFail string `json:"on_fail,omitempty" jsonschema:"enum=dead,enum=pass,enum=drop,default=dead"`
}

// The values of a Schema's OnFail.
const (
	SchemaDead = "dead"
	SchemaPass = "pass"
	SchemaDrop = "drop"
)

// Privacy is what is hidden in data, by path: .customer.email, .items[].name.
type Privacy struct {
	// Mask puts *** in place of what is there.
	Mask Paths `json:"mask,omitempty"`
	// Hash puts the HMAC-SHA-256 with the key in its place: the same for the same value, so that joins work.
	Hash Paths `json:"hash,omitempty"`
	// Drop takes it out.
	Drop Paths `json:"drop,omitempty"`
	// Tokenise is hash in the form of what was there: an e-mail address stays one, a number a number.
	Tokenise Paths `json:"tokenise,omitempty"`
	// Encrypt puts it there encrypted (AES-256-GCM) with a data key of kms.
	Encrypt Paths `json:"encrypt,omitempty"`
	// Key is the reference to the secret that hash and tokenise are made with.
	Key Secrets `json:"key,omitempty"`
	// KMS is the key that data keys come from: its ARN, id or alias; "local:" makes them of key instead, for one machine.
	KMS string `json:"kms,omitempty" jsonschema:"minLength=1"`
}

// A Table is a table that routes look things up in: JSON by key.
type Table map[string]json.RawMessage
