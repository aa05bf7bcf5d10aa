package telemetry

// Namespace is where CloudWatch shows the metrics.
const Namespace = "Pushpull"

// A Metric is the name of a metric, one of those in Metrics.
type Metric string

// The metrics. Definitions says what each counts.
const (
	EventsReceived   Metric = "EventsReceived"
	HintsReceived    Metric = "HintsReceived"
	RequestsRejected Metric = "RequestsRejected"
	QueueRefused     Metric = "QueueRefused"
	ReceiveTime      Metric = "ReceiveTime"
	EventsDuplicate  Metric = "EventsDuplicate"
	EventsConflict   Metric = "EventsConflict"
	EventsFiltered   Metric = "EventsFiltered"
	EventsSuperseded Metric = "EventsSuperseded"
	EventsInvalid    Metric = "EventsInvalid"
	SchemaDrift      Metric = "SchemaDrift"
	EventsDelivered  Metric = "EventsDelivered"
	EventsDead       Metric = "EventsDead"
	EventsMissed     Metric = "EventsMissed"
	EventAge         Metric = "EventAge"
	DeliveriesFailed Metric = "DeliveriesFailed"
	DeliveriesHeld   Metric = "DeliveriesHeld"
	BreakerOpen      Metric = "BreakerOpen"
	DeliveryTime     Metric = "DeliveryTime"
	PollsDone        Metric = "PollsDone"
	PollsFailed      Metric = "PollsFailed"
	PollRecords      Metric = "PollRecords"
	PollTime         Metric = "PollTime"
	PollLag          Metric = "PollLag"
	PollsStopped     Metric = "PollsStopped"
	PollGaps         Metric = "PollGaps"
	PollHistoryUsed  Metric = "PollHistoryUsed"
	EventsLate       Metric = "EventsLate"
	MissedShare      Metric = "MissedShare"
)

// A Unit is a unit as CloudWatch writes it.
type Unit string

// The units in use.
const (
	Count        Unit = "Count"
	Milliseconds Unit = "Milliseconds"
	Percent      Unit = "Percent"
)

// A Definition is what one metric means, and what it is divided by.
type Definition struct {
	Name       Metric
	Unit       Unit
	Dimensions []string // in the order in which their values are given
	Doc        string   // one sentence
}

// Definitions is every metric. One that an alarm watches has no dimension: an alarm
// is for one combination of values. Each combination of values that occurs is a
// metric that CloudWatch charges for, so a dimension takes its values from the
// configuration or from a closed list, never from a request.
func Definitions() []Definition {
	source := []string{KeySource}
	transport := []string{KeySource, KeyTransport}
	destination := []string{KeySource, KeyDestination}
	reason := []string{KeySource, KeyReason}
	return []Definition{
		{EventsReceived, Count, transport, "events that the queue took"},
		{HintsReceived, Count, source, "webhooks without data, for which their source is polled"},
		{RequestsRejected, Count, reason, "requests that were not authentic or not usable"},
		{QueueRefused, Count, transport, "events that the queue did not take, so that the provider was told to come again"},
		{ReceiveTime, Milliseconds, source, "from a request to its answer"},
		{EventsDuplicate, Count, transport, "events that had been received before"},
		{EventsConflict, Count, transport, "of those, events whose data were not those received before"},
		{EventsFiltered, Count, transport, "events that no route took"},
		{EventsSuperseded, Count, transport, "events that a newer version of their entity was delivered before"},
		{EventsInvalid, Count, source, "events whose data were not as a schema has them, whatever became of them"},
		{SchemaDrift, Count, source, "members in data that the source's schema does not know, told once an hour"},
		{EventsDelivered, Count, destination, "events that a destination has"},
		{EventsDead, Count, source, "events that went to the dead letters"},
		{EventsMissed, Count, source, "events that no webhook brought and a poll found"},
		{EventsLate, Count, source, "of those, events whose webhook came after all"},
		{EventAge, Milliseconds, transport, "from the arrival of an event to its last delivery"},
		{DeliveriesFailed, Count, destination, "attempts at a delivery that failed"},
		{DeliveriesHeld, Count, destination, "deliveries that waited for a breaker, a rate or for others to end"},
		{BreakerOpen, Count, nil, "of those, deliveries that waited because their destination is down"},
		{DeliveryTime, Milliseconds, destination, "one attempt at a delivery"},
		{PollsDone, Count, source, "poll jobs that read all they were to read"},
		{PollsFailed, Count, source, "poll jobs that failed"},
		{PollRecords, Count, source, "records that polls read, new or not"},
		{PollTime, Milliseconds, source, "one poll job"},
		{PollLag, Milliseconds, source, "from when a poll was due to its start"},
		{PollsStopped, Count, nil, "polls that an error keeps from being made, told each minute"},
		{PollGaps, Count, source, "polls whose API no longer had what followed the last one"},
		{MissedShare, Percent, nil, "of the records that a poll read, those that push had missed"},
		{PollHistoryUsed, Percent, nil, "how much of the time that an API keeps its history has gone by since a poll was whole, told from half of it on"},
	}
}
