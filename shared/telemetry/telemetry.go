// Package telemetry is how the functions say what they did: JSON lines for
// people (slog) and CloudWatch embedded metrics for machines. Its one
// invariant: no secret and no payload is ever written.
package telemetry

// The messages of the lines that mark an event's way. They are constant, so that
// a log can be searched for them; everything that varies is an attribute.
const (
	MsgReceived   = "event received"    // receiver: queued, acknowledged
	MsgHinted     = "hint received"     // receiver: a webhook without data, for which its source is polled
	MsgRejected   = "request rejected"  // receiver: not authentic or not usable; attribute reason
	MsgPolled     = "source polled"     // poller: records, new, missed
	MsgPollFailed = "poll failed"       // poller
	MsgDuplicate  = "duplicate dropped" // processor
	MsgConflict   = "event conflicts"   // processor: a duplicate whose data are not those received before; attribute hash
	MsgDelivered  = "event delivered"   // processor: one destination has it
	MsgRetry      = "delivery failed"   // processor: it will be tried again
	MsgDead       = "event dead"        // processor: it is in the dead letters
	MsgSuperseded = "event superseded"  // processor: a newer version of its entity was delivered before
	MsgHeld       = "delivery held"     // processor: it waits for its destination, without an attempt; attribute reason
	MsgInvalid    = "data invalid"      // processor: not as the source's schema has them, and on their way; attribute reason
	MsgDrift      = "schema drifted"    // processor: data have members that their source's schema does not know; attribute paths
	MsgHidden     = "data hidden"       // all: privacy hid all of them, as they are neither JSON nor a form
	MsgFiltered   = "event filtered"    // processor: no route took it
)

// The attributes that more than one function writes, in the design's words.
const (
	KeySource      = "source"
	KeyTransport   = "transport"
	KeyDestination = "destination"
	KeyIdentity    = "id"
	KeyType        = "type"
	KeyEntity      = "entity"
	KeyCorrelation = "correlationid"
	KeyReason      = "reason"
	KeyAttempt     = "attempt"
	KeyMissed      = "missed"
	KeyReplay      = "replay"
)
