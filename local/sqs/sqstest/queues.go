package sqstest

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func queueCases() []testCase {
	return []testCase{
		{"a queue's URL ends with its name, and its ARN too", func(t *testing.T, e env) {
			name := uniqueName()
			url := e.named(t, name, nil)
			if !strings.HasSuffix(url, "/"+name) {
				t.Errorf("the URL is %s", url)
			}
			equal(t, "the ARN", "arn:aws:sqs:us-east-1:000000000000:"+name, e.arn(t, url))
		}},
		{"creating a queue again with the same attributes returns the same URL", func(t *testing.T, e env) {
			name := uniqueName()
			a := attributes{"VisibilityTimeout": "17"}
			equal(t, "the URL", e.named(t, name, a), e.named(t, name, a))
		}},
		{"creating a queue again with other attributes is refused", func(t *testing.T, e env) {
			name := uniqueName()
			e.named(t, name, attributes{"VisibilityTimeout": "17"})
			_, err := e.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes{"VisibilityTimeout": "18"}})
			refusedAs[*types.QueueNameExists](t, err)
		}},
		{"the URL of a queue can be asked for by its name", func(t *testing.T, e env) {
			name := uniqueName()
			url := e.named(t, name, nil)
			out, err := e.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: &name})
			must(t, err)
			equal(t, "the URL", url, *out.QueueUrl)
		}},
		{"a queue that is not there is QueueDoesNotExist, for its URL", func(t *testing.T, e env) {
			_, err := e.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(uniqueName())})
			refusedAs[*types.QueueDoesNotExist](t, err)
		}},
		{"a queue that is not there is QueueDoesNotExist, for a message", func(t *testing.T, e env) {
			url := e.queue(t, nil) + "-not"
			_, err := e.trySend(t, url, "x")
			refusedAs[*types.QueueDoesNotExist](t, err)
		}},
		{"a deleted queue is gone", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			_, err := e.DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: &url})
			must(t, err)
			_, err = e.trySend(t, url, "x")
			refusedAs[*types.QueueDoesNotExist](t, err)
		}},
		{"queues are listed by prefix", func(t *testing.T, e env) {
			prefix := uniqueName()
			want := []string{e.named(t, prefix+"-a", nil), e.named(t, prefix+"-b", nil)}
			e.queue(t, nil)
			out, err := e.ListQueues(t.Context(), &sqs.ListQueuesInput{QueueNamePrefix: &prefix})
			must(t, err)
			slices.Sort(out.QueueUrls)
			equal(t, "the URLs", want, out.QueueUrls)
		}},
		{"queues are listed in pages", func(t *testing.T, e env) {
			prefix := uniqueName()
			var want, got []string
			for i := range 5 {
				want = append(want, e.named(t, prefix+strconv.Itoa(i), nil))
			}
			pages := sqs.NewListQueuesPaginator(e.Client, &sqs.ListQueuesInput{QueueNamePrefix: &prefix, MaxResults: aws.Int32(2)})
			for pages.HasMorePages() {
				out, err := pages.NextPage(t.Context())
				must(t, err)
				if len(out.QueueUrls) > 2 {
					t.Fatalf("a page has %d queues, want at most 2", len(out.QueueUrls))
				}
				got = append(got, out.QueueUrls...)
			}
			equal(t, "the URLs", want, got)
		}},
		{"a queue has the defaults of AWS", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			for name, want := range map[types.QueueAttributeName]string{
				"VisibilityTimeout": "30", "DelaySeconds": "0", "ReceiveMessageWaitTimeSeconds": "0",
				"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0", "ApproximateNumberOfMessagesDelayed": "0",
			} {
				equal(t, string(name), want, e.attribute(t, url, name))
			}
		}},
		{"a queue takes a mebibyte and keeps it four days by default", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			equal(t, "MaximumMessageSize", "1048576", e.attribute(t, url, "MaximumMessageSize"))
			equal(t, "MessageRetentionPeriod", "345600", e.attribute(t, url, "MessageRetentionPeriod"))
		}},
		{"only the attributes that were asked for are answered", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			out, err := e.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"VisibilityTimeout"}})
			must(t, err)
			equal(t, "the attributes", attributes{"VisibilityTimeout": "30"}, out.Attributes)
		}},
		{"an attribute that SQS does not have is refused", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			_, err := e.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"Nonsense"}})
			refusedAs[*types.InvalidAttributeName](t, err)
		}},
		{"attributes can be set one by one", func(t *testing.T, e env) {
			url := e.queue(t, attributes{"DelaySeconds": "1"})
			_, err := e.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: attributes{"VisibilityTimeout": "77"}})
			must(t, err)
			equal(t, "VisibilityTimeout", "77", e.attribute(t, url, "VisibilityTimeout"))
			equal(t, "DelaySeconds", "1", e.attribute(t, url, "DelaySeconds"))
		}},
		{"the queue says when it was made, in seconds", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			made, err := strconv.ParseInt(e.attribute(t, url, "CreatedTimestamp"), 10, 64)
			must(t, err)
			if off := time.Since(time.Unix(made, 0)).Abs(); off > 30*time.Second {
				t.Errorf("CreatedTimestamp is %s off", off)
			}
		}},
		{"an attribute out of its range is refused", func(t *testing.T, e env) {
			for name, value := range map[string]string{
				"VisibilityTimeout": "43201", "DelaySeconds": "901", "ReceiveMessageWaitTimeSeconds": "21",
				"MessageRetentionPeriod": "59", "MaximumMessageSize": "1023",
			} {
				_, err := e.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(uniqueName()), Attributes: attributes{name: value}})
				if err == nil {
					t.Errorf("%s=%s was taken", name, value)
					continue
				}
				e.refused(t, err, "InvalidAttributeValue")
			}
		}},
		{"a queue name has letters, digits, hyphens and underscores, up to 80", func(t *testing.T, e env) {
			for _, name := range []string{"with space", "with.dot", strings.Repeat("x", 81), "é"} {
				_, err := e.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name})
				e.refused(t, err, "InvalidParameterValue")
			}
		}},
		{"only a FIFO queue's name ends with .fifo", func(t *testing.T, e env) {
			name := uniqueName()
			_, err := e.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes{"FifoQueue": "true"}})
			e.refused(t, err, "InvalidParameterValue")
			name += ".fifo"
			_, err = e.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name})
			e.refused(t, err, "InvalidParameterValue")
		}},
		{"a standard queue has no attributes of FIFO queues", func(t *testing.T, e env) {
			_, err := e.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(uniqueName()), Attributes: attributes{"ContentBasedDeduplication": "true"}})
			refusedAs[*types.InvalidAttributeName](t, err)
		}},
		{"tags can be set, listed and taken away", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			_, err := e.TagQueue(t.Context(), &sqs.TagQueueInput{QueueUrl: &url, Tags: map[string]string{"team": "a", "env": "dev"}})
			must(t, err)
			_, err = e.UntagQueue(t.Context(), &sqs.UntagQueueInput{QueueUrl: &url, TagKeys: []string{"env"}})
			must(t, err)
			out, err := e.ListQueueTags(t.Context(), &sqs.ListQueueTagsInput{QueueUrl: &url})
			must(t, err)
			equal(t, "the tags", map[string]string{"team": "a"}, out.Tags)
		}},
		{"a queue can be made with tags", func(t *testing.T, e env) {
			made, err := e.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(uniqueName()), Tags: map[string]string{"a": "b"}})
			must(t, err)
			out, err := e.ListQueueTags(t.Context(), &sqs.ListQueueTagsInput{QueueUrl: made.QueueUrl})
			must(t, err)
			equal(t, "the tags", map[string]string{"a": "b"}, out.Tags)
		}},
		{"a purge empties the queue, messages in flight included", func(t *testing.T, e env) {
			url := e.queue(t, attributes{"VisibilityTimeout": "1"})
			e.send(t, url, "a")
			e.send(t, url, "b")
			e.one(t, url)
			_, err := e.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: &url})
			must(t, err)
			if got := e.receive(t, url, wait(2)); len(got) > 0 {
				t.Errorf("received %q", bodies(got))
			}
		}},
		{"the counts tell visible, in flight and delayed messages apart", func(t *testing.T, e env) {
			url := e.queue(t, nil)
			e.send(t, url, "a")
			e.send(t, url, "b")
			e.send(t, url, "later", after(100))
			e.one(t, url)
			equal(t, "visible", "1", e.attribute(t, url, "ApproximateNumberOfMessages"))
			equal(t, "in flight", "1", e.attribute(t, url, "ApproximateNumberOfMessagesNotVisible"))
			equal(t, "delayed", "1", e.attribute(t, url, "ApproximateNumberOfMessagesDelayed"))
		}},
	}
}
