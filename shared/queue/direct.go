package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"pushpull/shared/awslite"
)

// SQS makes the calls without the SDK: the receiver is on the provider's clock,
// and the SDK's client costs it more than all of its own work. It is safe for
// concurrent use.
type SQS struct{ client *awslite.Client }

// Direct returns the API of SQS behind the client.
func Direct(client *awslite.Client) *SQS { return &SQS{client} }

// SendBatch sends at most 10 messages in one call. To a FIFO queue a message is
// sent with the hash of its content as its deduplication id, so that a call
// which is repeated for a lost answer sends nothing twice.
func (s *SQS) SendBatch(ctx context.Context, queueURL string, batch []Message) ([]Failure, error) {
	answer, err := s.call(ctx, "SendMessageBatch", appendBatch(nil, queueURL, batch))
	if err != nil {
		return nil, fmt.Errorf("send to queue %s: %w", name(queueURL), err)
	}
	return readResult(answer, len(batch))
}

// A VisibilityChange hides one received message for that long from now on.
type VisibilityChange struct {
	ReceiptHandle string
	Timeout       time.Duration // 0 to 12 hours; 0 gives the message back at once
}

// Visibility makes a received message visible again after d, 0 to 12 hours.
func (s *SQS) Visibility(ctx context.Context, queueURL, receiptHandle string, d time.Duration) error {
	b := appendQueue(nil, queueURL)
	b = append(b, `,"ReceiptHandle":`...)
	b = appendString(b, receiptHandle)
	b = append(b, `,"VisibilityTimeout":`...)
	b = strconv.AppendInt(b, seconds(d), 10)
	if _, err := s.call(ctx, "ChangeMessageVisibility", append(b, '}')); err != nil {
		return fmt.Errorf("change the visibility of a message of queue %s: %w", name(queueURL), err)
	}
	return nil
}

// Visibilities makes any number of received messages visible again, in calls of
// 10. A Failure's Index is that of the change.
func (s *SQS) Visibilities(ctx context.Context, queueURL string, changes []VisibilityChange) ([]Failure, error) {
	return s.chunks(ctx, "ChangeMessageVisibilityBatch", queueURL, len(changes), func(b []byte, i int) []byte {
		b = append(b, `,"ReceiptHandle":`...)
		b = appendString(b, changes[i].ReceiptHandle)
		b = append(b, `,"VisibilityTimeout":`...)
		return strconv.AppendInt(b, seconds(changes[i].Timeout), 10)
	})
}

// Delete deletes any number of received messages, in calls of 10. A Failure's
// Index is that of the receipt handle.
func (s *SQS) Delete(ctx context.Context, queueURL string, receiptHandles ...string) ([]Failure, error) {
	return s.chunks(ctx, "DeleteMessageBatch", queueURL, len(receiptHandles), func(b []byte, i int) []byte {
		b = append(b, `,"ReceiptHandle":`...)
		return appendString(b, receiptHandles[i])
	})
}

// chunks makes one batch call for every 10 of n entries.
func (s *SQS) chunks(ctx context.Context, action, queueURL string, n int, entry func(b []byte, i int) []byte) ([]Failure, error) {
	var failures []Failure
	for first := 0; first < n; first += maxBatch {
		count := min(maxBatch, n-first)
		b := appendQueue(nil, queueURL)
		b = append(b, `,"Entries":[`...)
		for i := range count {
			b = appendID(b, i)
			b = append(entry(b, first+i), '}')
		}
		answer, err := s.call(ctx, action, append(b, "]}"...))
		if err != nil {
			return failures, fmt.Errorf("%s on queue %s: %w", action, name(queueURL), err)
		}
		failed, err := readResult(answer, count)
		if err != nil {
			return failures, err
		}
		for _, f := range failed {
			f.Index += first
			failures = append(failures, f)
		}
	}
	return failures, nil
}

func (s *SQS) call(ctx context.Context, action string, body []byte) ([]byte, error) {
	var answer []byte
	err := s.client.JSON(ctx, "sqs", "AmazonSQS."+action, "1.0", body, &answer)
	return answer, err
}

// attributeType is the one type of attribute that we send.
const attributeType = "String"

// appendBatch appends the body of a SendMessageBatch call. It is written by hand,
// as it is most of what the receiver does for an event; entry i has the id "i".
func appendBatch(b []byte, queueURL string, batch []Message) []byte {
	length := len(queueURL) + 64
	for _, m := range batch {
		length += 160 + size(m) + size(m)/4 // a JSON body has many quotes to escape
	}
	fifo := isFIFO(queueURL)
	b = slices.Grow(b, length)
	b = appendQueue(b, queueURL)
	b = append(b, `,"Entries":[`...)
	for i, m := range batch {
		b = appendID(b, i)
		b = append(appendMessage(b, m, fifo), '}')
	}
	return append(b, "]}"...)
}

// appendMessage appends what is to be sent of one message, each with a comma before it.
func appendMessage(b []byte, m Message, fifo bool) []byte {
	b = append(b, `,"MessageBody":`...)
	b = appendString(b, m.Body)
	if m.Group != "" {
		b = append(b, `,"MessageGroupId":`...)
		b = appendString(b, group(m.Group))
	}
	if fifo {
		b = append(b, `,"MessageDeduplicationId":"`...)
		b = append(b, deduplication(m)...)
		b = append(b, '"')
	} else if m.Delay > 0 {
		b = append(b, `,"DelaySeconds":`...)
		b = strconv.AppendInt(b, seconds(m.Delay), 10)
	}
	if len(m.Attributes) > 0 {
		b = append(b, `,"MessageAttributes":{`...)
		for i, name := range names(m.Attributes) {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, name)
			b = append(b, `:{"DataType":"`+attributeType+`","StringValue":`...)
			b = appendString(b, m.Attributes[name])
			b = append(b, '}')
		}
		b = append(b, '}')
	}
	return b
}

// appendQueue begins the body of a call.
func appendQueue(b []byte, queueURL string) []byte {
	b = append(b, `{"QueueUrl":`...)
	return appendString(b, queueURL)
}

// appendID begins entry i of a batch.
func appendID(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	b = append(b, `{"Id":"`...)
	b = strconv.AppendInt(b, int64(i), 10)
	return append(b, '"')
}

func names(attributes map[string]string) []string {
	names := make([]string, 0, len(attributes))
	for name := range attributes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// seconds returns d in whole seconds, rounded up, as a delay of half a second is not none.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// deduplication returns the id under which a FIFO queue takes this very message once.
func deduplication(m Message) string {
	h := sha256.New()
	h.Write([]byte(m.Group + "\x00" + m.Body))
	for _, name := range names(m.Attributes) {
		h.Write([]byte("\x00" + name + "\x00" + m.Attributes[name]))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// group returns a message group that SQS accepts: letters, digits and ASCII
// punctuation, at most 128 of them. Any other is hashed, so that it stays one group.
func group(g string) string {
	ok := len(g) <= maxGroup
	for i := 0; ok && i < len(g); i++ {
		ok = g[i] > 0x20 && g[i] < 0x7f
	}
	if ok {
		return g
	}
	sum := sha256.Sum256([]byte(g))
	return hex.EncodeToString(sum[:])
}

// readResult reads the answer to a batch call of n entries. An entry that it
// mentions neither as done nor as failed was not done.
func readResult(answer []byte, n int) ([]Failure, error) {
	var result struct {
		Successful []struct{ Id string }
		Failed     []struct {
			Id          string
			Code        string
			Message     string
			SenderFault bool
		}
	}
	if err := json.Unmarshal(answer, &result); err != nil {
		return nil, fmt.Errorf("sqs: the answer is not a batch result: %w", err)
	}
	told := make([]bool, n)
	tell := func(id string) (int, error) {
		i, err := strconv.Atoi(id)
		if err != nil || i < 0 || i >= n {
			return 0, fmt.Errorf("sqs: the answer has an entry %q, which was not sent", id)
		}
		told[i] = true
		return i, nil
	}
	for _, done := range result.Successful {
		if _, err := tell(done.Id); err != nil {
			return nil, err
		}
	}
	var failures []Failure
	for _, failed := range result.Failed {
		i, err := tell(failed.Id)
		if err != nil {
			return nil, err
		}
		failures = append(failures, Failure{Index: i, Code: failed.Code, Message: failed.Message, Sender: failed.SenderFault})
	}
	for i, ok := range told {
		if !ok {
			failures = append(failures, Failure{Index: i, Code: "NotMentioned", Message: "the answer does not say what became of it"})
		}
	}
	return failures, nil
}
