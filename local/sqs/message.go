package sqs

// A Message is one message as a consumer gets it.
type Message struct {
	MessageID         string
	ReceiptHandle     string
	Body              string
	MD5OfBody         string                      // lower-case hex
	Attributes        map[string]string           // the system attributes: SentTimestamp, ApproximateReceiveCount …
	MessageAttributes map[string]MessageAttribute // what the sender attached
}

// A MessageAttribute is one attribute that a sender attached to a message.
type MessageAttribute struct {
	DataType    string // String, Number or Binary, perhaps with a label: Number.int
	StringValue string // of a String or Number
	BinaryValue []byte // of a Binary
}

// Names of system attributes.
const (
	attrSenderID     = "SenderId"
	attrSent         = "SentTimestamp"
	attrReceiveCount = "ApproximateReceiveCount"
	attrFirstReceive = "ApproximateFirstReceiveTimestamp"
	attrGroup        = "MessageGroupId"
	attrDedup        = "MessageDeduplicationId"
	attrSequence     = "SequenceNumber"
	attrTrace        = "AWSTraceHeader"
	attrDLQSource    = "DeadLetterQueueSourceArn"
)

// systemAttributeNames is every system attribute that ReceiveMessage may be asked for.
var systemAttributeNames = map[string]bool{
	"All": true, attrSenderID: true, attrSent: true, attrReceiveCount: true, attrFirstReceive: true,
	attrGroup: true, attrDedup: true, attrSequence: true, attrTrace: true, attrDLQSource: true,
}

// A record is a message as the store keeps it. It never changes; what does
// (when it is visible, how often it was received) is in its state.
type record struct {
	sent       int64  // unix milliseconds; a dead letter of a standard queue keeps the first queue's
	visible    int64  // unix milliseconds: when it can first be received
	prior      uint32 // receives in the queues that it was in before this one
	first      int64  // unix milliseconds of its first receive in those, or 0
	id         string // MessageId
	bodyMD5    string
	group      string
	dedup      string
	sender     string
	trace      string
	source     string // ARN of the queue that it is a dead letter of
	attributes map[string]MessageAttribute
	body       string
}

// A state is what the store keeps of a message that was received: its visibility
// and its receives, which are written often, apart from its body, which is not.
type state struct {
	visible  int64 // unix milliseconds
	first    int64 // unix milliseconds
	receives uint32
}
