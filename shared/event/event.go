// Package event is the envelope in which everything travels through Pushpull: a
// CloudEvents 1.0 event whose data are the exact bytes the provider sent.
//
// Its one invariant: what was encoded decodes to the same bytes, whatever they are.
package event

import "time"

// A Transport is the way an event came in.
type Transport string

// The two transports of a source.
const (
	Webhook Transport = "webhook" // the provider pushed it
	Poll    Transport = "poll"    // the poller pulled it
)

// An Event is one thing that happened at a source. The comments name the
// CloudEvents attribute each field travels as.
type Event struct {
	ID            string    // id: the identity, unique within the source, the same for both transports
	Source        string    // source: the source's name in the config
	Type          string    // type: what happened, in the provider's words
	Time          time.Time // time: when it happened at the provider; zero where the provider does not say
	Subject       string    // subject: the entity it is about; "" where there is none
	Version       string    // version: the entity's version as the provider writes it; "" where there is none
	ContentType   string    // datacontenttype: of Data, as the provider sent it
	Data          []byte    // data or data_base64: the exact bytes; nil while they are in the claim check
	DataRef       string    // dataref: where the bytes are when they are too large for the queue, s3://… or file://…
	Transport     Transport // transport
	ReceivedTime  time.Time // receivedtime: when the first of our functions had it
	VerifiedTime  time.Time // verifiedtime: when its signature was found good, or it was read over an authenticated connection
	CorrelationID string    // correlationid: one value from receiver to delivery, in every log line
	TraceParent   string    // traceparent: W3C trace context; "" where the caller sent none
	Headers       Carried   // headers: those of the request that the source keeps, by their names in small letters
	Query         Carried   // query: those parameters of the request that the source keeps
	Missed        bool      // missed: only the poll found it, later than the source's webhooks may be
	Backfill      bool      // backfill: a backfill read it, so newer ones may have come before
	Hydrated      bool      // hydrated: the data are what the provider's API had, not what came
	Replay        string    // replay: the id of the replay that sends it again; "" as it came
	SchemaError   string    // schemaerror: how the data differ from their schema, where they go on nevertheless
}

// Carried are texts that travel with an event, by name.
type Carried map[string]string

// Key names the event in the ledger: <source>/<identity>.
func (e Event) Key() string { return e.Source + "/" + e.ID }

// With is the event with other data, in JSON.
func (e Event) With(data []byte) Event {
	e.Data, e.DataRef, e.ContentType = data, "", "application/json"
	return e
}
