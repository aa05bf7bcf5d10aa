package destination

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"pushpull/shared/config"
	"pushpull/shared/event"
)

// sent delivers an event and returns the request that it made.
func sent(t *testing.T, d func(*cloud) config.Destination, e event.Event) wired {
	t.Helper()
	c := newCloud(t)
	if _, err := c.open(t, d(c)).Deliver(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if len(c.requests) != 1 {
		t.Fatalf("%d requests, want one", len(c.requests))
	}
	return c.requests[0]
}

func fixed(d config.Destination) func(*cloud) config.Destination {
	return func(*cloud) config.Destination { return d }
}

func TestWhatEachServiceIsSent(t *testing.T) {
	t.Parallel()
	const envelope = `{"specversion":"1.0","id":"1","source":"github","type":"issues","time":"2026-11-23T11:59:00Z","subject":"issue 17","version":"3","transport":"webhook","receivedtime":"2026-11-23T11:59:59Z","verifiedtime":"2026-11-23T11:59:59Z","correlationid":"c-1","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","datacontenttype":"application/json","data":{"n":1}}`
	const xray = "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1"
	first := func(list string) func(wired) map[string]string {
		return func(r wired) map[string]string {
			got := map[string]string{}
			gjson.GetBytes(r.body, list+".0").ForEach(func(key, value gjson.Result) bool {
				got[key.String()] = value.String()
				return true
			})
			return got
		}
	}
	data := func(r wired) map[string]string {
		got := first("Records")(r)
		got["Data"] = fromBase64(got["Data"])
		return got
	}
	fifo := func(c *cloud) config.Destination {
		return config.Destination{Kind: "sqs", Queue: c.url + "/123456789012/orders.fifo"}
	}
	for _, test := range []struct {
		kind string
		d    func(*cloud) config.Destination
		got  func(wired) map[string]string
		want map[string]string
	}{
		{"eventbridge", fixed(config.Destination{Kind: "eventbridge", Bus: "orders"}), first("Entries"), map[string]string{
			"EventBusName": "orders", "Source": "github", "DetailType": "issues", "Detail": envelope, "Time": "1795435140", "TraceHeader": xray,
		}},
		{"kinesis", fixed(config.Destination{Kind: "kinesis", Stream: "orders"}), data, map[string]string{
			"Data": envelope, "PartitionKey": "github/issue 17",
		}},
		{"firehose", fixed(config.Destination{Kind: "firehose", Stream: "orders"}), data, map[string]string{"Data": envelope + "\n"}},
		{"lambda", fixed(config.Destination{Kind: "lambda", Function: "orders:live"}), func(r wired) map[string]string {
			return map[string]string{"path": r.URL.Path, "body": string(r.body)}
		}, map[string]string{"path": "/2015-03-31/functions/orders:live/invocations", "body": envelope}},
		{"sqs", fifo, func(r wired) map[string]string {
			got := first("Entries")(r)
			got["MessageAttributes"] = texts(t, got["MessageAttributes"])
			got["MessageSystemAttributes"] = texts(t, got["MessageSystemAttributes"])
			return got
		}, map[string]string{
			"Id": "0", "MessageBody": envelope, "MessageDeduplicationId": "github/1",
			"MessageGroupId":          "9958217c7d09b453bebf556586b41aa741663cebc3fe219738e5cb2f154a67e4",
			"MessageAttributes":       "correlationid=c-1 id=1 source=github subject=issue 17 traceparent=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 transport=webhook type=issues version=3",
			"MessageSystemAttributes": "AWSTraceHeader=" + xray,
		}},
		{"sns", fixed(config.Destination{Kind: "sns", Topic: "arn:aws:sns:eu-west-1:123456789012:orders.fifo"}), func(r wired) map[string]string {
			form, _ := url.ParseQuery(string(r.body))
			got := map[string]string{"topic": form.Get("TopicArn")}
			for _, name := range []string{"Message", "MessageGroupId", "MessageDeduplicationId"} {
				got[name] = form.Get("PublishBatchRequestEntries.member.1." + name)
			}
			for i := 1; i <= 8; i++ {
				at := fmt.Sprintf("PublishBatchRequestEntries.member.1.MessageAttributes.entry.%d.", i)
				got["attribute "+form.Get(at+"Name")] = form.Get(at + "Value.StringValue")
			}
			return got
		}, map[string]string{
			"topic": "arn:aws:sns:eu-west-1:123456789012:orders.fifo", "Message": envelope, "MessageDeduplicationId": "github/1",
			"MessageGroupId":   "9958217c7d09b453bebf556586b41aa741663cebc3fe219738e5cb2f154a67e4",
			"attribute source": "github", "attribute type": "issues", "attribute id": "1", "attribute subject": "issue 17",
			"attribute version": "3", "attribute transport": "webhook", "attribute correlationid": "c-1",
			"attribute traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		}},
	} {
		t.Run(test.kind, func(t *testing.T) {
			t.Parallel()
			got := test.got(sent(t, test.d, sample("1")))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// texts are attributes as JSON has them, as name=value, sorted by name.
func texts(t *testing.T, object string) string {
	t.Helper()
	var values map[string]struct{ StringValue string }
	if err := json.Unmarshal([]byte(object), &values); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		all = append(all, name+"="+values[name].StringValue)
	}
	return strings.Join(all, " ")
}

func TestAServiceInAnotherRegionIsAskedThere(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		d    config.Destination
		want string
	}{
		{"a topic's ARN", config.Destination{Kind: "sns", Topic: "arn:aws:sns:us-west-2:123456789012:orders"}, "us-west-2"},
		{"a bus's ARN", config.Destination{Kind: "eventbridge", Bus: "arn:aws:events:us-west-2:123456789012:event-bus/orders"}, "us-west-2"},
		{"a bus's name", config.Destination{Kind: "eventbridge", Bus: "orders"}, "eu-central-1"},
		{"a stream's ARN", config.Destination{Kind: "kinesis", Stream: "arn:aws:kinesis:us-west-2:123456789012:stream/orders"}, "us-west-2"},
		{"a function's ARN", config.Destination{Kind: "lambda", Function: "arn:aws:lambda:us-west-2:123456789012:function:orders"}, "us-west-2"},
		{"a queue's URL", config.Destination{Kind: "sqs", Queue: "https://sqs.us-west-2.amazonaws.com/123456789012/orders"}, "us-west-2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := sent(t, fixed(test.d), sample("1"))
			if scope := r.Header.Get("Authorization"); !strings.Contains(scope, "/"+test.want+"/") {
				t.Errorf("it is signed for %s, want %s", scope, test.want)
			}
		})
	}
}

func TestAnEventThatIsTooLargeIsRefusedHere(t *testing.T) {
	t.Parallel()
	for kind, limit := range map[string]int{
		"eventbridge": 1 << 20, "sqs": 1 << 20, "sns": 1 << 20, "kinesis": 10 << 20, "firehose": 1000 << 10, "lambda": 6 << 20,
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			e := sample("1")
			e.Data = fmt.Appendf(nil, "%q", strings.Repeat("x", limit))
			_, err := c.open(t, configs(c)[kind]).Deliver(t.Context(), e)
			if verdictOf(err) != "give" || !strings.Contains(err.Error(), "the limit") {
				t.Errorf("the error is %v", err)
			}
			if len(c.requests) != 0 {
				t.Error("it was sent all the same")
			}
		})
	}
}

func TestDestinationsInAWSRefuseWhatCannotWork(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		d    config.Destination
		want string
	}{
		{config.Destination{Kind: "eventbridge"}, "bus: is empty"},
		{config.Destination{Kind: "sqs", Queue: "orders"}, "queue: is not the URL"},
		{config.Destination{Kind: "sns", Topic: "orders"}, "topic: is not the ARN"},
		{config.Destination{Kind: "kinesis"}, "stream: is empty"},
		{config.Destination{Kind: "firehose", Stream: "arn:aws:firehose:eu-central-1:123456789012:deliverystream/orders"}, "stream: is not the name"},
		{config.Destination{Kind: "lambda"}, "function: is empty"},
		{config.Destination{Kind: "s3"}, "bucket: is empty"},
		{config.Destination{Kind: "s3", Bucket: "orders", Format: "csv"}, "write ndjson or parquet"},
		{config.Destination{Kind: "s3", Bucket: "orders", Compression: "brotli"}, "write gzip, zstd or none"},
		{config.Destination{Kind: "s3", Bucket: "orders", Format: "parquet", Compression: "brotli"}, "write gzip, zstd or none"},
	} {
		t.Run(test.d.Kind+" "+test.want, func(t *testing.T) {
			t.Parallel()
			_, err := Open(test.d, NewEnv(Options{Now: at, AWS: (&cloud{}).settings}))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestPermissionsNameTheThingAlone(t *testing.T) {
	t.Parallel()
	const here = ":${AWS::Region}:${AWS::AccountId}:"
	for _, test := range []struct {
		d    config.Destination
		want Permission
	}{
		{config.Destination{Kind: "eventbridge", Bus: "orders"}, Permission{[]string{"events:PutEvents"}, []string{"arn:${AWS::Partition}:events" + here + "event-bus/orders"}}},
		{config.Destination{Kind: "kinesis", Stream: "orders"}, Permission{[]string{"kinesis:PutRecords"}, []string{"arn:${AWS::Partition}:kinesis" + here + "stream/orders"}}},
		{config.Destination{Kind: "firehose", Stream: "orders"}, Permission{[]string{"firehose:PutRecordBatch"}, []string{"arn:${AWS::Partition}:firehose" + here + "deliverystream/orders"}}},
		{config.Destination{Kind: "lambda", Function: "orders"}, Permission{[]string{"lambda:InvokeFunction"}, []string{"arn:${AWS::Partition}:lambda" + here + "function:orders"}}},
		{config.Destination{Kind: "lambda", Function: "arn:aws:lambda:eu-west-1:123456789012:function:orders"}, Permission{[]string{"lambda:InvokeFunction"}, []string{"arn:aws:lambda:eu-west-1:123456789012:function:orders"}}},
		{config.Destination{Kind: "sns", Topic: "arn:aws:sns:eu-west-1:123456789012:orders"}, Permission{[]string{"sns:Publish"}, []string{"arn:aws:sns:eu-west-1:123456789012:orders"}}},
		{config.Destination{Kind: "sqs", Queue: "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"}, Permission{[]string{"sqs:SendMessage"}, []string{"arn:${AWS::Partition}:sqs:eu-west-1:123456789012:orders"}}},
		{config.Destination{Kind: "s3", Bucket: "orders", Prefix: "raw/{source}"}, Permission{[]string{"s3:PutObject"}, []string{"arn:${AWS::Partition}:s3:::orders/raw/*"}}},
		{config.Destination{Kind: "s3", Bucket: "orders"}, Permission{[]string{"s3:PutObject"}, []string{"arn:${AWS::Partition}:s3:::orders/*"}}},
	} {
		t.Run(test.want.Resources[0], func(t *testing.T) {
			t.Parallel()
			for _, k := range Kinds() {
				if k.Name == test.d.Kind {
					if diff := cmp.Diff([]Permission{test.want}, k.Permissions(test.d)); diff != "" {
						t.Error(diff)
					}
				}
			}
		})
	}
}

func TestFIFOIDsAreOfCharactersThatAreAllowed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, id, want string }{
		{"a short one is as it is", "github/evt_1", "github/evt_1"},
		{"the longest is as it is", strings.Repeat("x", 128), strings.Repeat("x", 128)},
		{"a longer one is hashed", strings.Repeat("x", 129), digest(strings.Repeat("x", 129))},
		{"a space is not allowed", "a b", digest("a b")},
		{"nor are letters beyond ASCII", "ü", digest("ü")},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := fifoID(test.id); got != test.want {
				t.Errorf("it is %q, want %q", got, test.want)
			}
		})
	}
}

func TestAttributesThatAServiceWouldRefuseAreLeftOut(t *testing.T) {
	t.Parallel()
	e := event.Event{ID: "1", Source: "github", Type: "a\x00b", Subject: "\xff", Version: "3\n", Transport: event.Poll}
	want := map[string]string{"id": "1", "source": "github", "transport": "poll"}
	if diff := cmp.Diff(want, attributes(e)); diff != "" {
		t.Error(diff)
	}
}

func TestTraceParentsThatAreNoneHaveNoHeader(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "00", "00-1-2-3", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"} {
		if got := xrayHeader(text); got != "" {
			t.Errorf("%q has the header %q", text, got)
		}
	}
}
