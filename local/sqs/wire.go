package sqs

// The requests and answers, in the names of the protocol. Optional numbers are
// pointers, for zero and nothing are not the same.

type nothing struct{}

type queueRequest struct {
	QueueURL string `json:"QueueUrl"`
}

type createQueueRequest struct {
	QueueName  string
	Attributes map[string]string
	Tags       map[string]string `json:"tags"`
}

type queueURLAnswer struct {
	QueueURL string `json:"QueueUrl"`
}

type getQueueURLRequest struct {
	QueueName              string
	QueueOwnerAWSAccountID string `json:"QueueOwnerAWSAccountId"`
}

type listQueuesRequest struct {
	QueueNamePrefix string
	NextToken       string
	MaxResults      *int
}

type listQueuesAnswer struct {
	QueueURLs []string `json:"QueueUrls,omitempty"`
	NextToken string   `json:",omitempty"`
}

type getAttributesRequest struct {
	QueueURL       string `json:"QueueUrl"`
	AttributeNames []string
}

type attributesAnswer struct {
	Attributes map[string]string `json:",omitempty"`
}

type setAttributesRequest struct {
	QueueURL   string `json:"QueueUrl"`
	Attributes map[string]string
}

type tagRequest struct {
	QueueURL string `json:"QueueUrl"`
	Tags     map[string]string
}

type untagRequest struct {
	QueueURL string `json:"QueueUrl"`
	TagKeys  []string
}

type tagsAnswer struct {
	Tags map[string]string `json:",omitempty"`
}

type deadLetterSourcesRequest struct {
	QueueURL   string `json:"QueueUrl"`
	NextToken  string
	MaxResults *int
}

type deadLetterSourcesAnswer struct {
	QueueURLs []string `json:"queueUrls"` // the one answer with a small letter
	NextToken string   `json:",omitempty"`
}

type wireAttribute struct {
	DataType         string
	StringValue      *string  `json:",omitempty"`
	BinaryValue      []byte   `json:",omitempty"`
	StringListValues []string `json:",omitempty"`
	BinaryListValues [][]byte `json:",omitempty"`
}

type sendRequest struct {
	QueueURL string `json:"QueueUrl"`
	sendEntry
}

// A sendEntry is a message to send, alone or, with an Id, in a batch.
type sendEntry struct {
	MessageBody             *string
	DelaySeconds            *int
	MessageAttributes       map[string]wireAttribute
	MessageSystemAttributes map[string]wireAttribute
	MessageDeduplicationID  *string `json:"MessageDeduplicationId"`
	MessageGroupID          *string `json:"MessageGroupId"`
}

type sendAnswer struct {
	MessageID                    string `json:"MessageId"`
	MD5OfMessageBody             string
	MD5OfMessageAttributes       string `json:",omitempty"`
	MD5OfMessageSystemAttributes string `json:",omitempty"`
	SequenceNumber               string `json:",omitempty"`
}

type sendBatchEntry struct {
	ID string `json:"Id"`
	sendEntry
}

func (e sendBatchEntry) entryID() string { return e.ID }

type sendBatchRequest struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []sendBatchEntry
}

type sendBatchSuccess struct {
	ID string `json:"Id"`
	sendAnswer
}

type batchFailure struct {
	ID          string `json:"Id"`
	SenderFault bool
	Code        string
	Message     string
}

// A batchAnswer has what was done and what was not, in the order of the entries.
type batchAnswer[T any] struct {
	Successful []T            `json:",omitempty"`
	Failed     []batchFailure `json:",omitempty"`
}

type batchSuccess struct {
	ID string `json:"Id"`
}

type receiveMessageRequest struct {
	QueueURL                    string `json:"QueueUrl"`
	AttributeNames              []string
	MessageSystemAttributeNames []string
	MessageAttributeNames       []string
	MaxNumberOfMessages         *int
	VisibilityTimeout           *int
	WaitTimeSeconds             *int
	ReceiveRequestAttemptID     string `json:"ReceiveRequestAttemptId"`
}

type wireMessage struct {
	MessageID              string `json:"MessageId"`
	ReceiptHandle          string
	MD5OfBody              string
	Body                   string
	Attributes             map[string]string        `json:",omitempty"`
	MD5OfMessageAttributes string                   `json:",omitempty"`
	MessageAttributes      map[string]wireAttribute `json:",omitempty"`
}

type receiveAnswer struct {
	Messages []wireMessage `json:",omitempty"`
}

type deleteRequest struct {
	QueueURL      string `json:"QueueUrl"`
	ReceiptHandle string
}

type deleteBatchEntry struct {
	ID            string `json:"Id"`
	ReceiptHandle string
}

func (e deleteBatchEntry) entryID() string { return e.ID }

type deleteBatchRequest struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []deleteBatchEntry
}

type visibilityRequest struct {
	QueueURL          string `json:"QueueUrl"`
	ReceiptHandle     string
	VisibilityTimeout *int
}

type visibilityBatchEntry struct {
	ID                string `json:"Id"`
	ReceiptHandle     string
	VisibilityTimeout *int
}

func (e visibilityBatchEntry) entryID() string { return e.ID }

type visibilityBatchRequest struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []visibilityBatchEntry
}

type startMoveRequest struct {
	SourceARN                    string `json:"SourceArn"`
	DestinationARN               string `json:"DestinationArn"`
	MaxNumberOfMessagesPerSecond *int
}

type taskAnswer struct {
	TaskHandle string
}

type listMovesRequest struct {
	SourceARN  string `json:"SourceArn"`
	MaxResults *int
}

type wireTask struct {
	TaskHandle                        string `json:",omitempty"` // while it runs
	Status                            string
	SourceARN                         string `json:"SourceArn"`
	DestinationARN                    string `json:"DestinationArn,omitempty"`
	MaxNumberOfMessagesPerSecond      int    `json:",omitempty"`
	ApproximateNumberOfMessagesMoved  int
	ApproximateNumberOfMessagesToMove int
	FailureReason                     string `json:",omitempty"`
	StartedTimestamp                  int64  // unix milliseconds
}

type listMovesAnswer struct {
	Results []wireTask `json:",omitempty"`
}

type cancelMoveRequest struct {
	TaskHandle string
}

type cancelMoveAnswer struct {
	ApproximateNumberOfMessagesMoved int
}
